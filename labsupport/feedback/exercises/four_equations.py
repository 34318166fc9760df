"""Self-checks of :ref:`ch-four-equations`: the four equations."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.answers import members
from labsupport.feedback.cases import Case
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import (
    Judge,
    Verdict,
    is_open,
    reading,
    right,
    together,
    unattempted,
    wrong,
)
from labsupport.network import Network

NET = Network((2, 2, 1), "tanh", "identity", "bce_with_logits")


def by_hand(delta: object, entry: object) -> Verdict:
    """Judge a pass of the third sample alone, (1, 0) with target 1, ex-by-hand."""
    z1, z2 = 1.0, -0.5  # of the two hidden units
    a1, a2 = np.tanh([z1, z2])
    logit = a1 - 0.5 * a2 + 0.25
    D = 1 / (1 + np.exp(-logit)) - 1
    back = -0.5 * D
    row_of_four = "that is its row in the batch of four; here m is 1"
    return together(
        number(
            "delta",
            delta,
            D,
            {
                row_of_four: D / 4,
                "the target is subtracted from the logit; the probability is needed": logit - 1,
                "there is a derivative of the sigmoid too many: with logits it cancels": -D
                * D
                * (1 + D),
            },
        ),
        number(
            "entry",
            entry,
            back * (1 - a2**2),
            {
                row_of_four: back * (1 - a2**2) / 4,
                "the factor g' is missing": back,
                "g' is that of the activation: it belongs to Z": back * (1 - np.tanh(a2) ** 2),
                "that is the first hidden unit": D * (1 - a1**2),
                "the weight into the output is missing": D * (1 - a2**2),
                "tanh' is 1 - a^2, not a (1 - a)": back * a2 * (1 - a2),
            },
        ),
    )


def slope_by_input(input_gradient: object) -> Verdict:
    """Judge the slope of the loss by the inputs, D1 W1^T, ex-input-gradient."""
    rng = np.random.default_rng(7)
    shapes = [(5, 3, 2), (4, 2, 6), (3, 3, 3)]  # samples, inputs, hidden units
    inputs = [(rng.normal(size=(m, n)), rng.normal(size=(k, n))) for m, k, n in shapes]
    slips: dict[str, Callable[..., Any]] = {
        "the 1/m is in D1 already": lambda D, W: D @ W.T / len(D),
        "the inputs have no activation function, so no g' belongs here": lambda D, W: (
            D @ W.T * (1 - np.tanh(D @ W.T) ** 2)
        ),
    }
    return diagnosis.function(
        "input_gradient", input_gradient, lambda D, W: D @ W.T, inputs, slips=slips, labels=["dX"]
    )


def columns(backward_columns: object) -> Verdict:
    """Judge a backward pass with samples as columns, ex-columns."""

    def arguments(case: Case) -> tuple[Array, ...]:
        A1, Z2 = case.cache.A[1], case.cache.Z[1]
        P = 1 / (1 + np.exp(-Z2))
        return case.parameters.weights[1].T, case.X.T, A1.T, P.T, case.Y.T

    def rows_counted(case: Case) -> list[Array]:
        W2, X, A1, P, Y = arguments(case)
        D2 = (P - Y) / len(X)
        D1 = (W2.T @ D2) * (1 - A1**2)
        b1, b2 = D1.sum(axis=1, keepdims=True), D2.sum(axis=1, keepdims=True)
        return [t.T for t in (D1 @ X.T, b1, D2 @ A1.T, b2)]

    slips: dict[str, Callable[[Case], Any]] = {
        "m is the number of columns now: `len(X)` counts the inputs": rows_counted
    }
    return diagnosis.gradient(
        "backward_columns", backward_columns, NET, arguments, columns=True, slips=slips
    )


def identity(checksum: object, blind_to: object) -> Verdict:
    """Judge an identity between W, b, Z, D and the gradients, ex-checksum."""
    rng = np.random.default_rng(8)
    inputs = []
    for m, k, n in ((5, 3, 2), (4, 2, 6)):
        shapes = [(k, n), (1, n), (m, n), (m, n), (k, n), (1, n)]
        inputs.append(tuple(rng.normal(size=shape) for shape in shapes))

    def reference(W: Array, b: Array, Z: Array, D: Array, dW: Array, db: Array) -> Any:
        return np.sum(W * dW) + np.sum(b * db) - np.sum(Z * D)

    slips: dict[str, Callable[..., Any]] = {
        "right side minus left side: the sign": lambda *args: -reference(*args),
        "the part of the bias is missing": lambda W, b, Z, D, dW, db: (
            np.sum(W * dW) - np.sum(Z * D)
        ),
        "the right side is missing": lambda W, b, Z, D, dW, db: np.sum(W * dW) + np.sum(b * db),
        "the difference is wanted, not its size": lambda *args: abs(reference(*args)),
    }
    computed = diagnosis.function("checksum", checksum, reference, inputs, slips=slips)
    return together(computed, _blind(blind_to))


@reading
def _blind(answer: object) -> Verdict:
    if is_open(answer):
        return unattempted("blind_to")
    form = "a set of numbers from 1 to 4, such as `{3}`"
    named, expected = members("blind_to", answer, Integral, form), _not_used()
    if not named <= {1, 2, 3, 4}:
        return wrong(f"`blind_to` should be {form}.")
    if named == expected:
        return right("`blind_to` is right.")
    if named & ({1, 2, 3, 4} - expected):
        return wrong(
            "`blind_to` names an equation that the proof of the checksum uses: alter that one in "
            "a backward pass, and see the checksum leave 0."
        )
    return wrong("`blind_to` lacks an equation: put random numbers into D and look again.")


def _not_used() -> set[int]:
    """The equations that can be altered without a change of the checksum, by trying."""
    rng = np.random.default_rng(9)
    A, W, b, D = (rng.normal(size=shape) for shape in ((5, 3), (3, 2), (1, 2), (5, 2)))
    total = D.sum(axis=0)
    altered = {1: (2 * D, A.T @ (2 * D), 2 * total), 2: (D**2, A.T @ D**2, (D**2).sum(axis=0))}
    altered |= {3: (D, A.T @ D, total / 5), 4: (D, A.T @ D / 5, total)}
    sums = {
        n: np.sum(W * dW) + np.sum(b * db) - np.sum((A @ W + b) * delta)
        for n, (delta, dW, db) in altered.items()
    }
    return {n for n, value in sums.items() if abs(value) < 1e-9}


CHECKS: dict[str, Judge] = {
    "ex-by-hand": by_hand,
    "ex-input-gradient": slope_by_input,
    "ex-columns": columns,
    "ex-checksum": identity,
}
