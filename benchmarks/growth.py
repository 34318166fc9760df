"""How the cost grows with the number of runs, samples and units: measured, and stored for the book.

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
from labsupport.network import Network, initialise

STORED = Path(__file__).parent / "measured.json"

RUNS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
SAMPLES = (4, 12, 40, 120, 400, 1200, 4000, 12_000, 40_000)
UNITS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


def seconds(net: Network, X: Any, Y: Any, runs: int | None, turns: int, least: float) -> float:
    """Median seconds of an epoch, each turn long enough to be timed."""
    start = initialise(net, np.random.default_rng(3), "he", runs=runs)

    def turn(epochs: int) -> float:
        begin = perf_counter()
        descent.train(net, start, X, Y, descent.Fixed(1e-3), epochs, every=epochs, progress=False)
        return perf_counter() - begin

    epochs = 1
    while turn(epochs) < least:
        epochs *= 2
    return float(np.median([turn(epochs) for _ in range(turns)])) / epochs


def measure(turns: int = 7, least: float = 0.05, largest: float = np.inf) -> dict[str, Any]:
    """Time an epoch for every number of runs, samples and units up to `largest`.

    Returns
    -------
    dict
        Under ``runs``, ``samples`` and ``units`` the pairs (number, microseconds an epoch).
    """
    rng = np.random.default_rng(4)
    X, Y = datasets.xor()

    def labels(m: int) -> tuple[Any, Any]:
        inputs = rng.standard_normal((m, 2))
        return inputs, (inputs[:, :1] * inputs[:, 1:] > 0).astype(float)

    def by_runs(n: int) -> float:
        return seconds(Network((2, 4, 1)), X, Y, n, turns, least)

    def by_samples(n: int) -> float:
        return seconds(Network((2, 16, 1), "tanh"), *labels(n), None, turns, least)

    def by_units(n: int) -> float:
        return seconds(Network((2, n, n, 1), "tanh"), *labels(400), None, turns, least)

    def column(numbers: tuple[int, ...], one: Callable[[int], float]) -> list[list[float]]:
        return [[n, round(1e6 * one(n), 2)] for n in numbers if n <= largest]

    return {
        "runs": column(RUNS, by_runs),
        "samples": column(SAMPLES, by_samples),
        "units": column(UNITS, by_units),
    }


def store(found: dict[str, Any]) -> None:
    """Write what was measured to `STORED`."""
    STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
