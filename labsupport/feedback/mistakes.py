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
    """

    got: list[Array]
    want: list[Array]
    samples: int

    def differs(self, k: int, right: int | None = None) -> bool:
        """Whether array k is not the right one, or the right one of another place."""
        return differ(self.got[k], self.want[k if right is None else right], norm(self.want))


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


def fitted(one: Array, other: Array, axis: int = 0) -> Array:
    """Let a bias (n,) count as (1, n), or as (n, 1) with axis 1, and a number as any one entry."""
    alike = one.size == other.size
    bias = one.ndim < 2 and other.ndim == 2 and other.shape[axis] == 1
    return one.reshape(other.shape) if alike and (bias or one.size == 1) else one


# Order and form


def order(name: str, trials: Sequence[Trial], labels: Sequence[str]) -> str:
    """Say that right arrays are in a wrong place, or too many or too few; nothing if not.

    Parameters
    ----------
    name : str
        The function, as the exercise calls it.
    trials : list of Trial
        Its calls.
    labels : list of str
        Names of the arrays, in the order that is expected.
    """
    needed = ", ".join(labels)
    counts = sorted({len(t.got) for t in trials})
    if len(counts) > 1:
        return f"`{name}` gives {counts[0]} arrays or {counts[1]}; expected {needed}."

    def place(k: int) -> int | None:
        """Say which of the right arrays this is, in every trial."""
        places = sorted(range(len(labels)), key=lambda p: p != k)
        return next((p for p in places if not any(t.differs(k, p) for t in trials)), None)

    found = [place(k) for k in range(counts[0])]
    if len(found) == len(labels) and all(p in (k, None) for k, p in enumerate(found)):
        return ""
    if all(p is None for p in found):
        return f"`{name}` gives {len(found)} arrays; expected {len(labels)}: {needed}."
    given = ", ".join("something else" if p is None else labels[p] for p in found)
    return f"`{name}` gives {given}; expected {needed}, in this order."


def arrangements(
    trials: list[Trial], labels: Sequence[str]
) -> Iterator[tuple[list[str], list[Trial]]]:
    """Give the ways to put results into the right form: what is wrong with it, and them so put.

    As they are; in another order, all of them transposed, or both; some of them transposed: where
    the shapes are right only then.
    """
    yield [], trials
    count, places = len(labels), range(len(labels))
    for turned in (set[int](), set(places)):
        flipped = _transposed(trials, turned)
        fits = [
            [p for p in places if all(t.got[k].shape == t.want[p].shape for t in flipped)]
            for k in places
        ]
        at = [p for one in fits for p in one]
        if all(fits) and sorted(at) == list(places) != at:
            given, needed = ", ".join(labels[p] for p in at), ", ".join(labels)
            text = f"By its shapes, what it gives is {given}; expected {needed}, in this order."
            put = [t._replace(got=[t.got[at.index(p)] for p in places]) for t in flipped]
            yield [text, *(["All are transposed."] if turned else [])], put
    shapes = [[(t.got[k].shape, t.want[k].shape) for t in trials] for k in range(count)]
    turned = {k for k in places if all(g == w[::-1] for g, w in shapes[k])}
    turned &= {k for k in places if any(g != w for g, w in shapes[k])}
    if turned and all(g == w for k in places if k not in turned for g, w in shapes[k]):
        group = [labels[k] for k in sorted(turned)]
        text = f"{_listed(group)} {'is' if len(group) == 1 else 'are'} transposed."
        yield [text], _transposed(trials, turned)


def _transposed(trials: Sequence[Trial], turned: set[int]) -> list[Trial]:
    got = [[g.T if k in turned else g for k, g in enumerate(t.got)] for t in trials]
    return [t._replace(got=g) for t, g in zip(trials, got, strict=True)]


# Slips that give the same numbers


def likely(
    trials: Sequence[Trial], slips: Iterable[tuple[str, Callable[[int], Iterable[Array]]]]
) -> Iterator[str]:
    """Name the slips that give the same wrong numbers in every trial.

    Parameters
    ----------
    trials : list of Trial
        The student's calls.
    slips : iterable of (str, callable)
        A hint, and what its slip gives in trial k, array by array. Neither is read further than is
        needed.

    Notes
    -----
    An array of a wrong shape is left out where the slip has the right one, since a slip of the zoo
    is made only where it fits; but some wrong array is not. A vector may lie or stand, and a number
    stand for all entries.
    """
    norms = [norm(t.want) for t in trials]

    def explains(slip: Callable[[int], Iterable[Array]]) -> bool:
        seen = False
        for n, (trial, scale) in enumerate(zip(trials, norms, strict=True)):
            for k, (g, w, o) in enumerate(zip(trial.got, trial.want, slip(n), strict=True)):
                if g.size == 1 or g.size == o.size == max(o.shape, default=1):
                    g = np.broadcast_to(g.ravel(), o.size).reshape(o.shape)
                if g.shape == o.shape or o.shape != w.shape:
                    if differ(g, o, scale):
                        return False
                    seen = seen or trial.differs(k)
        return seen

    return (hint for hint, slip in slips if explains(slip))


# What is certain


def right_ones(trials: Sequence[Trial]) -> list[bool]:
    """Say of each array whether it is right in all trials."""
    return [not any(t.differs(k) for t in trials) for k in range(len(trials[0].want))]


def summary(trials: Sequence[Trial], labels: Sequence[str]) -> list[str]:
    """Say which arrays are right already, in a sentence; nothing if none is, or all."""
    fine = [label for label, good in zip(labels, right_ones(trials), strict=True) if good]
    return [f"Right already: {_listed(fine)}."] if 0 < len(fine) < len(labels) else []


def facts(trials: Sequence[Trial], labels: Sequence[str]) -> list[str]:
    """Say how the wrong arrays differ from the right ones, in sentences: only what is certain."""
    alike: dict[str, list[str]] = {}
    off: list[float] = []
    for k, good in enumerate(right_ones(trials)):
        if not good:
            text = _describe(trials, k, labels[k])
            off += [] if text else _errors(trials, k)
            alike.setdefault(text, []).append(labels[k])
    lines = []
    for text, group in alike.items():
        verb, rest = (text or f"is off by {_range(off)} of its size").split(" ", 1)
        if len(group) > 1:
            verb, rest = {"is": "are", "has": "have"}[verb], rest.replace(" its ", " their ")
        lines.append(f"{_listed(group)} {verb} {rest}.")
    return lines


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _errors(trials: Sequence[Trial], k: int) -> list[float]:
    pairs = [(t.got[k], t.want[k]) for t in trials if t.want[k].any()]
    return [float(np.linalg.norm(g - w) / np.linalg.norm(w)) for g, w in pairs]


def _range(off: Sequence[float]) -> str:
    low, high = (f"{100 * x:.{0 if x > 0.1 else 2}f} %" for x in (min(off), max(off)))
    return low if low == high else f"{low} to {high}"


def _describe(trials: Sequence[Trial], k: int, label: str) -> str:
    """Say how a wrong array differs, as the end of a sentence; nothing if it is just wrong."""
    for t in trials:
        if t.got[k].shape != t.want[k].shape:
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
    pairs = [(t.got[k], t.want[k]) for t in trials]
    if not all(w.any() for _, w in pairs) or sum(w.size for _, w in pairs) < 2:
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
