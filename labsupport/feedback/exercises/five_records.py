"""Self-checks of :ref:`ch-records`: two curves, a place among other starts, the smallest margin."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from labsupport import descent, network, records
from labsupport.checks import Array
from labsupport.feedback.verdict import (
    Judge,
    Verdict,
    call,
    is_open,
    number,
    one_number,
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
    rng = np.random.default_rng(16)
    slips: dict[str, int] = {}
    for _ in range(20):
        Y = (rng.random((6, 1)) < 0.5).astype(float)
        P = np.where(rng.random((6, 1)) < 0.8, abs(Y - 0.45 * rng.random((6, 1))), 1 - Y)
        value = one_number("margin", call("margin", margin, P.copy(), Y.copy()))
        each = (P - 0.5) * np.where(Y > 0.5, 1, -1)
        if abs(value - each.min()) > 1e-9:
            hint = _margin_slip(value, P, each)
            slips[hint] = slips.get(hint, 0) + 1
    if not slips:
        return right("`margin` is right on all of 20 random sets of outputs.")
    return wrong(max(slips, key=lambda hint: slips[hint]))


def _margin_slip(value: float, P: Array, each: Array) -> str:
    known = {
        "`margin`: an output on the wrong side counts as if it were right. Give it a minus.": abs(
            P - 0.5
        ).min(),
        "`margin`: one bad sample decides; take the smallest, not the mean.": each.mean(),
        "`margin`: that is the best sample; take the worst.": each.max(),
        "`margin`: that is measured from the wrong end, not from 0.5.": each.min() + 0.5,
        "`margin`: it has the wrong sign.": -each.min(),
        "`margin`: the largest distance to the target is not the distance from 0.5.": 0.5
        - each.min(),
    }
    hints = [hint for hint, slipped in known.items() if abs(value - slipped) < 1e-9]
    return hints[0] if hints else "`margin` is off for some outputs; try P = 0.4 with Y = 1."


CHECKS: dict[str, Judge] = {
    "ex-two-curves": second_training,
    "ex-place": place,
    "ex-margin": smallest_margin,
}
