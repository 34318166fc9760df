"""Random networks on which a student's function is tried, and what it gave, read as arrays.

Widths differ, so that no transpose hides; parameters, data and activations are such that every
mistake shows. `labsupport.feedback.diagnosis` compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labsupport import network
from labsupport.checks import Array
from labsupport.feedback.answers import array
from labsupport.feedback.verdict import Unreadable, wrong
from labsupport.network import Cache, Network, Parameters


@dataclass(frozen=True, eq=False)
class Case:
    """A network with parameters and data, on which a student's function is tried."""

    network: Network
    parameters: Parameters
    X: Array
    Y: Array

    def copy(self) -> Case:
        """Give a case that shares no array with this one."""
        return Case(self.network, self.parameters.copy(), self.X.copy(), self.Y.copy())

    @property
    def cache(self) -> Cache:
        """The forward pass."""
        return network.forward(self.network, self.parameters, self.X)

    @property
    def samples(self) -> int:
        """How many samples the batch has."""
        return len(self.X)


def draw(
    net: Network,
    rng: np.random.Generator,
    count: int = 4,
    *,
    outputs: int | None = None,
) -> list[Case]:
    """Draw networks of the depth, activations and loss of `net` that let no mistake hide.

    Parameters
    ----------
    net : Network
        Its number of layers, activations and loss are kept; its widths are not.
    rng : numpy.random.Generator
        The only source of chance.
    count : int
        How many.
    outputs : int, optional
        Width of the output; without it that is drawn too.

    Returns
    -------
    list of Case
        No gradient is zero and no unit is at a kink. No two of the widths and the number of samples
        are equal, but for the last case, where all are: there a transpose raises no error, and can
        be recognised by what it gives.

    Raises
    ------
    RuntimeError
        No such network was found.
    """
    cases: list[Case] = []
    layers = len(net.sizes)
    for _ in range(1000 * count):
        square = len(cases) == count - 1
        widths = rng.permutation(np.arange(2, layers + 4))[: layers + 1]
        sizes = [int(n) for n in (np.full(layers + 1, widths[0] + 1) if square else widths)]
        m = sizes.pop() + 2 * (not square)
        sizes[-1] = outputs or sizes[-1]
        neighbours = zip(sizes, sizes[1:], strict=False)
        known = [*sizes, *(c.samples for c in cases)]
        if not square and (m in known or any(a == b for a, b in neighbours)):
            continue
        case = random_case(Network(tuple(sizes), net.hidden, net.output, net.loss), m, rng)
        if informative(case):
            cases.append(case)
        if len(cases) == count:
            return cases
    raise RuntimeError(f"no informative network in {1000 * count} draws like {net}.")


def random_case(net: Network, samples: int, rng: np.random.Generator) -> Case:
    """Draw parameters, inputs and targets that suit the loss."""
    parameters = Parameters(net.sizes, rng.normal(size=network.size(net.sizes)))
    scale = (
        3.0 if net.hidden == "sigmoid" else 1.2
    )  # against gradients that die out on the way back
    for W, b in zip(parameters.weights, parameters.biases, strict=True):
        W *= scale / W.shape[0] ** 0.5
        b *= 0.5
    X = rng.normal(size=(samples, net.sizes[0]))
    Y = rng.normal(size=(samples, net.sizes[-1]))
    if net.loss_function.classes:
        Y = (Y == Y.max(axis=1, keepdims=True)).astype(float)
    elif net.loss_function.targets == (0, 1):
        Y = (Y > 0).astype(float)
    return Case(net, parameters, X, Y)


def informative(case: Case) -> bool:
    """Whether every tensor has a gradient that matters, and no unit is near a kink or saturated."""
    cache = case.cache
    triples = zip(case.network.activations, cache.Z, cache.A[1:], strict=True)
    alive = all((g.derivative(Z, A) > 0.05).mean() > 0.2 for g, Z, A in triples)
    kink = min(float(abs(Z).min()) for Z in cache.Z) < 1e-4
    norms = [float(np.linalg.norm(tensor)) for tensor in expected(case)]
    return alive and not kink and max(1e-4, 2e-3 * max(norms)) < min(norms) and max(norms) < 10


def expected(case: Case) -> list[Array]:
    """Give the correct dW1, db1, dW2, ... in float64."""
    p = case.parameters.astype(np.float64)
    exact = Case(case.network, p, case.X.astype(float), case.Y.astype(float))
    return list(network.backward(exact.network, p, exact.cache, exact.Y))


def names(count: int) -> list[str]:
    """Give dW1, db1, dW2, db2, ..."""
    return [f"d{'Wb'[k % 2]}{k // 2 + 1}" for k in range(count)]


def tensors(name: str, value: Any, want: Sequence[Array]) -> list[Array]:
    """Read the arrays of which a student's function gave a collection.

    Parameters
    ----------
    name : str
        What the exercise calls the function.
    value : object
        What it gave: Parameters, a list, a dict or a NamedTuple that names them, a list for the
        weights and one for the biases, or one for each layer; NumPy, torch or plain numbers.
    want : list of Array
        The right ones, for their number and their sizes.

    Raises
    ------
    Unreadable
        Something that is not a collection of arrays, or holds other things too.
    """
    parts = _parts(name, value)
    if parts is None:
        kind = type(value).__name__
        raise Unreadable(wrong(f"`{name}` gave a {kind}; expected {len(want)} arrays in order."))
    nested = [_parts(name, part) for part in parts]
    lists = [part for part in nested if part is not None]
    if len(parts) == len(want) or not lists:
        return _arrays(name, parts)
    if len(lists) < len(parts):
        text = f"`{name}` gives something beside the {len(want)} arrays: give back them alone."
        raise Unreadable(wrong(text))
    if len({len(part) for part in lists}) > 1 or sum(map(len, lists)) != len(want):
        counts = " and ".join(str(len(part)) for part in lists)
        text = f"`{name}` gives lists of {counts}; expected {len(want)} arrays, and nothing else."
        raise Unreadable(wrong(text))
    as_they_are = _arrays(name, [t for part in lists for t in part])
    by_kind = _arrays(name, [t for pair in zip(*lists, strict=True) for t in pair])
    fits = all(t.size == w.size for t, w in zip(by_kind, want, strict=True))
    return by_kind if fits and len(lists) == 2 else as_they_are


def _parts(name: str, value: Any) -> list[Any] | None:
    """Give the members of a collection, W1, b1, W2, ... if they have names; None if it is none."""
    if all(map(_place, getattr(value, "_fields", [""]))):
        value = value._asdict()
    if isinstance(value, Mapping):
        if other := ", ".join(f"`{key}`" for key in value if not _place(key)):
            text = f"`{name}` gives {other}; expected `dW1`, `db1` and so on alone."
            raise Unreadable(wrong(text))
        return [value[key] for key in sorted(value, key=_place)]  # type: ignore[arg-type]
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1:
        return list(value)
    return list(value) if isinstance(value, Parameters | list | tuple) else None


def _place(name: object) -> tuple[int, bool] | None:
    """Sort W1, b1, W2, b2, ... whatever stands in front; None for the names of other things."""
    found = re.fullmatch(r".*?(w|b)(?:eights?|ias(?:es)?)?_?\d*", str(name).lower())
    digits = re.search(r"\d+", str(name))
    return (int(digits[0]) if digits else 0, found[1] == "b") if found else None


def _arrays(name: str, parts: list[Any]) -> list[Array]:
    """Read each part as an array."""
    for k, part in enumerate(parts):
        if part is None:
            ask = "Is it the `.grad` of a tensor on which no `backward()` has run?"
            raise Unreadable(wrong(f"`{name}(...)[{k}]` is None.", ask))
    read = [array(f"{name}(...)[{k}]", part) for k, part in enumerate(parts)]
    return [t[0] if t.ndim == 3 and len(t) == 1 else t for t in read]  # a list of one layer


def several(name: str, value: Any, want: Sequence[Array]) -> list[Array]:
    """Read what a function gave: one array, also as a list or tuple of numbers, or several."""
    if len(want) == 1 and isinstance(value, list | tuple):
        try:
            whole = array(name, value)
        except Unreadable:
            whole = np.zeros(0)
        if isinstance(value, list) or whole.shape == want[0].shape:
            return [array(name, value)]
    return [array(name, part) for part in (value if isinstance(value, list | tuple) else [value])]
