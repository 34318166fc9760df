"""A lab record as a configuration, and a re-run beside what the record printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from labsupport import datasets, descent, losses, network
from labsupport.checks import Array
from labsupport.descent import Training
from labsupport.network import Cache, Network, Parameters
from labsupport.rules import Rule


@dataclass(frozen=True)
class Record:
    """A record as a configuration: all that it takes to run it again.

    Attributes
    ----------
    name : str
        Its name.
    network : Network
        Layers, and the loss whose gradient it descends.
    rule : Rule
        Its step.
    epochs : int
        How long it trained, full batch.
    every : int
        It looked at its loss every so many epochs.
    initialiser : str
        How it drew its weights: ``normal`` or ``pytorch``.
    prints : str
        Name of the loss that it printed.
    data : callable
        Gives X and Y of its training part.
    seeded : callable or None
        Gives the start that it drew, in its precision; None where it set no seed.
    facts : dict or None
        What it says of itself, what it claims and what is so.
    printed : tuple of float or None
        The losses that it printed, at four decimals: at epoch 0, `every`, 2 * `every`, ...
    """

    name: str
    network: Network
    rule: Rule
    epochs: int
    every: int
    initialiser: str
    prints: str
    data: Callable[[], tuple[Array, Array]] = datasets.xor
    seeded: Callable[[], Parameters] | None = None
    facts: Mapping[str, Any] | None = None
    printed: tuple[float, ...] | None = None

    def start(self) -> Parameters:
        """Draw the weights that the record began with.

        Raises
        ------
        ValueError
            It set no seed.
        """
        if self.seeded is None:
            raise ValueError(
                f"the record {self.name!r} set no seed, so its own start is lost. Draw others: "
                f"run({self.name!r}, rng=numpy.random.default_rng(1), runs=200)."
            )
        return self.seeded()

    def table(self) -> tuple[Array, Array]:
        """Give the epochs (k,) and the losses (k,) that the record printed.

        Raises
        ------
        ValueError
            It printed no losses.
        """
        if self.printed is None:
            raise ValueError(
                f"the record {self.name!r} printed no losses; expected one that did. See "
                f"records.facts({self.name!r}) for what it printed."
            )
        return self.every * np.arange(len(self.printed)), np.array(self.printed)

    def run(self, rng: np.random.Generator | None = None, runs: int | None = None) -> Rerun:
        """Run it again; `records.run` says how."""
        if rng is None and runs is not None:
            raise ValueError(f"runs is {runs} without rng; pass rng=numpy.random.default_rng(1).")
        net = self.network
        start = (
            self.start() if rng is None else network.initialise(net, rng, self.initialiser, runs)
        )
        X, Y = self.data()
        shown = losses.loss(self.prints)

        def printed(net: Network, here: Parameters, cache: Cache, gradient: Parameters) -> Array:
            return shown.value(cache.output, Y.astype(cache.output.dtype, copy=False))

        watch = {"printed": printed}
        training = descent.train(
            net, start, X, Y, self.rule, self.epochs, every=self.every, watch=watch
        )
        return Rerun(self, start, training)


@dataclass(frozen=True, eq=False)
class Rerun:
    """What `run` gives back.

    Attributes
    ----------
    record : Record
        What was run.
    start : Parameters
        Where it began.
    training : Training
        Parameters at the end, and the history of the loss that was descended.
    """

    record: Record
    start: Parameters
    training: Training

    @property
    def loss(self) -> Array:
        """The loss that the record printed, (s, ...), at the epochs of the history."""
        return self.training.history.watched["printed"]

    def beside(self) -> tuple[Array, Array, Array]:
        """Give the epochs (k,), what the record printed there (k,), and the same here (k, ...).

        Raises
        ------
        ValueError
            The record printed no losses.
        """
        epochs, theirs = self.record.table()
        return epochs, theirs, self.loss[: len(theirs)].astype(float)

    def lower(self) -> Array:
        """Count the runs that print a smaller loss than the record, (k,).

        Both are compared at the record's four decimals; a run that prints the same counts a half.

        Raises
        ------
        ValueError
            The record printed no losses, or this is a single run.
        """
        if self.loss.ndim < 2:
            raise ValueError("this is a single run; count among many: run(..., rng=..., runs=200).")
        _, theirs, here = self.beside()
        difference = here.round(4) - theirs[:, None]
        count: Array = (difference < -1e-9).sum(axis=1) + 0.5 * (abs(difference) < 1e-9).sum(axis=1)
        return count
