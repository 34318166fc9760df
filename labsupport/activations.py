"""Activation functions, each with all that is known of it. Taught in :ref:`ch-pseudocode`.

A new one is an entry of `ACTIVATIONS` and nothing else: networks, the PyTorch twin, the probes and
the bug zoo read what they need from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from labsupport.checks import Array


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
    module : str
        Name of the class in ``torch.nn``.
    steepest : float
        The largest size of g'(z).
    smooth : bool
        Whether g' is continuous: no kink.
    from_output : callable, optional
        ``from_output(A)`` gives g'(Z) where A alone tells it.
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    module: str
    steepest: float = 1.0
    smooth: bool = True
    from_output: Callable[[Array], Array] | None = None


def _sigmoid(Z: Array) -> Array:
    # SciPy's expit takes no complex numbers; the complex step needs them.
    if np.iscomplexobj(Z):
        return 0.5 + 0.5 * np.tanh(0.5 * Z)
    if Z.size < 500:  # one call, the fastest for a small array, but slow an entry
        A: Array = expit(Z)
        return A
    with np.errstate(over="ignore"):  # exp(-z) is infinite for z < -709, and 1/inf is right
        return 1 / (1 + np.exp(-Z))


def _step(Z: Array) -> Array:
    """1 above zero, 0 at zero and below: ReLU'(0) = 0, as PyTorch has it."""
    D: Array = np.heaviside(Z, 0.0)
    return D


def _from_output(
    name: str,
    value: Callable[[Array], Array],
    slope: Callable[[Array], Array],
    module: str,
    steepest: float,
) -> Activation:
    """An activation whose slope follows from its output."""
    return Activation(
        name, value, lambda Z, A: slope(A), module, steepest=steepest, from_output=slope
    )


SLOPE = 0.01
"""Slope of the leaky ReLU at and below zero (PyTorch's default)."""

ACTIVATIONS = {
    g.name: g
    for g in (
        Activation("identity", lambda Z: Z, lambda Z, A: np.ones_like(Z), "Identity"),
        _from_output("sigmoid", _sigmoid, lambda A: A * (1 - A), "Sigmoid", 0.25),
        _from_output("tanh", np.tanh, lambda A: 1 - A * A, "Tanh", 1.0),
        Activation("relu", lambda Z: np.maximum(Z, 0), lambda Z, A: _step(Z), "ReLU", smooth=False),
        Activation(
            "leaky_relu",
            lambda Z: np.maximum(Z, SLOPE * Z),
            lambda Z, A: np.maximum(_step(Z), SLOPE),
            "LeakyReLU",
            smooth=False,
        ),
    )
}


def activation(name: str) -> Activation:
    """Look an activation up by name.

    Raises
    ------
    ValueError
        A name that is not among `ACTIVATIONS`.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; choose one of {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]
