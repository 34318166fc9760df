"""A fully connected network of any depth: parameters, forward pass, backward pass.

Rows are samples: Z = A_prev @ W + b. The plain version for one hidden layer, and then for any
depth, stands in :ref:`ch-numpy`, which asserts that this module gives the same numbers.

**One network or a thousand.** Parameters may carry a leading axis of runs: then W is
(runs, n_in, n_out), every product below is a stack of products, and a loss has shape (runs,).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labsupport import checks
from labsupport.activations import Activation, activation
from labsupport.checks import Array
from labsupport.initialisers import initialiser
from labsupport.losses import Loss, loss
from labsupport.parameters import Parameters, size

__all__ = [
    "Cache",
    "Network",
    "Parameters",
    "accuracy",
    "backward",
    "forward",
    "initialise",
    "loss_and_gradient",
    "loss_value",
    "output_delta",
    "predict",
    "prepare",
    "product",
    "size",
]


@dataclass(frozen=True)
class Network:
    """The shape of a network, without its parameters.

    Attributes
    ----------
    sizes : tuple of int
        Width of each layer, inputs first: ``(2, 4, 1)``.
    hidden, output : str
        Names of the activations of the hidden layers and of the last layer.
    loss : str
        Name of the loss. ``bce_with_logits`` and ``softmax_cross_entropy`` take logits: their
        output activation is ``identity``.

    Raises
    ------
    ValueError, TypeError
        No layers, a width below 1, an unknown name, or a loss that cannot read that output or
        needs more outputs.
    """

    sizes: tuple[int, ...]
    hidden: str = "sigmoid"
    output: str = "sigmoid"
    loss: str = "bce"

    def __post_init__(self) -> None:
        sizes = tuple(self.sizes)
        if len(sizes) < 2:
            raise ValueError(
                f"sizes is {self.sizes}: no layers; expected at least two widths, as in (2, 4, 1)."
            )
        if not all(isinstance(n, int | np.integer) for n in sizes):
            raise TypeError(f"sizes is {self.sizes}; expected whole numbers, as in (2, 4, 1).")
        if min(sizes) < 1:
            raise ValueError(f"sizes is {self.sizes}; every layer needs at least one unit.")
        object.__setattr__(self, "sizes", tuple(int(n) for n in sizes))
        activation(self.hidden), activation(self.output)
        needed = loss(self.loss)
        if needed.output not in (None, self.output):
            raise ValueError(
                f"the loss {self.loss!r} cannot read the output of {self.output!r}: it needs "
                f"output={needed.output!r}. Change the one or the other."
            )
        if needed.classes and self.sizes[-1] < 2:
            raise ValueError(
                f"sizes is {self.sizes}; the loss {self.loss!r} needs an output for each class, at "
                "least two. For one output take 'bce_with_logits'."
            )

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """The activation of each layer that has weights, first to last."""
        hidden, output = activation(self.hidden), activation(self.output)
        return (hidden,) * (len(self.sizes) - 2) + (output,)

    @cached_property
    def loss_function(self) -> Loss:
        """The loss that the name stands for."""
        return loss(self.loss)


class Cache(NamedTuple):
    """What the forward pass leaves for the backward pass.

    Attributes
    ----------
    Z : list of Array
        Z_1 to Z_L, each (..., m, n_l).
    A : list of Array
        A_0 = X to A_L, the output.
    """

    Z: list[Array]
    A: list[Array]

    @property
    def output(self) -> Array:
        """A_L, (..., m, n_out)."""
        return self.A[-1]


def initialise(
    network: Network,
    rng: np.random.Generator,
    how: str = "normal",
    runs: int | None = None,
) -> Parameters:
    """Draw parameters to start from.

    Parameters
    ----------
    network : Network
        Its layers.
    rng : numpy.random.Generator
        The only source of chance.
    how : str
        Name of an initialiser: ``normal, zeros, constant, pytorch, glorot, he``.
    runs : int, optional
        How many networks to draw at once; without it one, and no runs axis.

    Returns
    -------
    drawn : Parameters
        In float64.

    Raises
    ------
    ValueError, TypeError
        An unknown initialiser, fewer than one run, or something that is not a Generator.
    """
    draw = initialiser(how)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; expected a Generator: numpy.random.default_rng(7).")
    if runs is not None and runs < 1:
        raise ValueError(f"runs is {runs}; expected at least 1, or None for one network.")
    axis = () if runs is None else (runs,)
    layers = [draw(rng, a, b, axis) for a, b in zip(network.sizes, network.sizes[1:], strict=False)]
    return Parameters.of(*(tensor for layer in layers for tensor in layer))


def prepare(
    network: Network, parameters: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike
) -> tuple[Array, Array]:
    """Check everything once, so that the passes need not; give X and Y in the parameters' dtype.

    Raises
    ------
    TypeError, ValueError
        Shapes that do not match, NaN or infinity, or targets that the loss does not allow.
    """
    if parameters.sizes != network.sizes:
        raise ValueError(
            f"the parameters belong to layers {parameters.sizes}; the network has {network.sizes}."
        )
    checks.finite(parameters.vector, "parameters")
    X, Y = checks.data(X, Y, network.sizes[0], network.sizes[-1])
    network.loss_function.require(Y)
    dtype = parameters.vector.dtype
    return X.astype(dtype, copy=False), Y.astype(dtype, copy=False)


def product(A: Array, B: Array, out: Array | None = None) -> Array:
    """Compute the matrix product A @ B, (..., n, k) by (..., k, m), for whichever runs there are.

    When the runs lie side by side in memory, as `Parameters.interleaved` puts them, the sum over k
    is written as such: NumPy then loops over the runs innermost.
    """
    if A.ndim == B.ndim == 2:
        return np.dot(A, B, out=out)  # as matmul, with less ado
    if B.ndim > 2 and B.strides[0] < B.strides[-1]:
        return np.einsum("...ik,...kj->...ij", A, B, out=out)
    return np.matmul(A, B, out=out)


def forward(network: Network, parameters: Parameters, X: Array) -> Cache:
    """Compute Z_l = A_{l-1} W_l + b_l and A_l = g_l(Z_l), layer by layer.

    Parameters
    ----------
    network : Network
        Its activations.
    parameters : Parameters
        One network or many.
    X : (m, n_in)
        Samples, shared by all runs.

    Returns
    -------
    Cache
        All Z and A.

    Notes
    -----
    Lines 1 to 4 of the algorithm in :ref:`ch-pseudocode`. Nothing is checked here: `check` does it
    once.
    """
    Z, A = [], [X]
    for W, b, g in zip(parameters.weights, parameters.biases, network.activations, strict=True):
        Z.append(product(A[-1], W))
        Z[-1] += b
        A.append(g.value(Z[-1]))
    return Cache(Z, A)


def output_delta(network: Network, cache: Cache, Y: Array) -> Array:
    """Compute D_L, the derivative of the loss by Z_L, (..., m, n_out); it holds the only 1/m.

    Notes
    -----
    dL/dA * g'(Z) in general. For cross-entropy on a sigmoid the g' cancels, and is cancelled here
    on paper, because 0/0 is what is left of it in arithmetic once the sigmoid saturates.
    """
    A = cache.output
    if network.loss == "bce":
        D: Array = (A - Y) / Y.shape[0]
    else:
        D = network.loss_function.gradient(A, Y)
        if network.output != "identity":
            D = D * network.activations[-1].derivative(cache.Z[-1], A)
    return D


def backward(
    network: Network,
    parameters: Parameters,
    cache: Cache,
    Y: Array,
    out: Parameters | None = None,
) -> Parameters:
    """Compute the gradient of the loss by every weight and bias.

    Parameters
    ----------
    network, parameters, cache
        As in, and from, `forward`.
    Y : (m, n_out)
        Targets.
    out : Parameters, optional
        Where to write the gradient; made anew without it.

    Returns
    -------
    gradient : Parameters
        dW_l and db_l in the places of W_l and b_l.

    Notes
    -----
    Lines 5 to 9 of the algorithm in :ref:`ch-pseudocode`; the four equations are proved in
    :ref:`ch-four-equations`.
    """
    gradient = out or Parameters(parameters.sizes, np.empty_like(parameters.vector))
    D = output_delta(network, cache, Y)
    for layer in reversed(range(len(parameters.weights))):
        product(cache.A[layer].mT, D, out=gradient.weights[layer])
        np.add.reduce(D, axis=-2, keepdims=True, out=gradient.biases[layer])
        if layer:
            Z, A = cache.Z[layer - 1], cache.A[layer]
            D = product(D, parameters.weights[layer].mT)
            D *= network.activations[layer - 1].derivative(Z, A)
    return gradient


def loss_value(
    network: Network, parameters: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike
) -> Array:
    """Compute the loss on a data set, (...): one number a run. Checks what it is given."""
    X, Y = prepare(network, parameters, X, Y)
    return network.loss_function.value(forward(network, parameters, X).output, Y)


def loss_and_gradient(
    network: Network, parameters: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike
) -> tuple[Array, Parameters]:
    """Compute the loss and its gradient on a data set. Checks what it is given."""
    X, Y = prepare(network, parameters, X, Y)
    cache = forward(network, parameters, X)
    value = network.loss_function.value(cache.output, Y)
    return value, backward(network, parameters, cache, Y)


def predict(network: Network, parameters: Parameters, X: npt.ArrayLike) -> Array:
    """Compute the outputs for new samples, (..., m, n_out): probabilities also from logits.

    Raises
    ------
    ValueError, TypeError
        X of another width, or not finite.
    """
    X = checks.finite(X, "X")
    if X.ndim != 2 or X.shape[1] != network.sizes[0]:
        raise ValueError(f"X has shape {X.shape}; expected (m, {network.sizes[0]}).")
    output = forward(network, parameters, X.astype(parameters.vector.dtype, copy=False)).output
    return network.loss_function.prediction(output)


def accuracy(network: Network, parameters: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike) -> Array:
    """Share of samples on the right side of 0.5, (...). An output of exactly 0.5 is a miss.

    With classes, where one output of a sample is right: share of samples whose largest output is
    the right one. Two largest outputs are a miss.
    """
    X, Y = checks.data(X, Y, network.sizes[0], network.sizes[-1])
    P = predict(network, parameters, X)
    if network.loss_function.classes:
        right = (P == P.max(axis=-1, keepdims=True)) == (Y == Y.max(axis=-1, keepdims=True))
    else:
        right = np.sign(P - 0.5) == np.sign(Y - 0.5)
    share: Array = right.all(axis=-1).mean(axis=-1)
    return share
