"""Random networks on which a student's function is tried, and what it gave, read as arrays.

Widths differ, so that no transpose hides; parameters, data and activations are such that every
mistake shows. `labsupport.feedback.diagnosis` compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labsupport import network
from labsupport.checks import Array
from labsupport.feedback.verdict import Unreadable, array, wrong
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


def tensors(name: str, value: Any) -> list[Array]:
    """Flatten what a student's function gave: Parameters, named or not, or (dW list, db list).

    Raises
    ------
    Unreadable
        Something that is not a collection of arrays.
    """
    if isinstance(value, Mapping):
        if nested := [v for v in value.values() if isinstance(v, list | tuple)]:
            return tensors(name, tuple(nested))
        named = sorted(value.items(), key=lambda item: _order(item[0]))
        return [array(f"{name}(...)[{key!r}]", t) for key, t in named]
    if isinstance(value, str) or not isinstance(value, Parameters | Sequence):
        kind = type(value).__name__
        raise Unreadable(wrong(f"`{name}` gave a {kind}; expected the gradients in order."))
    given = list(value)
    if len(given) == 2 and all(isinstance(part, list | tuple) for part in given):
        if len(given[0]) != len(given[1]):
            counts = f"{len(given[0])} weights and {len(given[1])} biases"
            raise Unreadable(wrong(f"`{name}` gave {counts}; expected as many of both."))
        given = [t for pair in zip(*given, strict=True) for t in pair]
    return [array(f"{name}(...)[{k}]", t) for k, t in enumerate(given)]


def _order(name: object) -> tuple[int, bool]:
    """Sort W1, b1, W2, b2, ... with or without a d in front."""
    digits = "".join(c for c in str(name) if c.isdigit())
    return int(digits or 0), "b" in str(name).lower()
