"""Compare what a student's function gave with what is right, and put the difference into words.

First the order and the form: right arrays in another place, too many, too few, transposed. Then the
slips that give the very same numbers. Then what is certain of each array: its shape, its digits, a
ratio that is constant. `labsupport.feedback.diagnosis` tries the functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from labsupport.checks import Array

TOLERANCE, TOLERANCE_32 = 1e-6, 1e-3
"""Largest relative error that is right, by precision; cancellation costs honest programs digits."""


class Trial(NamedTuple):
    """One call of a student's function.

    Attributes
    ----------
    got, want : list of Array
        What it gave, and what is right.
    samples : int
        How many samples it was given.
    axis : int
        Along which a bias has one entry; 1 if samples are columns.
    """

    got: list[Array]
    want: list[Array]
    samples: int
    axis: int = 0

    def pair(self, k: int, place: int | None = None) -> tuple[Array, Array]:
        """Give array k, and the right one of this place or another.

        A bias may come as (n,), and an array of one entry as a number.
        """
        g, w = self.got[k], self.want[k if place is None else place]
        bias = g.ndim < 2 and w.ndim == 2 and w.shape[self.axis] == 1
        return (g.reshape(w.shape) if g.size == w.size and (bias or g.size == 1) else g), w

    def differs(self, k: int, place: int | None = None) -> bool:
        """Whether array k is not the right one of this place or another."""
        return differ(*self.pair(k, place), norm(self.want))


def differ(one: Array, other: Array, scale: float) -> bool:
    """Whether two arrays differ by more than rounding, where all arrays together have norm scale.

    An array that is small beside the others may be off by more than its own digits.
    """
    if one.shape != other.shape or not np.isfinite(one).all():
        return True
    tolerance = TOLERANCE_32 if one.dtype == np.float32 else TOLERANCE
    allowed = np.linalg.norm(other) + 1e-3 * scale + tolerance
    return bool(np.linalg.norm(one - other) > tolerance * allowed)


def norm(arrays: Sequence[Array]) -> float:
    """Give the norm of all arrays together."""
    return float(sum(np.linalg.norm(t) ** 2 for t in arrays) ** 0.5)


def right_ones(trials: Sequence[Trial]) -> list[bool]:
    """Say of each array whether it is right in all trials."""
    return [not any(t.differs(k) for t in trials) for k in range(len(trials[0].want))]


# Order and form


def misplaced(name: str, trials: Sequence[Trial], labels: Sequence[str]) -> list[str]:
    """Say that right arrays are in a wrong place or transposed, or too many or too few.

    Nothing if what is wrong, if anything, are values. The labels stand in the right order.
    """
    needed, counts = ", ".join(labels), sorted({len(t.got) for t in trials})
    if len(counts) > 1:
        return [f"`{name}` gives {counts[0]} arrays or {counts[1]}; expected {needed}."]
    ways = arrangements(name, trials, labels) if counts == [len(labels)] else ()
    if pure := [text for text, arranged in ways if all(right_ones(arranged))]:
        return min(pure, key=len)  # nothing, if they are right as they are

    def place(k: int) -> int | None:
        """Say which of the right arrays this is, in every trial."""
        places = sorted(range(len(labels)), key=lambda p: p != k)
        return next((p for p in places if not any(t.differs(k, p) for t in trials)), None)

    found = [place(k) for k in range(counts[0])]
    if len(found) == len(labels) and all(p in (k, None) for k, p in enumerate(found)):
        return []
    if all(p is None for p in found):
        return [f"`{name}` gives {len(found)} arrays; expected {len(labels)}: {needed}."]
    given = ", ".join("something else" if p is None else labels[p] for p in found)
    return [f"`{name}` gives {given}; expected {needed}, in this order."]


def arrangements(
    name: str, trials: Sequence[Trial], labels: Sequence[str]
) -> Iterator[tuple[list[str], Sequence[Trial]]]:
    """Give the ways to put results into the right form: what is wrong with it, and them so put.

    With arrays transposed or in another order, if all shapes are right then and in this way only;
    last as they are.
    """
    places = range(len(labels))
    shapes = [[(g.shape, w.shape) for g, w in (t.pair(k) for t in trials)] for k in places]
    some = {k for k in places if all(g == w[::-1] for g, w in shapes[k])}
    some -= {k for k in places if all(g == w for g, w in shapes[k])}
    every = {k for k in places if any(t.got[k].size > 1 < t.got[k].ndim for t in trials)}
    for turned in dict.fromkeys(map(frozenset, (some, (), every))):
        flip = [
            t._replace(got=[g.T if k in turned else g for k, g in enumerate(t.got)]) for t in trials
        ]
        fits = [[p for p in places if _fits(flip, k, p)] for k in places]
        at = [p for one in fits for p in one]
        if all(fits) and sorted(at) == list(places) and (turned or at != sorted(at)):
            text, group = [], [labels[at[k]] for k in sorted(turned)]
            if at != sorted(at):
                given, needed = ", ".join(labels[p] for p in at), ", ".join(labels)
                text.append(f"`{name}` gives {given}; expected {needed}, in this order.")
            if turned:
                text.append(f"{_listed(group)} {'are' if group[1:] else 'is'} transposed.")
            yield text, [t._replace(got=[t.got[at.index(p)] for p in places]) for t in flip]
    yield [], trials


def _fits(trials: Sequence[Trial], k: int, place: int) -> bool:
    return all(g.shape == w.shape for g, w in (t.pair(k, place) for t in trials))


# Slips that give the same numbers


def likely(
    trials: Sequence[Trial], slips: Iterable[tuple[str, Callable[[int], Iterable[Array]]]]
) -> Iterator[str]:
    """Name the slips that give the same wrong numbers in every trial.

    A slip is a hint, and a function that gives its arrays in trial k; it is read no further than to
    the first difference. An array of a wrong shape is left out where the slip has the right one,
    since a slip of the zoo is made only where it fits; but some wrong array is not left out. A
    vector may lie or stand, and a number stand for all entries.
    """
    norms = [norm(t.want) for t in trials]

    def explains(slip: Callable[[int], Iterable[Array]]) -> bool:
        seen = False
        for n, (trial, scale) in enumerate(zip(trials, norms, strict=True)):
            for k, o in zip(range(len(trial.want)), slip(n), strict=True):
                g, w = trial.pair(k)
                if g.size == 1 or g.size == o.size == max(o.shape, default=1):
                    g = np.broadcast_to(g.ravel(), o.size).reshape(o.shape)
                if g.shape == o.shape or o.shape != w.shape:
                    if differ(g, o, scale):
                        return False
                    seen = seen or trial.differs(k)
        return seen

    return (hint for hint, slip in slips if explains(slip))


# What is certain


def facts(trials: Sequence[Trial], labels: Sequence[str]) -> list[str]:
    """Say how wrong arrays differ from the right ones, and which are right: what is certain."""
    good, off = right_ones(trials), list[float]()
    alike: dict[str, list[str]] = {}
    for k, label in enumerate(labels):
        if not good[k]:
            text = _describe(trials, k, label)
            off += [] if text else _errors(trials, k)
            alike.setdefault(text, []).append(label)
    lines = []
    for text, group in alike.items():
        verb, rest = (text or f"is off by {_range(off)} of its size").split(" ", 1)
        if len(group) > 1:
            verb, rest = {"is": "are", "has": "have"}[verb], rest.replace(" its ", " their ")
        lines.append(f"{_listed(group)} {verb} {rest}.")
    fine = [label for label, right in zip(labels, good, strict=True) if right]
    return [*lines, f"Right already: {_listed(fine)}."] if fine else lines


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _errors(trials: Sequence[Trial], k: int) -> list[float]:
    pairs = [(g, w) for g, w in (t.pair(k) for t in trials) if w.any()]
    return [float(np.linalg.norm(g - w) / np.linalg.norm(w)) for g, w in pairs]


def _range(off: Sequence[float]) -> str:
    low, high = (f"{100 * x:.{0 if x > 0.1 else 2}f} %" for x in (min(off), max(off)))
    return low if low == high else f"{low} to {high}"


def _describe(trials: Sequence[Trial], k: int, label: str) -> str:
    """Say how a wrong array differs, as the end of a sentence; nothing if it is just wrong."""
    for t in trials:
        if not _fits([t], k, k):
            turned = [t._replace(got=[g.T for g in t.got]) for t in trials]
            more = ": it is transposed" if right_ones(turned)[k] else _shape(t, k, label)
            return f"has shape {t.got[k].shape} where {t.want[k].shape} is needed{more}"
    got, errors = [t.got[k] for t in trials], _errors(trials, k)
    if not all(np.isfinite(g).all() for g in got):
        return "has nan or infinity in it: look for a division by zero or a log(0)"
    if not any(g.any() for g in got):
        return "is zero everywhere"
    if not errors:
        return "is not zero, and should be"
    if max(errors) < 1e-3:
        digits = int(0.01 - np.log10(max(errors)))
        return f"is right to {digits} digits, as with float32 or a difference quotient"
    return _ratio(trials, k) or ""


def _shape(trial: Trial, k: int, label: str) -> str:
    """Say what is certain of a wrong shape."""
    m, n = trial.samples, trial.want[k].size
    if m == n or not re.search(r"b\d+$", label):
        return ""
    if trial.got[k].size == m:
        return f": an entry for each of the {m} samples, not for each of the {n} units"
    return f": the sum over the {m} samples is missing" if trial.got[k].size == m * n else ""


def _ratio(trials: Sequence[Trial], k: int) -> str:
    """Say by which factor an array is off, if in all entries and trials by one, or one times m."""
    pairs = [t.pair(k) for t in trials]
    if not all(g.any() and w.any() for g, w in pairs) or sum(w.size for _, w in pairs) < 2:
        return ""
    m = np.array([float(t.samples) for t in trials])
    r = np.array([np.vdot(g, w) / np.vdot(w, w) for g, w in pairs])
    off = [
        np.linalg.norm(g - f * w) / np.linalg.norm(g) for f, (g, w) in zip(r, pairs, strict=True)
    ]
    for power in (0, 1, -1):
        c = r / m**power
        if max(off) < 1e-5 and np.ptp(c) < 1e-4 * abs(c[0]):
            size, turned = abs(c[0]), ", and the sign is wrong" if c[0] < 0 else ""
            if power == 0 and np.isclose(size, 1, rtol=1e-4):
                return "has the wrong sign"
            large = power > 0 or power == 0 and size > 1
            factor = f"{size if large else 1 / size:.3g}{' m' * abs(power)}".removeprefix("1 ")
            hint = {0: "", 1: ": the 1/m is missing", -1: ": there is a 1/m too many"}[power]
            return f"is {factor} times too {'large' if large else 'small'}{turned}{hint}"
    return ""
