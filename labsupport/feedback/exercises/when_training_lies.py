"""Self-checks of :ref:`ch-lies`: find out when training lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import binomtest

from labsupport import datasets, network
from labsupport.checks import Array
from labsupport.feedback.answers import array, call
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import Judge, Verdict, right, together, wrong
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
    for what, net, losses, start, end, X, Y, want in _curves():
        value = call("fits", fits, losses, net, start, end, X, Y)
        said = array("fits", value, "b", "True or False")
        if said.shape != ():
            return wrong(f"`fits` gives an array of shape {said.shape}; expected True or False.")
        if bool(said) != want:
            return wrong(f"`fits` says {bool(said)} {what}.")
    return right("`fits` accepts the true curves and finds each planted fault.")


def _curves() -> Iterator[tuple[str, Network, Array, Parameters, Parameters, Array, Array, bool]]:
    """Cases: what is planted, and what a right auditor says. Only the ends of a curve matter."""
    tanh, mse = Network((2, 3, 1), "tanh"), Network((2, 5, 1), "sigmoid", "sigmoid", "mse")
    for seed, net in enumerate((tanh, mse, mse)):
        rng = np.random.default_rng(seed)
        start, end, other = (network.initialise(net, rng) for _ in range(3))
        X, Y = datasets.xor() if seed < 2 else (rng.normal(size=(7, 2)), np.zeros((7, 1)))
        if seed == 2:  # a loss of 1e-10 at the end: only a relative error sees what is wrong there
            Y = network.predict(net, end, X) + 1e-5
        data = "" if seed < 2 else " on other data than XOR"

        def loss(p: Parameters, net: Network = net, X: Array = X, Y: Array = Y) -> float:
            return float(network.loss_value(net, p, X, Y))

        for what, losses, begin, last, want in _ends(loss, start, end, other):
            yield f"to {what}{data}", net, losses, begin, last, X, Y, want


def _ends(
    loss: Callable[[Parameters], float], start: Parameters, end: Parameters, other: Parameters
) -> Iterator[tuple[str, Array, Parameters, Parameters, bool]]:
    """Curves from the loss of `start` to that of `end`, true ones and others."""
    first, last, third = loss(start), loss(end), loss(other)
    true = np.geomspace(first, last, 20)
    yield "a true curve", true, start, end, True
    yield "a true curve whose losses rise", true[::-1].copy(), end, start, True
    yield "a true curve of two losses", true[[0, -1]], start, end, True
    yield "a true curve with a rounding error of 1e-9", true * (1 + 1e-9), start, end, True
    for name, value in (("a nan", np.nan), ("an infinite loss", np.inf)):
        spoilt = true.copy()
        spoilt[7] = value
        yield f"a curve with {name} in it", spoilt, start, end, False
    yield "the curve of a second training", np.geomspace(last, third, 20), start, other, False
    yield "a curve that ends at another model", true, start, other, False
    for off in (1e-4, 1e-5, -1e-4, -1e-5):
        size = f"off by {abs(off):.0e}".replace("e-0", "e-")
        near, late = true.copy(), true.copy()
        near[0] *= 1 + off
        late[-1] *= 1 + off
        yield (
            f"a first loss that is {size}, {'above' if off > 0 else 'below'}",
            near,
            start,
            end,
            False,
        )
        yield (
            f"a last loss that is {size}, {'above' if off > 0 else 'below'}",
            late,
            start,
            end,
            False,
        )


CHECKS: dict[str, Judge] = {
    "ex-restarts": restarts,
    "ex-mse-levels": mse_levels,
    "ex-auditor": auditor,
}
