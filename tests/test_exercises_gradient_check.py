"""The self-checks of chapter 8: right answers pass, wrong ones get the hint that fits."""

import numpy as np
import pytest

from labsupport import feedback


def five_point(f, x, v, h):
    near = f(x + h * v) - f(x - h * v)
    return (8 * near - (f(x + 2 * h * v) - f(x - 2 * h * v))) / (12 * h)


def guarded(g, n, tolerance=1e-7):
    if (np.abs(g) <= 1e-9).all() and (np.abs(n) <= 1e-9).all():
        return "vacuous"
    error = np.linalg.norm(g - n) / (np.linalg.norm(g) + np.linalg.norm(n))
    return "passed" if error <= tolerance else "failed"


@pytest.mark.parametrize(
    ("label", "answer"), [("ex-five-point", five_point), ("ex-guard", guarded), ("ex-leaky", 0.99)]
)
def test_the_right_answer_passes(label, answer):
    assert feedback.check(label, answer).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda f, x, v, h: (f(x + h * v) - f(x - h * v)) / (2 * h), "use all four"),
        (lambda f, x, v, h: 12 * h * five_point(f, x, v, h), "division by 12 h is missing"),
        (lambda f, x, v, h: h * five_point(f, x, v, h), "not by 12"),
        (lambda f, x, v, h: 6 * five_point(f, x, v, h), "not by 2 h"),
        (lambda f, x, v, h: -five_point(f, x, v, h), "sign is turned round"),
        (lambda f, x, v, h: five_point(f, x, -v, h), "sign is turned round"),
        (lambda f, x, v, h: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_wrong_slopes(answer, hint):
    verdict = feedback.check("ex-five-point", answer)
    assert not verdict.passed and hint in repr(verdict)


def without_nan(g, n, tolerance=1e-7):
    answer = guarded(g, n, tolerance)
    return "passed" if np.isnan([g, n]).any() else answer


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda g, n, t=1e-7: guarded(g, n, 1e-7), "tolerance that it is given"),
        (lambda g, n, t=1e-7: guarded(g, n, t) == "passed", "must return"),
        (lambda g, n, t=1e-7: "passed", "twice too large"),
        (lambda g, n, t=1e-7: guarded(np.abs(g), np.abs(n), t), "wrong sign"),
        (
            lambda g, n, t=1e-7: "passed" if np.allclose(g, n) else guarded(g, n, t),
            "gradients of zeros",
        ),
        (without_nan, "a nan"),
        (
            lambda g, n, t=1e-7: "vacuous" if (abs(n) < 1e-9).all() else guarded(g, n, t),
            "measured one is zero",
        ),
    ],
)
def test_wrong_guards(answer, hint):
    verdict = feedback.check("ex-guard", answer)
    assert not verdict.passed and hint in repr(verdict)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [(0.01, "on the left"), (1.01, "not added"), (0.495, "divide it"), (1.0, "both"), (0.5, "")],
)
def test_wrong_ratios(answer, hint):
    verdict = feedback.check("ex-leaky", answer)
    assert not verdict.passed and hint in repr(verdict)
    assert "0.99" not in repr(verdict)


@pytest.mark.parametrize("label", ["ex-five-point", "ex-guard", "ex-leaky"])
def test_an_open_exercise_says_so(label):
    def unwritten(*arguments): ...

    for answer in (..., unwritten):
        verdict = feedback.check(label, answer)
        assert not verdict.passed and "Not attempted yet" in repr(verdict)
