"""Activation functions: the value g(z) and its derivative g'(z). Taught in chapters 2 and 3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from labsupport.arrays import Array


@dataclass(frozen=True)
class Activation:
    """An activation function, applied entry by entry.

    Attributes
    ----------
    name : str
        What a `Network` calls it.
    value : callable
        ``value(Z)`` gives A = g(Z), in the shape of Z.
    derivative : callable
        ``derivative(Z, A)`` gives g'(Z). It is handed both Z and A = g(Z), because sigmoid and
        tanh are cheaper from A and ReLU needs Z; to mistake one for the other is a classic bug.
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]


def _identity(Z: Array) -> Array:
    return Z


def _sigmoid(Z: Array) -> Array:
    # SciPy's expit takes no complex numbers; the complex step of chapter 8 needs them.
    if np.iscomplexobj(Z):
        return 0.5 + 0.5 * np.tanh(0.5 * Z)
    if Z.size < 500:  # one call, the fastest for a small array, but slow an entry
        A: Array = expit(Z)
        return A
    with np.errstate(over="ignore"):  # exp(-z) is infinite for z < -709, and 1/inf is right
        return 1 / (1 + np.exp(-Z))


def _tanh(Z: Array) -> Array:
    A: Array = np.tanh(Z)
    return A


def _relu(Z: Array) -> Array:
    return np.maximum(Z, 0)


def _step(Z: Array) -> Array:
    """1 above zero, 0 at zero and below: ReLU'(0) = 0, as PyTorch has it."""
    D: Array = np.heaviside(Z, 0.0)
    return D


SLOPE = 0.01
"""Slope of the leaky ReLU at and below zero (PyTorch's default)."""

ACTIVATIONS = {
    g.name: g
    for g in (
        Activation("identity", _identity, lambda Z, A: np.ones_like(Z)),
        Activation("sigmoid", _sigmoid, lambda Z, A: A * (1 - A)),
        Activation("tanh", _tanh, lambda Z, A: 1 - A * A),
        Activation("relu", _relu, lambda Z, A: _step(Z)),
        Activation(
            "leaky_relu",
            lambda Z: np.maximum(Z, SLOPE * Z),
            lambda Z, A: np.maximum(_step(Z), SLOPE),
        ),
    )
}


def activation(name: str) -> Activation:
    """Look an activation up by name.

    Raises
    ------
    ValueError
        A name that is not among ``identity, sigmoid, tanh, relu, leaky_relu``.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; choose one of {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]
