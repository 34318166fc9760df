"""The bug zoo: honest mistakes in a backward pass or an update, each one small change of one line.

Taught in :ref:`ch-bugs`, which breeds them all at once; `labsupport.feedback` knows them by name.
The line numbers are those of the algorithm in :ref:`ch-pseudocode`. A mistake that fits only some
shapes (a transposed W) is made in the layers where it fits: elsewhere Python would have raised an
error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np

from labsupport import network
from labsupport.activations import Activation, activation
from labsupport.checks import Array
from labsupport.lines import (
    CORRECT,
    Applies,
    AtLayer,
    AtOutput,
    AtUpdate,
    Bug,
    Gradient,
    HiddenDelta,
    OutputDelta,
    Update,
    backward,
    gradient_line,
    hidden_delta_line,
    of_lines,
    output_delta_line,
    update_line,
)
from labsupport.network import Network, Parameters

BUGS: dict[str, Bug] = {}
"""All mistakes by name: first those of the gradient, then those of the update."""

Made = TypeVar("Made", bound=Callable[..., Any])


def _slip(line: int, slip: str, applies: Applies = CORRECT.applies) -> Callable[[Made], Made]:
    """Enter a change into the zoo, under the name of its function."""
    keyword = {6: "output_delta", 7: "gradient", 8: "hidden_delta"}

    def enter(change: Made) -> Made:
        name = change.__name__.strip("_").replace("_", " ")
        broken = "update" if "step" in change.__annotations__ else keyword[line]
        BUGS[name] = of_lines(name, slip, line, applies, {broken: change})
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
    return of_lines(name, BUGS[name].slip, 9, _deep, {"hidden_delta": line_8})


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
