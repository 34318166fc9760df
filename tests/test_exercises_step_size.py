"""The self-checks of chapter 12: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest

from labsupport import network
from labsupport.feedback.exercises import step_size
from labsupport.feedback.exercises.step_size import leave_edge, sharp_bound, units

NET = network.Network((2, 8, 1), hidden="tanh", output="identity", loss="mse")
STARTS = network.initialise(NET, np.random.default_rng(1), "pytorch", runs=8).vector


def test_not_attempted():
    assert sharp_bound(...).status == "open"
    assert units(..., ...).status == "open"
    assert leave_edge(..., STARTS).status == "open"


def test_right_answers():
    assert sharp_bound(1).passed
    assert sharp_bound(1.001).passed
    assert units(35.69, 1628).passed
    assert units(np.array([[35.694]]), 1627.0).passed


@pytest.mark.parametrize(
    ("share", "hint"),
    [
        (4.196, "with the true labels"),
        (5.79, "divide it by 2/L"),
        (2.0, "in units of 1/L"),
        (0.97, "too small"),
        (1.16, "too large"),
    ],
)
def test_slips_in_the_share(share, hint):
    verdict = sharp_bound(share)
    assert verdict.status == "wrong" and hint in str(verdict)


@pytest.mark.parametrize(
    ("kappa", "hint"),
    [
        (3.1595, "in centimetres"),
        (1 / 35.6937, "its inverse"),
        (35.2, "too small"),
    ],
)
def test_slips_in_the_condition_number(kappa, hint):
    verdict = units(kappa, 1628)
    assert verdict.status == "wrong" and hint in str(verdict)


@pytest.mark.parametrize(
    ("steps", "hint"),
    [(60, "in centimetres"), (1600, "too small"), (1640, "too large")],
)
def test_slips_in_the_count_of_steps(steps, hint):
    verdict = units(35.694, steps)
    assert verdict.status == "wrong" and hint in str(verdict)


def test_one_answer_may_be_open():
    assert units(35.694, ...).status == "open"
    assert units(3.0, ...).status == "wrong"


def test_the_edge(monkeypatch):
    """Eight of eight in the real runs; here with a stand-in, so that each count has a meaning."""
    peak, end = np.full(8, 2.0), np.array([0.5, 0.6, 0.7, 1.5, 1.6, 1.8, 1.95, 2.0])
    monkeypatch.setattr(step_size, "_sharpness_of_cross_entropy", lambda starts: (peak, end))
    assert leave_edge(6, STARTS).passed
    assert "do not fall back" in str(leave_edge(2, STARTS))
    assert "below half" in str(leave_edge(3, STARTS))
    assert leave_edge(5, STARTS).status == leave_edge(7, STARTS).status == "wrong"


def test_the_edge_as_it_is():
    assert leave_edge(8, STARTS).passed
    assert leave_edge(7, STARTS).status == "wrong"
