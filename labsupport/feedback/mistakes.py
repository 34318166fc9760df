"""Compare what a student's function gave with what is right, and put the difference into words.

Which tensor, how far off, and in which form: a constant ratio, 1/m, a sign, a transpose, a sum over
the wrong axis, lost digits. `labsupport.feedback.diagnosis` tries the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

import numpy as np

from labsupport.checks import Array
from labsupport.feedback.verdict import Verdict, right, wrong

TOLERANCE, TOLERANCE_32 = 1e-6, 1e-3
"""Largest relative error that is right, by precision; cancellation costs honest programs digits."""

Found: TypeAlias = Sequence[Sequence[Array]]
"""Tensors of each case: found[case][tensor]."""


def differ(one: Array, other: Array, scale: float, tolerance: float = TOLERANCE) -> bool:
    """Whether two tensors differ by more than rounding, where all tensors together have norm scale.

    A tensor that is small beside the others may be off by more than its own digits.
    """
    if one.shape != other.shape or not np.isfinite(one).all():
        return True
    allowed = np.linalg.norm(other) + 1e-3 * scale + tolerance
    return bool(np.linalg.norm(one - other) > tolerance * allowed)


def norm(found: Sequence[Array]) -> float:
    """Give the norm of all tensors together."""
    return float(sum(np.linalg.norm(t) ** 2 for t in found) ** 0.5)


def ratio(one: Array, other: Array) -> float | None:
    """Give r if one is r times other in every entry, else None."""
    squared = float(np.vdot(other, other))
    if one.shape != other.shape or squared == 0 or not np.isfinite(one).all():
        return None
    r = float(np.vdot(one, other)) / squared
    return r if np.linalg.norm(one - r * other) <= 1e-5 * np.linalg.norm(one) else None


def describe(got: Sequence[Array], want: Sequence[Array], samples: Sequence[int]) -> str:
    """Say how a wrong tensor differs from the right one, as the end of a sentence.

    Parameters
    ----------
    got, want : list of Array
        The tensor in each case.
    samples : list of int
        Samples of each case.
    """
    for g, w, m in zip(got, want, samples, strict=True):
        if g.shape != w.shape:
            return _shape(g.shape, w.shape, m)
    if not all(np.isfinite(g).all() for g in got):
        return "holds nan or infinity: look for a division by zero or a log(0)"
    if not any(g.any() for g in got):
        return "is zero everywhere"
    pairs = list(zip(got, want, strict=True))
    ratios = [r for g, w in pairs if (r := ratio(g, w)) is not None]
    if len(ratios) == len(got):
        return _ratios(ratios, samples)
    off = [float(np.linalg.norm(g - w) / np.linalg.norm(w)) for g, w in pairs if w.any()]
    if not any(off):
        return "is not zero, and should be"
    if max(off) < 1e-4:
        digits = int(-np.log10(max(off)))
        return f"is right to {digits} digits only: float32, or a difference quotient"
    low, high = (f"{100 * x:.{0 if x > 0.1 else 2}f}" for x in (min(off), max(off)))
    return f"is off by {low} %{'' if low == high else f' to {high} %'} of its size"


def _shape(got: tuple[int, ...], want: tuple[int, ...], m: int) -> str:
    text = f"has shape {got} where {want} is needed"
    if got == want[::-1]:
        return f"{text}: it is transposed"
    if want[:1] == (1,) and got in ((m,), (m, 1), (1, m)):
        return f"{text}: it is summed over the units, not over the {m} samples"
    if want[:1] == (1,) and got == (m, *want[1:]):
        return f"{text}: the sum over the {m} samples is missing"
    if np.prod(got) == 1 and np.prod(want) > 1:
        return f"{text}: it is one sum over everything"
    return text


def _ratios(ratios: Sequence[float], samples: Sequence[int]) -> str:
    """Put the ratio of each case into words."""
    r, m = np.array(ratios), np.array(samples, dtype=float)
    turned = ", and the sign is wrong" if r[0] < 0 else ""
    r = abs(r)
    if np.allclose(r, 1, rtol=1e-4):
        return "has the wrong sign"
    if np.allclose(r, m, rtol=1e-4) and np.ptp(m) > 0:
        return f"is {_times(m, samples, 'large')}: the 1/m is missing{turned}"
    if np.allclose(r, 1 / m, rtol=1e-4) and np.ptp(m) > 0:
        return f"is {_times(m, samples, 'small')}: there is a 1/m too many{turned}"
    if r.min() < 1 < r.max():
        return f"is off by factors from {r.min():.2g} to {r.max():.2g}{turned}"
    times = _times(r, samples, "large") if r[0] > 1 else _times(1 / r, samples, "small")
    return f"is {times}{turned}"


def _times(factors: Array, samples: Sequence[int], size: str) -> str:
    if np.ptp(factors) < 1e-3 * factors[0]:
        return f"{factors[0]:.3g} times too {size}"
    first, second = (f"{f:.1f}" for f in factors[:2])
    return f"{first} times too {size} on {samples[0]} samples and {second} on {samples[1]}"


def judge(
    name: str,
    got: Found,
    want: Found,
    samples: Sequence[int],
    labels: Sequence[str],
    tolerance: float = TOLERANCE,
) -> Verdict:
    """Compare what a student's function gave with what is right, tensor by tensor.

    Parameters
    ----------
    name : str
        The function, as the exercise calls it.
    got, want : Found
        What it gave, and the right tensors: the same number in each case.
    samples : list of int
        Samples of each case.
    labels : list of str
        Names of the tensors.
    tolerance : float
        Largest relative error that is right.

    Returns
    -------
    Verdict
        Right, or one line for each way in which tensors are wrong.
    """
    if counts := [len(g) for g in got if len(g) != len(labels)]:
        needed = f"expected {len(labels)}: {', '.join(labels)}"
        return wrong(f"`{name}` gives {counts[0]} arrays; {needed}.")
    norms = [norm(w) for w in want]
    bad = {
        k: describe([g[k] for g in got], [w[k] for w in want], samples)
        for k in range(len(labels))
        if any(differ(g[k], w[k], n, tolerance) for g, w, n in zip(got, want, norms, strict=True))
    }
    if not bad:
        return right(f"`{name}` is right on {len(got)} random cases of different shapes.")
    lines = [
        _sentence([labels[k] for k in group], text)
        for text, group in groupby(sorted(bad, key=bad.__getitem__), key=bad.__getitem__)
    ]
    fine = [f"`{label}`" for k, label in enumerate(labels) if k not in bad]
    return wrong(*lines[:5], *([f"Right already: {', '.join(fine)}."] if fine else []))


def _sentence(subjects: Sequence[str], text: str) -> str:
    """Make a sentence of a description, in the plural where it is about several tensors."""
    verb, rest = text.split(" ", 1)
    if len(subjects) > 1:
        verb, rest = (
            {"is": "are", "has": "have"}.get(verb, "hold"),
            rest.replace(" its ", " their "),
        )
    return f"{', '.join(f'`{subject}`' for subject in subjects)} {verb} {rest}."


def likely(
    got: Found,
    want: Found,
    slips: Mapping[str, Callable[[int], Iterable[Array]]],
    tolerance: float = TOLERANCE,
) -> list[str]:
    """Name the slips that give the same wrong numbers, in a sentence; none if there is none.

    Parameters
    ----------
    got, want, tolerance
        As for `judge`.
    slips : dict of str to callable
        What a slip gives in case k, tensor by tensor, by hint. A generator is read no further than
        to the first difference.

    Notes
    -----
    Cases in which a shape is wrong are left out, unless all are: a slip of the zoo has the right
    shapes there.
    """
    if any(len(g) != len(w) for g, w in zip(got, want, strict=True)):
        return []
    pairs = list(enumerate(zip(got, want, strict=True)))
    norms = [norm(w) for w in want]
    fit = [k for k, (g, w) in pairs if [t.shape for t in g] == [t.shape for t in w]]
    fit = fit or list(range(len(got)))

    def same(k: int, other: Iterable[Array]) -> bool:
        pairs = zip(other, got[k], strict=True)
        return not any(differ(theirs, ours, norms[k], tolerance) for theirs, ours in pairs)

    if all(same(k, want[k]) for k in fit):
        return []
    hints = [hint for hint, slip in slips.items() if all(same(k, slip(k)) for k in fit)]
    return [f"The likely slip: {'; or '.join(hints)}."] if hints else []
