"""The self-checks of chapter 10: the right answers pass, each slip gets its own hint."""

import numpy as np
import pytest
from scipy.stats import binomtest

from labsupport import network
from labsupport.feedback.exercises.when_training_lies import auditor, mse_levels, restarts


def fits(losses, net, start, end, X, Y):
    ends = [network.loss_value(net, P, X, Y) for P in (start, end)]
    return np.allclose([losses[0], losses[-1]], ends, rtol=1e-6) and np.isfinite(losses).all()


NEEDED = np.log(0.01) / np.log1p(-binomtest(53, 200).proportion_ci(method="wilson").low)


def test_not_attempted():
    assert restarts(...).status == "open"
    assert mse_levels(..., ..., ...).status == "open"
    assert auditor(...).status == "open"

    def empty(losses, net, start, end, X, Y): ...

    assert auditor(empty).status == "open"


def test_right_answers():
    assert restarts(20).passed
    assert restarts(np.array([20.0])).passed
    assert mse_levels(0.25, 1 / 6, 0.125).passed
    assert mse_levels(0.25, 0.1667, 0.125).passed
    assert auditor(fits).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (19, "round up"),
        (NEEDED, "whole number"),
        (15, "observed rate"),
        (12, "upper end"),
        (13, "95 %"),
        (5, "on average"),
        (21, "too large"),
    ],
)
def test_slips_in_the_number_of_starts(answer, hint):
    verdict = restarts(answer)
    assert verdict.status == "wrong" and hint in str(verdict)
    assert "20" not in str(verdict)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0.6931, 1 / 6, 0.125), "cross-entropy"),
        ((0.25, 2 / 9, 0.125), "over all four"),
        ((0.25, 0.4774, 0.125), "cross-entropy"),
        ((0.25, 3 / 16, 0.125), "1/3 or 2/3"),
        ((0.25, 1 / 6, 0.25), "over all four"),
        ((0.25, 1 / 6, 0.3466), "cross-entropy"),
        ((0.125, 1 / 6, 0.125), "factor 2"),
    ],
)
def test_slips_in_the_levels(answer, hint):
    verdict = mse_levels(*answer)
    assert verdict.status == "wrong" and hint in str(verdict)


def only_first(losses, net, start, end, X, Y):
    return bool(np.isclose(losses[0], network.loss_value(net, start, X, Y), rtol=1e-6))


def only_last(losses, net, start, end, X, Y):
    return bool(np.isclose(losses[-1], network.loss_value(net, end, X, Y), rtol=1e-6))


def no_nan_check(losses, net, start, end, X, Y):
    return only_first(losses, net, start, end, X, Y) and only_last(losses, net, start, end, X, Y)


def no_infinity_check(*given):
    return no_nan_check(*given) and not np.isnan(given[0]).any()


def too_lenient(losses, net, start, end, X, Y):
    ends = [network.loss_value(net, P, X, Y) for P in (start, end)]
    return np.allclose([losses[0], losses[-1]], ends, rtol=1e-2) and np.isfinite(losses).all()


def too_strict(losses, net, start, end, X, Y):
    ends = [network.loss_value(net, P, X, Y) for P in (start, end)]
    return bool(losses[0] == ends[0] and losses[-1] == ends[1])


def swapped(losses, net, start, end, X, Y):
    return fits(losses, net, end, start, X, Y)


def touches(losses, net, start, end, X, Y):
    start.vector[:] = 0
    return True


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (only_first, "True to a curve with a nan"),
        (no_nan_check, "nan in it"),
        (no_infinity_check, "infinite loss"),
        (too_lenient, "off by 1e-4"),
        (too_strict, "False to a true curve with a rounding"),
        (swapped, "False to a true curve"),
        (lambda *given: True, "nan"),
        (lambda *given: False, "False to a true curve"),
        (touches, "must not touch"),
        (lambda *given: "yes", "expected True or False"),
        (lambda *given: np.array([True, True]), "expected True or False"),
        (lambda losses: True, "TypeError"),
        (3, "expected a function"),
    ],
)
def test_slips_of_an_auditor(wrong, hint):
    verdict = auditor(wrong)
    assert verdict.status == "wrong" and hint in str(verdict)


@pytest.mark.parametrize(
    ("careless", "hint"), [(only_first, "ends at another model"), (only_last, "second training")]
)
def test_an_auditor_of_one_end(careless, hint):
    """With the check of nan in place, the end that is not looked at is what remains."""
    verdict = auditor(lambda *given: careless(*given) and bool(np.isfinite(given[0]).all()))
    assert verdict.status == "wrong" and hint in str(verdict)
