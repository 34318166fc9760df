"""Two knobs, step and momentum: the heavy ball in a valley, turned by hand.

A `Knobs` as the last line of a cell writes a table of how fast the ball comes to rest for some
pairs of settings; that is what a page without scripts shows, and what is printed. ``knobs.js`` lets
a reader turn both knobs, and draws the path, the distance and the map of rates; in JupyterLab it
comes along with the cell. Used in :ref:`ch-momentum`, which derives the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from labsupport import checks
from labsupport.checks import Array
from labsupport.widgets import scripts

FILES = ("knobs.css", "knobs.js")


def rate(learning_rate: npt.ArrayLike, momentum: npt.ArrayLike, curvature: npt.ArrayLike) -> Array:
    """Give the factor a step by which the heavy ball comes nearer, late, in one direction.

    Parameters
    ----------
    learning_rate, momentum, curvature : float or array
        Arrays are spread over each other.

    Returns
    -------
    array
        The larger of the sizes of the two roots of r² - (1 + momentum - learning_rate * curvature)
        r + momentum; at 1 the ball stays as far away as it is, above 1 it runs away.
    """
    beta = np.asarray(momentum, dtype=float)
    half = (1 + beta - np.asarray(learning_rate) * curvature) / 2
    inside = half**2 - beta
    largest: Array = np.where(
        inside < 0, np.sqrt(beta), np.abs(half) + np.sqrt(np.maximum(inside, 0))
    )
    return largest


def best(low: float, high: float) -> tuple[float, float]:
    """Give the step and the momentum of the smallest rate for curvatures from `low` to `high`."""
    checks.positive(low, "low")
    if not low < high:
        raise ValueError(f"curvatures from {low} to {high}; expected the smaller one first.")
    one, other = math.sqrt(low), math.sqrt(high)
    return 4 / (one + other) ** 2, ((other - one) / (other + one)) ** 2


@dataclass(frozen=True, repr=False)
class Knobs:
    """A valley with two knobs, to be shown as the last line of a cell.

    Attributes
    ----------
    title : str
        Caption of the table and name of the widget.
    curvatures : pair of float
        Along the valley and across it; the minimum is at the origin.
    start : pair of float
        Where the ball is let go.
    steps : int
        How many are drawn.
    rates, momenta : sequence of float
        The settings of the table.

    Raises
    ------
    ValueError, TypeError
        Curvatures that are not above 0, the smaller one first; a start at the minimum; settings
        that no heavy ball has.
    """

    title: str
    curvatures: tuple[float, float] = (1.0, 100.0)
    start: tuple[float, float] = (-10.0, 1.0)
    steps: int = 100
    rates: Sequence[float] = (0.005, 0.01, 0.02, 0.03, 0.035)
    momenta: Sequence[float] = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)

    def __post_init__(self) -> None:
        best(*self.curvatures)
        checks.whole(self.steps, "steps", 2)
        checks.positive(np.asarray(self.rates), "rates")
        start = checks.finite(np.asarray(self.start), "start")
        if start.shape != (2,) or not start.all():
            raise ValueError(f"start is {self.start}; expected two numbers, neither of them 0.")
        momenta = np.asarray(self.momenta)
        if not ((momenta >= 0) & (momenta < 1)).all():
            raise ValueError(f"momenta is {self.momenta}; expected numbers in [0, 1).")

    def __repr__(self) -> str:
        step, momentum = best(*self.curvatures)
        return f"<Knobs {self.title!r}: best at step {step:.4g}, momentum {momentum:.4g}>"

    def _repr_html_(self) -> str:
        title, (step, momentum) = escape(self.title, quote=True), best(*self.curvatures)
        slowest = float(rate(step, momentum, self.curvatures).max())
        head = "".join(f'<th scope="col">{each:g}</th>' for each in self.rates)
        rows = "\n".join(
            f'<tr><th scope="row">{beta:g}</th>'
            + "".join(f"<td>{self._cell(alpha, beta)}</td>" for alpha in self.rates)
            + "</tr>"
            for beta in self.momenta
        )
        given = {
            "curvatures": self.curvatures,
            "start": self.start,
            "steps": self.steps,
            # Its roots are double: they move by the root of what is rounded here.
            "best": [float(f"{step:.12g}"), float(f"{momentum:.12g}")],
        }
        return (
            f'<section class="knobs" aria-label="{title}">\n'
            f"<table>\n<caption>{title}: by which factor a step brings the ball nearer to the "
            f"minimum, late in the descent. Best of all: {slowest:.3f}, with step {step:.4f} and "
            f"momentum {momentum:.3f}.</caption>\n"
            f'<thead><tr><th scope="col">momentum ↓ step →</th>{head}</tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody>\n</table>\n"
            f'<script type="application/json">{scripts.as_json(given)}</script>\n'
            f"{scripts.inline(*FILES) if scripts.live() else ''}</section>"
        )

    def _cell(self, alpha: float, beta: float) -> str:
        slowest = float(rate(alpha, beta, self.curvatures).max())
        if abs(slowest - 1) < 1e-12:
            return "stays"
        return f"{slowest:.3f}" if slowest < 1 else "runs away"
