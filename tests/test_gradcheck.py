"""The proof of a gradient: it must pass what is right, and fail what is wrong."""

from typing import NamedTuple

import numpy as np
import pytest

from labsupport import datasets, gradcheck, network
from labsupport.network import Network, Parameters, initialise

X, Y = datasets.xor()
NET = Network((2, 4, 1), "tanh")
START = initialise(NET, np.random.default_rng(4))


def loss(tensors):
    return network.loss_value(NET, Parameters.of(*tensors.values()), X, Y)


GRADIENT = network.loss_and_gradient(NET, START, X, Y)[1].named()


# Central difference


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3)])
def test_central_difference_of_a_cubic(shape):
    x = np.random.default_rng(1).normal(size=shape)
    before = x.copy()
    slope = gradcheck.central_difference(lambda x: float((x**3).sum()), x)
    assert slope.shape == shape
    np.testing.assert_allclose(slope, 3 * x**2, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(x, before)


def test_it_is_exact_for_a_quadratic_whatever_the_step():
    for h in (0.5, 2.0):
        assert gradcheck.central_difference(lambda x: float(x @ x), [3.0], h=h) == 6


def test_its_error_falls_with_the_square_of_the_step():
    errors = [
        abs(gradcheck.central_difference(lambda x: float(np.exp(x)), 0.0, h=h) - 1)
        for h in (1e-2, 1e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-4), (np.float64, 1e-9)])
@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [(np.exp, 0, 1), (np.exp, 1, np.e), (lambda x: 300 * np.sin(x / 300), 1000, np.cos(10 / 3))],
    ids=["exp at 0", "exp at 1", "sine at 1000"],
)
def test_the_default_step_suits_the_precision_and_the_place(dtype, tolerance, f, x, slope):
    """With the step of float64 in float32, or that of 0 at 1000, the error is above 1e-3."""
    ours = gradcheck.central_difference(f, np.array(x, dtype=dtype))
    assert ours.dtype == dtype
    assert ours == pytest.approx(slope, rel=tolerance)


def test_it_takes_two_evaluations_an_entry():
    calls = []
    gradcheck.central_difference(lambda x: calls.append(1) or 0.0, np.ones((2, 3)))
    assert len(calls) == 12


@pytest.mark.parametrize("h", [0, -1e-5, np.nan, np.inf])
def test_a_bad_step_is_refused(h):
    with pytest.raises(ValueError, match="h is .*; expected a finite number above 0"):
        gradcheck.central_difference(lambda x: 0.0, [1.0], h=h)


def test_a_step_too_small_to_change_x_is_refused():
    with pytest.raises(ValueError, match="h is 1e-20, too small to change x = 1 in float64"):
        gradcheck.central_difference(lambda x: 0.0, [0.0, 1.0], h=1e-20)


def test_a_place_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="x holds 1 NaN"):
        gradcheck.central_difference(lambda x: 0.0, [1.0, np.nan])


# Relative error


@pytest.mark.parametrize(
    ("one", "other", "error"),
    [
        ([1, 2], [1, 2], 0),
        ([1, 2], [-1, -2], 1),
        ([1, 2], [0, 0], 1),
        ([0, 0], [0, 0], 0),
        ([3.0], [1.0], 0.5),
        ([[3, 0], [0, 4]], [[3, 0], [0, 0]], 0.5),
    ],
)
def test_relative_error(one, other, error):
    assert gradcheck.relative_error(one, other) == error == gradcheck.relative_error(other, one)


def test_relative_error_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"shapes \(4, 1\) and \(4,\) differ"):
        gradcheck.relative_error(np.ones((4, 1)), np.ones(4))


# The check


class Four(NamedTuple):
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


def test_a_right_gradient_passes():
    result = gradcheck.check(loss, START.named(), GRADIENT)
    assert result.passed
    assert list(result.errors) == ["W1", "b1", "W2", "b2"]
    assert 0 < result.worst == max(result.errors.values()) < 1e-8
    assert str(result).splitlines() == [
        *(f"{name}: equal" for name in GRADIENT),
        "gradient check passed at tolerance 1e-07",
    ]


def test_it_takes_a_named_tuple_too():
    result = gradcheck.check(lambda t: loss(t._asdict()), Four(*START), Four(**GRADIENT))
    assert result.errors == gradcheck.check(loss, START.named(), GRADIENT).errors


@pytest.mark.parametrize("name", GRADIENT)
@pytest.mark.parametrize("factor", [1 + 1e-6, 0.25, 4, -1, 0])
def test_a_wrong_tensor_fails_and_is_named(name, factor):
    result = gradcheck.check(loss, START.named(), {**GRADIENT, name: factor * GRADIENT[name]})
    assert not result.passed
    assert [n for n, error in result.errors.items() if error > result.tolerance] == [name]
    assert result.worst == pytest.approx(abs(factor - 1) / (abs(factor) + 1), rel=0.01)
    assert f"{name}: relative error" in str(result)
    assert "gradient check FAILED" in str(result)


def test_the_tolerance_decides():
    wrong = {**GRADIENT, "W1": 1.002 * GRADIENT["W1"]}
    assert gradcheck.check(loss, START.named(), wrong, tolerance=1e-2).passed
    assert not gradcheck.check(loss, START.named(), wrong, tolerance=1e-4).passed


def test_it_changes_nothing():
    before = START.vector.copy()
    gradcheck.check(loss, START.named(), GRADIENT)
    np.testing.assert_array_equal(START.vector, before)


def test_a_loss_of_nan_never_passes():
    def only_first(tensors):
        return 0.0 if tensors["b"][0] == 0 else np.nan

    zeros = {"a": np.zeros(1), "b": np.zeros(1)}
    result = gradcheck.check(only_first, zeros, zeros)
    assert not result.passed
    assert np.isnan(result.worst)
    assert "b: relative error nan" in str(result)


@pytest.mark.parametrize(
    ("error", "tensors", "gradients", "message"),
    [
        (ValueError, {"W": [1.0]}, {"dW": [1.0]}, "tensors are W but gradients are dW; .*W1 here"),
        (ValueError, {"W": [1.0]}, {"W": [1.0, 2.0]}, "shapes .* differ"),
        (ValueError, {"W": [1.0]}, {"W": [np.nan]}, "gradient W holds 1 NaN"),
        (ValueError, {"W": [np.inf]}, {"W": [1.0]}, "tensor W holds 1 NaN or infinite"),
        (TypeError, {}, {}, "tensors is a dict; expected a dict or a NamedTuple"),
        (TypeError, [1.0], [1.0], r"tensors is a list; .*Parameters have \.named\(\)"),
        (TypeError, START, START, r"tensors is a Parameters; .*Parameters have \.named\(\)"),
        (TypeError, {"W": ["a"]}, {"W": [1.0]}, "tensor W has type .*expected real numbers"),
    ],
)
def test_bad_input(error, tensors, gradients, message):
    with pytest.raises(error, match=message):
        gradcheck.check(lambda t: 0.0, tensors, gradients)
