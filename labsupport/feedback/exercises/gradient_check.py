"""Self-checks of :ref:`ch-gradcheck`: checking a gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from labsupport.activations import SLOPE
from labsupport.checks import Array
from labsupport.feedback.answers import call, one_number
from labsupport.feedback.judges import close, number
from labsupport.feedback.verdict import Judge, Verdict, right, wrong


def _wavy(x: Array) -> Any:
    return np.sum(np.sin(x) + np.exp(0.5 * x), axis=-1)


def slope(five_point: Any) -> Verdict:
    """Judge the slope from four losses, ex-five-point, by its own error at steps that are long."""
    rng = np.random.default_rng(8)
    for h in (0.3, 0.2):
        x, v = rng.standard_normal(6), rng.standard_normal(6)

        def far(k: float, v: Array = v, x: Array = x) -> float:
            return float(_wavy(x + k * v) - _wavy(x - k * v))

        def four(h: float, v: Array = v) -> float:
            return (8 * far(h, v) - far(2 * h, v)) / (12 * h)

        unit = v / np.linalg.norm(v)
        slips = {
            "that is the difference of two losses; use all four": far(h) / (2 * h),
            "the two outer losses have the wrong sign": (8 * far(h) + far(2 * h)) / (12 * h),
            "the sign is turned round": -four(h),
            "the division by 12 h is missing": 12 * h * four(h),
            "divide by 12 h, and not by 12": h * four(h),
            "divide by 12 h, and not by 2 h": 6 * four(h),
            "the inner losses count eight times": (far(h) - far(2 * h)) / (12 * h),
            "the points lie along v itself; here v is made a unit vector, not along v": four(
                h, unit
            ),
        }
        value = one_number("five_point", call("five_point", five_point, _wavy, x, v, h))
        exact = float(np.sum((np.cos(x) + 0.5 * np.exp(0.5 * x)) * v))
        if not close(value, four(h), 1e-9) and close(value, exact, 0.2 * abs(four(h) / exact - 1)):
            return wrong(
                "`five_point`: that is nearer to the slope than four losses at h and 2 h can be. "
                "It was made with another step, not with the h that is given."
            )
        verdict = number("five_point", value, four(h), slips, rtol=1e-9)
        if not verdict:
            return verdict
    return right("`five_point` takes the four losses: its error is of order h^4.")


def _guarded(g: Array, n: Array, tolerance: float) -> str:
    if (abs(g) <= 1e-9).all() and (abs(n) <= 1e-9).all():
        return "vacuous"
    error = np.linalg.norm(g - n) / (np.linalg.norm(g) + np.linalg.norm(n))
    return "passed" if error <= tolerance else "failed"


def _pairs() -> Iterator[tuple[str, Array, Array, float]]:
    """Claimed and measured arrays that tell an honest guard from one with a flaw."""
    one, none = np.ones(3), np.zeros(3)
    rng = np.random.default_rng(9)
    yield "two equal gradients", one, np.array([1.0, 1.0, 1.0 + 1e-9]), 1e-7
    yield "a gradient twice too large", one, 2 * one, 1e-7
    yield "a gradient with the wrong sign: is the error a norm?", one, -one, 1e-7
    yield "two equal gradients below zero", -one, -one, 1e-7
    yield "two gradients of zeros: they are equal, and nothing is shown", none, none, 1e-7
    yield "entries below 1e-9 on both sides", 1e-12 * one, none, 1e-7
    yield (
        "many entries of 5e-10: their norm is larger, no entry is",
        *(np.full(50, 5e-10),) * 2,
        1e-7,
    )
    yield "entries of 2e-9, which are above 1e-9", 2e-9 * one, 2e-9 * one, 1e-7
    yield "one entry of 2e-8 among 99 zeros", *(2e-8 * np.eye(100)[0],) * 2, 1e-7
    yield "entries of 2e-9 against 3e-9: the error is relative", 2e-9 * one, 3e-9 * one, 1e-7
    yield "a claimed gradient where the measured one is zero", one, none, 1e-7
    yield "a claimed gradient of zeros where the measured one is not", none, one, 1e-7
    yield "a zero in both, beside ones", np.array([0.0, 1, 1]), np.array([0.0, 1, 1]), 1e-7
    yield "a nan: every comparison with it is false", one * np.nan, one, 1e-7
    yield "a nan among the measured slopes", one, one * np.nan, 1e-7
    yield "a nan where the rest is zero", none * np.nan, none, 1e-7
    for claimed in (True, False):
        gap = np.array([1.0, 1.0, np.nan])
        pair = (gap, one) if claimed else (one, gap)
        yield "a nan in the last entry, with the rest equal", *pair, 1e-7
    g = np.array([1.0, 1e-5])
    yield "a large error of an entry that is small beside the others", g, g * [1, 1.001], 1e-7
    corner = np.eye(3)
    corner[0, 1] = 2.4e-7
    yield "a relative error of 7e-8 in a matrix of ones and zeros", np.eye(3), corner, 1e-7
    for size in (2e-9, 1e-5, 1.0, 1e5):
        for tolerance in (1e-9, 1e-7, 1e-2):
            for times in (0.7, 1.5):
                g = size * rng.standard_normal((3, 4))
                off = rng.standard_normal((3, 4)) * (rng.random((3, 4)) < 0.5)
                off[2, 1] = 1.0
                n = g + 2 * times * tolerance * np.linalg.norm(g) * off / np.linalg.norm(off)
                what = (
                    f"a relative error of {times * tolerance:.1e} in 3 x 4 entries of size {size:g}"
                )
                yield f"{what}, tolerance {tolerance:g}", g, n, tolerance


def guard(guarded_check: Any) -> Verdict:
    """Judge the check that can say "nothing", ex-guard."""
    for what, g, n, tolerance in _pairs():
        more = () if tolerance == 1e-7 else (tolerance,)
        said = call("guarded_check", guarded_check, g.copy(), n.copy(), *more)
        if not isinstance(said, str) or said not in ("passed", "failed", "vacuous"):
            return wrong('`guarded_check` must return "passed", "failed" or "vacuous".')
        if said != _guarded(g, n, tolerance):
            return wrong(f'`guarded_check` says "{said}" to {what}.')
    return right("`guarded_check` is right, and cannot be fooled by zeros or nan.")


def leaky(leaky_ratio: object) -> Verdict:
    """Judge the ratio of leaky to plain ReLU's error at the kink, ex-leaky."""
    slips = {
        "that is the slope on the left": SLOPE,
        "the slopes are subtracted, not added": 1 + SLOPE,
        "that is n - g itself; divide it by that of ReLU": (1 - SLOPE) / 2,
        "that is the mean of both slopes; subtract what g takes": (1 + SLOPE) / 2,
        "the slope on the left changes both n and g": 1.0,
        "that is the inverse ratio": 1 / (1 - SLOPE),
    }
    return number("leaky_ratio", leaky_ratio, 1 - SLOPE, slips)


CHECKS: dict[str, Judge] = {"ex-five-point": slope, "ex-guard": guard, "ex-leaky": leaky}
