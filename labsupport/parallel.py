"""One network, many workers: what a process does of its share, and how the processes are started.

:ref:`ch-machines` teaches it. As a script this module trains a network on scikit-learn's digits,
with gloo on processors and nccl where each worker has a GPU::

    python -m torch.distributed.run --standalone --nproc-per-node 2 -m labsupport.parallel

`launch` starts any function so, from a notebook or a test. A worker that dies, or gives no sign,
ends the run with an error that names its rank.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cloudpickle
import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from labsupport import checks, torch_twin
from labsupport.checks import Array
from labsupport.network import Network, Parameters, initialise

__all__ = ["WorkerFailed", "fingerprint", "joined", "launch", "share", "train"]

PATIENCE = 12.0
"""Seconds for which a worker waits for another before it calls the roll; twice as many at first."""

GRACE = 3.0
"""Seconds for which a worker that called the roll waits for an answer."""


class WorkerFailed(RuntimeError):
    """A worker ended the run; the message names its rank."""


def share(samples: int, rank: int, workers: int) -> slice:
    """Cut samples into shards, one for each worker, whose sizes differ by at most one.

    Returns
    -------
    slice
        The rows of this rank.

    Raises
    ------
    ValueError
        Fewer samples than workers: a shard would be empty. Every rank raises it.
    """
    checks.whole(workers, "workers", 1)
    if samples < workers:
        raise ValueError(
            f"rank {samples} gets an empty shard: {samples} samples for {workers} workers. Start "
            "fewer workers, or take a larger batch."
        )
    each, more = divmod(samples, workers)
    begin = rank * each + min(rank, more)
    return slice(begin, begin + each + (rank < more))


def fingerprint(model: nn.Module) -> str:
    """Shorten all parameters, to their last bits, to eight hexadecimal digits of a hash.

    Two models with the same parameters have the same fingerprint; with others, hardly ever.
    """
    state = hashlib.sha256()
    for p in model.parameters():
        state.update(p.detach().cpu().numpy().tobytes())
    return state.hexdigest()[:8]


# In a worker


@contextmanager
def joined(patience: float = PATIENCE, backend: str | None = None) -> Iterator[torch.device]:
    """Join the workers that torchrun has started, for a block; give the device to work on.

    Parameters
    ----------
    patience : float
        Seconds to wait for another worker; twice as many for it to join.
    backend : str, optional
        ``gloo`` or ``nccl``; by default nccl if each worker of this machine has a GPU.

    Raises
    ------
    WorkerFailed
        Another worker gives no sign. If it is on this machine, it is ended.
    """
    local, beside = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    backend = backend or ("nccl" if torch.cuda.device_count() >= beside else "gloo")
    device = torch.device("cuda", local) if backend == "nccl" else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    wait = timedelta(seconds=patience)
    store, rank, workers = next(rendezvous("env://", timeout=wait))
    store.set(f"worker {rank}", f"{socket.gethostname()} {os.getpid()}")
    _call_roll(store, "joined", rank, workers, 2 * patience)
    dist.init_process_group(backend, store=store, rank=rank, world_size=workers, timeout=wait)
    try:
        yield device
        dist.barrier()
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):  # not a mistake of its own
            _call_roll(store, "noticed", rank, workers, GRACE)
        raise
    dist.destroy_process_group()


def _call_roll(store: Any, word: str, rank: int, workers: int, patience: float) -> None:
    """Say a word for this rank and wait for it from the others; end those that are silent."""
    store.set(f"{word} {rank}", "")
    silent = []
    for other in range(workers):
        try:
            store.wait([f"{word} {other}"], timedelta(seconds=max(patience, 0.1)))
        except RuntimeError:
            silent.append(other)
            patience = 0.0
    for other in silent:
        if store.check([f"worker {other}"]):
            host, pid = store.get(f"worker {other}").decode().split()
            if host == socket.gethostname():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    if silent:
        named = ", ".join(map(str, silent))
        raise WorkerFailed(f"rank {named} gave no sign, says rank {rank}")


def train(
    net: Network,
    start: Parameters,
    X: Array,
    Y: Array,
    rate: float,
    epochs: int,
    batch: int,
    rng: np.random.Generator,
    device: torch.device,
) -> tuple[nn.Module, list[float], list[str]]:
    """Train with `DistributedDataParallel`, each worker on its shard of every mini-batch.

    Parameters
    ----------
    net, start
        The network and its parameters.
    X, Y : (m, n_in), (m, n_out)
        All samples; each worker has them and uses its share.
    rate : float
        Of plain gradient descent.
    epochs, batch : int
        Passes through all samples, and samples a step, of all workers together.
    rng : numpy.random.Generator
        Draws the order of the samples. It has to be the same for all workers.
    device : torch.device
        As `joined` gives it.

    Returns
    -------
    model, losses, fingerprints
        The network, the mean loss of each epoch over all samples, and after each epoch the
        fingerprint of this worker's replica.

    Raises
    ------
    ValueError
        A batch that leaves a worker without samples.
    """
    rank, workers = dist.get_rank(), dist.get_world_size()
    twin = torch_twin.module(net, start).to(device)
    model = DistributedDataParallel(twin, gradient_as_bucket_view=True)  # starts as rank 0 does
    criterion, dtype = torch_twin.loss(net), next(twin.parameters()).dtype
    inputs, targets = (torch.as_tensor(a, dtype=dtype, device=device) for a in (X, Y))
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    losses, prints = [], []
    for _ in range(epochs):
        order = torch.as_tensor(rng.permutation(len(X)))
        total = torch.zeros((), dtype=dtype, device=device)
        for rows in torch.split(order, batch):
            mine = rows[share(len(rows), rank, workers)].to(device)
            optimiser.zero_grad()
            # DDP takes the plain mean over workers: weights make it the mean over samples.
            weight = len(mine) * workers / len(rows)
            loss = criterion(model(inputs[mine]), targets[mine]) * weight
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(rows) / workers
        dist.all_reduce(total)
        losses.append(total.item() / len(X))
        prints.append(fingerprint(twin))
    return twin, losses, prints


# From outside


def launch(
    work: Callable[..., Any],
    workers: int,
    *given: Any,
    patience: float = PATIENCE,
    limit: float = 120.0,
) -> list[Any]:
    """Run a function in several processes of this machine, by torchrun, with gloo.

    Parameters
    ----------
    work : callable
        Called in each process as ``work(*given)``, after the processes have joined; it may be one
        of a notebook. What it prints is printed here, rank by rank.
    workers : int
        How many processes.
    *given : object
        Handed on; the processes get copies.
    patience : float
        Seconds for which a worker waits for another.
    limit : float
        Seconds after which the run is ended, whatever it does.

    Returns
    -------
    list
        What each rank gave.

    Raises
    ------
    WorkerFailed
        A worker raised, died or gave no sign. Nothing is left running.

    Notes
    -----
    The workers talk over loopback, through a port that the system chooses. Each has one thread.
    """
    checks.whole(workers, "workers", 1)
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "")
    here = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **one, "PYTHONPATH": here, "GLOO_SOCKET_IFNAME": loopback}
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job").write_bytes(cloudpickle.dumps((work, given)))
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(workers)]
        command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
        command += ["--local-addr", "localhost", "--log-dir", name, "--redirects", "3"]
        command += ["-m", "labsupport.parallel", "--job", name, "--patience", str(patience)]
        with open(folder / "torchrun", "w+") as said:
            process = subprocess.Popen(
                command, stdout=said, stderr=said, env=environment, start_new_session=True
            )
            try:
                status: int | None = process.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _end(process)
            said.seek(0)
            torchrun = said.read()
        for rank in range(workers):
            for log in folder.glob(f"*/attempt_0/{rank}/stdout.log"):
                print(log.read_text("utf-8"), end="")
        ended = {
            rank: pickle.loads(file.read_bytes())
            for rank in range(workers)
            if (file := folder / f"rank {rank}").exists()
        }
    if status == 0:
        return [ended[rank][0] for rank in range(workers)]
    raise WorkerFailed(_reason(status, limit, workers, ended, torchrun))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End torchrun and with it the workers, if it still runs."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:  # it waits for a worker that does not listen
        process.kill()
        process.wait()


def _reason(
    status: int | None, limit: float, workers: int, ended: dict[int, tuple[Any, str]], torchrun: str
) -> str:
    """Say which rank ended the run, and how."""
    if told := [text for _, text in ended.values() if text]:
        return told[0]
    if status is None:
        working = ", ".join(str(rank) for rank in range(workers) if rank not in ended)
        return f"rank {working} still works after {limit:g} s; the run was ended"
    cause = torchrun.partition("Root Cause")[2]
    if found := re.search(r"rank +: (\d+).*?exitcode +: (-?\d+)", cause, re.DOTALL):
        rank, code = found[1], int(found[2])
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return f"rank {rank} {how}"
    return f"torchrun ended with {status}:\n{torchrun}"


def _end_with_parent() -> None:
    """Let Linux end this process when torchrun is gone, even if that was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _work(folder: Path, patience: float) -> None:
    """Do the job in a folder, and leave there what this rank gave, or why it did not."""
    file = folder / f"rank {os.environ['RANK']}"
    work, given = pickle.loads((folder / "job").read_bytes())
    try:
        with joined(patience, "gloo"):
            result = work(*given)
    except BaseException as error:
        text = str(error)
        if not text.startswith("rank "):
            text = f"rank {os.environ['RANK']}: {type(error).__name__}: {text}"
        file.write_bytes(pickle.dumps((None, text)))
        raise
    file.write_bytes(cloudpickle.dumps((result, "")))


def _digits(epochs: int, batch: int, rate: float, width: int, patience: float) -> None:
    """Train on the digits and let rank 0 say how it goes."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    net = Network((64, width, 10), "relu", "identity", "softmax_cross_entropy")
    start = initialise(net, np.random.default_rng(0), "he")
    with joined(patience) as device:
        rng, data = np.random.default_rng(1), (X / 16, np.eye(10)[y])
        _, losses, prints = train(net, start, *data, rate, epochs, batch, rng, device)
        if dist.get_rank() == 0:
            for epoch, (loss, mark) in enumerate(zip(losses, prints, strict=True), start=1):
                print(f"epoch {epoch}: loss {loss:.6f}, fingerprint {mark}")


def main(arguments: list[str] | None = None) -> None:
    """Be a worker: of `launch` with a job, else of the training on the digits."""
    _end_with_parent()
    parser = argparse.ArgumentParser(prog="labsupport.parallel", description=_digits.__doc__)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64, help="samples a step, of all workers")
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--width", type=int, default=64, help="hidden units")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds")
    asked = vars(parser.parse_args(arguments))
    job = asked.pop("job")
    if job:
        _work(job, asked["patience"])
    else:
        _digits(**asked)


if __name__ == "__main__":
    main()
