"""What to look at inside a network while it trains, and what became of each run.

A probe takes the network, its parameters, a forward pass and the gradient from it, and gives a
number a run, (...), or a number a layer, (..., layers). `descent.train` calls those in its `watch`
at the recorded epochs. :ref:`ch-lies` and :ref:`ch-init` read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labsupport import network
from labsupport.activations import activation
from labsupport.checks import Array
from labsupport.network import Cache, Network, Parameters

MARGIN = 0.1
"""How far on the right side of 0.5 an output must be to count as solved: rounding is no answer."""


def _hidden_slopes(net: Network, cache: Cache) -> list[Array]:
    """g'(Z) of each hidden layer, (..., m, n_l)."""
    triples = zip(net.activations[:-1], cache.Z, cache.A[1:], strict=False)
    return [g.derivative(Z, A) for g, Z, A in triples]


def _by_layer(values: Sequence[Array], runs: tuple[int, ...]) -> Array:
    """One number a run and layer, (..., layers); no layers at all are allowed."""
    return np.stack(values, axis=-1) if values else np.empty((*runs, 0))


def dead(net: Network, parameters: Parameters, cache: Cache, gradient: Parameters) -> Array:
    """Share of units that no gradient passes: g'(Z) = 0 on every sample. (..., hidden layers)."""
    slopes = _hidden_slopes(net, cache)
    return _by_layer([(s == 0).all(axis=-2).mean(axis=-1) for s in slopes], parameters.runs)


def always_on(net: Network, parameters: Parameters, cache: Cache, gradient: Parameters) -> Array:
    """Share of units with Z > 0 on every sample, (..., hidden layers): linear ones, with ReLU."""
    hidden = cache.Z[:-1]
    return _by_layer([(Z > 0).all(axis=-2).mean(axis=-1) for Z in hidden], parameters.runs)


def saturated(net: Network, parameters: Parameters, cache: Cache, gradient: Parameters) -> Array:
    """Share of samples and units whose slope is under 5 % of the activation's steepest.

    (..., hidden layers). With ReLU: where a unit is off.
    """
    steepest = activation(net.hidden).steepest
    slopes = _hidden_slopes(net, cache)
    return _by_layer([(s < 0.05 * steepest).mean(axis=(-2, -1)) for s in slopes], parameters.runs)


def layer_norms(net: Network, parameters: Parameters, cache: Cache, gradient: Parameters) -> Array:
    """Norm of the gradient of each layer, weights and biases together, (..., layers)."""
    pairs = zip(gradient.weights, gradient.biases, strict=True)
    squares = [(W * W).sum(axis=(-2, -1)) + (b * b).sum(axis=(-2, -1)) for W, b in pairs]
    return np.sqrt(_by_layer(squares, parameters.runs))


@dataclass(frozen=True)
class Solved:
    """Probe: is every output on the right side of 0.5, by `margin` at least? (...), 1 or 0.

    Attributes
    ----------
    Y : (m, n_out)
        Targets, each 0 or 1.
    margin : float
        In [0, 0.5).
    """

    Y: npt.ArrayLike
    margin: float = MARGIN

    def __call__(
        self, net: Network, parameters: Parameters, cache: Cache, gradient: Parameters
    ) -> Array:
        """Look at the output of the forward pass."""
        P = net.loss_function.prediction(cache.output)
        side = np.where(np.asarray(self.Y) > 0.5, 1.0, -1.0)
        right = np.asarray((P - 0.5) * side >= self.margin).all(axis=(-2, -1))
        return np.asarray(right, dtype=float)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of each run.

    Attributes
    ----------
    loss : (runs,)
        At the end.
    solved : (runs,) of bool
        Every output right by the margin, at the end.
    level : (runs,)
        The level that the loss of an unsolved run stands at, nan if it is at none.
    dead, always_on : (runs, hidden layers)
        Share of units, at the end.
    layer_norms : (runs, layers)
        Norm of each layer's gradient, at the end.
    """

    loss: Array
    solved: Array
    level: Array
    dead: Array
    always_on: Array
    layer_norms: Array


def outcomes(
    net: Network,
    parameters: Parameters,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    levels: Sequence[float] = (),
    tolerance: float = 0.005,
) -> Outcomes:
    """Say for each run whether it solved the task, and where it stands if it did not.

    Parameters
    ----------
    net : Network
        What was trained, with outputs that are probabilities or logits of classes 0 and 1.
    parameters : Parameters
        At the end of training.
    X, Y : (m, n_in), (m, n_out)
        The data.
    levels : sequence of float
        Losses at which runs may be stuck, such as ln 2.
    tolerance : float
        How near a loss must be to its level.

    Returns
    -------
    Outcomes
        One entry a run.
    """
    X, Y = network.prepare(net, parameters, X, Y)
    cache = network.forward(net, parameters, X)
    loss = net.loss_function.value(cache.output, Y)
    gradient = network.backward(net, parameters, cache, Y)
    given = net, parameters, cache, gradient
    solved = Solved(Y)(*given) > 0
    level = np.full(loss.shape, np.nan)
    for value in levels:
        level = np.where(~solved & (np.abs(loss - value) <= tolerance), value, level)
    return Outcomes(
        loss=loss,
        solved=solved,
        level=level,
        dead=dead(*given),
        always_on=always_on(*given),
        layer_norms=layer_norms(*given),
    )
