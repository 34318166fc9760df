"""Self-checks of :ref:`ch-numpy`: backpropagation in NumPy."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from labsupport import datasets, descent, network
from labsupport.activations import activation
from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.cases import Case, draw, expected, tensors
from labsupport.feedback.mistakes import differ, norm
from labsupport.feedback.verdict import (
    Judge,
    Unreadable,
    Verdict,
    call,
    is_open,
    members,
    number,
    one_number,
    right,
    table,
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
    start = network.initialise(SIGMOID, np.random.default_rng(1))
    cases = [Case(SIGMOID, start, X, Y), *draw(SIGMOID, np.random.default_rng(3), outputs=1)]
    seen: list[set[str]] = []
    for case in cases:
        try:
            value = call("broken_backward", broken_backward, *_arguments(case.copy()))
        except Unreadable as error:
            note = () if error.verdict.status == "open" else ("Plant one that does not raise.",)
            return together(error.verdict, *map(wrong, note))
        given, correct = tensors("broken_backward", value), expected(case)
        if [t.shape for t in given] != [t.shape for t in correct]:
            return wrong("The shapes give this mistake away at once. Plant one that they hide.")
        pairs = zip(Weights._fields, given, correct, strict=True)
        seen.append({name for name, g, w in pairs if differ(g, w, norm(correct))})
    if not any(seen):
        return wrong("`broken_backward` is still right: its gradient has no mistake.")
    found = diagnosis.gradient("broken_backward", broken_backward, SIGMOID, _arguments, outputs=1)
    slip = [line for line in found.lines if line.startswith("The likely slip")]
    if is_open(named):
        text = "`broken_backward` is wrong, as it should be. Now `named`: which arrays show it?"
        return Verdict("open", (text,))
    names = members("named", named, str, "names, as in `{'W1', 'b1'}`")
    answer = {name.removeprefix("d") for name in names}
    if unknown := sorted(answer - set(Weights._fields)):
        return wrong(f"`named`: no array is called {', '.join(unknown)}.")
    if answer in seen:
        return right(f"The mistake shows in {', '.join(sorted(answer))}.", *slip)
    everywhere = {name for names in seen for name in names}
    missing, extra = seen[0] - answer, answer - everywhere
    lines = ["`named` lacks an array that is wrong."] if missing else []
    lines += [f"`named` has `{name}`, which is right." for name in sorted(extra)]
    return wrong(*lines, "Look at the `errors` that `gradcheck.check` gives.")


WIDTHS = (2, 3, 4, 8)


@cache
def _solved() -> dict[int, int]:
    """How many of fifty starts arrive; other starts than in the chapter."""
    X, Y = datasets.xor()
    counts = {}
    for hidden in WIDTHS:
        net = Network((2, hidden, 1))
        starts = network.initialise(net, np.random.default_rng(11), runs=50)
        rule, settings = descent.Fixed(1.0), {"target": 0.1, "every": 5000, "progress": False}
        history = descent.train(net, starts, X, Y, rule, 5000, **settings).history  # type: ignore[arg-type]
        counts[hidden] = int((history.stopped == "target").sum())
    return counts


def width(solved: object) -> Verdict:
    """Judge how many of fifty starts arrive, by hidden units, ex-width.

    Other starts give other counts: a quarter of the runs more or less is still right.
    """
    given = table("solved", solved, WIDTHS)
    counts = {hidden: one_number(f"solved[{hidden}]", given[hidden]) for hidden in WIDTHS}
    if any(not 0 <= n <= 50 or n != int(n) for n in counts.values()):
        return wrong("Counts of fifty starts are whole numbers from 0 to 50, not shares or losses.")
    right_ones = _solved()
    if all(abs(n - right_ones[hidden]) <= 12 for hidden, n in counts.items()):
        return right("The counts are as they should be; other starts give slightly other ones.")
    if all(abs(50 - n - right_ones[hidden]) <= 12 for hidden, n in counts.items()):
        return wrong("These are the runs that do not arrive. Count those with a loss below 0.1.")
    if len(set(counts.values())) == 1:
        return wrong("All widths give the same count: does the network in the loop change?")
    lines = [
        number(f"solved[{hidden}]", counts[hidden], n, atol=12.0).lines[0]
        for hidden, n in right_ones.items()
        if abs(counts[hidden] - n) > 12
    ]
    return wrong(*lines, "Is it 5000 epochs at learning rate 1, and a loss below 0.1?")


CHECKS: dict[str, Judge] = {"ex-tanh": tanh, "ex-break": planted, "ex-width": width}
