"""The algorithm in lines that can be replaced: what each one reads, and the lines themselves.

`backward` is `network.backward` with another line in place of one of its own, and a `Bug` is such a
line; `labsupport.bugs` has the honest ones. Taught in :ref:`ch-bugs`. The numbers are those of the
algorithm in :ref:`ch-pseudocode`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from labsupport import network
from labsupport.activations import Activation
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
        Its key in `labsupport.bugs.BUGS`.
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


CORRECT = Bug("correct", "nothing is wrong", 0, network.backward, update_line, lambda net, m: True)
"""No mistake: what the others are compared with."""


def of_lines(
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
    return of_lines(name, slip, min(one.line, other.line), applies, lines)
