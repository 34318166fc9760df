"""Gradient descent: fixed step and Armijo backtracking, the training loop, and what it cost.

Chapter 3 shows the plain loop, chapter 5 the plain backtracking; both assert that this module takes
the same steps. With a leading axis of runs, every run has its own step, its own count and its own
end: a run that has ended takes steps of length zero while the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from labsupport import arrays, network
from labsupport.arrays import Array
from labsupport.history import DescentWarning, History, Log, any_of
from labsupport.network import Cache, Network, Parameters
from labsupport.rules import Armijo, Fixed

__all__ = ["Armijo", "DescentWarning", "Fixed", "History", "Probe", "Training", "train"]

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
    rule: Fixed | Armijo,
    epochs: int,
    *,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
    target: float | None = None,
    smallest_gradient: float | None = None,
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
    rule : Fixed or Armijo
        How long a step is.
    epochs : int
        Passes through the data, at most.
    batch_size : int, optional
        Samples a step; without it all of them (full batch). 1 is sample by sample.
    rng : numpy.random.Generator, optional
        Shuffles the samples before each epoch; without it mini-batches come in the data's order.
    target : float, optional
        A run ends when its loss is at most this.
    smallest_gradient : float, optional
        A run ends when the norm of its full gradient is at most this (full batch only).
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
    X, Y = network.check(net, parameters, X, Y)
    _check_settings(len(X), epochs, every, batch_size, rng, target, smallest_gradient, watch)
    quiet = {} if progress else {"disable": True}  # TQDM_DISABLE in the environment still works
    epochs_bar = tqdm(range(epochs + 1), unit="epoch", delay=1, leave=False, **quiet)
    with np.errstate(over="ignore", invalid="ignore"), epochs_bar:
        if batch_size is None:
            floor = smallest_gradient or 0.0
            return _full_batch(
                net, parameters, X, Y, rule, epochs_bar, target, floor, every, watch or {}
            )
        batches = _Batches(X, Y, batch_size, rng)
        return _mini_batch(net, parameters, X, Y, rule, epochs_bar, target, batches, every)


def _full_batch(
    net: Network,
    start: Parameters,
    X: Array,
    Y: Array,
    rule: Fixed | Armijo,
    epochs: tqdm[int],
    target: float | None,
    floor: float,
    every: int,
    watch: Mapping[str, Probe],
) -> Training:
    """Step along the full gradient; the pass that accepts a step is the next epoch's forward."""
    here = _laid_out(start, len(X))
    trial, gradient = here.copy(), here.copy()
    alpha = _first_trial(rule, here)
    cache, loss = _evaluate(net, here, X, Y)
    log = Log(loss, every, forwards=1)
    for epoch in epochs:
        network.backward(net, here, cache, Y, out=gradient)
        squared = np.vecdot(gradient.vector, gradient.vector)
        if target is not None:
            log.end(loss <= target, "target", epoch)
        if any_of(low := squared <= floor * floor):
            log.end(low, "small gradient" if floor else "zero gradient", epoch)
        going_on = log.see(epoch, epochs.total - 1, loss, np.sqrt(squared))
        if log.due:
            for name, probe in watch.items():
                log.note(name, probe(net, here, cache, gradient))
        if not going_on:
            break
        del cache  # one set of activations at a time
        going = log.active.astype(float)
        step = alpha * log.active
        if isinstance(rule, Fixed):
            _move(here, gradient, step, out=trial)
            cache, new = _evaluate(net, trial, X, Y)
            trials = going
        else:
            cache, new, step, trials = _search(
                net, here, gradient, loss, squared, X, Y, rule, step, trial
            )
            log.end(log.active & (step == 0), "search gave up", epoch)
            alpha = np.where(log.active, rule.growth * step, alpha) if rule.warm else alpha
        if any_of(lost := ~np.isfinite(new)):
            log.end(lost, "diverged", epoch)
            cache, new = _restore(net, here, trial, X, Y, lost)
        log.count(step, trials, forwards=trials, backwards=going)
        here, trial, loss = trial, here, new
    return Training(here, log.history())


def _mini_batch(
    net: Network,
    start: Parameters,
    X: Array,
    Y: Array,
    rule: Fixed | Armijo,
    epochs: tqdm[int],
    target: float | None,
    batches: _Batches,
    every: int,
) -> Training:
    """Step along the gradient of a few samples at a time; a search looks at the same samples."""
    here, trial, gradient = start.copy(), start.copy(), start.copy()
    alpha = _first_trial(rule, here)
    _, loss = _evaluate(net, here, X, Y)
    log = Log(loss, every, forwards=0)
    for epoch in epochs:
        if target is not None:
            log.end(loss <= target, "target", epoch)
        if not log.see(epoch, epochs.total - 1, loss, np.full(loss.shape, np.nan)):
            break
        before = here.copy()
        for X_few, Y_few in batches:
            share = len(X_few) / len(X)
            cache, loss_few = _evaluate(net, here, X_few, Y_few)
            network.backward(net, here, cache, Y_few, out=gradient)
            going = log.active.astype(float)
            step = alpha * log.active
            if isinstance(rule, Fixed):
                _move(here, gradient, step, out=trial)
                trials, forwards = going, share * going
            else:
                squared = np.vecdot(gradient.vector, gradient.vector)
                _, _, step, trials = _search(
                    net, here, gradient, loss_few, squared, X_few, Y_few, rule, step, trial
                )
                log.end(log.active & (step == 0) & (squared > 0), "search gave up", epoch)
                grown = (step > 0) & (squared > 0)  # on a flat batch any step passes
                alpha = np.where(grown, rule.growth * step, alpha) if rule.warm else alpha
                forwards = share * (going + trials)
            log.count(step, trials, forwards, share * going)
            here, trial = trial, here
        _, loss = _evaluate(net, here, X, Y)
        if any_of(lost := ~np.isfinite(loss)):
            log.end(lost, "diverged", epoch)
            _, loss = _restore(net, before, here, X, Y, lost)
    return Training(here, log.history())


def _check_settings(
    m: int,
    epochs: int,
    every: int,
    batch_size: int | None,
    rng: np.random.Generator | None,
    target: float | None,
    smallest_gradient: float | None,
    watch: Mapping[str, Probe] | None,
) -> None:
    for name, number, low in (("epochs", epochs, 0), ("every", every, 1)):
        if not isinstance(number, int | np.integer) or number < low:
            raise ValueError(f"{name} is {number!r}; expected a whole number of at least {low}.")
    if batch_size is not None and not (
        isinstance(batch_size, int | np.integer) and 1 <= batch_size <= m
    ):
        raise ValueError(f"batch_size is {batch_size!r}; expected a whole number from 1 to {m}.")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; expected a Generator: numpy.random.default_rng(7).")
    if target is not None and not np.isfinite(target):
        raise ValueError(f"target is {target}; expected a loss.")
    if smallest_gradient is not None:
        arrays.positive(smallest_gradient, "smallest_gradient")
        if batch_size is not None:
            raise ValueError("smallest_gradient needs the full gradient; leave batch_size away.")
    if watch and batch_size is not None:
        raise ValueError("watch looks at full-batch passes; leave watch or batch_size away.")


def _evaluate(net: Network, parameters: Parameters, X: Array, Y: Array) -> tuple[Cache, Array]:
    cache = network.forward(net, parameters, X)
    return cache, net.loss_function.value(cache.output, Y)


def _laid_out(start: Parameters, m: int) -> Parameters:
    """Copy the start, its runs interleaved where that was measured to be faster."""
    widest = max(W.shape[-2] * W.shape[-1] for W in start.weights)
    many = start.vector.ndim == 2 and len(start.vector) >= 64
    return start.interleaved() if many and m * widest <= 100 else start.copy()


def _first_trial(rule: Fixed | Armijo, parameters: Parameters) -> Array:
    """One first trial a run, in the precision of the parameters."""
    if not isinstance(rule, Fixed | Armijo):
        raise TypeError(f"rule is {rule!r}; expected a step rule: Fixed(0.5), or Armijo().")
    first = rule.learning_rate if isinstance(rule, Fixed) else rule.first
    alpha = np.asarray(first, dtype=parameters.vector.dtype)
    if alpha.shape not in ((), parameters.runs):
        raise ValueError(
            f"the step has shape {alpha.shape}; expected one number, or one for each of the runs: "
            f"{parameters.runs}."
        )
    return np.broadcast_to(alpha, parameters.runs).copy()


def _move(here: Parameters, gradient: Parameters, step: Array, out: Parameters) -> None:
    """Write here - step * gradient into `out`."""
    np.multiply(gradient.vector, -step[..., None], out=out.vector)
    np.add(out.vector, here.vector, out=out.vector)


def _search(
    net: Network,
    here: Parameters,
    gradient: Parameters,
    loss: Array,
    squared: Array,
    X: Array,
    Y: Array,
    rule: Armijo,
    step: Array,
    trial: Parameters,
) -> tuple[Cache, Array, Array, Array]:
    """Shrink each run's step until f(x - step g) <= f(x) - c step ||g||^2; a nan is refused.

    The right-hand side may be missed by `slack` units in the last place of f(x). A run whose step
    is 0, on entry or because the search gave up, stays where it is.
    Gives the cache and loss at the accepted point, the step, and the number of trials.
    """
    trials = (step > 0).astype(float)
    allowed = loss + rule.slack * np.finfo(loss.dtype).eps * np.abs(loss)
    while True:
        _move(here, gradient, step, out=trial)
        cache, new = _evaluate(net, trial, X, Y)
        refused = ~(new <= allowed - rule.c * step * squared) & (step > 0)
        if not any_of(refused):
            return cache, new, step, trials
        del cache
        shorter = rule.shrink * step
        if rule.interpolate:
            shorter = _interpolated(loss, new, step, squared, rule.shrink)
        step = np.where(refused, shorter, step)
        step = np.where(step < rule.smallest, 0, step)
        trials += refused & (step > 0)


def _interpolated(loss: Array, new: Array, step: Array, squared: Array, shrink: float) -> Array:
    """Lowest point of the parabola with value `loss`, slope -`squared` at 0 and `new` at `step`."""
    bend = new - loss + step * squared  # what the loss lies above its tangent
    with np.errstate(divide="ignore"):
        lowest = 0.5 * step * (step * squared / bend)
    # A loss that is not finite tells nothing about the parabola: shrink as usual.
    lowest = np.where(np.isfinite(new), lowest, shrink * step)
    clipped: Array = np.clip(lowest, min(0.1, shrink) * step, shrink * step)
    return clipped


def _restore(
    net: Network,
    before: Parameters,
    after: Parameters,
    X: Array,
    Y: Array,
    lost: Array,
) -> tuple[Cache, Array]:
    """Put the runs that diverged back where their loss was last finite."""
    after.vector[lost] = before.vector[lost]
    return _evaluate(net, after, X, Y)


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
