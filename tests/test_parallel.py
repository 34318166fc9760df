"""Workers on real processes: what they compute, and how a run ends when one of them fails.

Starting a process takes seconds, so all runs are started by one fixture, three at a time: that they
do not disturb each other is part of what is tested. A run that nobody ends is ended by its limit,
and its error is then not the expected one.
"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from labsupport import datasets, network, parallel, torch_twin
from labsupport.network import Network

NET = Network((2, 6, 1), "tanh", "identity", "bce_with_logits")
START = network.initialise(NET, np.random.default_rng(1), "pytorch")
X, Y = (a[:199] for a in datasets.moons()[:2])
EPOCHS, BATCH, RATE = 3, 64, 0.5


# Alone


@pytest.mark.parametrize(("samples", "workers"), [(1, 1), (7, 3), (8, 4), (399, 2), (5, 5)])
def test_shards_cover_the_samples_and_are_of_about_one_size(samples, workers):
    shards = [np.arange(samples)[parallel.share(samples, k, workers)] for k in range(workers)]
    np.testing.assert_array_equal(np.concatenate(shards), np.arange(samples))
    sizes = [len(shard) for shard in shards]
    assert 1 <= min(sizes) and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("rank", range(3))
def test_an_empty_shard_is_an_error_on_every_rank(rank):
    with pytest.raises(ValueError, match=r"^rank 2 gets an empty shard: 2 samples for 3 workers"):
        parallel.share(2, rank, 3)


def test_a_fingerprint_sees_the_last_bit():
    model = nn.Linear(3, 2).double()
    before = parallel.fingerprint(model)
    assert parallel.fingerprint(model) == before and re.fullmatch("[0-9a-f]{8}", before)
    with torch.no_grad():
        model.bias[1] = torch.nextafter(model.bias[1], torch.tensor(9.0).double())
    assert parallel.fingerprint(model) != before


# What the processes do: each writes down its number first, for a look at what is left


def here(folder):
    (folder / str(dist.get_rank())).write_text(str(os.getpid()))
    dist.barrier()  # all have written


def trains(folder):
    here(folder)
    print("rank", dist.get_rank())
    rng, device = np.random.default_rng(2), torch.device("cpu")
    model, *seen = parallel.train(NET, START, X, Y, RATE, EPOCHS, BATCH, rng, device)
    return torch_twin.parameters_of(model).vector, *seen


def is_killed(folder):
    here(folder)
    if dist.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    dist.barrier()


def hangs(folder):
    here(folder)
    if dist.get_rank() == 1:
        time.sleep(1000)
    dist.all_reduce(torch.ones(2))


def is_stopped(folder):
    here(folder)
    if dist.get_rank() == 0:
        os.kill(os.getpid(), signal.SIGSTOP)  # it does not hear SIGTERM either
    dist.all_reduce(torch.ones(2))


def raises(folder):
    here(folder)
    if dist.get_rank() == 1:
        raise RuntimeError("rows do not fit")
    dist.barrier()


def has_no_samples(folder):
    here(folder)
    parallel.share(1, dist.get_rank(), dist.get_world_size())


def loses_torchrun(folder):
    here(folder)
    if dist.get_rank() == 0:
        os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)


def sleeps(folder):
    here(folder)
    time.sleep(1000)


class Late:
    """On rank 1 it cannot be read, so that this rank never joins."""

    def __setstate__(self, state):
        if os.environ["RANK"] == "1":
            Path(state["folder"], "1").write_text(str(os.getpid()))
            time.sleep(1000)

    def __init__(self, folder):
        self.folder = folder


def never_begins(late):
    raise AssertionError("unreachable")


FAIL = {
    "all hang": (sleeps, "rank 0, 1 still works after 90 s"),
    "killed": (is_killed, "rank 1 was ended by SIGKILL"),
    "hangs": (hangs, "rank 1 gave no sign, says rank 0"),
    "stopped": (is_stopped, "rank 0 gave no sign, says rank 1"),
    "raises": (raises, "rank 1: RuntimeError: rows do not fit"),
    "no samples": (has_no_samples, "rank 1 gets an empty shard: 1 samples for 2 workers"),
    "never joins": (never_begins, "rank 1 gave no sign, says rank 0"),
    "torchrun is killed": (loses_torchrun, "torchrun ended with -9"),
}


def script():
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    command += ["2", "-m", "labsupport.parallel", "--epochs", "2"]
    root = Path(__file__).parent.parent
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Start everything; give by name what can be waited for, and the folder of the numbers."""
    with ThreadPoolExecutor(3) as pool:
        started = {}
        for name, (work, _) in FAIL.items():
            folder = tmp_path_factory.mktemp("pids")
            handed = Late(str(folder)) if name == "never joins" else folder
            # Long enough for workers to start on a machine that starts six of them at once.
            call = partial(parallel.launch, work, 2, handed, patience=4.0, limit=90.0)
            started[name] = pool.submit(call), folder
        folder = tmp_path_factory.mktemp("pids")
        started["trains"] = pool.submit(parallel.launch, trains, 2, folder), folder
        started["script"] = pool.submit(script), folder
        yield started


def is_running(pid):
    """Whether a process is there and not only waits to be collected."""
    ps = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(ps, capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def left_running(folder, patience=5.0):
    pids = [int(file.read_text()) for file in folder.iterdir()]
    assert pids
    end = time.monotonic() + patience
    while any(map(is_running, pids)) and time.monotonic() < end:
        time.sleep(0.1)
    return [pid for pid in pids if is_running(pid)]


@pytest.mark.slow
def test_two_workers_train_as_one_process(runs):
    """Mini-batches of 64 and, at the end of an epoch, of 7: shards of 4 and 3."""
    future, folder = runs["trains"]
    (one, losses, prints), (other, same_losses, same_prints) = future.result()
    rng, at, means = np.random.default_rng(2), START, []
    for _ in range(EPOCHS):
        order, total = rng.permutation(len(X)), 0.0
        for rows in np.split(order, range(BATCH, len(X), BATCH)):
            loss, gradient = network.loss_and_gradient(NET, at, X[rows], Y[rows])
            at = network.Parameters(at.sizes, at.vector - RATE * gradient.vector)
            total += loss * len(rows)
        means.append(total / len(X))
    assert abs(one - at.vector).max() < 1e-10
    np.testing.assert_allclose(losses, means, rtol=1e-10)
    assert np.array_equal(one, other) and losses == same_losses
    assert prints == same_prints and len(set(prints)) == EPOCHS
    assert left_running(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FAIL)
def test_a_failure_names_the_rank_and_leaves_nothing_running(runs, name):
    future, folder = runs[name]
    with pytest.raises(parallel.WorkerFailed, match="^" + re.escape(FAIL[name][1])):
        future.result()
    assert left_running(folder) == []


@pytest.mark.slow
def test_the_script_says_how_it_learns_the_digits(runs):
    lines = runs["script"][0].result().splitlines()
    pattern = r"epoch (\d): loss ([\d.]+), fingerprint ([0-9a-f]{8})"
    (_, before, one), (_, after, other) = (re.fullmatch(pattern, line).groups() for line in lines)
    assert float(after) < float(before) < 2.4 and one != other


def test_a_silent_worker_costs_less_than_thirty_seconds():
    assert max(2 * parallel.PATIENCE, parallel.PATIENCE + 2 * parallel.GRACE) < 30


def test_a_process_that_is_left_would_be_found(tmp_path):
    (tmp_path / "0").write_text(str(os.getpid()))
    assert left_running(tmp_path, 0.2) == [os.getpid()]
