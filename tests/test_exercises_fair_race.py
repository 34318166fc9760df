"""The self-checks of chapter 13: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest

from labsupport import datasets, descent, network
from labsupport.feedback import check
from labsupport.feedback.exercises.fair_race import BUDGET, NET, break_condition, interpolate

DATA = datasets.moons()
STARTS = network.initialise(NET, np.random.default_rng(13), "pytorch", runs=10)


def history(rule):
    X, Y = DATA.X_train, DATA.Y_train
    return descent.train(NET, STARTS, X, Y, rule, BUDGET // 3, progress=False).history


def nothing(growth, shrink): ...


def test_not_attempted():
    assert check("ex-growth", nothing).status == "open"
    assert check("ex-break-condition", ..., starts=STARTS, data=DATA).status == "open"
    assert check("ex-race-interpolate", ..., starts=STARTS, data=DATA).status == "open"


@pytest.mark.parametrize(
    ("formula", "hint"),
    [
        (lambda g, s: 1 + np.log(g) / np.log(1 / s), None),
        (lambda g, s: 1 - np.emath.logn(s, g), None),
        (lambda g, s: np.log(g) / np.log(1 / s), "that is accepted is missing"),
        (lambda g, s: 1 + np.log2(g), "depends on `shrink`"),
        (lambda g, s: 1 + np.log(1 / s) / np.log(g), "made good"),
        (lambda g, s: 1 + np.log(g) / np.log(s), "is negative"),
        (lambda g, s: 1 + g * s, "take logarithms"),
        (lambda g, s: 2.0, "right for 2 and 0.5"),
        (lambda g, s: g / s, "each doubling"),
        (lambda g, s: 1 + np.log(g) / np.log(1 / t), "NameError"),  # noqa: F821
    ],
)
def test_growth(formula, hint):
    verdict = check("ex-growth", formula)
    assert verdict.passed if hint is None else hint in str(verdict)


def test_share_of_broken_conditions():
    h = history(descent.Fixed(4.0))
    fall, norm = h.loss[:-1] - h.loss[1:], h.gradient_norm[:-1]
    answers = {
        None: np.mean(fall < 0.3 * 4 * norm**2),
        "that are accepted": np.mean(fall >= 0.3 * 4 * norm**2),
        "raises the loss": np.mean(fall < 0),
        "enters squared": np.mean(fall < 0.3 * 4 * norm),
        "the step is missing": np.mean(fall < 0.3 * norm**2),
        "too large": np.mean(fall < 0.9 * 4 * norm**2),
        "percentage": 100 * np.mean(fall < 0.3 * 4 * norm**2),
    }
    for hint, share in answers.items():
        verdict = break_condition(share, STARTS, DATA)
        assert verdict.passed if hint is None else hint in str(verdict), hint


def test_interpolate():
    answers = {
        None: {"warm": True, "interpolate": True},
        "without interpolation": {"warm": True},
        "without warm start": {"interpolate": True},
    }
    for hint, options in answers.items():
        h = history(descent.Armijo(first=1.0, **options))
        last = (h.passes <= BUDGET).sum(axis=0) - 1
        verdict = interpolate(np.median(h.loss[last, np.arange(10)]), STARTS, DATA)
        assert verdict.passed if hint is None else hint in str(verdict), hint
    h = history(descent.Armijo(first=1.0, warm=True, interpolate=True))
    assert "more than the budget" in str(interpolate(np.median(h.loss[-1]), STARTS, DATA))
