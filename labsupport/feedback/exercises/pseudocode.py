"""Self-checks of :ref:`ch-pseudocode`: the algorithm, its shapes and its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from labsupport import datasets, network
from labsupport.checks import Array
from labsupport.feedback.diagnosis import function
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import Judge, Verdict, right, wrong


def third_layer(answer: object) -> Verdict:
    """Judge the shapes of a network 3-5-2-1 on 7 samples, ex-third-layer."""
    sizes, m = (3, 5, 2, 1), 7
    expected: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(zip(sizes, sizes[1:], strict=False), start=1):
        expected[f"Z{layer}"] = expected[f"D{layer}"] = (m, n_out)
        expected[f"W{layer}"], expected[f"b{layer}"] = (n_in, n_out), (1, n_out)
    if not isinstance(answer, Mapping):
        return wrong(f"`answer` is of type {type(answer).__name__}; expected a dictionary.")
    lines = []
    if missing := sorted(expected.keys() - answer.keys()):
        lines.append(f"Missing: {', '.join(f'`{name}`' for name in missing)}.")
    if extra := sorted(str(name) for name in answer.keys() - expected.keys()):
        lines.append(f"Not asked for: {', '.join(f'`{name}`' for name in extra)}.")
    for name in expected.keys() & answer.keys():
        given, shape = answer[name], expected[name]
        lengths = tuple(given) if isinstance(given, tuple | list | np.ndarray) else (given,)
        if not all(isinstance(n, Integral) for n in lengths) or lengths != shape:
            lines.append(f"`{name}` is not {given}: {_shape_hint(name, lengths, shape, m)}.")
    return wrong(*sorted(lines)) if lines else right("All twelve shapes are right.")


def _shape_hint(name: str, given: tuple[Any, ...], shape: tuple[int, ...], m: int) -> str:
    if not given or not all(isinstance(n, Integral) for n in given):
        return "a shape is a tuple of whole numbers, such as `(3, 5)`"
    if name[0] == "b":
        return "a bias is one row, added to every sample" + (
            "; write both of its lengths" if len(given) == 1 else ""
        )
    if given == shape[::-1]:
        return "it is transposed; rows are samples" if name[0] in "ZD" else "it is transposed"
    if name[0] == "W":
        return "as many rows as the layer before has units, as many columns as its own"
    if name[0] == "D" and given[0] != m:
        return "a delta has the shape of its Z, not of W"
    return "a row for each sample, a column for each unit of its layer"


def mse_delta(mse_delta: object) -> Verdict:
    """Judge line 6 for the mean squared error behind a sigmoid, ex-mse-delta."""
    rng = np.random.default_rng(2)
    inputs = [
        (rng.uniform(0.1, 0.9, (m, 1)), rng.integers(0, 2, (m, 1)).astype(float)) for m in (4, 7)
    ]

    def delta(P: Array, Y: Array) -> Array:
        value: Array = 2 * (P - Y) / len(P) * P * (1 - P)
        return value

    slips: dict[str, Callable[..., Any]] = {
        "that is line 6 of the cross-entropy; here a factor does not cancel": lambda P, Y: (
            (P - Y) / len(P)
        ),
        "the derivative of the sigmoid is missing": lambda P, Y: 2 * (P - Y) / len(P),
        "the derivative of the sigmoid and the 1/m are missing": lambda P, Y: 2 * (P - Y),
        "P is the output already: its derivative is written with P itself": lambda P, Y: (
            2 * (P - Y) / len(P) / (1 + np.exp(-P)) * (1 - 1 / (1 + np.exp(-P)))
        ),
        "the derivative of the sigmoid belongs to P, not to Y": lambda P, Y: (
            2 * (P - Y) / len(P) * Y * (1 - Y)
        ),
        "that is the mean over the samples; each keeps its own row": lambda P, Y: np.mean(
            2 * (P - Y) * P * (1 - P)
        ),
        "the factor 2 and the 1/m are missing": lambda P, Y: (P - Y) * P * (1 - P),
        "the 2 of the square's derivative is missing": lambda P, Y: delta(P, Y) / 2,
        "the difference is the wrong way round": lambda P, Y: -delta(P, Y),
    }
    return function("mse_delta", mse_delta, delta, inputs, slips=slips)


def line_eight(hidden_delta: object) -> Verdict:
    """Judge line 8 for a hidden layer with tanh, ex-line-eight."""
    rng = np.random.default_rng(8)
    sizes = [(5, 3, 2), (4, 2, 6), (3, 3, 3)]  # samples, hidden units, outputs
    inputs = [
        (rng.normal(size=(m, k)), rng.normal(size=(n, k)), rng.uniform(-0.9, 0.9, (m, n)))
        for m, n, k in sizes
    ]

    def delta(D: Array, W: Array, A: Array) -> Array:
        value: Array = (D @ W.T) * (1 - A**2)
        return value

    slips: dict[str, Callable[..., Any]] = {
        "a (1 - a) is the slope of the sigmoid": lambda D, W, A: (D @ W.T) * A * (1 - A),
        "the own slope of tanh is missing": lambda D, W, A: D @ W.T,
        "`A1` is what tanh gave already: apply no second tanh": lambda D, W, A: (
            (D @ W.T) * (1 - np.tanh(A) ** 2)
        ),
        "the slope of tanh is 1 - a², with the square": lambda D, W, A: (D @ W.T) * (1 - A),
        "the 1/m is in `D2` already": lambda D, W, A: delta(D, W, A) / len(D),
        "a delta keeps a row a sample; the sum belongs to line 7": lambda D, W, A: delta(
            D, W, A
        ).sum(0, keepdims=True),
    }
    return function("hidden_delta", hidden_delta, delta, inputs, slips=slips, labels=["D1"])


def update_order(relative_change: object, *, parameters: Sequence[Array]) -> Verdict:
    """Judge how much dW1 changes if W2 moves too early, ex-update-order.

    `parameters` are those of the page: W1, b1, W2, b2 of the network 2-4-1 on XOR.
    """
    X, Y = datasets.xor()
    net, p = network.Network((2, 4, 1)), network.Parameters.of(*parameters)
    cache = network.forward(net, p, X)
    gradient = network.backward(net, p, cache, Y)
    A1, D2 = cache.A[1], network.output_delta(net, cache, Y)
    W2, dW1, dW2 = p.weights[1], gradient.weights[0], gradient.weights[1]

    def late(rate: float) -> Array:
        value: Array = X.T @ ((D2 @ (W2 - rate * dW2).T) * A1 * (1 - A1))
        return value

    size, change = float(np.linalg.norm(dW1)), late(0.5) - dW1
    norm = float(np.linalg.norm(change))
    slips = {
        "that is in percent; a share is asked for": 100 * norm / size,
        "that is the change itself; divide by the size of `dW1`": norm,
        "that is for a learning rate of 1; here it is 0.5": 2 * norm / size,
        "that is relative to the wrong gradient, not to the right one": norm
        / float(np.linalg.norm(late(0.5))),
        "take the norm of the change, then divide; not the largest entry": float(
            abs(change).max() / abs(dW1).max()
        ),
        "take the norm of the change, not the difference of the norms": abs(
            float(np.linalg.norm(late(0.5))) / size - 1
        ),
        "that is the mean of the entries' changes; take norms": float(
            np.mean(abs(change)) / np.mean(abs(dW1))
        ),
    }
    return number("relative_change", relative_change, norm / size, slips, rtol=0.005)


CHECKS: dict[str, Judge] = {
    "ex-third-layer": third_layer,
    "ex-line-eight": line_eight,
    "ex-mse-delta": mse_delta,
    "ex-update-order": update_order,
}
