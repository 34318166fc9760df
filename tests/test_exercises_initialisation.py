"""The self-checks of chapter 11: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest

from labsupport import network
from labsupport.feedback.exercises.initialisation import (
    first_to_move,
    leaky_variance,
    unit_variance,
)

TANH, SIGMOID = {"b9", "b10"}, {"W9", "b9", "W10", "b10"}
ALL = {f"{letter}{layer}" for layer in range(1, 11) for letter in "Wb"}


def empty(n_in, slope): ...


def test_not_attempted():
    assert leaky_variance(empty).status == "open"
    assert leaky_variance(...).status == "open"
    assert first_to_move(..., ...).status == "open"
    assert first_to_move(TANH, ...).status == "open"
    assert unit_variance(...).status == "open"


def test_right_variance():
    assert leaky_variance(lambda n, s: 2 / (n * (1 + s**2))).passed
    assert leaky_variance(
        lambda n_in, slope: np.array([[1 / (n_in * (0.5 + slope**2 / 2))]])
    ).passed


@pytest.mark.parametrize(
    ("formula", "hint"),
    [
        (lambda n, s: 2 / n, "the part below zero counts too"),
        (lambda n, s: 2 / (n * (1 + s)), "the slope enters it squared"),
        (lambda n, s: (2 / (n * (1 + s**2))) ** 0.5, "the standard deviation"),
        (lambda n, s: 1 / (n * (1 + s**2)), "on each side of zero"),
        (lambda n, s: (1 + s**2) / (2 * n), "the weights make good for it"),
        (lambda n, s: 2 / (1 + s**2), "the sum over the inputs is missing"),
        (lambda n, s: 3 / n, "Begin with the mean of the squares"),
        (lambda n, s: np.ones(3), "expected one number"),
        (lambda n: 2 / n, "TypeError"),
    ],
)
def test_slips_in_the_variance(formula, hint):
    verdict = leaky_variance(formula)
    assert verdict.status == "wrong" and hint in str(verdict)


def test_right_names():
    assert first_to_move(TANH, SIGMOID).passed
    assert first_to_move(["b10", "b9"], ("b10", "W10", "b9", "W9")).passed
    assert first_to_move("b9, b10", "W9, b9, W10, b10").passed


@pytest.mark.parametrize(
    ("tanh", "sigmoid", "hint"),
    [
        (ALL, SIGMOID, "through a matrix of zeros"),
        (TANH | {"b8"}, SIGMOID, "gets no delta"),
        (TANH | {"W10"}, SIGMOID, "what is tanh(0)?"),
        ({"b10"}, SIGMOID, "a bias is missing"),
        (TANH, {"b9", "b10", "W10"}, "what is sigmoid(0)?"),
        (TANH, TANH, "what is sigmoid(0)?"),
        ({"b11"}, SIGMOID, "no tensor is called b11"),
        ({9, 10}, SIGMOID, "expected names"),
        (3, SIGMOID, "expected names"),
    ],
)
def test_slips_in_the_names(tanh, sigmoid, hint):
    verdict = first_to_move(tanh, sigmoid)
    assert verdict.status == "wrong" and hint in str(verdict)


def scaled(divide_by, measure_once=False, layers=None):
    """Make an answer that divides each W by a function of its Z; planted slips differ in it."""

    def answer(net, P, X):
        P, old = P.copy(), network.forward(net, P, X).Z
        for layer, W in enumerate(P.weights[:layers]):
            Z = old[layer] if measure_once else network.forward(net, P, X).Z[layer]
            W /= divide_by(Z)
        return P

    return answer


def root(Z):
    return np.sqrt((Z * Z).mean())


def in_place(net, P, X):
    for layer, W in enumerate(P.weights):
        W /= root(network.forward(net, P, X).Z[layer])
    return P


def by_unit(net, P, X):
    P = P.copy()
    for layer, W in enumerate(P.weights):
        W /= np.sqrt((network.forward(net, P, X).Z[layer] ** 2).mean(axis=0))
    return P


def with_bias(net, P, X):
    P = scaled(root)(net, P, X)
    P.biases[0][:] = 1
    return P


def without_return(net, P, X):
    P = scaled(root)(net, P, X)


def test_right_scaling():
    assert unit_variance(scaled(root)).passed
    assert unit_variance(scaled(lambda Z: np.linalg.norm(Z) / Z.size**0.5)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (in_place, "has changed the `P`"),
        (by_unit, "divided by one number"),
        (with_bias, "biases are to stay zero"),
        (scaled(root, measure_once=True), "measured before any was changed"),
        (scaled(lambda Z: Z.std()), "do not subtract a mean"),
        (scaled(lambda Z: (Z * Z).mean()), "not by the mean square"),
        (scaled(root, layers=2), "The first 2 of 4 layers"),
        (scaled(lambda Z: 2 * root(Z)), "The mean square of Z_1 is 0.25"),
        (lambda net, P, X: P.weights, "expected Parameters"),
        (without_return, "gives None"),
        (lambda net, P: P, "TypeError"),
    ],
)
def test_slips_in_the_scaling(answer, hint):
    verdict = unit_variance(answer)
    assert verdict.status == "wrong" and hint in str(verdict)
