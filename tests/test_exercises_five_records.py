"""The self-checks of chapter 16: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest

from labsupport import datasets, network, records
from labsupport.feedback.exercises import five_records
from labsupport.feedback.exercises.five_records import place, second_training, smallest_margin

X, Y = datasets.xor()
NET = records.RECORDS["xor-module"].network


def initial_loss(letter):
    return float(network.loss_value(NET, five_records.two_curves()[letter].initial, X, Y))


def test_not_attempted():
    assert second_training(..., ...).status == "open"
    assert second_training("A", ...).status == "open"
    assert place(...).status == "open"
    assert smallest_margin(...).status == "open"

    def empty(P, Y): ...

    assert "Write `margin`" in str(smallest_margin(empty))


def test_the_curves_are_what_the_exercise_says():
    curves = five_records.two_curves()
    assert np.isclose(curves["B"].loss[0], initial_loss("B"), rtol=1e-12)
    assert curves["A"].loss[0] < initial_loss("A") - 0.01
    assert curves["A"].loss[0] > curves["B"].loss[0]  # so that to begin low says nothing
    for curve in curves.values():
        assert len(curve.epoch) == len(curve.loss) and curve.epoch[0] == 0


def test_right_answers():
    assert second_training("A", initial_loss("A")).passed
    assert second_training("A", np.array([round(initial_loss("A"), 4)])).passed
    assert place(40).passed
    assert place(40.5).passed
    assert smallest_margin(lambda P, Y: ((P - 0.5) * (2 * Y - 1)).min()).passed
    assert smallest_margin(lambda P, Y: 0.5 - abs(P - Y).max()).passed


@pytest.mark.parametrize(
    ("second", "first_loss", "hint"),
    [
        ("B", initial_loss("A"), "begins at the loss of its initial parameters"),
        ("a", initial_loss("A"), "expected one of the letters A, B"),
        ("A", initial_loss("B"), "belongs to the other curve"),
        ("A", float(five_records.two_curves()["A"].loss[0]), "where the curve begins"),
        ("A", 0.5, "too large"),
    ],
)
def test_slips_about_the_curves(second, first_loss, hint):
    verdict = second_training(second, first_loss)
    assert verdict.status == "wrong" and hint in str(verdict)
    assert f"{initial_loss('A'):.3f}" not in str(verdict)


@pytest.mark.parametrize(
    ("lower", "hint"),
    [
        (160, "above it"),
        (73, "epoch 5000"),
        (0.2, "the number of starts is asked for"),
        (80, "at the first epoch"),
        (55, "too large"),
        (12, "too small"),
    ],
)
def test_slips_in_the_place(lower, hint):
    verdict = place(lower)
    assert verdict.status == "wrong" and hint in str(verdict)


def side(Y):
    return np.where(Y > 0.5, 1, -1)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda P, Y: abs(P - 0.5).min(), "Give it a minus"),
        (lambda P, Y: ((P - 0.5) * side(Y)).mean(), "not the mean"),
        (lambda P, Y: ((P - 0.5) * side(Y)).max(), "take the worst"),
        (lambda P, Y: (1 - abs(P - Y)).min(), "from the wrong end"),
        (lambda P, Y: ((0.5 - P) * side(Y)).max(), "wrong sign"),
        (lambda P, Y: abs(P - Y).max(), "is not the distance from 0.5"),
        (lambda P, Y: ((P - 0.5) * Y).min(), "try P = 0.4 with Y = 1"),
        (lambda P, Y: (P - 0.5) * side(Y), "expected one number"),
        (lambda P, Y: P @ Y, "stopped with ValueError"),
        (lambda P, Y: print(end=""), "gives None"),
    ],
)
def test_slips_in_the_margin(function, hint):
    verdict = smallest_margin(function)
    assert verdict.status == "wrong" and hint in str(verdict)
