"""Self-checks of :ref:`ch-aim`: what one layer cannot do."""

from __future__ import annotations

from functools import cache

import numpy as np

from labsupport import datasets, descent, network
from labsupport.checks import Array
from labsupport.feedback.verdict import (
    Judge,
    Verdict,
    array,
    is_open,
    number,
    one_number,
    right,
    together,
    unattempted,
    wrong,
)

AFFINE = network.Network((2, 1))


def guess(gain: object) -> Verdict:
    """Judge how much better than chance a loss of 0.60 is, ex-guess."""
    q, loss = 0.3, 0.60
    one, other = -q * np.log(q), -(1 - q) * np.log(1 - q)
    chance = one + other
    slips = {
        "it is chance minus the loss, so that a gain is positive": loss - chance,
        "that is the loss of chance itself; the network's loss is still to be taken off": chance,
        "chance is ln 2 only if both classes are equally frequent": np.log(2) - loss,
        "chance has two terms, one for each class": one - loss,
        "chance has two terms, one for each of the classes": other - loss,
        "nats need the natural logarithm, not the one to base 2": chance / np.log(2) - loss,
        "nats need the natural logarithm, not the one to base 10": chance / np.log(10) - loss,
        "a difference in nats is asked for, not a share": (chance - loss) / chance,
        "a difference in nats is asked for, not a ratio": loss / chance,
        "a difference in nats is wanted, not a ratio": chance / loss,
    }
    return number("gain", gain, chance - loss, slips, rtol=0.02)


@cache
def _loss(target: str, epochs: int) -> float:
    X, _ = datasets.xor()
    first, second = X[:, :1], X[:, 1:]
    Y = {"and": first * second, "or": np.maximum(first, second), "xor": (first != second) * 1.0}
    zero = network.Parameters.of(np.zeros((2, 1)), np.zeros((1, 1)))
    run = descent.train(AFFINE, zero, X, Y[target], descent.Fixed(1.0), epochs, progress=False)
    return float(run.history.loss[-1])


def and_or(loss_and: object, loss_or: object) -> Verdict:
    """Judge the losses of *and* and *or* after 2000 epochs, ex-and-or."""
    names = {"and": "or", "or": "and"}
    verdicts = []
    for name, answer in (("and", loss_and), ("or", loss_or)):
        expected = _loss(name, 2000)
        verdict = number(f"loss_{name}", answer, expected, rtol=0.03)
        if verdict.status != "wrong":
            verdicts.append(verdict)
            continue
        slips = {
            f"that is the loss of *{names[name]}*": _loss(names[name], 2000),
            "that is chance: the targets are still those of xor": _loss("xor", 2000),
            "that is half the way: 1000 epochs, or learning rate 0.5": _loss(name, 1000),
            "that is a tenth of the way: 200 epochs, or learning rate 0.1": _loss(name, 200),
            "that is too far: 5000 epochs, not 2000": _loss(name, 5000),
        }
        verdicts.append(number(f"loss_{name}", answer, expected, slips, rtol=0.03))
    return together(*verdicts)


def product(W: object, b: object) -> Verdict:
    """Judge weights for the inputs x1, x2 and x1 x2, ex-product."""
    if missing := [name for name, given in (("W", W), ("b", b)) if is_open(given)]:
        return unattempted(*missing)
    weights, bias = array("W", W), one_number("b", b)
    if weights.shape != (3, 1):
        hint = ": it is transposed" if weights.shape == (1, 3) else ""
        return wrong(f"`W` has shape {weights.shape} where (3, 1) is needed{hint}.")
    X, Y = datasets.xor()
    Z: Array = np.column_stack([X, X[:, 0] * X[:, 1]]) @ weights + bias
    missed = [k for k in range(4) if (Z[k, 0] > 0) != (Y[k, 0] > 0.5) or Z[k, 0] == 0]
    if not missed:
        return right("All four answers are right.")
    lines = []
    for k in missed:
        side = "exactly at" if Z[k, 0] == 0 else "above" if Z[k, 0] > 0 else "below"
        point = f"({X[k, 0]:.0f}, {X[k, 1]:.0f})"
        lines.append(f"At {point} the answer is {side} 0.5, and the class is {Y[k, 0]:.0f}.")
    start = "`b` is what the network receives at (0, 0), so start with its sign."
    return wrong(*lines, *([start] if 0 in missed else []))


CHECKS: dict[str, Judge] = {"ex-guess": guess, "ex-and-or": and_or, "ex-product": product}
