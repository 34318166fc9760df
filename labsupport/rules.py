"""Step rules: each proposes a step, decides on it, and remembers. See :ref:`ch-backtracking`.

`labsupport.descent` moves and evaluates, for one run or a thousand, and asks the rule for the rest;
so does the optimiser for PyTorch. To write one, derive from `Rule` and say what is different.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from labsupport import checks
from labsupport.checks import Array

Memory: TypeAlias = dict[str, Any]
"""What a rule remembers of one training: made by `Rule.begin`, shared with no other training."""


Number: TypeAlias = Any
"""An entry for each run, (...); for a single run Python's own number will do."""


class Trial:
    """A step that a rule may take or refuse, with an entry a run.

    Attributes
    ----------
    before : (...)
        Loss where the step starts.
    gradient, direction : (..., P)
        Gradient there, and what the step is a multiple of: x - step * direction.
    step : (...)
        Its length in units of the direction; 0 for a run that stays.
    moving : (...) of bool
        Whether the step is longer than that.
    trials : (...)
        How many steps were proposed so far.
    forwards : (...) or None
        How many of them were looked at; None for none in any run.
    """

    __slots__ = (
        *("_evaluate", "_loss", "_seen", "_slope", "before", "direction"),
        *("forwards", "gradient", "moving", "step", "trials"),
    )

    def __init__(
        self,
        before: Number,
        gradient: Array,
        direction: Array,
        step: Number,
        evaluate: Callable[[Number], Number],
        slope: Number = None,
    ) -> None:
        self.before, self.gradient, self.direction = before, gradient, direction
        self._evaluate, self._slope = evaluate, slope
        self._loss: Number = None
        self._seen: Number = None
        self.forwards: Array | None = None
        self.step: Number = step
        self.moving: Number = step > 0
        self.trials: Array = checks.counted(self.moving)

    def move(self, step: Number) -> None:
        """Propose another step along the same direction."""
        changed = step != self.step
        self.step, self.moving, self._loss = step, step > 0, None
        self.trials = self.trials + (changed & self.moving)

    @property
    def loss(self) -> Number:
        """Loss after the step, (...): a forward pass when it is first asked for, and counted."""
        if self._loss is None:
            if self._seen is None or self.forwards is None:
                self.forwards = checks.counted(self.moving)
            else:
                self.forwards = self.forwards + (self.moving & (self.step != self._seen))
            self._seen = self.step
            self._loss = self._evaluate(self.step)
        return self._loss

    @property
    def looked(self) -> bool:
        """Whether the loss after this step was asked for."""
        return self._loss is not None

    @property
    def slope(self) -> Number:
        """Decrease of the loss that the gradient promises a unit of step, (...)."""
        if self._slope is None:
            self._slope = np.vecdot(self.gradient, self.direction)
        return self._slope


class Rule:
    """How a step is found. This one needs `propose`; it accepts every step and remembers nothing.

    A rule holds settings only and may serve any number of trainings: what it has to remember of one
    goes into the memory that `begin` makes.

    Attributes
    ----------
    coasts : bool
        Whether it may move on where the gradient is zero. The other rules end there.
    """

    coasts: ClassVar[bool] = False

    def begin(self, vector: Array) -> Memory:
        """Make the memory of a training that starts from these parameters, (P,) or (runs, P)."""
        return {}

    def propose(self, memory: Memory, gradient: Array) -> tuple[Number, Array]:
        """Give the first step to try, (...), and the direction, (..., P)."""
        raise NotImplementedError(f"{type(self).__name__} has no propose(memory, gradient).")

    def decide(self, memory: Memory, trial: Trial) -> Number:
        """Give the step to try next: a run's own step to accept it, 0 to give its search up."""
        return trial.step

    def remember(self, memory: Memory, trial: Trial) -> None:
        """Keep what the next step needs of the accepted one; a run that gave up has step 0."""


def settle(rule: Rule, memory: Memory, trial: Trial) -> None:
    """Let the rule try steps until it has accepted one, or given up, in each run."""
    while (decided := rule.decide(memory, trial)) is not trial.step:
        if not checks.any_of(decided != trial.step):
            break
        trial.move(decided)
    rule.remember(memory, trial)


def per_run(value: npt.ArrayLike, vector: Array, name: str) -> Array:
    """Spread a setting over the runs, in the precision of the parameters.

    Raises
    ------
    ValueError
        Neither one number nor one for each run.
    """
    runs = vector.shape[:-1]
    given = np.asarray(value, dtype=vector.dtype)
    if given.shape not in ((), runs):
        raise ValueError(
            f"{name} has shape {given.shape}; expected one number, or one for each of the runs: "
            f"{runs}."
        )
    return np.broadcast_to(given, runs).copy()


@dataclass(frozen=True)
class Fixed(Rule):
    """The same step along the gradient every time.

    Attributes
    ----------
    learning_rate : float, or (runs,)
        Length of the step in units of the gradient; one a run if an array.

    Raises
    ------
    ValueError, TypeError
        A rate that is not a finite number above 0.
    """

    learning_rate: float | Array

    def __post_init__(self) -> None:
        checks.positive(self.learning_rate, "learning_rate")

    def begin(self, vector: Array) -> Memory:
        """Remember the rate of each run."""
        return {"step": per_run(self.learning_rate, vector, "learning_rate")}

    def propose(self, memory: Memory, gradient: Array) -> tuple[Number, Array]:
        """Propose the rate, along the gradient."""
        return memory["step"], gradient


@dataclass(frozen=True)
class Armijo(Rule):
    """Backtracking until the loss has fallen by at least c * alpha * ||g||^2.

    Attributes
    ----------
    first : float, or (runs,)
        First trial of the first epoch, and of every epoch unless `warm`.
    shrink : float
        Factor rho on a trial that was refused, in (0, 1).
    c : float
        Share of the decrease promised by the gradient that is asked for, in (0, 1).
    warm : bool
        Start from `growth` times the step accepted last, not from `first`.
    growth : float
        At least 1.
    smallest : float
        A trial below this ends the search: the parameters stay, the run stops.
    slack : float
        How many units in the last place of the loss a trial may lie above the condition, because
        once c * alpha * ||g||^2 is less than that, rounding decides. 0 is the bare condition. A
        loss that itself goes to 0 has a larger relative error; there the search may give up.
    interpolate : bool
        After a refusal, go to the lowest point of the parabola through what is known, kept between
        a tenth and `shrink` of the refused trial.
    window : int
        The loss must fall below the largest of the last `window` losses: 1 is the monotone search,
        with more the loss may rise now and then.

    Raises
    ------
    ValueError, TypeError
        A number outside its range.

    Notes
    -----
    Armijo (1966); with a window Grippo, Lampariello and Lucidi (1986). A loss that is nan is
    refused. Taught in :ref:`ch-backtracking` and, with a window, in :ref:`ch-race`.
    """

    first: float | Array = 1.0
    shrink: float = 0.5
    c: float = 1e-4
    warm: bool = False
    growth: float = 2.0
    smallest: float = 1e-10
    slack: float = 4.0
    interpolate: bool = False
    window: int = 1

    def __post_init__(self) -> None:
        checks.positive(self.first, "first")
        checks.positive(self.shrink, "shrink", below=1)
        checks.positive(self.c, "c", below=1)
        checks.positive(self.smallest, "smallest")
        if np.min(self.first) < self.smallest:
            raise ValueError(
                f"first is {self.first!r}; expected at least smallest, {self.smallest:g}."
            )
        if not 1 <= self.growth < np.inf:
            raise ValueError(f"growth is {self.growth}; expected a finite number of at least 1.")
        if not 0 <= self.slack < np.inf:
            raise ValueError(f"slack is {self.slack}; expected a finite number of at least 0.")
        checks.whole(self.window, "window", 1)

    def begin(self, vector: Array) -> Memory:
        """Remember the first trial of each run, and what rounding may do to its loss."""
        return {
            "step": per_run(self.first, vector, "first"),
            "rounding": self.slack * float(np.finfo(vector.dtype).eps),
            "losses": deque[Number](maxlen=self.window - 1),
        }

    def propose(self, memory: Memory, gradient: Array) -> tuple[Number, Array]:
        """Propose the first trial, along the gradient."""
        return memory["step"], gradient

    def decide(self, memory: Memory, trial: Trial) -> Number:
        """Shorten the steps after which the loss has not fallen enough."""
        step, before = trial.step, trial.before
        for loss in memory["losses"]:
            before = checks.pick(loss > before, loss, before)
        allowed = before + memory["rounding"] * abs(before)
        passed = trial.loss <= allowed - self.c * step * trial.slope  # not by nan
        if checks.all_of(passed | (step <= 0)):
            return step
        shorter = checks.pick(passed, step, self._shorter(trial))
        return checks.pick(shorter < self.smallest, 0 * step, shorter)

    def remember(self, memory: Memory, trial: Trial) -> None:
        """Begin the next search at `growth` times this step; on a flat batch any step passes."""
        memory["losses"].append(trial.before)
        if self.warm:
            found = (trial.step > 0) & (trial.slope > 0)
            memory["step"] = checks.pick(found, self.growth * trial.step, memory["step"])

    def _shorter(self, trial: Trial) -> Number:
        """Shrink the step, or go to the lowest point of the parabola through what is known."""
        step, shrunk = trial.step, self.shrink * trial.step
        if not self.interpolate:
            return shrunk
        bend = trial.loss - trial.before + step * trial.slope  # above the tangent
        with np.errstate(divide="ignore", invalid="ignore"):
            lowest = 0.5 * step * (step * trial.slope / bend)
        # A loss that is not finite tells nothing about the parabola: shrink as usual.
        lowest = np.where(np.isfinite(trial.loss), lowest, shrunk)
        return np.clip(lowest, min(0.1, self.shrink) * step, shrunk)
