"""Self-checks of :ref:`ch-autograd`: a tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labsupport.autograd import Value, unstretch
from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.answers import call
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import Judge, Verdict, reading, together, wrong

SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((4, 3), (4, 3)), ((4, 3), (1, 3))]
SHAPES += [((4, 1), (4, 3)), ((), ())]


@reading
def division(divide: Any) -> Verdict:
    """Judge a quotient of two Values and the slopes it sends back, ex-tape-divide."""
    rng = np.random.default_rng(17)
    inputs = [(rng.normal(size=a), 1 + rng.random(b), rng.normal()) for a, b in SHAPES]
    got = []
    for a, b, weight in inputs:
        A, B = Value(a), Value(b)
        quotient = call("divide", divide, A, B)
        if not isinstance(quotient, Value):
            return wrong(
                f"`divide` gives a {type(quotient).__name__}; expected a `Value` of the quotient, "
                "what it was made of, and how a slope goes back."
            )
        if tuple(map(id, quotient.made_of)) != (id(A), id(B)):
            return wrong("`divide` should be made of the two Values it was given, `(a, b)`.")
        shares = call("divide", quotient.back, weight * np.ones_like(quotient.data))
        if not isinstance(shares, tuple) or len(shares) != 2:
            return wrong("The `back` of `divide` should give two slopes, `(for a, for b)`.")
        got.append((quotient.data, unstretch(shares[0], a.shape), unstretch(shares[1], b.shape)))

    def made(for_a: Callable[..., Array], for_b: Callable[..., Array]) -> Callable[..., Any]:
        def by(a: Array, b: Array, d: float) -> tuple[Array, Array, Array]:
            D = d * np.ones_like(a / b)
            return a / b, unstretch(D * for_a(a, b), a.shape), unstretch(D * for_b(a, b), b.shape)

        return by

    def by_a(a: Array, b: Array) -> Array:
        return 1 / b

    slips = {
        "the slope for b has the wrong sign: a larger b makes the quotient smaller": made(
            by_a, lambda a, b: a / b**2
        ),
        "the slope for b lacks a square": made(by_a, lambda a, b: -a / b),
        "the slope for b lacks the factor a": made(by_a, lambda a, b: -1 / b**2),
        "the slope for a is 1/b, not b": made(lambda a, b: b, lambda a, b: -a / b**2),
        "the two slopes have changed places": made(lambda a, b: -a / b**2, by_a),
        "the slope that comes in is not used: multiply by it": lambda a, b, d: made(
            by_a, lambda a, b: -a / b**2
        )(a, b, 1.0),
    }
    labels = ["the quotient", "the slope for a", "the slope for b"]
    results = iter(got)
    return diagnosis.function(
        "divide",
        lambda *given: next(results),
        made(by_a, lambda a, b: -a / b**2),
        inputs,
        slips=slips,
        labels=labels,
    )


def values(values_on_tape: object) -> Verdict:
    """Judge how many values a network's tape has, by its layers, ex-tape-count."""
    slips: dict[str, Callable[..., Any]] = {
        "the inputs X and the loss are values too": lambda n: 5 * n,
        "the inputs X or the loss are left out": lambda n: 5 * n + 1,
        "the weights and biases are values too": lambda n: 3 * n + 2,
        "the weighted sum takes two values, the product and the sum": lambda n: 4 * n + 2,
        "X is there once, not in every layer": lambda n: 6 * n + 1,
    }
    inputs = [(n,) for n in (1, 2, 3, 7)]
    return diagnosis.function(
        "values_on_tape", values_on_tape, lambda n: 5 * n + 2, inputs, slips=slips
    )


def shares(of_one: object, of_three: object) -> Verdict:
    """Judge the factors with which two batches' losses give the full gradient, ex-tape-parts."""
    every = "each loss is a mean over its own samples: the sum of both is no mean over all four"
    plain = "a plain mean counts the single sample as much as the other three"
    return together(
        number("of_one", of_one, 0.25, {every: 1.0, plain: 0.5, "that is the other's": 0.75}),
        number("of_three", of_three, 0.75, {every: 1.0, plain: 0.5, "that is the other's": 0.25}),
    )


CHECKS: dict[str, Judge] = {
    "ex-tape-divide": division,
    "ex-tape-count": values,
    "ex-tape-parts": shares,
}
