"""Two workers that share every batch, beside two processes that share nothing; and what sums cost.

Processes on one machine also share its caches and its memory. So the speed-up of two workers is
compared with that of two independent processes which do the same matrix products, at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.table import Size, row
from labsupport.checks import Array
from labsupport.network import Network, initialise

NET = Network((784, 1024, 1024, 10), "relu", "identity", "softmax_cross_entropy")
BATCH = 2048
SIDES = ("one process", "two workers", "two independent processes")
BATCHES = (64, 128, 256, 512, 1024, 2048)
MEGABYTES = (0.01, 0.1, 1.0, 3.0, 10.0, 30.0)


def in_turns(turns: int, batches: tuple[int, ...]) -> dict[int, Array]:
    """In each of two workers: seconds of a step, (turns, sides), for each size of the batch.

    A step counts until the slower worker is done. One process is that of rank 0, which has the
    whole batch to itself while the other waits.
    """
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    from labsupport import parallel, torch_twin

    start = initialise(NET, np.random.default_rng(5), "he").astype(np.float32)
    bare, criterion = torch_twin.module(NET, start), torch.nn.CrossEntropyLoss()
    twin = torch_twin.module(NET, start)
    shared = DistributedDataParallel(twin, gradient_as_bucket_view=True)
    rank, workers = dist.get_rank(), dist.get_world_size()

    def step(model: Any, X: Any, y: Any) -> None:
        model.zero_grad()
        criterion(model(X), y).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.01 * p.grad

    def timed(side: Callable[[], Any]) -> float:
        dist.barrier()
        begin = perf_counter()
        side()
        seconds = torch.tensor(perf_counter() - begin)
        dist.all_reduce(seconds, dist.ReduceOp.MAX)
        return seconds.item()

    found = {}
    for batch in batches:
        rng = np.random.default_rng(6)
        X = torch.from_numpy(rng.standard_normal((batch, 784)).astype(np.float32))
        y = torch.from_numpy(rng.integers(0, 10, batch))
        mine = parallel.share(batch, rank, workers)

        def alone(X: Any = X, y: Any = y) -> None:
            if rank == 0:
                step(bare, X, y)

        def together(X: Any = X[mine], y: Any = y[mine]) -> None:
            step(shared, X, y)

        def independent(X: Any = X[mine], y: Any = y[mine]) -> None:
            step(bare, X, y)

        sides = (alone, together, independent)
        rows = [[timed(side) for side in sides] for _ in range(turns + 1)]
        found[batch] = np.array(rows[1:])  # without the turn to warm up
    return found


def sums(turns: int) -> list[list[float]]:
    """In each of two workers: (megabytes, fewest milliseconds) of an all-reduce."""
    import torch
    import torch.distributed as dist

    found = []
    for size in MEGABYTES:
        x, seconds = torch.ones(int(size * 250_000)), []
        for _ in range(turns + 1):
            dist.barrier()
            begin = perf_counter()
            dist.all_reduce(x)
            seconds.append(perf_counter() - begin)
            x.fill_(1.0)
        found.append([size, round(1e3 * min(seconds[1:]), 4)])
    return found


@cache
def pairs(size: Size) -> Array:
    """Seconds of a step, (turns, sides), of the batch that the table speaks of."""
    from labsupport import parallel

    found: Array = parallel.launch(in_turns, 2, size.turns, (BATCH,), limit=300)[0][BATCH]
    return found


@row(
    "two independent processes, 784-1024-1024-10, batch 2048, PyTorch",
    "two workers that reduce their gradients",
    at_least=0.9,
)
def workers_against_independent(size: Size) -> Array:
    _, workers, independent = pairs(size).T
    ratios: Array = independent / workers
    return ratios


@row("one process, the same step", "two workers that reduce their gradients")
def workers_against_one(size: Size) -> Array:
    one, workers, _ = pairs(size).T
    ratios: Array = one / workers
    return ratios


def measure(turns: int = 25, batches: tuple[int, ...] = BATCHES) -> dict[str, Any]:
    """Time steps and all-reduces of two workers.

    Returns
    -------
    dict
        ``steps``: (batch, milliseconds of each of `SIDES`) and ``sums``: (megabytes, milliseconds),
        each the fastest of all turns, which other work on the machine has disturbed least;
        ``ratio``: median, least and largest share of the speed-up of two independent processes that
        two workers reach at the largest batch, turn by turn; ``load``: processes that wanted a
        core, on average over the minute before and over the last minute.
    """
    from labsupport import parallel

    before = os.getloadavg()[0]
    steps = parallel.launch(in_turns, 2, turns, batches, limit=900)[0]
    ratios = steps[max(batches)][:, 2] / steps[max(batches)][:, 1]
    return {
        "sides": list(SIDES),
        "steps": [
            [batch, *(round(1e3 * float(t), 3) for t in seconds.min(axis=0))]
            for batch, seconds in steps.items()
        ],
        "sums": parallel.launch(sums, 2, turns, limit=300)[0],
        "ratio": [round(float(f(ratios)), 3) for f in (np.median, np.min, np.max)],
        "turns": turns,
        "load": [round(before, 1), round(os.getloadavg()[0], 1)],
    }
