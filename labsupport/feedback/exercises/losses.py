"""Self-checks of :ref:`ch-losses`: losses and their output deltas."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from labsupport.checks import Array
from labsupport.feedback.answers import array, call
from labsupport.feedback.diagnosis import function
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import Judge, Verdict, right, wrong


def _tanh_delta(Z: Array, Y: Array) -> Array:
    A = np.tanh(Z)
    delta: Array = 2 * (A - Y) * (1 - A**2) / len(Y)
    return delta


def tanh_delta(delta_tanh: object) -> Verdict:
    """Judge the output delta of the mean squared error behind a tanh, ex-tanh-delta."""
    rng = np.random.default_rng(61)
    inputs = [
        (rng.normal(0, 1, (m, n)), np.where(rng.random((m, n)) < 0.5, -1.0, 1.0))
        for m, n in ((4, 1), (7, 2), (5, 3))
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
        "the loss is a mean over the samples, not over all entries of Y": lambda Z, Y: (
            _tanh_delta(Z, Y) / Y.shape[1]
        ),
    }
    return function("delta_tanh", delta_tanh, _tanh_delta, inputs, slips=slips)


def _log_sigmoid(Z: Array) -> Array:
    value: Array = np.minimum(Z, 0) - np.log1p(np.exp(-np.abs(Z)))
    return value


def log_sigmoid(log_sigmoid: object) -> Verdict:
    """Judge the logarithm of the sigmoid, at ordinary and at extreme logits, ex-log-sigmoid."""
    name = "log_sigmoid"
    slips = {
        "the sign is that of the loss; a logarithm of a probability is negative": lambda Z: (
            -_log_sigmoid(Z)
        ),
        "that is the logarithm of 1 - sigmoid": lambda Z: _log_sigmoid(-Z),
        "that is the sigmoid, not its logarithm": lambda Z: np.exp(_log_sigmoid(Z)),
    }
    points = [(np.linspace(-4, 4, 9)[:, None],), (np.linspace(-3, 3, 8).reshape(2, 4),)]
    ordinary = function(name, log_sigmoid, _log_sigmoid, points, slips=slips)
    if not ordinary:
        return ordinary
    Z = np.arange(-1000, 1000.1, 0.25)[:, None]
    value, exact = array(name, call(name, log_sigmoid, Z.copy())), _log_sigmoid(Z)
    if value.shape != Z.shape:
        return wrong(f"`{name}` has shape {value.shape} where Z has {Z.shape}.")
    off = ~(abs(value - exact) <= 1e-9 * abs(exact) + 1e-300)
    if not off.any():
        return right(f"`{name}` is right to nine digits or more, from -1000 to 1000.")
    lines = [f"`{name}` is right for small z, not everywhere from -1000 to 1000."]
    if not np.isfinite(value).all():
        lines.append("It is not finite: exponentiate no large positive number, take no log(0).")
    if (below := Z[off & (Z < 0)]).size:
        lines.append(f"At z = {below.max():g} it is off. One formula does for all z below 0.")
    if (above := Z[off & (Z > 0)]).size:
        lost = "it lacks digits. 1 plus something tiny is rounded; `log1p` takes the tiny part"
        lines.append(f"At z = {above.min():g} {lost}.")
    return wrong(*lines)


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
