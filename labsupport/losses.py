"""Losses: the value, and the gradient by the network's output. Taught in :ref:`ch-losses`.

Every loss is a mean over the m samples and a sum over the outputs of a sample. The 1/m of that
mean is in the gradient here and nowhere else in the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from labsupport.checks import Array


@dataclass(frozen=True)
class Loss:
    """A loss between the network's output A and the targets Y.

    Attributes
    ----------
    name : str
        What a `Network` calls it.
    value : callable
        ``value(A, Y)`` with A (..., m, n) and Y (m, n) gives the loss, (...).
    gradient : callable
        ``gradient(A, Y)`` gives dL/dA, (..., m, n), the 1/m included.
    targets : tuple of float
        Smallest and largest target allowed.
    output : str, optional
        The only output activation whose A the loss can read; any without it.
    prediction : callable
        ``prediction(A)`` gives what the network says: probabilities where A holds logits, else A.
    classes : bool
        The outputs of a sample are classes, of which one is right: targets must add up to 1.
    """

    name: str
    value: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]
    targets: tuple[float, float]
    output: str | None = None
    prediction: Callable[[Array], Array] = lambda A: A
    classes: bool = False

    def require(self, Y: Array) -> None:
        """Raise a ValueError when a target is outside what the loss allows."""
        low, high = self.targets
        if Y.min() < low or Y.max() > high:
            raise ValueError(
                f"Y reaches from {Y.min():g} to {Y.max():g}; {self.name} needs targets in "
                f"[{low:g}, {high:g}]. Recode the classes as 0 and 1, or take the loss 'mse'."
            )
        if self.classes and (wrong := np.abs(Y.sum(axis=-1) - 1) > 1e-5).any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"row {row} of Y adds up to {Y[row].sum():g}; {self.name} needs rows that add up "
                "to 1, one class of each sample being right. For several right answers a sample "
                "take 'bce_with_logits'; for class numbers k make the rows numpy.eye(n)[k]."
            )


def _mean(terms: Array) -> Array:
    """Sum over outputs, mean over samples."""
    mean: Array = np.add.reduce(terms, axis=(-2, -1)) / terms.shape[-2]
    return mean


def mse(A: Array, Y: Array) -> Array:
    """Mean squared error, without a factor 1/2.

    Parameters
    ----------
    A : (..., m, n)
        Outputs.
    Y : (m, n)
        Targets.

    Returns
    -------
    (...)
        One loss a run.
    """
    E = A - Y
    return _mean(E * E)


def _mse_gradient(A: Array, Y: Array) -> Array:
    D: Array = (2 / Y.shape[0]) * (A - Y)
    return D


CLAMP = np.float32(-100)
"""Smallest logarithm of a probability in `bce`; as float32 it leaves the precision as it is."""


def bce(A: Array, Y: Array) -> Array:
    """Mean binary cross-entropy of probabilities, in nats.

    Parameters
    ----------
    A : (..., m, n)
        Probabilities.
    Y : (m, n)
        Targets, each in [0, 1].

    Returns
    -------
    (...)
        One loss a run.

    Notes
    -----
    The logarithms are clamped at -100 as in PyTorch's ``BCELoss``, so that a saturated output costs
    100 nats and not infinity; where that begins is taught in :ref:`ch-losses`.
    """
    with np.errstate(divide="ignore"):
        ones, zeros = np.maximum(np.log(A), CLAMP), np.maximum(np.log1p(-A), CLAMP)
    return -_mean(Y * ones + (1 - Y) * zeros)


def _bce_gradient(A: Array, Y: Array) -> Array:
    D: Array = (A - Y) / (np.maximum(A * (1 - A), 1e-12) * Y.shape[0])
    return D


def bce_with_logits(Z: Array, Y: Array) -> Array:
    """Mean binary cross-entropy of logits, in nats.

    Parameters
    ----------
    Z : (..., m, n)
        Logits.
    Y : (m, n)
        Targets, each in [0, 1].

    Returns
    -------
    (...)
        One loss a run.

    Notes
    -----
    ``max(z, 0) - z y + log1p(exp(-|z|))``: finite for every finite z. Taught in :ref:`ch-losses`.
    Here ``-|z|`` is written min(z, -z): the same number, and unlike ``|z|`` right for a complex
    step.
    """
    return _mean(np.maximum(Z, 0) - Z * Y + np.log1p(np.exp(np.minimum(Z, -Z))))


def _bce_with_logits_gradient(Z: Array, Y: Array) -> Array:
    D: Array = (expit(Z) - Y) / Y.shape[0]
    return D


def softmax(Z: Array) -> Array:
    """Turn logits into probabilities that add up to 1 over the last axis.

    Parameters
    ----------
    Z : (..., n)
        Logits; to add the same number to all n of them changes nothing.

    Returns
    -------
    (..., n)
        exp(z_k) / sum_j exp(z_j), the largest logit taken off first so that nothing overflows.
    """
    E = np.exp(Z - np.maximum.reduce(Z, axis=-1, keepdims=True))
    P: Array = E / np.add.reduce(E, axis=-1, keepdims=True)
    return P


def softmax_cross_entropy(Z: Array, Y: Array) -> Array:
    """Mean cross-entropy of the softmax of logits, in nats.

    Parameters
    ----------
    Z : (..., m, n)
        Logits, one a class.
    Y : (m, n)
        Probabilities of the n classes, adding up to 1 in each row: one-hot, or soft.

    Returns
    -------
    (...)
        One loss a run.

    Notes
    -----
    log(sum_k exp(z_k)) - sum_k y_k z_k, the largest z of the row taken off first: no overflow, and
    no logarithm of 0. Taught in :ref:`ch-losses`.
    """
    S = Z - np.maximum.reduce(Z, axis=-1, keepdims=True)
    log_sum = np.log(np.add.reduce(np.exp(S), axis=-1, keepdims=True))
    return _mean(log_sum - np.add.reduce(Y * S, axis=-1, keepdims=True))


def _softmax_cross_entropy_gradient(Z: Array, Y: Array) -> Array:
    D: Array = (softmax(Z) - Y) / Y.shape[0]
    return D


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("mse", mse, _mse_gradient, (-np.inf, np.inf)),
        Loss("bce", bce, _bce_gradient, (0, 1), "sigmoid"),
        Loss(
            "bce_with_logits", bce_with_logits, _bce_with_logits_gradient, (0, 1), "identity", expit
        ),
        Loss(
            "softmax_cross_entropy",
            softmax_cross_entropy,
            _softmax_cross_entropy_gradient,
            (0, 1),
            "identity",
            softmax,
            classes=True,
        ),
    )
}


def loss(name: str) -> Loss:
    """Look a loss up by name.

    Raises
    ------
    ValueError
        A name that is not among ``mse, bce, bce_with_logits, softmax_cross_entropy``.
    """
    if name not in LOSSES:
        raise ValueError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}.")
    return LOSSES[name]
