"""The five lab records that this manual grew out of: what each ran, what it printed, and a re-run.

Nobody is named. ``run("xor-relu")`` repeats a record from its own seed, ``run("xor-module",
rng=rng, runs=200)`` its experiment from other starts. Chapter 16 looks at all five; chapters 4, 5
and 6 tell the stories of three.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from labsupport import datasets, descent, losses, network
from labsupport.arrays import Array
from labsupport.descent import Armijo, Fixed, Training
from labsupport.network import Cache, Network, Parameters


@cache
def _all() -> dict[str, dict[str, Any]]:
    text = files("labsupport").joinpath("records.json").read_text(encoding="utf-8")
    records: dict[str, dict[str, Any]] = json.loads(text)
    return records


def names() -> tuple[str, ...]:
    """List the records."""
    return tuple(_all())


def facts(name: str) -> dict[str, Any]:
    """Give what a record ran, printed and claimed, in its own words.

    Raises
    ------
    ValueError
        No record of that name.
    """
    if name not in _all():
        raise ValueError(f"unknown record {name!r}; choose one of {', '.join(names())}.")
    return _all()[name]


def printed(name: str) -> tuple[Array, Array]:
    """Give the epochs (k,) and the losses (k,) that a record printed, at its four decimals.

    Raises
    ------
    ValueError
        No record of that name, or one that printed no losses.
    """
    if "printed" not in facts(name):
        raise ValueError(f"the record {name!r} printed no losses; see facts({name!r}).")
    table = np.array(facts(name)["printed"])
    return table[:, 0].astype(int), table[:, 1]


@dataclass(frozen=True)
class Record:
    """A record as a configuration: all that it takes to run it again.

    Attributes
    ----------
    name : str
        Its name.
    network : Network
        Layers, and the loss whose gradient it descends.
    rule : Fixed or Armijo
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
    """

    name: str
    network: Network
    rule: Fixed | Armijo
    epochs: int
    every: int
    initialiser: str
    prints: str
    data: Callable[[], tuple[Array, Array]] = datasets.xor
    seeded: Callable[[], Parameters] | None = None

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
        epochs, theirs = printed(self.record.name)
        return epochs, theirs, self.loss[epochs // self.record.every].astype(float)

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


def _legacy_start() -> Parameters:
    """What ``numpy.random.seed(42)`` and two calls of ``randn`` give; the global state stays."""
    legacy = np.random.RandomState(42)
    W1, W2 = legacy.randn(2, 3), legacy.randn(3, 1)
    return Parameters.of(W1, np.zeros(3), W2, np.zeros(1))


def _autograd_start() -> Parameters:
    from labsupport import torch_records  # loads PyTorch, hence not above

    return torch_records.autograd_start()


def _moons_start(index: int) -> Parameters:
    from labsupport import torch_records

    return torch_records.moons_starts()[index]


def _moons() -> tuple[Array, Array]:
    data = datasets.moons()
    return data.X_train, data.Y_train


_SLOW = Fixed(0.1)

RECORDS = {
    record.name: record
    for record in (
        Record(
            "xor-autograd",
            Network((2, 4, 4, 1)),
            _SLOW,
            epochs=5000,
            every=500,
            initialiser="normal",
            prints="bce",
            seeded=_autograd_start,
        ),
        Record(
            "xor-module",
            Network((2, 4, 1), loss="mse"),
            _SLOW,
            epochs=20_000,
            every=1000,
            initialiser="pytorch",
            prints="mse",
        ),
        Record(
            "xor-relu",
            Network((2, 3, 1), "relu"),
            _SLOW,
            epochs=10_000,
            every=1000,
            initialiser="normal",
            prints="bce",
            seeded=_legacy_start,
        ),
        Record(
            "moons-backtracking",
            Network((2, 16, 1), "relu", "identity", "bce_with_logits"),
            Armijo(first=1.0, shrink=0.5, c=1e-4, slack=0.0),
            epochs=300,
            every=1,
            initialiser="pytorch",
            prints="bce_with_logits",
            data=_moons,
            seeded=lambda: _moons_start(1),
        ),
        Record(  # it descends the cross-entropy, whatever it prints
            "xor-class",
            Network((2, 4, 1)),
            _SLOW,
            epochs=10_000,
            every=100,
            initialiser="normal",
            prints="mse",
        ),
    )
}
RECORDS["moons-fixed"] = replace(
    RECORDS["moons-backtracking"], name="moons-fixed", rule=_SLOW, seeded=lambda: _moons_start(0)
)
"""The records as configurations; ``moons-fixed`` is the other half of ``moons-backtracking``."""


def run(name: str, *, rng: np.random.Generator | None = None, runs: int | None = None) -> Rerun:
    """Run a record again.

    Parameters
    ----------
    name : str
        One of `RECORDS`.
    rng : numpy.random.Generator, optional
        Draws other starts, in float64, as the record drew its own. Without it, the run begins with
        the record's own weights, in its precision.
    runs : int, optional
        How many starts to draw; without it one, and no runs axis.

    Returns
    -------
    Rerun
        The training, and what it prints beside what the record printed.

    Raises
    ------
    ValueError
        No record of that name, or `rng` missing: the record set no seed, or `runs` is given.
    """
    if name not in RECORDS:
        raise ValueError(f"unknown record {name!r}; choose one of {', '.join(RECORDS)}.")
    record = RECORDS[name]
    if rng is None and runs is not None:
        raise ValueError(f"runs is {runs} without rng; pass rng=numpy.random.default_rng(1).")
    net = record.network
    start = (
        record.start() if rng is None else network.initialise(net, rng, record.initialiser, runs)
    )
    X, Y = record.data()
    shown = losses.loss(record.prints)

    def what_it_prints(net: Network, here: Parameters, pass_: Cache, gradient: Parameters) -> Array:
        return shown.value(pass_.output, Y.astype(pass_.output.dtype, copy=False))

    watch = {"printed": what_it_prints}
    training = descent.train(
        net, start, X, Y, record.rule, record.epochs, every=record.every, watch=watch
    )
    return Rerun(record, start, training)
