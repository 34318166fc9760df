"""Prove a gradient: compare it with finite differences of the loss. Taught in chapters 3 and 8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labsupport import arrays
from labsupport.arrays import Array


def central_difference(
    f: Callable[[Array], float], x: npt.ArrayLike, h: float | None = None
) -> Array:
    """Compute (f(x + h e) - f(x - h e)) / (2 h) for every entry e of x.

    Parameters
    ----------
    f : callable
        Takes an array shaped like x, gives one number.
    x : array_like
        Where.
    h : float, optional
        Step; without it the cube root of the machine epsilon, scaled by max(1, |x|): it balances
        the error h^2/6 f''' of the formula against eps |f| / h of rounding.

    Returns
    -------
    Array
        In the shape of x. It takes two evaluations of f an entry.

    Raises
    ------
    ValueError, TypeError
        x not finite, or h not a finite number above 0, or too small to change x.
    """
    x = arrays.finite(x, "x").copy()
    if h is not None:
        arrays.positive(h, "h")
    cube_root = float(np.finfo(x.dtype).eps) ** (1 / 3)
    slope = np.empty_like(x)
    for at in np.ndindex(x.shape):
        old = x[at]
        step = h or cube_root * max(1.0, abs(float(old)))
        x[at] = old + step
        above, right = f(x), float(x[at])
        x[at] = old - step
        below, left = f(x), float(x[at])
        x[at] = old
        if right == left:
            raise ValueError(
                f"h is {step:g}, too small to change x = {old:g} in {x.dtype}; take a larger one."
            )
        slope[at] = (above - below) / (right - left)
    return slope


def relative_error(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Compute ||one - other|| / (||one|| + ||other||): 0 when equal, 1 when opposed or one is 0.

    Returns 0 when both are exactly zero: nothing differs, and nothing has been shown either.

    Raises
    ------
    ValueError
        Shapes that differ.
    """
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if a.shape != b.shape:
        raise ValueError(
            f"shapes {a.shape} and {b.shape} differ; a gradient has its tensor's shape."
        )
    scale = np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / scale) if scale else 0.0


@dataclass(frozen=True)
class GradientCheck:
    """What `check` found.

    Attributes
    ----------
    errors : dict
        Relative error of each tensor, by name.
    tolerance : float
        What counts as equal.
    """

    errors: dict[str, float]
    tolerance: float

    @property
    def worst(self) -> float:
        """The largest relative error; nan if there is one."""
        return float(np.max(list(self.errors.values())))

    @property
    def passed(self) -> bool:
        """Whether every tensor is within the tolerance; a nan is not."""
        return all(error <= self.tolerance for error in self.errors.values())

    def __str__(self) -> str:
        lines = [
            f"{name}: {'equal' if error <= self.tolerance else f'relative error {error:.2g}'}"
            for name, error in self.errors.items()
        ]
        verdict = "passed" if self.passed else "FAILED"
        return "\n".join([*lines, f"gradient check {verdict} at tolerance {self.tolerance:g}"])


def check(
    loss: Callable[[Any], float],
    tensors: Any,
    gradients: Any,
    tolerance: float = 1e-7,
) -> GradientCheck:
    """Compare gradients with central differences, tensor by tensor.

    Parameters
    ----------
    loss : callable
        Takes what `tensors` is (a dict or a NamedTuple of arrays), gives one number.
    tensors, gradients : dict or NamedTuple of arrays
        Where, and what is claimed there; the same names and shapes in both.
    tolerance : float
        Largest relative error that passes; 1e-7 is good for float64 away from kinks.

    Returns
    -------
    GradientCheck
        The relative error of each tensor.

    Raises
    ------
    ValueError, TypeError
        Names or shapes that differ, or numbers that are not finite.
    """
    here, claimed = _by_name(tensors, "tensor"), _by_name(gradients, "gradient")
    if here.keys() != claimed.keys():
        raise ValueError(
            f"tensors are {', '.join(here)} but gradients are {', '.join(claimed)}; expected the "
            "same names in both: the gradient of W1 is called W1 here."
        )

    def rebuilt(name: str, value: Array) -> Any:
        changed = {**here, name: value}
        return changed if isinstance(tensors, Mapping) else type(tensors)(**changed)

    errors = {}
    for name, tensor in here.items():

        def one_tensor(value: Array, name: str = name) -> float:
            return float(loss(rebuilt(name, value)))

        numeric = central_difference(one_tensor, tensor)
        errors[name] = relative_error(claimed[name], numeric)
    return GradientCheck(errors, tolerance)


def _by_name(values: Any, what: str) -> dict[str, Array]:
    named = values._asdict() if hasattr(values, "_asdict") else values
    if not isinstance(named, Mapping) or not named:
        raise TypeError(
            f"{what}s is a {type(values).__name__}; expected a dict or a NamedTuple of arrays. "
            "Parameters have .named()."
        )
    return {name: arrays.finite(value, f"{what} {name}") for name, value in named.items()}
