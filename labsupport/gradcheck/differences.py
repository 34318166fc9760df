"""Slopes of a function, measured by evaluating it. Taught in :ref:`ch-gradcheck`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labsupport import checks
from labsupport.checks import Array

Function = Callable[[Array], float]


def forward_difference(f: Function, x: npt.ArrayLike, h: float | None = None) -> Array:
    """Compute (f(x + h e) - f(x)) / h for every entry e of x.

    Parameters
    ----------
    f : callable
        Takes an array shaped like x, gives one number.
    x : array_like
        Where.
    h : float, optional
        Step; without it the square root of the machine epsilon, scaled by ``max(1, |x|)``: it
        balances the error ``h/2 f''`` of the formula against ``eps |f| / h`` of rounding.

    Returns
    -------
    Array
        In the shape of x. It takes one evaluation of f an entry, and one more.

    Raises
    ------
    ValueError, TypeError
        x not finite, or h not a finite number above 0, or too small to change x.
    """
    x = checks.finite(x, "x").copy()
    middle = f(x)
    slope = np.empty_like(x)
    for at, step in _steps(x, h, 1 / 2):
        slope[at] = (_moved(f, x, at, step) - middle) / ((x[at] + step) - x[at])
    return slope


def central_difference(f: Function, x: npt.ArrayLike, h: float | None = None) -> Array:
    """Compute (f(x + h e) - f(x - h e)) / (2 h) for every entry e of x.

    Parameters
    ----------
    f, x
        As in `forward_difference`.
    h : float, optional
        Step; without it the cube root of the machine epsilon, scaled by ``max(1, |x|)``: it
        balances the error ``h^2/6 f'''`` of the formula against ``eps |f| / h`` of rounding.

    Returns
    -------
    Array
        In the shape of x. It takes two evaluations of f an entry.

    Raises
    ------
    ValueError, TypeError
        x not finite, or h not a finite number above 0, or too small to change x.
    """
    x = checks.finite(x, "x").copy()
    slope = np.empty_like(x)
    for at, step in _steps(x, h, 1 / 3):
        above, below = _moved(f, x, at, step), _moved(f, x, at, -step)
        slope[at] = (above - below) / ((x[at] + step) - (x[at] - step))
    return slope


def one_sided(f: Function, x: Array, at: tuple[int, ...], h: float) -> tuple[float, float]:
    """Measure the slopes of one entry from the left and from the right.

    Parameters
    ----------
    f, x
        As in `forward_difference`; x a floating-point array.
    at : tuple of int
        Index of the entry.
    h : float
        Step.

    Returns
    -------
    left, right : float
        (f(x) - f(x - h e)) / h and (f(x + h e) - f(x)) / h. At a kink they stay apart however
        small h is; elsewhere they differ by about h f''.
    """
    x = x.copy()
    middle = f(x)
    below, above = _moved(f, x, at, -h), _moved(f, x, at, h)
    left = (middle - below) / float(x[at] - (x[at] - h))
    right = (above - middle) / float((x[at] + h) - x[at])
    return left, right


def complex_step(f: Callable[[Array], complex], x: npt.ArrayLike, h: float = 1e-20) -> Array:
    """Compute Im f(x + i h e) / h for every entry e of x: nothing is subtracted, nothing cancels.

    Parameters
    ----------
    f : callable
        Takes a complex array shaped like x, gives one complex number. It must be built of functions
        that continue into the complex plane: no abs, no conj, no real part.
    x : array_like
        Where.
    h : float
        Step. Its square must vanish beside 1, nothing else.

    Returns
    -------
    Array
        In the shape and precision of x. It takes one evaluation of f an entry.

    Raises
    ------
    ValueError, TypeError
        x not finite, h not a finite number above 0, or an f that gives a real number.

    Notes
    -----
    Squire and Trapp (1998).
    """
    x = checks.finite(x, "x")
    checks.positive(h, "h")
    moved = x.astype(np.result_type(x, np.complex64))
    slope = np.empty_like(x)
    for at in np.ndindex(x.shape):
        moved[at] = complex(x[at], h)
        value = f(moved)
        if not np.iscomplexobj(value):
            raise TypeError(
                f"f gave {value!r} for a complex x; expected a complex number. Something in f "
                "drops the imaginary part: abs, float, or writing into a real array."
            )
        slope[at] = np.imag(value) / h
        moved[at] = x[at]
    return slope


@dataclass(frozen=True, eq=False)
class Taylor:
    """What `taylor` measured.

    Attributes
    ----------
    steps : (k,)
        t, from large to small.
    remainders : (k,)
        ``|f(x + t v) - f(x) - t g.v|``.
    slope : float
        g.v, what the gradient claims along v.
    rounding : float
        Size of a remainder that rounding alone can make.
    """

    steps: Array
    remainders: Array
    slope: float
    rounding: float

    @property
    def orders(self) -> Array:
        """(k - 1,): log-log slope of the remainder from each step to the next."""
        with np.errstate(divide="ignore", invalid="ignore"):
            orders: Array = np.diff(np.log(self.remainders)) / np.diff(np.log(self.steps))
        return orders

    @property
    def order(self) -> float:
        """The order at the two smallest steps that rounding does not reach; nan without any.

        2 says that the gradient is right along v, 1 that it is wrong or that x is at a kink.
        """
        seen = self.remainders > 100 * self.rounding
        usable = np.flatnonzero(seen[1:] & seen[:-1])
        return float(self.orders[usable[-1]]) if usable.size else float("nan")

    @property
    def passed(self) -> bool:
        """Whether the order is 2 and the slope, of which it is a test, is not 0."""
        return self.slope != 0 and abs(self.order - 2) < 0.1


TAYLOR_STEPS = 10.0 ** -np.arange(1, 7)


def taylor(
    f: Function,
    x: npt.ArrayLike,
    gradient: npt.ArrayLike,
    direction: npt.ArrayLike,
    steps: npt.ArrayLike = TAYLOR_STEPS,
) -> Taylor:
    """Measure how fast f(x + t v) - f(x) - t g.v vanishes with t: like t^2 for a right gradient.

    Parameters
    ----------
    f, x
        As in `forward_difference`.
    gradient, direction : array_like
        g and v, in the shape of x.
    steps : array_like
        t, from large to small.

    Returns
    -------
    Taylor
        The remainders and their order.

    Raises
    ------
    ValueError, TypeError
        Shapes that differ, numbers that are not finite, or steps that do not fall.
    """
    x = checks.finite(x, "x")
    g, v = checks.finite(gradient, "gradient"), checks.finite(direction, "direction")
    t = checks.finite(steps, "steps")
    if not g.shape == v.shape == x.shape:
        raise ValueError(
            f"x, gradient and direction have shapes {x.shape}, {g.shape} and {v.shape}; expected "
            "three times the same."
        )
    if t.ndim != 1 or t.size < 2 or not (np.diff(t) < 0).all() or t[-1] <= 0:
        raise ValueError(f"steps is {steps!r}; expected at least two, falling, all above 0.")
    middle, slope = float(f(x)), float((g * v).sum())
    v = v.astype(x.dtype, copy=False)
    remainders = np.abs([float(f(x + s * v)) - middle - s * slope for s in t.tolist()])
    return Taylor(t, remainders, slope, float(np.finfo(x.dtype).eps) * max(1.0, abs(middle)))


def _steps(x: Array, h: float | None, power: float) -> list[tuple[tuple[int, ...], float]]:
    """Give the index and the step of each entry: h, or eps**power scaled by max(1, |x|)."""
    if h is not None:
        checks.positive(h, "h")
    root = float(np.finfo(x.dtype).eps) ** power
    steps = [(at, h or root * max(1.0, abs(float(x[at])))) for at in np.ndindex(x.shape)]
    for at, step in steps:
        if x[at] + step == x[at]:
            raise ValueError(
                f"h is {step:g}, too small to change x = {x[at]:g} in {x.dtype}; take a larger one."
            )
    return steps


def _moved(f: Function, x: Array, at: tuple[int, ...], step: float) -> float:
    """Evaluate f with one entry of x moved, and put the entry back."""
    old = x[at]
    x[at] = old + step
    value = f(x)
    x[at] = old
    return value
