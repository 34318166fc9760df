"""Self-checks of :ref:`ch-records`: two curves, a place among other starts, the smallest margin."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from labsupport import descent, network, records
from labsupport.checks import Array
from labsupport.feedback.answers import call, one_number
from labsupport.feedback.judges import number
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


class Curve(NamedTuple):
    """A loss curve and what its author calls the initial parameters.

    Attributes
    ----------
    initial : Parameters
        The untrained network.
    epoch, loss : (s,)
        The curve as it was shown.
    """

    initial: Parameters
    epoch: Array
    loss: Array


@cache
def two_curves() -> dict[str, Curve]:
    """Two curves of the experiment of ``xor-module``; one is that of a second training."""
    module = records.RECORDS["xor-module"]
    X, Y = module.data()
    rng, shown = np.random.default_rng(4), {}
    for letter, before in (("A", 40), ("B", 0)):
        initial = network.initialise(module.network, rng, module.initialiser)
        begin = initial
        if before:
            begin = descent.train(
                module.network, initial, X, Y, module.rule, before, every=before, progress=False
            ).parameters
        history = descent.train(
            module.network, begin, X, Y, module.rule, 6000, every=500, progress=False
        ).history
        shown[letter] = Curve(initial, history.epoch, history.loss)
    return shown


def _first_loss(curve: Curve) -> float:
    module = records.RECORDS["xor-module"]
    return float(network.loss_value(module.network, curve.initial, *module.data()))


def second_training(second: object, first_loss: object) -> Verdict:
    """Judge which curve is that of a second training, and where it should begin, ex-two-curves."""
    curves = two_curves()
    firsts = {letter: _first_loss(curve) for letter, curve in curves.items()}
    (guilty,) = [k for k, curve in curves.items() if abs(firsts[k] - curve.loss[0]) > 1e-6]
    (honest,) = set(curves) - {guilty}
    if is_open(second):
        letter = unattempted("second")
    elif not isinstance(second, str) or second not in curves:
        letter = wrong(f"`second` is {second!r}; expected one of the letters {', '.join(curves)}.")
    elif second == guilty:
        letter = right("`second` is right.")
    else:
        letter = wrong(
            "`second`: this curve begins at the loss of its initial parameters, to the last digit. "
            "That it falls early or late says nothing."
        )
    slips = {
        "that is where the curve begins; take the loss of its initial parameters": float(
            curves[guilty].loss[0]
        ),
        "that belongs to the other curve": firsts[honest],
    }
    return together(letter, number("first_loss", first_loss, firsts[guilty], slips, rtol=2e-4))


def place(lower: object, *, crowd: records.Rerun) -> Verdict:
    """Judge how many of the starts in `crowd` are below the record, ex-place."""
    _, theirs, here = crowd.beside()
    slips = {
        "that is how many are above it": float((here[-1] > theirs[-1]).sum()),
        "that compares with epoch 5000; the record last printed at 4500": float(
            (crowd.loss[-1] < theirs[-1]).sum()
        ),
        "that is a share; the number of starts is asked for": float((here[-1] < theirs[-1]).mean()),
        "that is at the first epoch; take the last one that was printed": float(
            (here[0] < theirs[0]).sum()
        ),
    }
    return number("lower", lower, float((here[-1] < theirs[-1]).sum()), slips, atol=1, rtol=0)


def smallest_margin(margin: object) -> Verdict:
    """Judge the function that gives the smallest margin, ex-margin."""
    rng, tried = np.random.default_rng(16), []
    for m in rng.integers(2, 12, size=20):
        Y = (rng.random((m, 1)) < 0.5).astype(float)
        beside = rng.uniform(0.01, 0.49, size=(m, 1)) * np.where(rng.random((m, 1)) < 0.8, 1, -1)
        P = 0.5 + beside * np.where(Y > 0.5, 1, -1)
        tried.append((P, one_number("margin", call("margin", margin, P.copy(), Y.copy())), Y))
    off = [(P, value, Y) for P, value, Y in tried if abs(value - _sides(P, Y).min()) > 1e-9]
    if not off:
        return right("`margin` is right on all of 20 random sets of outputs.")
    for hint, slip in MARGIN_SLIPS.items():
        if all(abs(value - slip(P, _sides(P, Y))) < 1e-9 for P, value, Y in tried):
            return wrong(f"`margin`: {hint}.")
    P, value, Y = off[0]
    worst = int(_sides(P, Y).argmin())
    return wrong(
        f"`margin` gives {value:.3g} for {len(P)} outputs of which the worst has "
        f"P = {P[worst, 0]:.3g} with Y = {Y[worst, 0]:g}."
    )


def _sides(P: Array, Y: Array) -> Array:
    """How far each output is from 0.5, negative on the wrong side."""
    signed: Array = (P - 0.5) * np.where(Y > 0.5, 1, -1)
    return signed


MARGIN_SLIPS: dict[str, Callable[[Array, Array], float]] = {
    "an output on the wrong side counts as if it were right. Give it a minus": lambda P, each: abs(
        P - 0.5
    ).min(),
    "one bad sample decides; take the smallest, not the mean": lambda P, each: each.mean(),
    "that is the best sample; take the worst": lambda P, each: each.max(),
    "that is measured from the wrong end, not from 0.5": lambda P, each: each.min() + 0.5,
    "it has the wrong sign": lambda P, each: -each.min(),
    "the largest distance to the target is not the distance from 0.5": lambda P, each: (
        0.5 - each.min()
    ),
}
"""A hint, and what this slip gives for outputs and how far each is on its side."""


CHECKS: dict[str, Judge] = {
    "ex-two-curves": second_training,
    "ex-place": place,
    "ex-margin": smallest_margin,
}
