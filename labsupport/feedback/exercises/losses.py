"""Self-checks of :ref:`ch-losses`: losses and their output deltas."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from labsupport.checks import Array
from labsupport.feedback.diagnosis import function
from labsupport.feedback.verdict import Judge, Verdict, array, call, number, right, wrong


def _tanh_delta(Z: Array, Y: Array) -> Array:
    A = np.tanh(Z)
    delta: Array = 2 * (A - Y) * (1 - A**2) / len(Y)
    return delta


def tanh_delta(delta_tanh: object) -> Verdict:
    """Judge the output delta of the mean squared error behind a tanh, ex-tanh-delta."""
    rng = np.random.default_rng(61)
    inputs = [
        (rng.normal(0, 1, (m, 1)), np.where(rng.random((m, 1)) < 0.5, -1.0, 1.0)) for m in (4, 7)
    ]
    slips = {
        "that is the delta of cross-entropy behind a sigmoid": lambda Z, Y: (
            (np.tanh(Z) - Y) / len(Y)
        ),
        "the output is a tanh, not a sigmoid": lambda Z, Y: (
            2 * (expit(Z) - Y) * expit(Z) * (1 - expit(Z)) / len(Y)
        ),
        "the derivative of tanh is missing": lambda Z, Y: 2 * (np.tanh(Z) - Y) / len(Y),
        "the derivative of tanh is 1 - a^2 with the output a, not with z": lambda Z, Y: (
            2 * (np.tanh(Z) - Y) * (1 - Z**2) / len(Y)
        ),
        "a(1 - a) is the derivative of the sigmoid; the output is a tanh": lambda Z, Y: (
            2 * (np.tanh(Z) - Y) * np.tanh(Z) * (1 - np.tanh(Z)) / len(Y)
        ),
        "Z is not yet the output: apply tanh first": lambda Z, Y: 2 * (Z - Y) * (1 - Z**2) / len(Y),
        "the loss has no factor 1/2, so a 2 stays": lambda Z, Y: _tanh_delta(Z, Y) / 2,
    }
    return function("delta_tanh", delta_tanh, _tanh_delta, inputs, slips=slips)


def _log_sigmoid(Z: Array) -> Array:
    value: Array = np.minimum(Z, 0) - np.log1p(np.exp(-np.abs(Z)))
    return value


def log_sigmoid(log_sigmoid: object) -> Verdict:
    """Judge the logarithm of the sigmoid, at ordinary and at extreme logits, ex-log-sigmoid."""
    name = "log_sigmoid"

    def agrees(Z: Array, atol: float) -> bool:
        value, exact = array(name, call(name, log_sigmoid, Z)), _log_sigmoid(Z)
        return value.shape == exact.shape and np.allclose(value, exact, 1e-9, atol)

    slips = {
        "the sign is that of the loss; a logarithm of a probability is negative": lambda Z: (
            -_log_sigmoid(Z)
        ),
        "that is the logarithm of 1 - sigmoid": lambda Z: _log_sigmoid(-Z),
        "that is the sigmoid, not its logarithm": lambda Z: np.exp(_log_sigmoid(Z)),
    }
    ordinary = function(name, log_sigmoid, _log_sigmoid, [(np.linspace(-4, 4, 9),)], slips=slips)
    if not ordinary:
        return ordinary
    for Z in (np.linspace(-1000, -40, 25), np.linspace(40, 1000, 25)):
        if not agrees(Z, 1e-12):
            return wrong(
                f"`{name}` is right for z from -4 to 4, but not from {Z[0]:g} to {Z[-1]:g}: "
                "never exponentiate a large positive number, and take no logarithm of a rounded 0."
            )
    if not agrees(np.linspace(5, 35, 7), 0.0):
        return wrong(
            f"`{name}` is finite everywhere, but for z of 5 and more it loses digits: 1 plus "
            "something tiny is rounded. `log1p` knows ln(1 + x) for tiny x."
        )
    return right(f"`{name}` is right, and finite from -1000 to 1000.")


def softmax_twice(floor: object) -> Verdict:
    """Judge the least loss behind a second softmax over three classes, ex-softmax-twice."""
    slips = {
        "that would be so if softmax were applied once": 0.0,
        "that is the floor for two classes; here there are three": float(np.log(1 + np.exp(-1))),
        "that is chance: all three probabilities alike": float(np.log(3)),
        "that is the probability of the right class; its loss is asked for": float(
            np.e / (np.e + 2)
        ),
        "mind the other two logits: they are 0, and exp(0) is 1": float(np.log(1 + 1 / np.e**2)),
    }
    return number("floor", floor, float(np.log(1 + 2 / np.e)), slips)


CHECKS: dict[str, Judge] = {
    "ex-tanh-delta": tanh_delta,
    "ex-log-sigmoid": log_sigmoid,
    "ex-softmax-twice": softmax_twice,
}
