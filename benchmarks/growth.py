"""How the cost grows with the number of runs, samples and units: measured, and stored for the book.

PyTorch stands beside NumPy, on the processor and, where there is one, on a GPU: the same script.
The book draws what is stored; to time anything while a page is checked would make its check fail
on a busy machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from labsupport import datasets, descent
from labsupport.checks import Array
from labsupport.network import Network, initialise

STORED = Path(__file__).parent / "measured.json"

RUNS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
SAMPLES = (4, 12, 40, 120, 400, 1200, 4000, 12_000, 40_000)
UNITS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


def seconds(turn: Callable[[int], Any], turns: int, least: float) -> float:
    """Median seconds of an epoch, each turn of so many epochs long enough to be timed."""

    def timed(epochs: int) -> float:
        begin = perf_counter()
        turn(epochs)
        return perf_counter() - begin

    epochs = 1
    while timed(epochs) < least:
        epochs *= 2
    return float(np.median([timed(epochs) for _ in range(turns)])) / epochs


def ours(net: Network, X: Array, Y: Array, runs: int | None = None) -> Callable[[int], Any]:
    """Train one network, or many, for a number of epochs."""
    start = initialise(net, np.random.default_rng(3), "he", runs=runs)
    rule = descent.Fixed(1e-3)
    return lambda n: descent.train(net, start, X, Y, rule, n, every=n, progress=False)


def theirs(net: Network, X: Array, Y: Array, device: str) -> Callable[[int], Any]:
    """Train the same network in PyTorch, in float64 too, and wait for the last loss."""
    import torch

    from labsupport import torch_twin

    start = initialise(net, np.random.default_rng(3), "he")
    model = torch_twin.module(net, start).to(device)
    inputs, targets = (torch_twin.as_tensor(array).to(device) for array in (X, Y))
    criterion = torch.nn.BCELoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)

    def turn(epochs: int) -> Any:
        for _ in range(epochs):
            optimiser.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimiser.step()
        return loss.item()

    return turn


def devices() -> dict[str, str]:
    """Where PyTorch can run, by the name that the book shows; none if it is not installed."""
    try:
        import torch
    except ModuleNotFoundError:
        return {}
    found = {"PyTorch, processor": "cpu"}
    if torch.cuda.is_available():
        found["PyTorch, GPU"] = "cuda"
    return found


def measure(turns: int = 7, least: float = 0.05, largest: float = np.inf) -> dict[str, Any]:
    """Time an epoch for every number of runs, samples and units up to `largest`.

    Returns
    -------
    dict
        Under ``runs``, ``samples`` and ``units`` the pairs (number, microseconds an epoch), and
        under ``peers`` those of PyTorch, by device: {"PyTorch, processor": {"samples": ..., ...}}.
    """
    rng = np.random.default_rng(4)

    def labels(m: int) -> tuple[Array, Array]:
        inputs = rng.standard_normal((m, 2))
        return inputs, (inputs[:, :1] * inputs[:, 1:] > 0).astype(float)

    def column(numbers: tuple[int, ...], turn: Callable[[int], Any]) -> list[list[float]]:
        few = [n for n in numbers if n <= largest]
        return [[n, round(1e6 * seconds(turn(n), turns, least), 2)] for n in few]

    wide = {n: (Network((2, 16, 1), "tanh"), *labels(n)) for n in SAMPLES}
    deep = {n: (Network((2, n, n, 1), "tanh"), *labels(400)) for n in UNITS}
    return {
        "runs": column(RUNS, lambda n: ours(Network((2, 4, 1)), *datasets.xor(), n)),
        "samples": column(SAMPLES, lambda n: ours(*wide[n])),
        "units": column(UNITS, lambda n: ours(*deep[n])),
        "peers": {
            name: {
                "samples": column(SAMPLES, lambda n, at=device: theirs(*wide[n], at)),
                "units": column(UNITS, lambda n, at=device: theirs(*deep[n], at)),
            }
            for name, device in devices().items()
        },
    }


def store(found: dict[str, Any]) -> None:
    """Write what was measured to `STORED`."""
    STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
