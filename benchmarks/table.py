"""The time of labsupport against that of its peers, as one table of ratios.

Where both sides of a row do the same work, that is checked before the clock starts; other rows say
what a thing costs over a plainer one. The sides take turns (ours, theirs, ours, theirs, ...), so
that a machine that slows down slows both. A ratio is that of two neighbours; the table gives the
median and the range. A new row is a function that gives such ratios, under `@row`; one whose peer
is not installed says so.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from labsupport.checks import Array

COLUMNS = ("time of", "over that of", "ratio (median)", "min - max", "target", "met")


class Size(NamedTuple):
    """How much to measure: turns of each side, and epochs (or steps) a turn."""

    turns: int = 25
    epochs: int = 400


@dataclass(frozen=True)
class Row:
    """A line of the table: `measure` gives ratios, and their median may have a limit."""

    what: str
    peer: str
    measure: Callable[[Size], Array]
    at_most: float | None = None
    at_least: float | None = None

    def line(self, size: Size) -> tuple[str, ...]:
        """Measure, and give the cells."""
        target = "-"
        if self.at_most is not None:
            target = f"at most {self.at_most:g}"
        if self.at_least is not None:
            target = f"at least {self.at_least:g}"
        try:
            ratios = self.measure(size)
        except ModuleNotFoundError as error:
            return self.what, self.peer, f"{error.name} is not installed", "", target, "-"
        low, middle, high = ratios.min(), float(np.median(ratios)), ratios.max()
        met = "-"
        if target != "-":
            fine = middle <= (self.at_most or np.inf) and middle >= (self.at_least or 0)
            met = "yes" if fine else "NO"
        return self.what, self.peer, f"{middle:.3g}", f"{low:.3g} - {high:.3g}", target, met


ROWS: list[Row] = []


def row(what: str, peer: str, **limits: float) -> Callable[..., Callable[[Size], Array]]:
    """Add a function that gives ratios to the table."""

    def add(measure: Callable[[Size], Array]) -> Callable[[Size], Array]:
        ROWS.append(Row(what, peer, measure, **limits))
        return measure

    return add


def turns(one: Callable[[], Any], other: Callable[[], Any], size: Size) -> Array:
    """Time of `one` over that of `other`, turn by turn, after a turn to warm up."""
    seconds = []
    one(), other()
    gc.collect()
    gc.disable()
    try:
        for _ in range(size.turns):
            pair = []
            for side in (one, other):
                begin = perf_counter()
                side()
                pair.append(perf_counter() - begin)
            seconds.append(pair[0] / pair[1])
    finally:
        gc.enable()
    return np.array(seconds)
