"""How long a step is: fixed, or found by backtracking. `labsupport.descent` takes such steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labsupport import arrays
from labsupport.arrays import Array


@dataclass(frozen=True)
class Fixed:
    """The same step every time.

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
        arrays.positive(self.learning_rate, "learning_rate")


@dataclass(frozen=True)
class Armijo:
    """Backtracking until the loss has fallen by at least c * alpha * ||g||^2. Chapter 5.

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

    Raises
    ------
    ValueError, TypeError
        A number outside its range.
    """

    first: float | Array = 1.0
    shrink: float = 0.5
    c: float = 1e-4
    warm: bool = False
    growth: float = 2.0
    smallest: float = 1e-10
    slack: float = 4.0
    interpolate: bool = False

    def __post_init__(self) -> None:
        arrays.positive(self.first, "first")
        arrays.positive(self.shrink, "shrink", below=1)
        arrays.positive(self.c, "c", below=1)
        arrays.positive(self.smallest, "smallest")
        if np.min(self.first) < self.smallest:
            raise ValueError(
                f"first is {self.first!r}; expected at least smallest, {self.smallest:g}."
            )
        if not 1 <= self.growth < np.inf:
            raise ValueError(f"growth is {self.growth}; expected a finite number of at least 1.")
        if not 0 <= self.slack < np.inf:
            raise ValueError(f"slack is {self.slack}; expected a finite number of at least 0.")
