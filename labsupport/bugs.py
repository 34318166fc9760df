"""The bug zoo: honest mistakes in a backward pass or an update, each one small change of one line.

Taught in :ref:`ch-bugs`, which breeds them all at once; `labsupport.feedback` knows them by name.
The line numbers are those of the algorithm in :ref:`ch-pseudocode`. A mistake that fits only some
shapes (a transposed W) is made in the layers where it fits: elsewhere Python would have raised an
error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from labsupport import network
from labsupport.activations import Activation, activation
from labsupport.checks import Array
from labsupport.network import Cache, Network, Parameters


class AtLayer(NamedTuple):
    """What lines 7 and 8 read at layer l.

    Attributes
    ----------
    W : (..., n_in, n_out)
        W_l.
    Z, A : (..., m, n_in)
        Z_{l-1} and A_{l-1}; at the first layer Z is X as well.
    D : (..., m, n_out)
        D_l.
    g : Activation or None
        g_{l-1}; None at the first layer, where A is X.
    """

    W: Array
    Z: Array
    A: Array
    D: Array
    g: Activation | None

    @property
    def slope(self) -> Array:
        """g'(Z) of the layer before; 1 at the first layer, which has none."""
        return self.g.derivative(self.Z, self.A) if self.g else np.ones_like(self.A)


class AtUpdate(NamedTuple):
    """What line 9 reads.

    Attributes
    ----------
    network : Network
        Its layers.
    parameters : Parameters
        Where the step starts.
    cache : Cache
        The forward pass there.
    Y : (m, n_out)
        Targets.
    gradient : Parameters
        The correct gradient there.
    learning_rate : float
        Alpha.
    memory : dict
        What a program carries by mistake from one step to the next; empty before the first.
    """

    network: Network
    parameters: Parameters
    cache: Cache
    Y: Array
    gradient: Parameters
    learning_rate: float
    memory: dict[str, Any]


OutputDelta: TypeAlias = Callable[[Network, Cache, Array], Array]
Gradient: TypeAlias = Callable[[AtLayer], tuple[Array, Array]]
HiddenDelta: TypeAlias = Callable[[AtLayer], Array]
Update: TypeAlias = Callable[[AtUpdate], Parameters]


class Backward(Protocol):
    """A backward pass, in the form of `network.backward`."""

    def __call__(
        self,
        network: Network,
        parameters: Parameters,
        cache: Cache,
        Y: Array,
        /,
        *,
        out: Parameters | None = None,
    ) -> Parameters:
        """Compute the gradient; into `out` if it is given."""


# The algorithm, a function for each line


def gradient_line(at: AtLayer) -> tuple[Array, Array]:
    """Line 7: dW_l = A_{l-1}^T D_l and db_l = 1^T D_l."""
    return at.A.mT @ at.D, np.add.reduce(at.D, axis=-2, keepdims=True)


def hidden_delta_line(at: AtLayer) -> Array:
    """Line 8: D_{l-1} = (D_l W_l^T) * g'(Z_{l-1})."""
    return (at.D @ at.W.mT) * at.slope


def update_line(step: AtUpdate) -> Parameters:
    """Line 9: all parameters at once, in new arrays."""
    moved = step.parameters.vector - step.learning_rate * step.gradient.vector
    return Parameters(step.parameters.sizes, moved)


def backward(
    net: Network,
    parameters: Parameters,
    cache: Cache,
    Y: Array,
    output_delta: OutputDelta = network.output_delta,
    gradient: Gradient = gradient_line,
    hidden_delta: HiddenDelta = hidden_delta_line,
    out: Parameters | None = None,
) -> Parameters:
    """Compute `network.backward` with the line that is given in place of the correct one."""
    result = out or Parameters(parameters.sizes, np.empty_like(parameters.vector))
    D = output_delta(net, cache, Y)  # line 6
    for layer in reversed(range(len(parameters.weights))):
        W, A, first = parameters.weights[layer], cache.A[layer], layer == 0
        Z, g = (A, None) if first else (cache.Z[layer - 1], net.activations[layer - 1])
        at = AtLayer(W, Z, A, D, g)
        result.weights[layer][...], result.biases[layer][...] = gradient(at)  # line 7
        D = D if first else hidden_delta(at)  # line 8
    return result


@dataclass(frozen=True)
class Bug:
    """One honest mistake.

    Attributes
    ----------
    name : str
        Its key in `BUGS`.
    slip : str
        The likely slip as a clause, such as "the 1/m is missing in line 6".
    line : int
        Line of the algorithm of :ref:`ch-pseudocode` in which it sits.
    gradient : callable or None
        ``gradient(network, parameters, cache, Y)``: the broken backward pass in place of
        `network.backward`; runs axes are allowed. None where the backward pass is right.
    update : callable or None
        ``update(step)``: the broken line 9 (or what surrounds it), given a correct gradient. None
        where the update is right. A gradient check never sees these.
    applies : callable
        ``applies(network, m)``: whether the mistake is possible, and has an effect, on this network
        with m samples.
    """

    name: str
    slip: str
    line: int
    gradient: Backward | None
    update: Update | None
    applies: Callable[[Network, int], bool]


BUGS: dict[str, Bug] = {}
"""All mistakes by name: first those of the gradient, then those of the update."""

CORRECT = Bug("correct", "nothing is wrong", 0, network.backward, update_line, lambda net, m: True)
"""No mistake: what the others are compared with."""

Applies: TypeAlias = Callable[[Network, int], bool]
Made = TypeVar("Made", bound=Callable[..., Any])


def _slip(line: int, slip: str, applies: Applies = CORRECT.applies) -> Callable[[Made], Made]:
    """Enter a change into the zoo, under the name of its function."""
    keyword = {6: "output_delta", 7: "gradient", 8: "hidden_delta"}

    def enter(change: Made) -> Made:
        name = change.__name__.strip("_").replace("_", " ")
        if "step" in change.__annotations__:
            BUGS[name] = Bug(name, slip, line, None, change, applies)
        else:
            lines: dict[str, Any] = {keyword[line]: change}
            broken = partial(backward, **lines)
            BUGS[name] = Bug(name, slip, line, broken, None, applies)
        return change

    return enter


# Where a mistake is possible, and has an effect


def _samples(net: Network, m: int) -> bool:
    return m > 1


def _squared(net: Network, m: int) -> bool:
    return net.loss == "mse"


def _deep(net: Network, m: int) -> bool:
    return len(net.sizes) > 2


def _bent(net: Network, m: int) -> bool:
    return len(net.sizes) > 2 and net.hidden != "identity"


def _from_output(net: Network, m: int) -> bool:
    return len(net.sizes) > 2 and activation(net.hidden).from_output is not None


def _widths(fits: Callable[[int, int, int], bool], first: int = 1) -> Applies:
    """Some layer from the first one given on fits: it gets n_in, n_out and m."""
    return lambda net, m: any(
        fits(n_in, n_out, m)
        for n_in, n_out in zip(net.sizes[first - 1 :], net.sizes[first:], strict=False)
    )


# Line 6, the output delta


@_slip(6, "the 1/m is missing in line 6", _samples)
def _no_mean(net: Network, cache: Cache, Y: Array) -> Array:
    return network.output_delta(net, cache, Y) * len(Y)


@_slip(
    6,
    "line 6 divides by all entries of Y, where it should divide by its rows",
    lambda net, m: net.sizes[-1] > 1,
)
def _mean_over_outputs(net: Network, cache: Cache, Y: Array) -> Array:
    D: Array = network.output_delta(net, cache, Y) / Y.shape[1]
    return D


@_slip(
    6,
    "line 6 keeps a(1 - a), as for the squared error; with the cross-entropy it cancels",
    lambda net, m: net.loss != "mse",
)
def _MSE_delta(net: Network, cache: Cache, Y: Array) -> Array:
    P = net.loss_function.prediction(cache.output)
    D: Array = network.output_delta(net, cache, Y) * P * (1 - P)
    return D


@_slip(
    6,
    "line 6 is that of the cross-entropy, but the loss is the squared error",
    lambda net, m: net.loss == "mse" and net.output == "sigmoid",
)
def _cross_entropy_delta(net: Network, cache: Cache, Y: Array) -> Array:
    D: Array = (cache.output - Y) / len(Y)
    return D


@_slip(
    6,
    "the derivative of the output activation is missing in line 6",
    lambda net, m: net.loss == "mse" and net.output != "identity",
)
def _no_output_derivative(net: Network, cache: Cache, Y: Array) -> Array:
    D: Array = net.loss_function.gradient(cache.output, Y)
    return D


@_slip(6, "the 2 of the squared error's derivative is missing in line 6", _squared)
def _no_factor_2(net: Network, cache: Cache, Y: Array) -> Array:
    return network.output_delta(net, cache, Y) / 2


@_slip(6, "line 6 subtracts the wrong way round, Y - A")
def _delta_sign(net: Network, cache: Cache, Y: Array) -> Array:
    return -network.output_delta(net, cache, Y)


# Line 7, the gradient


@_slip(7, "the 1/m of line 6 comes a second time in line 7", _samples)
def _mean_twice(at: AtLayer) -> tuple[Array, Array]:
    dW, db = gradient_line(at)
    return dW / at.D.shape[-2], db / at.D.shape[-2]


@_slip(7, "db in line 7 is a mean over the samples, not a sum", _samples)
def _bias_mean(at: AtLayer) -> tuple[Array, Array]:
    dW, db = gradient_line(at)
    return dW, db / at.D.shape[-2]


@_slip(
    7,
    "db in line 7 is summed over the units, not over the samples",
    _widths(lambda n_in, n_out, m: m == n_out > 1),
)
def _bias_wrong_axis(at: AtLayer) -> tuple[Array, Array]:
    dW, db = gradient_line(at)
    return dW, at.D.sum(axis=-1)[..., None, :] if at.D.shape[-2] == at.D.shape[-1] else db


@_slip(
    7,
    "db in line 7 is one sum over everything: the axis is missing",
    _widths(lambda n_in, n_out, m: n_out > 1),
)
def _bias_no_axis(at: AtLayer) -> tuple[Array, Array]:
    dW, db = gradient_line(at)
    return dW, db.sum(axis=-1, keepdims=True) + np.zeros_like(db)


@_slip(7, "line 7 keeps the last sample only: = in a loop that needs +=", _samples)
def _last_sample(at: AtLayer) -> tuple[Array, Array]:
    return gradient_line(at._replace(A=at.A[..., -1:, :], D=at.D[..., -1:, :]))


@_slip(7, "line 7 takes Z of the layer before, not A", _bent)
def _Z_for_A(at: AtLayer) -> tuple[Array, Array]:
    return gradient_line(at._replace(A=at.Z))


@_slip(7, "line 7 finds g' where A was: A was overwritten in place", _from_output)
def _overwritten_A(at: AtLayer) -> tuple[Array, Array]:
    return gradient_line(at._replace(A=at.slope) if at.g else at)


@_slip(7, "dW in line 7 is transposed, D.T @ A", _widths(lambda n_in, n_out, m: n_in == n_out > 1))
def _transposed_dW(at: AtLayer) -> tuple[Array, Array]:
    dW, db = gradient_line(at)
    return (dW.mT if dW.shape[-2] == dW.shape[-1] else dW), db


# Line 8, the hidden delta


@_slip(8, "g' is missing in line 8", _bent)
def _no_hidden_derivative(at: AtLayer) -> Array:
    D: Array = at.D @ at.W.mT
    return D


def _formula(at: AtLayer, A: Array) -> Array:
    """Compute g' by the formula that wants A = g(Z)."""
    assert at.g and at.g.from_output
    return at.g.from_output(A)


@_slip(8, "g' in line 8 is taken at A, not at Z", _from_output)
def _derivative_of_A(at: AtLayer) -> Array:
    assert at.g
    return _no_hidden_derivative(at) * _formula(at, at.g.value(at.A))


@_slip(8, "the formula for g' in line 8 wants A and is given Z", _from_output)
def _derivative_of_Z(at: AtLayer) -> Array:
    return _no_hidden_derivative(at) * _formula(at, at.Z)


@_slip(8, "g' in line 8 belongs to the other curve, sigmoid or tanh", _from_output)
def _other_derivative(at: AtLayer) -> Array:
    other = activation("tanh" if at.g and at.g.name == "sigmoid" else "sigmoid")
    return _no_hidden_derivative(at) * _formula(at._replace(g=other), at.A)


@_slip(
    8,
    "the mask in line 8 is A >= 0, which the output of a ReLU always is",
    lambda net, m: _deep(net, m) and net.hidden == "relu",
)
def _mask_from_output(at: AtLayer) -> Array:
    return _no_hidden_derivative(at) * (at.A >= 0)


@_slip(
    8,
    "W in line 8 is not transposed",
    _widths(lambda n_in, n_out, m: n_in == n_out > 1, first=2),
)
def _transposed_W(at: AtLayer) -> Array:
    square = at.W.shape[-2] == at.W.shape[-1]
    return (at.D @ at.W) * at.slope if square else hidden_delta_line(at)


@_slip(
    8,
    "W in line 8 is reshaped, not transposed",
    _widths(lambda n_in, n_out, m: n_in > 1 and n_out > 1, first=2),
)
def _reshaped_W(at: AtLayer) -> Array:
    *runs, n_in, n_out = at.W.shape
    return (at.D @ at.W.reshape(*runs, n_out, n_in)) * at.slope


# Line 9, the update, and what a program forgets between two steps


@_slip(3, "the forward pass is not repeated: Z and A are those of the step before")
def _stale_cache(step: AtUpdate) -> Parameters:
    cache = step.memory.get("cache", step.cache)
    step.memory["cache"] = step.cache
    stale = network.backward(step.network, step.parameters, cache, step.Y)
    return update_line(step._replace(gradient=stale))


@_slip(7, "each gradient is added to those of all steps before: zero_grad is forgotten")
def _zero_grad_forgotten(step: AtUpdate) -> Parameters:
    total = step.memory.get("gradient", 0.0) + step.gradient.vector
    step.memory["gradient"] = total
    return update_line(step._replace(gradient=Parameters(step.gradient.sizes, total)))


@_slip(9, "line 9 moves W before line 8 has used it", _deep)
def _update_too_early(step: AtUpdate) -> Parameters:
    moved = step.parameters.copy()
    D = network.output_delta(step.network, step.cache, step.Y)
    for layer in reversed(range(len(moved.weights))):
        W, b, A = moved.weights[layer], moved.biases[layer], step.cache.A[layer]
        W -= step.learning_rate * (A.mT @ D)
        b -= step.learning_rate * D.sum(axis=-2, keepdims=True)
        if layer:
            g, Z = step.network.activations[layer - 1], step.cache.Z[layer - 1]
            D = (D @ W.mT) * g.derivative(Z, A)
    return moved


@_slip(9, "line 9 adds where it should subtract")
def _update_sign(step: AtUpdate) -> Parameters:
    return update_line(step._replace(learning_rate=-step.learning_rate))


@_slip(9, "the learning rate comes twice in line 9")
def _rate_twice(step: AtUpdate) -> Parameters:
    return update_line(step._replace(learning_rate=step.learning_rate**2))


def _without(step: AtUpdate, *names: str) -> Parameters:
    """Line 9 that leaves the tensors with these names where they are."""
    new = update_line(step)
    here, there = new.named(), step.parameters.named()
    for name in names:
        here[name][...] = there[name]
    return new


@_slip(9, "line 9 never moves the biases")
def _biases_frozen(step: AtUpdate) -> Parameters:
    return _without(step, *(f"b{n}" for n in range(1, len(step.network.sizes))))


@_slip(9, "line 9 leaves the first layer out", _deep)
def _first_layer_frozen(step: AtUpdate) -> Parameters:
    return _without(step, "W1", "b1")


@_slip(9, "line 9 leaves the last layer out", _deep)
def _last_layer_frozen(step: AtUpdate) -> Parameters:
    last = len(step.network.sizes) - 1
    return _without(step, f"W{last}", f"b{last}")


@_slip(9, "line 9 works in place: who kept the old parameters now holds the new ones")
def _start_moves_along(step: AtUpdate) -> Parameters:
    step.parameters.vector[...] = update_line(step).vector
    return step.parameters
