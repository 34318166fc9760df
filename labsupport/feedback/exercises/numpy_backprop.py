"""Self-checks of :ref:`ch-numpy`: backpropagation in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from labsupport import datasets, descent, network
from labsupport.activations import activation
from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.answers import array, call, members, table
from labsupport.feedback.cases import Case, draw, expected, tensors
from labsupport.feedback.mistakes import differ, norm
from labsupport.feedback.verdict import (
    Judge,
    Unreadable,
    Verdict,
    is_open,
    right,
    together,
    wrong,
)
from labsupport.network import Network

TANH = Network((2, 4, 1), hidden="tanh", output="sigmoid", loss="bce")
SIGMOID = Network((2, 4, 1), hidden="sigmoid", output="sigmoid", loss="bce")


class Weights(NamedTuple):
    """The four arrays of :ref:`ch-numpy`."""

    W1: Array
    b1: Array
    W2: Array
    b2: Array


def _arguments(case: Case) -> tuple[Any, ...]:
    """What :ref:`ch-numpy` hands to a backward pass."""
    return Weights(*case.parameters), case.X, case.cache.A[1], case.cache.output, case.Y


def tanh(forward_tanh: object, backward_tanh: object) -> Verdict:
    """Judge forward and backward pass with tanh in the hidden layer, ex-tanh."""
    cases = draw(TANH, np.random.default_rng(3), outputs=1)
    inputs = [(Weights(*case.parameters), case.X) for case in cases]

    def passes(hidden: str, output: str, bias: float = 1.0) -> Any:
        g, h = activation(hidden).value, activation(output).value

        def forward(weights: Weights, X: Array) -> tuple[Array, Array]:
            A1 = g(X @ weights.W1 + bias * weights.b1)
            return A1, h(A1 @ weights.W2 + bias * weights.b2)

        return forward

    slips = {
        "the hidden layer still has the sigmoid": passes("sigmoid", "sigmoid"),
        "the output became a tanh too; only the hidden layer changes": passes("tanh", "tanh"),
        "the output lost its sigmoid": passes("tanh", "identity"),
        "the hidden layer lost its activation": passes("identity", "sigmoid"),
        "the biases are missing": passes("tanh", "sigmoid", 0.0),
    }
    forward = diagnosis.function(
        "forward_tanh",
        forward_tanh,
        passes("tanh", "sigmoid"),
        inputs,
        slips=slips,
        labels=["A1", "P"],
    )
    backward = diagnosis.gradient("backward_tanh", backward_tanh, TANH, _arguments, cases=cases)
    return together(forward, backward)


def planted(broken_backward: object, named: object) -> Verdict:
    """Judge a mistake planted on purpose, and the arrays in which a check sees it, ex-break."""
    X, Y = datasets.xor()
    case = Case(SIGMOID, network.initialise(SIGMOID, np.random.default_rng(1)), X, Y)
    try:
        value = call("broken_backward", broken_backward, *_arguments(case.copy()))
    except Unreadable as error:
        note = () if error.verdict.status == "open" else ("Plant one that does not raise.",)
        return together(error.verdict, *map(wrong, note))
    correct = expected(case)
    given = tensors("broken_backward", value, correct)
    if [t.shape for t in given] != [t.shape for t in correct]:
        return wrong("The shapes give this mistake away at once. Plant one that they hide.")
    if not all(np.isfinite(t).all() for t in given):
        return wrong("A gradient that gives nan gives itself away. Plant one that stays finite.")
    pairs = zip(Weights._fields, given, correct, strict=True)
    seen = {name for name, g, w in pairs if differ(g, w, norm(correct))}
    if not seen:
        return wrong(
            "`broken_backward` is still right on the data of this page: its gradient of the "
            "XOR batch has no mistake that a check could see."
        )
    found = diagnosis.gradient("broken_backward", broken_backward, SIGMOID, _arguments, outputs=1)
    slip = [line for line in found.lines if line.startswith("The likely slip")]
    if is_open(named):
        text = "`broken_backward` is wrong, as it should be. Now `named`: which arrays show it?"
        return Verdict("open", (text,))
    names = members("named", named, str, "names, as in `{'W1', 'b1'}`")
    answer = {name.removeprefix("d") for name in names}
    if unknown := sorted(answer - set(Weights._fields)):
        return wrong(f"`named`: no array is called {', '.join(unknown)}.")
    if answer == seen:
        return right(f"The mistake shows in {', '.join(sorted(answer))}.", *slip)
    lines = ["`named` lacks an array that is wrong."] if seen - answer else []
    lines += [f"`named` has `{name}`, which is right." for name in sorted(answer - seen)]
    return wrong(*lines, "Look at the `errors` that `gradcheck.check` gives.")


WIDTHS = (2, 3, 4, 8)
SOON, LATE = 400, 5000
"""Epochs of the exercise."""


@cache
def _solved(seed: int) -> dict[int, tuple[int, int]]:
    """How many of the fifty starts of this seed arrive within 400 epochs, and within 5000."""
    X, Y = datasets.xor()
    counts = {}
    for hidden in WIDTHS:
        net = Network((2, hidden, 1))
        starts = network.initialise(net, np.random.default_rng(seed), runs=50)
        rule, settings = descent.Fixed(1.0), {"target": 0.1, "every": LATE, "progress": False}
        history = descent.train(net, starts, X, Y, rule, LATE, **settings).history  # type: ignore[arg-type]
        arrived = history.stopped_at[history.stopped == "target"]
        counts[hidden] = (int((arrived <= SOON).sum()), len(arrived))
    return counts


def width(solved: object, *, seed: int) -> Verdict:
    """Judge how many of fifty starts arrive soon, and late, by hidden units, ex-width.

    The late counts alone cannot tell rates, bounds and numbers of epochs apart. One run more or
    less is rounding.
    """
    given, counts = table("solved", solved, WIDTHS), {}
    for hidden in WIDTHS:
        pair = array(f"solved[{hidden}]", given[hidden], expected="two counts, (soon, late)")
        if pair.shape != (2,):
            return wrong(
                f"`solved[{hidden}]` is to be two counts: within {SOON} epochs, and {LATE}."
            )
        counts[hidden] = pair
    if any(((n < 0) | (n > 50) | (n != n.astype(int))).any() for n in counts.values()):
        return wrong("Counts of fifty starts are whole numbers from 0 to 50, not shares or losses.")
    want = {hidden: np.array(pair) for hidden, pair in _solved(seed).items()}

    def agree(change: Callable[[Array], Array]) -> bool:
        return all((abs(change(counts[n]) - want[n]) <= 1).all() for n in WIDTHS)

    if agree(lambda pair: pair):
        return right("The counts are right. What more units buy shows early.")
    if agree(lambda pair: 50 - pair):
        return wrong("These are the runs that do not arrive. Count those with a loss below 0.1.")
    if agree(lambda pair: pair[::-1]):
        return wrong("The two counts stand the wrong way round: first the one within 400 epochs.")
    if len({tuple(pair) for pair in counts.values()}) == 1:
        return wrong("All widths give the same counts: does the network in the loop change?")
    off = [
        f"within {epochs} epochs"
        for k, epochs in enumerate((SOON, LATE))
        if any(abs(counts[n][k] - want[n][k]) > 1 for n in WIDTHS)
    ]
    return wrong(
        f"The counts {' and '.join(off)} are not those of these starts.",
        "A count depends on the rate, 1, on the bound, 0.1, and on the generator: make a new one "
        "for each width.",
    )


CHECKS: dict[str, Judge] = {"ex-tanh": tanh, "ex-break": planted, "ex-width": width}
