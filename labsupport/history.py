"""The history of a training: what was seen, what it cost, and why it ended."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from labsupport.checks import Array, any_of


class DescentWarning(UserWarning):
    """A run ended because something went wrong; the message says what, when, and what to try."""


@dataclass(frozen=True, eq=False)
class History:
    """What happened, at epoch 0, `every`, 2 * `every`, ... and at the last epoch.

    The arrays have a row a recorded epoch and, with a runs axis, a column a run.

    Attributes
    ----------
    epoch : (s,)
        Number of epochs done; row 0 is the start, before any step.
    loss : (s, ...)
        Loss on the whole data set, of the parameters as they are at that epoch.
    gradient_norm : (s, ...)
        Euclidean norm of the full gradient there; nan with mini-batches.
    step : (s, ...)
        Step taken from there (the last one of the epoch, with mini-batches); nan where none was.
    trials : (s, ...)
        Trials that this step needed; 1 with a fixed rate, nan where none was made.
    forwards, backwards : (s, ...)
        Passes over the data spent until that loss was known. A pass over k of m samples counts
        k/m. With mini-batches the passes that only watch the loss are not counted.
    every : int
        Which epochs were recorded.
    stopped : (...) of str
        Why each run ended: ``epochs``, ``target``, ``zero gradient``,
        ``diverged``, or ``search gave up``.
    stopped_at : (...) of int
        Epochs that each run had done by then.
    watched : dict of str to (s, ...)
        What the probes of `train`'s `watch` gave, by their names.
    """

    epoch: Array
    loss: Array
    gradient_norm: Array
    step: Array
    trials: Array
    forwards: Array
    backwards: Array
    every: int
    stopped: Array
    stopped_at: Array
    watched: Mapping[str, Array] = field(default_factory=dict)

    @property
    def passes(self) -> Array:
        """Cost in forward passes, a backward pass counted as two."""
        total: Array = self.forwards + 2 * self.backwards
        return total


ADVICE = {
    "diverged": "a step from there gave a loss that is not a finite number; the last finite "
    "parameters are kept. Try a smaller learning rate",
    "search gave up": "no step down to the smallest trial lowered the loss enough; the parameters "
    "are as before the search. Check the gradient, or the loss is as low as this precision can see",
}


class Log:
    """Keeps the history while it happens: what was seen, what it cost, which runs go on."""

    def __init__(self, loss: Array, every: int, forwards: float) -> None:
        if not np.isfinite(loss).all():
            raise ValueError(
                f"the loss is {loss} before the first step; expected a finite number. "
                "Start from smaller weights."
            )
        runs = np.shape(loss)
        self.every = every
        self.loss = loss
        self.active = np.ones(runs, dtype=bool)
        self.stopped = np.full(runs, "", dtype="<U14")
        self.stopped_at = np.zeros(runs, dtype=int)
        # [()]: for a single run a number, which is faster than an array of no axes
        self.forwards, self.backwards = np.full(runs, forwards)[()], np.zeros(runs)[()]
        self.nothing = np.full(runs, np.nan)
        self.rows: list[list[Array]] = []
        self.epochs: list[int] = []
        self.watched: dict[str, list[Array]] = {}
        self.due = False

    def end(self, where: Array, reason: str, epoch: int) -> None:
        """End the active runs among `where`."""
        now = where & self.active
        if not any_of(now):
            return
        self.stopped[now], self.stopped_at[now] = reason, epoch
        self.active = self.active & ~now
        if reason in ADVICE:
            share = f" ({now.sum()} of {now.size} runs)" if now.ndim else ""
            worst = np.max(self.loss[now])
            message = f"{reason} after {epoch} epochs at loss {worst:.6g}{share}: {ADVICE[reason]}."
            warnings.warn(message, DescentWarning, stacklevel=4)

    def see(self, epoch: int, last: int, loss: Array, norm: Array) -> bool:
        """Record an epoch when it is due; say whether any run goes on."""
        if epoch == last:
            self.end(self.active, "epochs", epoch)
        going_on = any_of(self.active)
        self.loss = loss
        self.due = epoch % self.every == 0 or not going_on
        if self.due:
            counts = [self.forwards, self.backwards]
            self.epochs.append(epoch)
            self.rows.append([loss, norm, self.nothing, self.nothing, *counts])
        return going_on

    def note(self, name: str, value: Array) -> None:
        """Keep what a probe gave at a recorded epoch."""
        self.watched.setdefault(name, []).append(value)

    def count(self, step: Array, trials: Array, forwards: Array, backwards: Array) -> None:
        """Add what a step cost; all of it is 0 for the runs that have ended."""
        self.forwards = self.forwards + forwards
        self.backwards = self.backwards + backwards
        if self.due:
            self.rows[-1][2:4] = [np.array(step), trials]

    def history(self) -> History:
        """Give the rows as arrays; steps not taken and trials not made are nan."""
        columns = [np.array(column) for column in zip(*self.rows, strict=True)]
        columns[2][columns[2] == 0] = columns[3][columns[3] == 0] = np.nan
        return History(
            epoch=np.array(self.epochs),
            loss=columns[0],
            gradient_norm=columns[1],
            step=columns[2],
            trials=columns[3],
            forwards=columns[4],
            backwards=columns[5],
            every=self.every,
            stopped=self.stopped,
            stopped_at=self.stopped_at,
            watched={name: np.array(seen) for name, seen in self.watched.items()},
        )
