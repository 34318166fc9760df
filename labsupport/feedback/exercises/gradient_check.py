"""Self-checks of :ref:`ch-gradcheck`: checking a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from labsupport.activations import SLOPE
from labsupport.checks import Array
from labsupport.feedback.verdict import Judge, Verdict, call, number, right, wrong


def _wavy(x: Array) -> Any:
    return np.sum(np.sin(x) + np.exp(0.5 * x), axis=-1)


def slope(five_point: Any) -> Verdict:
    """Judge the slope from four losses, ex-five-point: at a step where two losses do worse."""
    rng = np.random.default_rng(8)
    x, v = rng.standard_normal(6), rng.standard_normal(6)
    for h in (0.02, 0.03):
        value = call("five_point", five_point, _wavy, x, v, h)
        far = float(_wavy(x + 2 * h * v) - _wavy(x - 2 * h * v))
        near = float(_wavy(x + h * v) - _wavy(x - h * v))
        slips = {
            "that is the difference of two losses; use all four": near / (2 * h),
            "the two outer losses have the wrong sign": (8 * near + far) / (12 * h),
            "the sign is turned round": -(8 * near - far) / (12 * h),
            "the division by 12 h is missing": 8 * near - far,
            "divide by 12 h, and not by 12": (8 * near - far) / 12,
            "divide by 12 h, and not by 2 h": (8 * near - far) / (2 * h),
            "the inner losses count eight times": (near - far) / (12 * h),
        }
        exact = float(np.sum((np.cos(x) + 0.5 * np.exp(0.5 * x)) * v))
        verdict = number("five_point", value, exact, slips, rtol=2e-6)
        if not verdict:
            return verdict
    return right("`five_point` has an error of order h^4.")


def guard(guarded_check: Any) -> Verdict:
    """Judge the check that can say "nothing", ex-guard."""
    one, none = np.ones(3), np.zeros(3)
    nearly = np.array([1.0, 1.0, 1.0 + 1e-9])
    cases = [
        (one, nearly, "passed", "two equal gradients"),
        (one, 2 * one, "failed", "a gradient twice too large"),
        (one, -one, "failed", "a gradient with the wrong sign: is the error a norm?"),
        (none, none, "vacuous", "two gradients of zeros: they are equal, and nothing is shown"),
        (1e-12 * one, none, "vacuous", "entries below 1e-9 on both sides"),
        (one, none, "failed", "a claimed gradient where the measured one is zero"),
        (none, one, "failed", "a claimed gradient of zeros where the measured one is not"),
        (one * np.nan, one, "failed", "a nan: every comparison with it is false"),
        (one, one * np.nan, "failed", "a nan among the measured slopes"),
        (none * np.nan, none, "failed", "a nan where the rest is zero"),
    ]
    for g, n, wanted, what in cases:
        said = call("guarded_check", guarded_check, g, n)
        if not isinstance(said, str) or said not in ("passed", "failed", "vacuous"):
            return wrong('`guarded_check` must return "passed", "failed" or "vacuous".')
        if said != wanted:
            return wrong(f'`guarded_check` says "{said}" to {what}.')
    loose = call("guarded_check", guarded_check, one, 1.001 * one, 0.1)
    if not isinstance(loose, str) or loose != "passed":
        return wrong("`guarded_check` does not use the tolerance that it is given.")
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
