"""Self-checks of :ref:`ch-lies`: find out when training lies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import binomtest

from labsupport import datasets, network
from labsupport.checks import Array
from labsupport.feedback.verdict import Judge, Verdict, array, call, number, right, together, wrong
from labsupport.network import Network, Parameters

SOLVED, STARTS = 53, 200
"""What the exercise states: 53 of 200 starts."""


def restarts(starts_needed: object) -> Verdict:
    """Judge how many starts are needed for one success with 99 %, ex-restarts."""
    interval = binomtest(SOLVED, STARTS).proportion_ci(method="wilson")
    low, point = interval.low, SOLVED / STARTS

    def needed(rate: float, risk: float = 0.01) -> float:
        return float(np.log(risk) / np.log(1 - rate))

    slips = {
        "round up: so many starts do not quite suffice": float(np.floor(needed(low))),
        "a start is made or not; round up to a whole number": needed(low),
        "that is for the observed rate; take the lower end of the interval": np.ceil(needed(point)),
        "that is for the upper end of the interval": np.ceil(needed(interval.high)),
        "that is for a probability of 95 %": np.ceil(needed(low, 0.05)),
        "that is how often it succeeds once on average": np.ceil(1 / low),
    }
    return number("starts_needed", starts_needed, np.ceil(needed(low)), slips, rtol=0, atol=1e-3)


def mse_levels(all_four: object, three: object, two: object) -> Verdict:
    """Judge the three levels under the mean squared error, ex-mse-levels."""
    half, third = 1 / 4, 2 / 9  # variance of labels with a mean of 1/2, of 1/3
    once = "that is the mean over the group; the loss is the mean over all four samples"
    entropy = "that is the cross-entropy"
    wrong_answer = "the mean label of three samples is 1/3 or 2/3, not 1/2"
    return together(
        number("all_four", all_four, half, {entropy: np.log(2)}),
        number(
            "three",
            three,
            third * 3 / 4,
            {once: third, entropy: 0.4774, wrong_answer: half * 3 / 4},
            rtol=2e-3,
        ),
        number("two", two, half / 2, {once: half, entropy: np.log(2) / 2}),
    )


def auditor(fits: object) -> Verdict:
    """Judge a function that compares a curve with its start and its end, ex-auditor."""
    for what, net, losses, start, end, want in _curves():
        X, Y = datasets.xor()
        kept = start.vector.copy(), end.vector.copy(), losses.copy()
        value = call("fits", fits, losses, net, start, end, X, Y)
        now = start.vector, end.vector, losses
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, now, strict=True)):
            return wrong("`fits` changes what it is given; an auditor must not touch the evidence.")
        said = array("fits", value, "b", "True or False")
        if said.shape != ():
            return wrong(f"`fits` gives an array of shape {said.shape}; expected True or False.")
        if bool(said) != want:
            return wrong(f"`fits` says {bool(said)} {what}.")
    return right("`fits` accepts the true curves and finds each planted fault.")


def _curves() -> Iterator[tuple[str, Network, Array, Parameters, Parameters, bool]]:
    """Cases: what is planted, and what a right auditor says. Only the ends of a curve matter."""
    X, Y = datasets.xor()
    for seed, net in enumerate(
        (Network((2, 3, 1), "tanh"), Network((2, 5, 1), "sigmoid", "sigmoid", "mse"))
    ):
        rng = np.random.default_rng(seed)
        start, end, other = (network.initialise(net, rng) for _ in range(3))
        first, last, third = (float(network.loss_value(net, p, X, Y)) for p in (start, end, other))
        true = np.linspace(first, last, 20)
        rounding = true * (1 + 1e-9)
        gap = true.copy()
        gap[7] = np.nan
        endless = true.copy()
        endless[9] = np.inf
        yield "to a true curve", net, true, start, end, True
        yield "to a true curve with a rounding error of 1e-9", net, rounding, start, end, True
        yield "to a curve with a nan in it", net, gap, start, end, False
        yield "to a curve with an infinite loss in it", net, endless, start, end, False
        second = np.linspace(last, third, 20)
        yield "to the curve of a second training", net, second, start, other, False
        yield "to a curve that ends at another model", net, true, start, other, False
        near = np.linspace(first * (1 - 1e-4), last, 20)
        yield "to a first loss that is off by 1e-4", net, near, start, end, False
        near = np.linspace(first, last * (1 - 1e-4), 20)
        yield "to a last loss that is off by 1e-4", net, near, start, end, False


CHECKS: dict[str, Judge] = {
    "ex-restarts": restarts,
    "ex-mse-levels": mse_levels,
    "ex-auditor": auditor,
}
