"""A slider over the step: gradient descent on a function of two variables, computed beforehand.

A `Slider` as the last line of a cell writes a table of what happens for each step, and beside it
the paths as data. In the built page the script ``_static/slider.js`` reads both and draws; without
it, as in JupyterLab or in a browser without scripts, the table is what one sees. Used in
:ref:`ch-step-size`, which shows the plain loop.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from labsupport import checks
from labsupport.checks import Array

CROSSES = "falls at every step, crossing the valley to and fro"
FALLS = "falls at every step, down one side of the valley"
HOPS = "rises and falls to the end: it hops about the minimum"
LEAVES = "rises more and more: the descent runs away"
SETTLES = "rises now and then, and settles"
STANDS = "falls at first, then stands still above the minimum"
FLOOR = 1e-6  # what is closer to the minimum than this is shown as "less"


@dataclass(frozen=True, eq=False)
class Problem:
    """A smooth function of two variables, and where a descent on it starts.

    Attributes
    ----------
    value, gradient : callable
        From a point (2,) to f, a number, and to its gradient (2,).
    smoothness : float
        L: the gradient changes by at most L times the distance between two points.
    start, minimum : (2,)
        The first point, and the one where f is smallest.

    Raises
    ------
    ValueError, TypeError
        Points of another shape, an L that is not above 0, or a minimum that is not one.
    """

    value: Callable[[Array], Any]
    gradient: Callable[[Array], Array]
    smoothness: float
    start: Array
    minimum: Array

    def __post_init__(self) -> None:
        checks.positive(self.smoothness, "smoothness")
        for name in ("start", "minimum"):
            point = checks.finite(getattr(self, name), name)
            if point.shape != (2,):
                raise ValueError(f"{name} has shape {point.shape}; expected a point, shape (2,).")
            object.__setattr__(self, name, point)
        if not self.value(self.minimum) < self.value(self.start):
            raise ValueError(
                f"f is {self.value(self.minimum):g} at the minimum and {self.value(self.start):g} "
                "at the start; expected less at the minimum. Solve for the minimum first."
            )


@dataclass(frozen=True, eq=False)
class Walk:
    """One descent with a fixed step.

    Attributes
    ----------
    step, share : float
        The step alpha, and what share of 2/L it is.
    path : (count + 1, 2)
        The points, the start first.
    gap : (count + 1,)
        How far f lies above its minimum at each point.
    outcome : str
        What happens to f, one of the sentences at the top of this module.
    """

    step: float
    share: float
    path: Array
    gap: Array
    outcome: str


def walk(problem: Problem, share: float, count: int = 40) -> Walk:
    """Take `count` steps of length `share` times 2/L along the negative gradient."""
    step = share * 2 / problem.smoothness
    path = [problem.start]
    for _ in range(count):
        path.append(path[-1] - step * problem.gradient(path[-1]))
    lowest = problem.value(problem.minimum)
    gap = np.array([problem.value(point) - lowest for point in path])
    slopes = np.array([problem.gradient(point) for point in path])
    turns = bool((np.vecdot(slopes[1:], slopes[:-1]) < 0).any())
    return Walk(step, share, np.array(path), gap, _outcome(gap, turns))


def _outcome(gap: Array, turns: bool) -> str:
    """Name what the gap does. Changes that rounding can make are no rises."""
    rises = np.diff(gap) > 1e-12 * gap[0] + 1e-9 * gap[:-1]
    late = rises[len(rises) // 2 :]
    if late.all() and gap[-1] > gap[0]:
        return LEAVES
    if late.any():
        return HOPS
    if rises.any():
        return SETTLES
    if gap[-1] > 0.999 * gap[-2] and gap[-1] > FLOOR * gap[0]:
        return STANDS
    return CROSSES if turns else FALLS


@dataclass(frozen=True, eq=False, repr=False)
class Slider:
    """Descents for a range of steps, to be shown as the last line of a cell.

    Attributes
    ----------
    title : str
        Caption of the table and name of the slider.
    problem : Problem
        What to descend on.
    shares : sequence of float
        The steps in units of 2/L, increasing.
    names : pair of str
        What the two axes of the plane are called.
    reach : float
        The plane is drawn this far to each side of the minimum.
    marks : pair of int
        After how many steps the table gives the gap; as many as the second are taken.
    walks : tuple of Walk
        Computed here.

    Raises
    ------
    ValueError, TypeError
        Shares that do not increase or are not above 0, a reach that does not show the start, or
        marks out of order.
    """

    title: str
    problem: Problem
    shares: Sequence[float]
    names: tuple[str, str] = ("x1", "x2")
    reach: float = 4.0
    marks: tuple[int, int] = (10, 40)
    walks: tuple[Walk, ...] = field(init=False)

    def __post_init__(self) -> None:
        checks.positive(np.asarray(self.shares), "shares")
        checks.positive(self.reach, "reach")
        if len(self.shares) < 2 or (np.diff(self.shares) <= 0).any():
            raise ValueError(f"shares is {self.shares}; expected at least two, increasing.")
        if not 1 < self.marks[0] < self.marks[1]:
            raise ValueError(f"marks is {self.marks}; expected two counts of steps, increasing.")
        away = np.abs(self.problem.start - self.problem.minimum).max()
        if away > self.reach:
            raise ValueError(
                f"reach is {self.reach:g}; the start is {away:.3g} away from the minimum. "
                "Draw at least as far."
            )
        walks = tuple(walk(self.problem, share, self.marks[1]) for share in self.shares)
        object.__setattr__(self, "walks", walks)

    def __repr__(self) -> str:
        return f"<Slider {self.title!r}: {len(self.walks)} steps>"

    def _repr_html_(self) -> str:
        """Write the table, and the data that the script draws."""
        heads = ["step", "share of 2/L", *(f"after {n}" for n in self.marks), "the loss"]
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
        rows = "\n".join(f"<tr>{self._cells(w)}</tr>" for w in self.walks)
        data = json.dumps(self._data(), separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<div class="lab-slider">\n<table>\n<caption>{escape(self.title)}: '
            "how far the loss lies above its minimum after some steps, and what it does."
            "</caption>\n"
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n"
            f'<script type="application/json">{data}</script>\n</div>'
        )

    def _cells(self, w: Walk) -> str:
        numbers = (_number(w.gap[n]) for n in self.marks)
        cells = "".join(f"<td>{escape(text)}</td>" for text in (f"{w.share:.3g}", *numbers))
        return f'<th scope="row">{w.step:.4g}</th>{cells}<td>{w.outcome}</td>'

    def _data(self) -> dict[str, Any]:
        """What the script needs beyond the table: paths relative to the minimum, gaps as log10."""
        start = self.problem.value(self.problem.start) - self.problem.value(self.problem.minimum)
        levels = (self.reach / np.abs(self.problem.start - self.problem.minimum).max()) ** 2
        fractions = 2 * levels * np.array([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 64])
        return {
            "title": self.title,
            "names": self.names,
            "reach": self.reach,
            "minimum": _rounded(self.problem.minimum, 3),
            "marks": self.marks,
            "contours": [self._contour(start * fraction) for fraction in fractions],
            "walks": [
                {
                    "path": _rounded(self._shown(w.path - self.problem.minimum), 3),
                    "gap": _rounded(np.log10(np.clip(w.gap, FLOOR / 10, 1e4)), 2),
                }
                for w in self.walks
            ],
        }

    def _shown(self, path: Array) -> Array:
        """Cut a path off behind its first point far outside the plane."""
        outside = np.abs(path).max(axis=1) > 3 * self.reach
        return path[: outside.argmax() + 1] if outside.any() else path

    def _contour(self, height: float, rays: int = 72) -> list[Any]:
        """Find where f is `height` above its minimum, on rays from there, by bisection."""
        angles = np.linspace(0, 2 * np.pi, rays + 1)
        directions = np.column_stack([np.cos(angles), np.sin(angles)])
        level = self.problem.value(self.problem.minimum) + height
        low, high = np.zeros(rays + 1), np.full(rays + 1, 3 * self.reach)
        for _ in range(24):
            middle = (low + high) / 2
            points = self.problem.minimum + middle[:, None] * directions
            above = np.array([self.problem.value(point) for point in points]) > level
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return _rounded(low[:, None] * directions, 2)


def _number(gap: float) -> str:
    return f"{gap:.3g}" if gap >= FLOOR else "less than 10⁻⁶"


def _rounded(values: Array, digits: int) -> list[Any]:
    """Give nested lists of rounded numbers, without a negative zero."""
    rounded: list[Any] = (np.round(values, digits) + 0.0).tolist()
    return rounded
