"""Train with the mistakes of the zoo: one step of one of them, or all of them at once.

Taught in :ref:`ch-bugs`, which shows the plain loop and asserts that `train` takes the same steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labsupport import checks, network
from labsupport.bugs import BUGS
from labsupport.checks import Array
from labsupport.lines import AtUpdate, Bug, update_line
from labsupport.network import Cache, Network, Parameters


def step(
    bug: Bug,
    net: Network,
    parameters: Parameters,
    X: Array,
    Y: Array,
    learning_rate: float,
    memory: dict[str, Any] | None = None,
) -> Parameters:
    """Take a whole training step, lines 3 to 9, with one mistake in it.

    Parameters
    ----------
    bug : Bug
        One of `bugs.BUGS`, or `CORRECT`.
    net : Network
        Its layers, activations and loss.
    parameters : Parameters
        Where to start, one network or many; left as it is, unless that is the mistake.
    X, Y : (m, n_in), (m, n_out)
        The data; not checked here.
    learning_rate : float
        Length of the step.
    memory : dict, optional
        Empty before the first step, and the same one at every later step: what the program carries
        over by mistake. Without it this is a first step.

    Returns
    -------
    moved : Parameters
        After the step.
    """
    cache = network.forward(net, parameters, X)
    gradient = (bug.gradient or network.backward)(net, parameters, cache, Y)
    memory = {} if memory is None else memory
    here = AtUpdate(net, parameters, cache, Y, gradient, learning_rate, memory)
    return (bug.update or update_line)(here)


@dataclass(frozen=True)
class Suspect:
    """A program with one mistake in it that does not say which. Its print shows its letter only.

    Attributes
    ----------
    letter : str
        What to call it.
    bug : Bug
        The mistake; looking here ends the exercise.
    """

    letter: str
    bug: Bug = field(repr=False)

    def gradient(self, net: Network, parameters: Parameters, X: Array, Y: Array) -> Parameters:
        """Run its forward and backward pass."""
        cache = network.forward(net, parameters, X)
        return (self.bug.gradient or network.backward)(net, parameters, cache, Y)

    def steps(
        self,
        net: Network,
        parameters: Parameters,
        X: Array,
        Y: Array,
        learning_rate: float,
        count: int = 1,
    ) -> list[Parameters]:
        """Train for some steps; gives the parameters before the first and after each."""
        memory: dict[str, Any] = {}
        path = [parameters.copy()]
        for _ in range(count):
            path.append(step(self.bug, net, path[-1].copy(), X, Y, learning_rate, memory))
        return path


SUSPECTS = {
    letter: Suspect(letter, BUGS[name])
    for letter, name in zip(
        "ABCDEF",
        (
            "bias mean",
            "no mean",
            "derivative of A",
            "overwritten A",
            "update too early",
            "zero grad forgotten",
        ),
        strict=True,
    )
}
"""The six broken programs to diagnose in :ref:`ch-bugs`. Reading on spoils them."""


class Trained(NamedTuple):
    """What `train` gives back.

    Attributes
    ----------
    parameters : dict of str to Parameters
        For each mistake the parameters at the end, with the runs axis of the starts.
    epoch : (k,)
        Epochs at which the losses were recorded; the last entry is the end.
    loss : dict of str to Array
        For each mistake the losses, (k, runs); a run that overflowed has nan.
    """

    parameters: dict[str, Parameters]
    epoch: Array
    loss: dict[str, Array]


def train(
    net: Network,
    zoo: Sequence[Bug],
    starts: Parameters,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    learning_rate: float,
    epochs: int,
    every: int = 100,
) -> Trained:
    """Train every start with every mistake, full batch, all of them in one loop.

    Parameters
    ----------
    net : Network
        Its layers, activations and loss.
    zoo : sequence of Bug
        The mistakes, `CORRECT` as well if it is wanted.
    starts : Parameters
        Where to start, with a runs axis; every mistake begins at the same ones.
    X, Y : (m, n_in), (m, n_out)
        The data.
    learning_rate : float
        Length of the step.
    epochs : int
        Number of steps.
    every : int
        Record the losses every so many epochs.

    Returns
    -------
    Trained
        Parameters and losses by the name of the mistake.

    Raises
    ------
    ValueError, TypeError
        Data or starts that do not fit, a mistake that is not possible here, no runs axis, or
        numbers out of range.

    Notes
    -----
    The parameters are one array (mistakes, runs, P). One forward pass serves all; the backward pass
    of each mistake then works on its own part of the arrays.
    """
    X, Y = network.prepare(net, starts, X, Y)
    _check(net, zoo, starts, len(X), learning_rate, epochs, every)
    zoo = sorted(zoo, key=lambda bug: bug.update is not None)
    broken = [bug.gradient for bug in zoo if bug.gradient and not bug.update]
    right = len(broken)  # from this one on the backward pass is correct
    here = Parameters(net.sizes, np.stack([starts.vector] * len(zoo)))
    gradient = here.copy()
    rest, rest_gradient = (Parameters(net.sizes, p.vector[right:]) for p in (here, gradient))
    parts, gradients = _split(here), _split(gradient)
    memory: list[dict[str, Any]] = [{} for _ in zoo]
    X_all = np.broadcast_to(X, (len(zoo), 1, *X.shape))
    recorded, losses = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(epochs + 1):
            cache = network.forward(net, here, X_all)
            if epoch % every == 0 or epoch == epochs:
                recorded.append(epoch)
                losses.append(net.loss_function.value(cache.output, Y))
            if epoch == epochs:
                break
            own = [_part(cache, i) for i in range(len(zoo))]
            for i, backward in enumerate(broken):
                backward(net, parts[i], own[i], Y, out=gradients[i])
            network.backward(net, rest, _part(cache, slice(right, None)), Y, out=rest_gradient)
            new = here.vector - learning_rate * gradient.vector
            for i, bug in enumerate(zoo[right:], start=right):
                at = AtUpdate(net, parts[i], own[i], Y, gradients[i], learning_rate, memory[i])
                new[i] = (bug.update or update_line)(at).vector
            here.vector[...] = new
    names = [bug.name for bug in zoo]
    return Trained(
        {name: part.copy() for name, part in zip(names, parts, strict=True)},
        np.array(recorded),
        dict(zip(names, np.stack(losses, axis=1), strict=True)),
    )


def _split(stacked: Parameters) -> list[Parameters]:
    """A view for each mistake."""
    return [Parameters(stacked.sizes, vector) for vector in stacked.vector]


def _part(cache: Cache, which: int | slice) -> Cache:
    return Cache([Z[which] for Z in cache.Z], [A[which] for A in cache.A])


def _check(
    net: Network,
    zoo: Sequence[Bug],
    starts: Parameters,
    m: int,
    learning_rate: float,
    epochs: int,
    every: int,
) -> None:
    checks.positive(learning_rate, "learning_rate")
    if len(starts.runs) != 1:
        raise ValueError(
            f"the starts have leading axes {starts.runs}; expected one, of runs: "
            "network.initialise(..., runs=30)."
        )
    names = [bug.name for bug in zoo]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"zoo is {names}; expected at least one mistake, and each only once.")
    if amiss := [bug.name for bug in zoo if not bug.applies(net, m)]:
        raise ValueError(
            f"not possible on layers {net.sizes} with {m} samples: {', '.join(amiss)}. Keep those "
            "for which bug.applies(net, m)."
        )
    for name, number, low in (("epochs", epochs, 0), ("every", every, 1)):
        if not isinstance(number, int | np.integer) or number < low:
            raise ValueError(f"{name} is {number!r}; expected a whole number of at least {low}.")
