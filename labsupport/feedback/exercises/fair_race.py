"""Self-checks of :ref:`ch-race`: what a search costs, and what it forbids."""

from __future__ import annotations

from typing import Any

import numpy as np

from labsupport import descent, network
from labsupport.checks import Array
from labsupport.datasets import Split
from labsupport.feedback.answers import call, one_number
from labsupport.feedback.judges import close, number
from labsupport.feedback.verdict import (
    Judge,
    Verdict,
    is_open,
    right,
    together,
    unattempted,
    wrong,
)
from labsupport.network import Parameters

NET = network.Network((2, 16, 1), hidden="relu", output="identity", loss="bce_with_logits")
BUDGET = 500


def growth(expected_trials: Any) -> Verdict:
    """Judge the trials a step of a warm search in the long run, ex-growth."""
    slips = {
        "the trial that is accepted is missing": lambda g, s: -np.log(g) / np.log(s),
        "how many refusals it takes depends on `shrink`": lambda g, s: 1 + np.log2(g),
        "it is the growth that has to be made good, by refusals": lambda g, s: (
            1 - np.log(s) / np.log(g)
        ),
        "a logarithm of `shrink` is negative": lambda g, s: 1 + np.log(g) / np.log(s),
        "factors multiply: take logarithms": lambda g, s: 1 + g * s,
    }
    cases = [(2.0, 0.5), (1.1, 0.5), (4.0, 0.5), (2.0, 0.8), (1.5, 0.2)]
    name = "expected_trials"
    given = [one_number(name, call(name, expected_trials, *case)) for case in cases]

    def agrees(formula: Any, rtol: float = 1e-6) -> bool:
        return all(close(v, formula(*case), rtol) for v, case in zip(given, cases, strict=True))

    def expected(g: float, s: float) -> float:
        return float(1 - np.log(g) / np.log(s))

    if agrees(expected):
        return right("A search that grows more slowly pays for fewer trials.")
    if agrees(expected, 0.02):
        return wrong("It comes near, as a simulation does. A formula gives all digits: take logs.")
    for hint, formula in slips.items():
        if agrees(formula):
            return wrong(f"`expected_trials`: {hint}.")
    if close(given[0], 2.0, 1e-6):
        return wrong("It is right for 2 and 0.5; try another `growth` and another `shrink`.")
    return wrong("With growth 2 and shrink 0.5, each doubling needs one refusal to undo it.")


def break_condition(share: object, *, starts: Parameters, data: Split) -> Verdict:
    """Judge the share of steps that Armijo's condition refuses, ex-break-condition."""
    given = one_number("share", share)
    rule = descent.Fixed(4.0)
    h = descent.train(
        NET, starts, data.X_train, data.Y_train, rule, BUDGET // 3, progress=False
    ).history
    before, after = h.loss[:-1], h.loss[1:]
    step, norm = h.step[:-1], h.gradient_norm[:-1]

    def refused(promise: Array, c: float = 0.3) -> float:
        return float(np.mean(after > before - c * promise))

    expected = refused(step * norm**2)
    slips = {
        "that is the share of the steps that are accepted": 1 - expected,
        "that is the share that raises the loss; the condition asks for more": refused(norm, 0),
        "the norm of the gradient enters squared": refused(step * norm),
        "the step is missing: the promise is step times squared norm": refused(norm**2),
        "that is with c = 1e-4; 0.3 is asked for": refused(step * norm**2, 1e-4),
    }
    return number("share", given, expected, slips, rtol=0.01)


def interpolate(
    afforded: object, interpolated: object, *, starts: Parameters, data: Split
) -> Verdict:
    """Judge a warm search with interpolation: its steps and its loss, ex-race-interpolate."""
    answers = {"afforded": afforded, "interpolated": interpolated}
    if missing := [name for name, answer in answers.items() if is_open(answer)]:
        return unattempted(*missing)
    for name, answer in answers.items():
        one_number(name, answer)  # before anything is trained

    def searched(**options: Any) -> tuple[Array, Array, Array]:
        rule = descent.Armijo(first=1.0, **options)
        h = descent.train(
            NET, starts, data.X_train, data.Y_train, rule, BUDGET // 3, progress=False
        ).history
        last = (h.passes <= BUDGET).sum(axis=0) - 1
        return last, h.loss[last, np.arange(len(last))], h.loss[-1]

    steps, losses, at_the_end = searched(warm=True, interpolate=True)
    few, loss = float(np.median(steps)), float(np.median(losses))

    def judged(of_steps: dict[str, float], of_loss: dict[str, float]) -> Verdict:
        return together(
            number("afforded", afforded, few, of_steps, rtol=0, atol=0.1),
            number("interpolated", interpolated, loss, of_loss, rtol=1e-4),
        )

    if verdict := judged({}, {}):
        return verdict  # without a run for each slip
    others = {
        "that is without interpolation": searched(warm=True),
        "that is without warm start": searched(interpolate=True),
        "that is with c = 0.3; 1e-4 is asked for": searched(warm=True, interpolate=True, c=0.3),
        "that is with a window of ten": searched(warm=True, interpolate=True, window=10),
        "that is the mean of the starts": (steps.mean(), losses.mean()),
        "that is the lowest of the starts": (steps.min(), losses.min()),
        "that is the highest of the starts": (steps.max(), losses.max()),
    }
    every = "that is every epoch that was run: are all within the budget, and is the search warm"
    at_budget = {every: BUDGET // 3, "row 0 is the start, before any step": few + 1}
    at_end = {"that is after 166 epochs, which cost more than the budget": np.median(at_the_end)}
    return judged(
        at_budget | {hint: float(np.median(other[0])) for hint, other in others.items()},
        at_end | {hint: float(np.median(other[1])) for hint, other in others.items()},
    )


CHECKS: dict[str, Judge] = {
    "ex-growth": growth,
    "ex-break-condition": break_condition,
    "ex-race-interpolate": interpolate,
}
