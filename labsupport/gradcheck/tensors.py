"""Tensors by name, of NumPy or of PyTorch, in a dict or a NamedTuple: how `gradcheck` reads them.

PyTorch is not imported here: its tensors bring what is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from labsupport import checks
from labsupport.checks import Array


def by_name(values: Any, what: str) -> dict[str, Array]:
    """Give the tensors as finite NumPy arrays by name.

    Parameters
    ----------
    values : dict or NamedTuple of arrays
        What a user handed over.
    what : str
        What to call one of them in an error.

    Returns
    -------
    dict of Array
        Tensors of PyTorch are detached and brought to the CPU.

    Raises
    ------
    ValueError, TypeError
        Another kind of collection, or numbers that are not finite.
    """
    return {name: array(value, f"{what} {name}") for name, value in mapping(values, what).items()}


def same_names(here: Mapping[str, Array], values: Any, what: str, other: str) -> dict[str, Array]:
    """Give the tensors as `by_name` does, in the order of `here`, which must have the same names.

    Raises
    ------
    ValueError, TypeError
        As `by_name`, or names that differ; `what` is here, `other` are the values.
    """
    named = by_name(values, other)
    if here.keys() != named.keys():
        raise ValueError(
            f"{what}s are {', '.join(here)} but {other}s are {', '.join(named)}; expected the "
            "same names in both: the gradient of W1 is called W1 here."
        )
    return {name: named[name] for name in here}


def array(value: Any, name: str) -> Array:
    """Give one tensor, of NumPy or of PyTorch, as a finite NumPy array."""
    return checks.finite(value.detach().cpu().numpy() if is_torch(value) else value, name)


def is_torch(value: Any) -> bool:
    """Whether this is a tensor of PyTorch."""
    return hasattr(value, "detach")


def mapping(values: Any, what: str) -> Mapping[str, Any]:
    """Read a dict or a NamedTuple as a mapping, its tensors as they are."""
    named = values._asdict() if hasattr(values, "_asdict") else values
    if not isinstance(named, Mapping) or not named:
        raise TypeError(
            f"{what}s is a {type(values).__name__}; expected a dict or a NamedTuple of arrays. "
            "Parameters have .named()."
        )
    return named


def container(like: Any, named: Mapping[str, Any]) -> Any:
    """Give tensors by name in the kind of collection that `like` is."""
    return dict(named) if isinstance(like, Mapping) else type(like)(**named)


def copy(values: Any) -> Any:
    """Copy a collection with its tensors, so that a step in place leaves the copy alone."""
    copies = {
        name: value.detach().clone() if is_torch(value) else np.array(value)
        for name, value in mapping(values, "tensor").items()
    }
    return container(values, copies)


def replacing(function: Callable[[Any], Any], values: Any) -> Callable[[Mapping[str, Array]], Any]:
    """Give `function` of `values` as a function of the arrays that replace some of them.

    Parameters
    ----------
    function : callable
        Takes what `values` is.
    values : dict or NamedTuple of arrays
        The tensors that are not replaced.

    Returns
    -------
    callable
        Takes arrays by name. Each becomes the kind of tensor that it replaces.
    """
    given, here = mapping(values, "tensor"), by_name(values, "tensor")

    def replaced(changed: Mapping[str, Array]) -> Any:
        kept = {n: v.detach() if is_torch(v) else here[n] for n, v in given.items()}
        new = {n: given[n].new_tensor(x) if is_torch(given[n]) else x for n, x in changed.items()}
        return function(container(values, kept | new))

    return replaced
