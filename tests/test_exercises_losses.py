"""The self-checks of chapter 6: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest

from labsupport.feedback.exercises.losses import log_sigmoid, softmax_twice, tanh_delta


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def nothing(*args): ...


@pytest.mark.parametrize("check", [tanh_delta, log_sigmoid])
def test_not_attempted(check):
    assert check(nothing).status == check(...).status == "open"
    assert softmax_twice(...).status == "open"


def test_right_answers():
    assert tanh_delta(lambda Z, Y: 2 * (np.tanh(Z) - Y) / np.cosh(Z) ** 2 / Y.size).passed
    assert log_sigmoid(lambda Z: -np.logaddexp(0, -Z)).passed
    assert log_sigmoid(lambda Z: np.where(Z < 0, Z, 0) - np.log1p(np.exp(-abs(Z)))).passed
    assert softmax_twice(0.5514).passed
    assert softmax_twice(np.log(np.e + 2) - 1).passed


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (lambda a, z, y, m: 2 * (a - y) * (1 - a * a), "1/m is missing"),
        (lambda a, z, y, m: 2 * (y - a) * (1 - a * a) / m, "wrong sign"),
        (lambda a, z, y, m: (a - y) * (1 - a * a) / m, "no factor 1/2"),
        (lambda a, z, y, m: 2 * (a - y) / m, "derivative of tanh is missing"),
        (lambda a, z, y, m: (a - y) / m, "delta of cross-entropy"),
        (lambda a, z, y, m: 2 * (a - y) * (1 - z * z) / m, "output a, not with z"),
        (lambda a, z, y, m: 2 * (a - y) * a * (1 - a) / m, "derivative of the sigmoid"),
        (lambda a, z, y, m: 2 * (z - y) * (1 - z * z) / m, "apply tanh first"),
        (
            lambda a, z, y, m: 2 * (sigmoid(z) - y) * sigmoid(z) * sigmoid(-z) / m,
            "tanh, not a sigmoid",
        ),
    ],
)
def test_slips_in_the_delta(slip, hint):
    verdict = tanh_delta(lambda Z, Y: slip(np.tanh(Z), Z, Y, len(Y)))
    assert verdict.status == "wrong"
    assert hint in str(verdict)


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (lambda Z: np.log(sigmoid(Z)), "not from -1000 to -40"),
        (lambda Z: np.maximum(np.log(sigmoid(Z)), -100), "not from -1000 to -40"),
        (lambda Z: -np.log1p(np.exp(-Z)), "not from -1000 to -40"),
        (lambda Z: np.minimum(Z, 0) - np.log(1 + np.exp(-abs(Z))), "loses digits"),
        (lambda Z: Z - np.maximum(Z, 0) - np.log1p(np.exp(Z)), "is off by"),
        (lambda Z: np.logaddexp(0, -Z), "negative"),
        (lambda Z: -np.logaddexp(0, Z), "logarithm of 1 - sigmoid"),
        (sigmoid, "not its logarithm"),
    ],
)
def test_slips_in_the_logarithm(slip, hint):
    verdict = log_sigmoid(slip)
    assert verdict.status == "wrong"
    assert hint in str(verdict)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (0, "applied once"),
        (0.3133, "two classes"),
        (1.0986, "chance"),
        (0.5761, "its loss is asked for"),
        (0.7955, "in bits"),
        (-0.5514, "wrong sign"),
        ("ln 2", "expected a number"),
        (5, "too large"),
    ],
)
def test_slips_in_the_floor(answer, hint):
    verdict = softmax_twice(answer)
    assert verdict.status == "wrong"
    assert hint in str(verdict)
    assert "0.55" not in str(verdict)
