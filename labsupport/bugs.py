"""The bug zoo: honest mistakes in a backward pass or an update, each one small change of one line.

Taught in :ref:`ch-bugs`, which breeds them all at once; `labsupport.feedback` knows them by name.
The line numbers are those of the algorithm in :ref:`ch-pseudocode`. A mistake that fits only some
shapes (a transposed W) is made in the layers where it fits: elsewhere Python would have raised an
error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from labsupport import network
from labsupport.activations import Activation, activation
from labsupport.checks import Array
from labsupport.network import Cache, Network, Parameters


class AtOutput(NamedTuple):
    """What line 6 reads.

    Attributes
    ----------
    network : Network
        Its loss and its output.
    cache : Cache
        The forward pass.
    Y : (m, n_out)
        Targets.
    """

    network: Network
    cache: Cache
    Y: Array


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


OutputDelta: TypeAlias = Callable[[AtOutput], Array]
Gradient: TypeAlias = Callable[[AtLayer], tuple[Array, Array]]
HiddenDelta: TypeAlias = Callable[[AtLayer], Array]
Update: TypeAlias = Callable[[AtUpdate], Parameters]
Applies: TypeAlias = Callable[[Network, int], bool]


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


def output_delta_line(at: AtOutput) -> Array:
    """Line 6: D_L, the derivative of the loss by Z_L, which holds the only 1/m."""
    return network.output_delta(*at)


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
    output_delta: OutputDelta = output_delta_line,
    gradient: Gradient = gradient_line,
    hidden_delta: HiddenDelta = hidden_delta_line,
    out: Parameters | None = None,
) -> Parameters:
    """Compute `network.backward` with the line that is given in place of the correct one."""
    result = out or Parameters(parameters.sizes, np.empty_like(parameters.vector))
    D = output_delta(AtOutput(net, cache, Y))  # line 6
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
    lines : dict of str to callable
        The broken lines, by what `backward` calls them; ``update`` is line 9. Each takes as
        ``line`` what it changes: the correct line, or one that has a mistake already.
    """

    name: str
    slip: str
    line: int
    gradient: Backward | None
    update: Update | None
    applies: Applies
    lines: Mapping[str, Callable[..., Any]] = field(default_factory=dict, repr=False, compare=False)


BUGS: dict[str, Bug] = {}
"""All mistakes by name: first those of the gradient, then those of the update."""

CORRECT = Bug("correct", "nothing is wrong", 0, network.backward, update_line, lambda net, m: True)
"""No mistake: what the others are compared with."""

Made = TypeVar("Made", bound=Callable[..., Any])


def _slip(line: int, slip: str, applies: Applies = CORRECT.applies) -> Callable[[Made], Made]:
    """Enter a change into the zoo, under the name of its function."""
    keyword = {6: "output_delta", 7: "gradient", 8: "hidden_delta"}

    def enter(change: Made) -> Made:
        name = change.__name__.strip("_").replace("_", " ")
        broken = "update" if "step" in change.__annotations__ else keyword[line]
        BUGS[name] = _of_lines(name, slip, line, applies, {broken: change})
        return change

    return enter


def _of_lines(
    name: str, slip: str, line: int, applies: Applies, lines: dict[str, Callable[..., Any]]
) -> Bug:
    """Make a mistake of its broken lines."""
    in_backward: dict[str, Any] = {key: lines[key] for key in lines if key != "update"}
    gradient = partial(backward, **in_backward) if in_backward else None
    return Bug(name, slip, line, gradient, lines.get("update"), applies, lines)


def both(one: Bug, other: Bug) -> Bug:
    """Make two mistakes at once; where they are in the same line, `other` is on top of `one`."""
    lines = dict(one.lines)
    for key, change in other.lines.items():
        lines[key] = partial(change, line=lines[key]) if key in lines else change

    def applies(net: Network, m: int) -> bool:
        return one.applies(net, m) and other.applies(net, m)

    name, slip = f"{one.name} and {other.name}", f"{one.slip}; and {other.slip}"
    return _of_lines(name, slip, min(one.line, other.line), applies, lines)


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
def _no_mean(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    return line(at) * len(at.Y)


@_slip(
    6,
    "line 6 divides by all entries of Y, where it should divide by its rows",
    lambda net, m: net.sizes[-1] > 1,
)
def _mean_over_outputs(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    D: Array = line(at) / at.Y.shape[1]
    return D


@_slip(
    6,
    "line 6 keeps a(1 - a), as for the squared error; with the cross-entropy it cancels",
    lambda net, m: net.loss != "mse",
)
def _MSE_delta(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    P = at.network.loss_function.prediction(at.cache.output)
    D: Array = line(at) * P * (1 - P)
    return D


@_slip(
    6,
    "line 6 is that of the cross-entropy, but the loss is the squared error",
    lambda net, m: net.loss == "mse" and net.output == "sigmoid",
)
def _cross_entropy_delta(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    D: Array = (at.cache.output - at.Y) / len(at.Y)
    return D


@_slip(
    6,
    "the derivative of the output activation is missing in line 6",
    lambda net, m: net.loss == "mse" and net.output != "identity",
)
def _no_output_derivative(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    D: Array = at.network.loss_function.gradient(at.cache.output, at.Y)
    return D


@_slip(6, "the 2 of the squared error's derivative is missing in line 6", _squared)
def _no_factor_2(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    return line(at) / 2


@_slip(6, "line 6 subtracts the wrong way round, Y - A")
def _delta_sign(at: AtOutput, line: OutputDelta = output_delta_line) -> Array:
    return -line(at)


# Line 7, the gradient


@_slip(7, "the 1/m of line 6 comes a second time in line 7", _samples)
def _mean_twice(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    dW, db = line(at)
    return dW / at.D.shape[-2], db / at.D.shape[-2]


@_slip(7, "db in line 7 is a mean over the samples, not a sum", _samples)
def _bias_mean(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    dW, db = line(at)
    return dW, db / at.D.shape[-2]


@_slip(
    7,
    "db in line 7 is summed over the units, not over the samples",
    _widths(lambda n_in, n_out, m: m == n_out > 1),
)
def _bias_wrong_axis(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    dW, db = line(at)
    return dW, at.D.sum(axis=-1)[..., None, :] if at.D.shape[-2] == at.D.shape[-1] else db


@_slip(
    7,
    "db in line 7 is one sum over everything: the axis is missing",
    _widths(lambda n_in, n_out, m: n_out > 1),
)
def _bias_no_axis(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    dW, db = line(at)
    return dW, db.sum(axis=-1, keepdims=True) + np.zeros_like(db)


@_slip(7, "line 7 keeps the last sample only: = in a loop that needs +=", _samples)
def _last_sample(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    Z, A, D = (t[..., -1:, :] for t in (at.Z, at.A, at.D))
    return line(at._replace(Z=Z, A=A, D=D))


@_slip(7, "line 7 takes Z of the layer before, not A", _bent)
def _Z_for_A(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    return line(at._replace(A=at.Z))


@_slip(7, "line 7 finds g' where A was: A was overwritten in place", _from_output)
def _overwritten_A(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    return line(at._replace(A=at.slope) if at.g else at)


@_slip(7, "dW in line 7 is transposed, D.T @ A", _widths(lambda n_in, n_out, m: n_in == n_out > 1))
def _transposed_dW(at: AtLayer, line: Gradient = gradient_line) -> tuple[Array, Array]:
    dW, db = line(at)
    return (dW.mT if dW.shape[-2] == dW.shape[-1] else dW), db


# Line 8, the hidden delta


@_slip(8, "g' is missing in line 8", _bent)
def _no_hidden_derivative(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    return line(at._replace(g=None))


def _with_slope(at: AtLayer, line: HiddenDelta, slope: Callable[[Activation], Array]) -> Array:
    """Line 8 with something else in place of g'."""
    D = line(at._replace(g=None))
    return D * slope(at.g) if at.g else D


def _formula(g: Activation, A: Array) -> Array:
    """Compute g' by the formula that wants A = g(Z)."""
    assert g.from_output
    return g.from_output(A)


@_slip(8, "g' in line 8 is taken at A, not at Z", _from_output)
def _derivative_of_A(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    return _with_slope(at, line, lambda g: _formula(g, g.value(at.A)))


@_slip(8, "the formula for g' in line 8 wants A and is given Z", _from_output)
def _derivative_of_Z(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    return _with_slope(at, line, lambda g: _formula(g, at.Z))


@_slip(8, "g' in line 8 belongs to the other curve, sigmoid or tanh", _from_output)
def _other_derivative(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    def other(g: Activation) -> Activation:
        return activation("tanh" if g.name == "sigmoid" else "sigmoid")

    return _with_slope(at, line, lambda g: _formula(other(g), at.A))


@_slip(
    8,
    "the mask in line 8 is A >= 0, which the output of a ReLU always is",
    lambda net, m: _deep(net, m) and net.hidden == "relu",
)
def _mask_from_output(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    return _with_slope(at, line, lambda g: at.A >= 0)


@_slip(
    8,
    "W in line 8 is not transposed",
    _widths(lambda n_in, n_out, m: n_in == n_out > 1, first=2),
)
def _transposed_W(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    return line(at._replace(W=at.W.mT) if at.W.shape[-2] == at.W.shape[-1] else at)


@_slip(
    8,
    "W in line 8 is reshaped, not transposed",
    _widths(lambda n_in, n_out, m: n_in > 1 and n_out > 1, first=2),
)
def _reshaped_W(at: AtLayer, line: HiddenDelta = hidden_delta_line) -> Array:
    *runs, n_in, n_out = at.W.shape
    return line(at._replace(W=at.W.reshape(*runs, n_out, n_in).mT))


def _moved_W(at: AtLayer, rate: float, line: HiddenDelta = hidden_delta_line) -> Array:
    return line(at._replace(W=at.W - rate * gradient_line(at)[0]))


def too_early(rate: float) -> Bug:
    """Make the mistake of line 9 inside a backward pass: it moves W before line 8 has used it."""
    name, line_8 = "update too early", partial(_moved_W, rate=rate)
    return _of_lines(name, BUGS[name].slip, 9, _deep, {"hidden_delta": line_8})


# Line 9, the update, and what a program forgets between two steps


@_slip(3, "the forward pass is not repeated: Z and A are those of the step before")
def _stale_cache(step: AtUpdate, line: Update = update_line) -> Parameters:
    cache = step.memory.get("cache", step.cache)
    step.memory["cache"] = step.cache
    stale = network.backward(step.network, step.parameters, cache, step.Y)
    return line(step._replace(gradient=stale))


@_slip(7, "each gradient is added to those of all steps before: zero_grad is forgotten")
def _zero_grad_forgotten(step: AtUpdate, line: Update = update_line) -> Parameters:
    total = step.memory.get("gradient", 0.0) + step.gradient.vector
    step.memory["gradient"] = total
    return line(step._replace(gradient=Parameters(step.gradient.sizes, total)))


@_slip(9, "line 9 moves W before line 8 has used it", _deep)
def _update_too_early(step: AtUpdate, line: Update = update_line) -> Parameters:
    line_8 = partial(_moved_W, rate=step.learning_rate)
    given = step.network, step.parameters, step.cache, step.Y
    gradient = backward(*given, hidden_delta=line_8)
    return line(step._replace(gradient=gradient))


@_slip(9, "line 9 adds where it should subtract")
def _update_sign(step: AtUpdate, line: Update = update_line) -> Parameters:
    return line(step._replace(learning_rate=-step.learning_rate))


@_slip(9, "the learning rate comes twice in line 9")
def _rate_twice(step: AtUpdate, line: Update = update_line) -> Parameters:
    return line(step._replace(learning_rate=step.learning_rate**2))


def _without(step: AtUpdate, line: Update, *names: str) -> Parameters:
    """Line 9 that leaves the tensors with these names where they are."""
    new = line(step)
    here, there = new.named(), step.parameters.named()
    for name in names:
        here[name][...] = there[name]
    return new


@_slip(9, "line 9 never moves the biases")
def _biases_frozen(step: AtUpdate, line: Update = update_line) -> Parameters:
    return _without(step, line, *(f"b{n}" for n in range(1, len(step.network.sizes))))


@_slip(9, "line 9 leaves the first layer out", _deep)
def _first_layer_frozen(step: AtUpdate, line: Update = update_line) -> Parameters:
    return _without(step, line, "W1", "b1")


@_slip(9, "line 9 leaves the last layer out", _deep)
def _last_layer_frozen(step: AtUpdate, line: Update = update_line) -> Parameters:
    last = len(step.network.sizes) - 1
    return _without(step, line, f"W{last}", f"b{last}")


@_slip(9, "line 9 works in place: who kept the old parameters now holds the new ones")
def _start_moves_along(step: AtUpdate, line: Update = update_line) -> Parameters:
    step.parameters.vector[...] = line(step).vector
    return step.parameters
