"""Gradient descent: the training loop, for any step rule, and what it cost.

:ref:`ch-numpy` shows the plain loop, :ref:`ch-backtracking` the plain backtracking; both assert
that this module takes the same steps. With a leading axis of runs, every run has its own step, its
own count and its own end: a run that has ended takes steps of length zero while the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from labsupport import checks, network
from labsupport.checks import Array, all_of, any_of
from labsupport.history import DescentWarning, History, Log
from labsupport.network import Cache, Network, Parameters
from labsupport.rules import Armijo, Fixed, Memory, Rule, Trial, settle

__all__ = [
    "Armijo",
    "DescentWarning",
    "Fixed",
    "History",
    "Memory",
    "Probe",
    "Rule",
    "Training",
    "Trial",
    "train",
]

Probe: TypeAlias = Callable[[Network, Parameters, Cache, Parameters], Array]
"""Looks at a network while it trains; `labsupport.probes` has some."""


@dataclass(frozen=True, eq=False)
class Training:
    """What `train` gives back: the parameters at the end, and the history."""

    parameters: Parameters
    history: History


def train(
    net: Network,
    parameters: Parameters,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    rule: Rule,
    epochs: int,
    *,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
    target: float | None = None,
    every: int = 1,
    watch: Mapping[str, Probe] | None = None,
    progress: bool = True,
) -> Training:
    """Train one network, or many at once, by gradient descent.

    Parameters
    ----------
    net : Network
        Its layers, activations and loss.
    parameters : Parameters
        Where to start; left as it is.
    X, Y : (m, n_in), (m, n_out)
        The data, shared by all runs.
    rule : Rule
        How a step is found: `Fixed`, `Armijo`, or one of your own.
    epochs : int
        Passes through the data, at most.
    batch_size : int, optional
        Samples a step; without it all of them (full batch). 1 is sample by sample.
    rng : numpy.random.Generator, optional
        Shuffles the samples before each epoch; without it mini-batches come in the data's order.
    target : float, optional
        A run ends when its loss is at most this.
    every : int
        Record every so many epochs.
    watch : dict of str to callable, optional
        Probes to call at the recorded epochs, by the name under which the history keeps what they
        give, as in ``{"dead": probes.dead}`` (full batch only). Each is handed the network, its
        parameters, the forward pass and the gradient, and gives a fresh array.
    progress : bool
        Show a progress bar once a run takes longer than a second; it cleans up after itself.
        With TQDM_DISABLE=1 in the environment it never shows.

    Returns
    -------
    Training
        Parameters at the end, and the history.

    Raises
    ------
    ValueError, TypeError
        Data, parameters or settings that do not fit, or a loss that is not finite at the start.

    Warns
    -----
    DescentWarning
        A run diverged, or its line search gave up; it says in which epoch and at what loss.
    """
    X, Y = network.prepare(net, parameters, X, Y)
    settings = _Settings(epochs, every, batch_size, rng, target, watch or {}, progress)
    settings.require(len(X))
    if not isinstance(rule, Rule):
        raise TypeError(f"rule is {rule!r}; expected a step rule: Fixed(0.5), or Armijo().")
    with np.errstate(over="ignore", invalid="ignore"):
        if batch_size is None:
            return _full_batch(_Walk(net, rule, _laid_out(parameters, len(X))), X, Y, settings)
        return _mini_batch(_Walk(net, rule, parameters.copy()), X, Y, settings)


class _Settings(NamedTuple):
    """How long to train and what to record, as `train` has it."""

    epochs: int
    every: int
    batch_size: int | None
    rng: np.random.Generator | None
    target: float | None
    watch: Mapping[str, Probe]
    progress: bool

    def require(self, m: int) -> None:
        """Raise an error at a setting that is not possible with m samples."""
        for name, number, low in (("epochs", self.epochs, 0), ("every", self.every, 1)):
            checks.whole(number, name, low)
        if self.batch_size is not None:
            checks.whole(self.batch_size, "batch_size", 1, m)
        if self.rng is not None:
            checks.generator(self.rng)
        if self.target is not None and not np.isfinite(self.target):
            raise ValueError(f"target is {self.target}; expected a loss.")
        if self.watch and self.batch_size is not None:
            raise ValueError("watch looks at full-batch passes; leave watch or batch_size away.")

    def bar(self) -> tqdm[int]:
        """Count the epochs; the progress bar appears once a run takes longer than a second."""
        quiet = {} if self.progress else {"disable": True}  # TQDM_DISABLE still works
        return tqdm(range(self.epochs + 1), unit="epoch", delay=1, leave=False, **quiet)


class _Walk:
    """A training under way: it moves and evaluates, and asks the rule for the rest."""

    def __init__(self, net: Network, rule: Rule, start: Parameters) -> None:
        self.net, self.rule, self.here = net, rule, start
        self.there, self.gradient = start.copy(), start.copy()
        self.memory = rule.begin(start.vector)
        self.cache: Cache | None = None

    def evaluate(self, parameters: Parameters, X: Array, Y: Array) -> Array:
        """Pass forward and keep what the backward pass needs; one set of activations at a time."""
        self.cache = None
        self.cache = network.forward(self.net, parameters, X)
        return self.net.loss_function.value(self.cache.output, Y)

    def slopes(self, Y: Array) -> Cache:
        """Compute the gradient at the point that was evaluated last."""
        assert self.cache
        network.backward(self.net, self.here, self.cache, Y, out=self.gradient)
        return self.cache

    def step(
        self, X: Array, Y: Array, loss: Array, active: Array, squared: Array | None = None
    ) -> Trial:
        """Find a step for each active run and go there, `self.there`; count the trials."""
        gradient = self.gradient.vector
        step, direction = self.rule.propose(self.memory, gradient)
        if np.shape(step) not in ((), active.shape):
            raise ValueError(
                f"the rule proposes steps of shape {np.shape(step)}; expected one number, or one "
                f"for each of the runs: {active.shape}."
            )
        if active.ndim or not active:
            step = step * active
        elif isinstance(step, np.ndarray):
            step = step[()]  # a number: what the rule changes later stays its own

        def evaluate(step: Array) -> Array:
            self.move(direction, step)
            return self.evaluate(self.there, X, Y)

        slope = squared if direction is gradient else None
        trial = Trial(loss, gradient, direction, step, evaluate, slope)
        settle(self.rule, self.memory, trial)
        return trial

    def move(self, direction: Array, step: Array) -> None:
        """Write here - step * direction into `there`."""
        scale = -step[..., None] if checks.many(step) else -step
        np.multiply(direction, scale, out=self.there.vector)
        np.add(self.there.vector, self.here.vector, out=self.there.vector)

    def go_on(self) -> None:
        """Let `there` be `here`."""
        self.here, self.there = self.there, self.here


def _full_batch(walk: _Walk, X: Array, Y: Array, settings: _Settings) -> Training:
    """Step along the full gradient; the pass that accepts a step is the next epoch's forward."""
    loss = walk.evaluate(walk.here, X, Y)
    log = Log(loss, settings.every, forwards=1)
    with settings.bar() as epochs:
        for epoch in epochs:
            cache = walk.slopes(Y)
            squared = np.vecdot(walk.gradient.vector, walk.gradient.vector)
            if settings.target is not None:
                log.end(loss <= settings.target, "target", epoch)
            if any_of(flat := squared == 0) and not walk.rule.coasts:
                log.end(flat, "zero gradient", epoch)
            going_on = log.see(epoch, settings.epochs, loss, np.sqrt(squared))
            if log.due:
                for name, probe in settings.watch.items():
                    log.note(name, probe(walk.net, walk.here, cache, walk.gradient))
            if not going_on:
                break
            del cache
            active = log.active
            trial = walk.step(X, Y, loss, active, squared)
            loss = trial.loss
            if not all_of(trial.moving):
                log.end(active & ~trial.moving, "search gave up", epoch)
            if not all_of(finite := np.isfinite(loss)):
                lost = ~finite
                log.end(lost, "diverged", epoch)
                walk.there.vector[lost] = walk.here.vector[lost]
                loss = walk.evaluate(walk.there, X, Y)
            assert trial.forwards is not None
            log.count(trial.step, trial.trials, trial.forwards, checks.counted(active))
            walk.go_on()
    return Training(walk.here, log.history())


def _mini_batch(walk: _Walk, X: Array, Y: Array, settings: _Settings) -> Training:
    """Step along the gradient of a few samples at a time; a search looks at the same samples."""
    assert settings.batch_size
    batches = _Batches(X, Y, settings.batch_size, settings.rng)
    loss = walk.evaluate(walk.here, X, Y)
    log = Log(loss, settings.every, forwards=0)
    unknown = np.full(loss.shape, np.nan)
    with settings.bar() as epochs:
        for epoch in epochs:
            if settings.target is not None:
                log.end(loss <= settings.target, "target", epoch)
            if not log.see(epoch, settings.epochs, loss, unknown):
                break
            before = walk.here.copy()
            for X_few, Y_few in batches:
                share = len(X_few) / len(X)
                loss_few = walk.evaluate(walk.here, X_few, Y_few)
                walk.slopes(Y_few)
                active = log.active
                trial = walk.step(X_few, Y_few, loss_few, active)
                walk.move(trial.direction, trial.step)  # a rule need not have looked
                if not all_of(trial.moving):
                    log.end(active & ~trial.moving & (trial.slope > 0), "search gave up", epoch)
                going = checks.counted(active)
                forwards = going if trial.forwards is None else going + trial.forwards
                log.count(trial.step, trial.trials, share * forwards, share * going)
                walk.go_on()
            loss = walk.evaluate(walk.here, X, Y)
            if any_of(lost := ~np.isfinite(loss)):
                log.end(lost, "diverged", epoch)
                walk.here.vector[lost] = before.vector[lost]
                loss = walk.evaluate(walk.here, X, Y)
    return Training(walk.here, log.history())


def _laid_out(start: Parameters, m: int) -> Parameters:
    """Copy the start, its runs interleaved where that was measured to be faster."""
    widest = max(W.shape[-2] * W.shape[-1] for W in start.weights)
    many = start.vector.ndim == 2 and len(start.vector) >= 64
    return start.interleaved() if many and m * widest <= 100 else start.copy()


class _Batches:
    """The samples in parts, anew on every iteration; the last part may be smaller."""

    def __init__(self, X: Array, Y: Array, size: int, rng: np.random.Generator | None) -> None:
        self.X, self.Y, self.size, self.rng = X, Y, size, rng

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        m = len(self.X)
        order = np.arange(m) if self.rng is None else self.rng.permutation(m)
        for at in range(0, m, self.size):
            rows = order[at : at + self.size]
            yield self.X[rows], self.Y[rows]
