"""Measured slopes: each formula has its order, and says when it cannot work."""

import numpy as np
import pytest

from labsupport.activations import ACTIVATIONS, activation
from labsupport.gradcheck.differences import (
    central_difference,
    complex_step,
    forward_difference,
    one_sided,
    taylor,
)


def sine(x):
    return np.sin(x).sum()


X = np.random.default_rng(1).normal(size=(2, 3))
FORMULAS = [forward_difference, central_difference, complex_step]


@pytest.mark.parametrize(
    ("formula", "errors", "order", "evaluations"),
    [
        (forward_difference, (1e-7, 5e-3), 1, 7),
        (central_difference, (1e-9, 5e-4), 2, 12),
        (complex_step, (1e-15, 2e-7), 2, 6),
    ],
)
def test_slope_of_a_sine(formula, errors, order, evaluations):
    for dtype, error in zip((np.float64, np.float32), errors, strict=True):
        x, calls = X.astype(dtype), []
        slope = formula(lambda x: calls.append(1) or sine(x), x)  # noqa: B023
        assert slope.dtype == dtype and len(calls) == evaluations
        np.testing.assert_allclose(slope, np.cos(X), atol=error)
        np.testing.assert_array_equal(x, X.astype(dtype))
    for place in (0.3, [0.3, 1.0], np.ones((2, 1, 3))):
        assert formula(sine, place).shape == np.shape(place)
    far, near = (np.abs(formula(sine, X, h=h) - np.cos(X)) for h in (1e-2, 1e-3))
    np.testing.assert_allclose(np.log10(far / near), order, atol=0.05)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-4), (np.float64, 1e-9)])
@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [(np.exp, 0, 1), (np.exp, 1, np.e), (lambda x: 300 * np.sin(x / 300), 1000, np.cos(10 / 3))],
)
def test_the_default_step_suits_the_precision_and_the_place(dtype, tolerance, f, x, slope):
    """With the step of float64 in float32, or that of 0 at 1000, the error is above 1e-3."""
    ours = central_difference(f, np.array(x, dtype=dtype))
    assert ours == pytest.approx(slope, rel=tolerance)


@pytest.mark.parametrize("formula", FORMULAS)
def test_bad_input(formula):
    for h in (0, -1e-5, np.nan, np.inf):
        with pytest.raises(ValueError, match="h is .*; expected a finite number above 0"):
            formula(sine, X, h=h)
    with pytest.raises(ValueError, match="x holds 1 NaN"):
        formula(sine, [1.0, np.nan])
    if formula is not complex_step:
        with pytest.raises(ValueError, match="h is 1e-20, too small to change x = 1 in float64"):
            formula(sine, [0.0, 1.0], h=1e-20)


# Complex step


@pytest.mark.parametrize("h", [1e-10, 1e-200])
def test_the_complex_step_may_be_as_small_as_it_likes(h):
    np.testing.assert_allclose(complex_step(sine, X, h), np.cos(X), rtol=1e-15)


@pytest.mark.parametrize("f", [lambda x: np.abs(x).sum(), lambda x: float(x.real.sum())])
def test_a_function_that_drops_the_imaginary_part_is_refused(f):
    with pytest.raises(TypeError, match="expected a complex number.*abs, float"):
        complex_step(f, X)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_activation_takes_the_complex_step(name, dtype):
    g, eps = activation(name), np.finfo(dtype).eps
    Z = np.array([-800, -30, -3, -1e-3, 1e-3, 0.7, 3, 30, 800], dtype=dtype)
    slope = complex_step(lambda Z: g.value(Z).sum(), Z)
    np.testing.assert_allclose(slope, g.derivative(Z, g.value(Z)), rtol=8 * eps, atol=eps)
    np.testing.assert_allclose(g.value(Z + 1e-20j).real, g.value(Z), rtol=8 * eps, atol=eps)


# One-sided slopes


def test_at_a_kink_the_sides_stay_apart():
    for h in (1e-1, 1e-5, 1e-9):
        assert one_sided(lambda x: abs(x[0]), np.zeros(2), (0,), h) == (-1, 1)


def test_in_a_smooth_function_they_meet():
    x = np.array([0.5, 1.0])
    for h in (1e-2, 1e-3):
        left, right = one_sided(lambda x: x[1] ** 3, x, (1,), h)
        assert right - left == pytest.approx(6 * h, rel=1e-3)
    np.testing.assert_array_equal(x, [0.5, 1.0])


def test_the_loss_may_read_the_very_array_that_it_is_given():
    x = np.array([0.5])
    assert one_sided(lambda t: float(t @ x), x, (0,), 1e-3) == pytest.approx((0.5, 0.5))


# Taylor


def cubes(x):
    return float((x**3).sum())


G = 3 * X**2
V = np.random.default_rng(2).normal(size=X.shape)


def test_order_2_for_a_right_gradient():
    result = taylor(cubes, X, G, V)
    assert result.order == pytest.approx(2, abs=0.02)
    assert result.passed
    np.testing.assert_allclose(result.orders[1:4], 2, atol=0.02)
    assert result.slope == pytest.approx((G * V).sum())


@pytest.mark.parametrize("slip", [-2, 1e-1, 1e-4])
@pytest.mark.parametrize("entry", [(0, 0), (1, 2)])
def test_a_wrong_entry_fails(slip, entry):
    wrong = G.copy()
    wrong[entry] *= 1 + slip
    result = taylor(cubes, X, wrong, V)
    assert result.order < 1.9
    assert not result.passed


@pytest.mark.parametrize(
    ("f", "x", "gradient", "direction", "order"),
    [
        (lambda x: abs(x[0]) + x[1] ** 2, [0, 1], [0, 2], [1, 1], 1),  # a kink
        (lambda x: 3 * x[0], [0.5], [3], [1], np.nan),  # no remainder: nothing can be said
        (lambda x: x @ x, [0, 0], [0, 0], [1, 1], 2),  # a slope of 0 shows nothing
    ],
)
def test_what_proves_nothing_does_not_pass(f, x, gradient, direction, order):
    result = taylor(lambda x: float(f(x)), x, gradient, direction)
    assert result.order == pytest.approx(order, abs=0.01, nan_ok=True)
    assert not result.passed


@pytest.mark.parametrize(
    ("gradient", "direction", "steps", "message"),
    [
        (G[0], V, [1e-1, 1e-2], r"shapes \(2, 3\), \(3,\) and \(2, 3\); expected three times"),
        (G, V.T, [1e-1, 1e-2], "expected three times the same"),
        (G, V, [1e-2, 1e-1], "expected at least two, falling, all above 0"),
        (G, V, [1e-2], "expected at least two, falling, all above 0"),
        (G, V, [1e-2, 0.0], "expected at least two, falling, all above 0"),
        (np.nan * G, V, [1e-1, 1e-2], "gradient holds 6 NaN"),
    ],
)
def test_bad_taylor(gradient, direction, steps, message):
    with pytest.raises(ValueError, match=message):
        taylor(cubes, X, gradient, direction, steps)
