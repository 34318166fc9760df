"""The self-checks of chapter 7: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest

from labsupport import feedback

P3, A3 = 0.776025, np.tanh(-0.5)  # output and second hidden unit of the third sample
D3 = P3 - 1


def nothing(*args): ...


def passed(label, *answers):
    return feedback.check(label, *answers).passed


def hinted(verdict, hint):
    return verdict.status == "wrong" and hint in str(verdict)


def slope(D1, W1):
    return D1 @ W1.T


def columns(W2, X, A1, P, Y, m=None, slope=None, axis=1, keep=True):
    D2 = (P - Y) / (m(X) if m else X.shape[1])
    D1 = (W2.T @ D2) * (slope(A1) if slope else 1 - A1**2)
    b1, b2 = (D.sum(axis=axis, keepdims=keep) for D in (D1, D2))
    return D1 @ X.T, b1, D2 @ A1.T, b2


def total(W, b, Z, D, dW, db):
    return np.vdot(W, dW) + np.vdot(b, db) - np.vdot(Z, D)


def test_right_answers():
    assert passed("ex-by-hand", round(D3, 4), round(-0.5 * D3 * (1 - A3**2), 4))
    assert passed("ex-input-gradient", slope)
    assert passed("ex-input-gradient", lambda D, W: np.einsum("sj,ij->si", D, W))
    assert passed("ex-columns", columns)
    assert passed("ex-columns", lambda *given: columns(*given, keep=False))
    assert passed("ex-checksum", total, {2, 1})
    assert passed("ex-checksum", total, [1, 2])


def test_not_attempted():
    assert feedback.check("ex-by-hand", ..., ...).status == "open"
    assert feedback.check("ex-input-gradient", nothing).status == "open"
    assert feedback.check("ex-columns", nothing).status == "open"
    assert feedback.check("ex-checksum", nothing, set()).status == "open"
    assert feedback.check("ex-checksum", total, set()).status == "open"


@pytest.mark.parametrize(
    ("delta", "entry", "hint"),
    [
        (D3 / 4, 0.088, "`delta`: that is its row in the batch of four"),
        (-D3, 0.088, "`delta`: it has the wrong sign"),
        (1.242653 - 1, 0.088, "`delta`: the target is subtracted from the logit"),
        (D3 * P3 * (1 - P3), 0.088, "`delta`: there is a derivative of the sigmoid too many"),
        (D3, -0.5 * D3, "`entry`: the factor g' is missing"),
        (D3, -0.5 * D3 * (1 - A3**2) / 4, "`entry`: that is its row"),
        (D3, -0.5 * D3 * (1 - np.tanh(A3) ** 2), "`entry`: g' is that of the activation"),
        (D3, D3 * (1 - A3**2), "`entry`: the weight into the output is missing"),
        (D3, D3 * (1 - np.tanh(1) ** 2), "`entry`: that is the first hidden unit"),
    ],
)
def test_slips_by_hand(delta, entry, hint):
    assert hinted(feedback.check("ex-by-hand", delta, entry), hint)


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (lambda D, W: W @ D.T, "it is transposed"),
        (lambda D, W: D @ W, "stopped with ValueError"),
        (lambda D, W: (D @ W.T).sum(axis=0), "has shape (3,) where (5, 3) is needed"),
        (lambda D, W: D @ W.T / len(D), "the 1/m is in D1 already"),
        (lambda D, W: -D @ W.T, "wrong sign"),
        (lambda D, W: D @ W.T * (1 - np.tanh(D @ W.T) ** 2), "no g' belongs here"),
    ],
)
def test_slips_of_the_input(slip, hint):
    assert hinted(feedback.check("ex-input-gradient", slip), hint)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"m": len}, "`len(X)` counts the inputs"),
        ({"m": lambda X: 1}, "the 1/m is missing"),
        ({"slope": np.ones_like}, "g' is missing"),
        ({"slope": lambda A: A * (1 - A)}, "Right already: `dW2`, `db2`"),
        ({"axis": 0}, "summed over the units"),
    ],
)
def test_slips_in_columns(change, hint):
    wrong = feedback.check("ex-columns", lambda *given: columns(*given, **change))
    assert hinted(wrong, hint)


def test_rows_in_place_of_columns():
    def transposed(*given):
        return [gradient.T for gradient in columns(*given)]

    assert hinted(feedback.check("ex-columns", transposed), "transposed")


@pytest.mark.parametrize(
    ("function", "blind_to", "hint"),
    [
        (lambda *v: -total(*v), {1, 2}, "the sign"),
        (lambda *v: abs(total(*v)), {1, 2}, "not its size"),
        (lambda W, b, Z, D, dW, db: np.vdot(W, dW) - np.vdot(Z, D), {1, 2}, "part of the bias"),
        (lambda W, b, Z, D, dW, db: np.vdot(W, dW) + np.vdot(b, db), {1, 2}, "the right side"),
        (total, {1}, "lacks an equation"),
        (total, 2, "lacks an equation"),
        (total, {1, 2, 4}, "the proof of the checksum uses"),
        (total, {3, 4}, "the proof of the checksum uses"),
        (total, {5}, "numbers from 1 to 4"),
        (total, "none", "numbers from 1 to 4"),
    ],
)
def test_slips_of_the_checksum(function, blind_to, hint):
    assert hinted(feedback.check("ex-checksum", function, blind_to), hint)
