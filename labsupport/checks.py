"""What arrives must be: finite, of this shape, above zero. Errors say what to do."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def finite(values: npt.ArrayLike, name: str) -> Array:
    """Give `values` as a floating-point array, all of it finite.

    Parameters
    ----------
    values : array_like
        Numbers; integers become float64, float32 stays float32.
    name : str
        What to call them in an error.

    Returns
    -------
    Array
        The same numbers.

    Raises
    ------
    TypeError
        Something that is not real numbers.
    ValueError
        NaN or infinity among them.
    """
    array = np.asarray(values)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} has type {array.dtype}; expected real numbers. Convert it first.")
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise ValueError(
            f"{name} holds {bad} NaN or infinite of {array.size} values; expected finite numbers. "
            "Look for a division by zero or an empty cell in the data."
        )
    return array


def data(X: npt.ArrayLike, Y: npt.ArrayLike, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Check a data set against a network's input and output width.

    Parameters
    ----------
    X : (m, n_in)
        Inputs, a row a sample.
    Y : (m, n_out)
        Targets, a row a sample.
    n_in, n_out : int
        Widths that the network expects.

    Returns
    -------
    X, Y : Array
        The same, as floating-point arrays.

    Raises
    ------
    TypeError, ValueError
        Shapes that do not match, no samples, or numbers that are not finite.
    """
    X, Y = finite(X, "X"), finite(Y, "Y")
    if X.ndim != 2 or X.shape[1] != n_in or len(X) == 0:
        raise ValueError(
            f"X has shape {X.shape}; expected (m, {n_in}), a row a sample and at least one. "
            "If your samples are columns, pass X.T."
        )
    if Y.shape != (len(X), n_out):
        raise ValueError(
            f"Y has shape {Y.shape}; expected {(len(X), n_out)}, a row for each of the {len(X)} "
            "samples of X. A flat vector of labels needs Y.reshape(-1, 1)."
        )
    return X, Y


def positive(value: npt.ArrayLike, name: str, below: float = np.inf) -> None:
    """Raise a ValueError unless 0 < value < below, in every entry."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} is {value!r}; expected a number.")
    if not ((array > 0) & (array < below)).all():
        limit = (
            "a finite number above 0" if below == np.inf else f"a number between 0 and {below:g}"
        )
        raise ValueError(f"{name} is {value!r}; expected {limit}.")


def whole(value: object, name: str, low: int, high: int | None = None) -> None:
    """Raise a ValueError unless the value is a whole number from `low` (to `high`)."""
    if not isinstance(value, int | np.integer) or value < low or (high and value > high):
        limit = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} is {value!r}; expected a whole number {limit}.")


def generator(rng: object) -> None:
    """Raise a TypeError unless this is a source of chance as NumPy has it now."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; expected a Generator: numpy.random.default_rng(7).")


def many(value: object) -> bool:
    """Say whether this is an array with an entry a run, and not one number."""
    return isinstance(value, np.ndarray) and value.ndim > 0


def any_of(where: Array) -> bool:
    """Say whether any entry is true: `where.any()`, without its overhead for a single one."""
    return bool(where.any() if many(where) else where)


def all_of(where: Array) -> bool:
    """Say whether every entry is true: `where.all()`, as `any_of`."""
    return bool(where.all() if many(where) else where)


def pick(where: Array, one: Array, other: Array) -> Array:
    """Take `one` where it is true, `other` elsewhere: `np.where`, as `any_of`."""
    if many(where):
        return np.where(where, one, other)
    return one if where else other


def counted(where: Array) -> Array:
    """Give 1 where it is true, 0 elsewhere, as `any_of`."""
    count: Array = where.astype(float) if many(where) else np.float64(where)  # type: ignore[assignment]
    return count
