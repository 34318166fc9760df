"""Self-checks of :ref:`ch-aim`: one neuron, and what it cannot do."""

from __future__ import annotations

import numpy as np

from labsupport import datasets
from labsupport.checks import Array
from labsupport.feedback.answers import array, one_number
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import Judge, Verdict, is_open, right, unattempted, wrong

HARD = {(0, 1, 1, 0), (1, 0, 0, 1)}
"""The two tables of which no line has the ones on one side."""


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


def sixteen(hard: object) -> Verdict:
    """Judge which tables of two inputs one neuron does not learn, ex-sixteen."""
    if is_open(hard):
        return unattempted("hard")
    hard = list(hard) if isinstance(hard, set) else hard
    rows = np.atleast_2d(array("hard", hard, "biu", "a list of tables, such as [(0, 0, 0, 1)]"))
    if rows.shape[1:] != (4,) or not np.isin(rows, (0, 1)).all():
        return wrong(
            "Each table in `hard` has four entries, 0 or 1: the answers for the rows of X."
        )
    found = {tuple(map(int, row)) for row in rows}
    if easy := sorted(found - HARD):
        return wrong(
            f"{easy[0]} can be learned: a line has its ones on one side.",
            "Compare `neuron(w, b) > 0.5` with the table, and train to the end.",
        )
    if found < HARD:
        return wrong("Another one is as hard: what becomes of a table if you swap 0 and 1?")
    return right("These two, and no others.")


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


CHECKS: dict[str, Judge] = {"ex-guess": guess, "ex-sixteen": sixteen, "ex-product": product}
