"""Measured slopes: each formula has its order, and says when it cannot work."""

import numpy as np
import pytest

from labsupport.activations import ACTIVATIONS, activation
from labsupport.gradcheck import differences


def sine(x):
    return np.sin(x).sum()


X = np.random.default_rng(1).normal(size=(2, 3))
TAKES_A_STEP = [
    differences.forward_difference,
    differences.central_difference,
    differences.complex_step,
]


@pytest.mark.parametrize(
    ("formula", "error"), list(zip(TAKES_A_STEP, [1e-7, 1e-9, 1e-15], strict=True))
)
def test_slope_of_a_sine(formula, error):
    before = X.copy()
    slope = formula(sine, X)
    assert slope.shape == X.shape
    np.testing.assert_allclose(slope, np.cos(X), atol=error)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(("formula", "order"), list(zip(TAKES_A_STEP, [1, 2, 2], strict=True)))
def test_order(formula, order):
    far, near = (np.abs(formula(sine, X, h=h) - np.cos(X)) for h in (1e-2, 1e-3))
    np.testing.assert_allclose(np.log10(far / near), order, atol=0.05)


@pytest.mark.parametrize(("formula", "calls"), list(zip(TAKES_A_STEP, [7, 12, 6], strict=True)))
def test_evaluations(formula, calls):
    seen = []
    formula(lambda x: seen.append(1) or sine(x), X)
    assert len(seen) == calls


@pytest.mark.parametrize(
    ("formula", "error"), list(zip(TAKES_A_STEP, [5e-3, 5e-4, 2e-7], strict=True))
)
def test_float32_stays_float32(formula, error):
    slope = formula(sine, X.astype(np.float32))
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, np.cos(X), atol=error)


@pytest.mark.parametrize("formula", TAKES_A_STEP)
@pytest.mark.parametrize("h", [0, -1e-5, np.nan, np.inf])
def test_a_bad_step_is_refused(formula, h):
    with pytest.raises(ValueError, match="h is .*; expected a finite number above 0"):
        formula(sine, X, h=h)


@pytest.mark.parametrize("formula", TAKES_A_STEP[:2])
def test_a_step_too_small_to_change_x_is_refused(formula):
    with pytest.raises(ValueError, match="h is 1e-20, too small to change x = 1 in float64"):
        formula(sine, [0.0, 1.0], h=1e-20)


@pytest.mark.parametrize("formula", TAKES_A_STEP)
def test_a_place_that_is_not_finite_is_refused(formula):
    with pytest.raises(ValueError, match="x holds 1 NaN"):
        formula(sine, [1.0, np.nan])


# Complex step


@pytest.mark.parametrize("h", [1e-10, 1e-20, 1e-100, 1e-200])
def test_the_complex_step_may_be_as_small_as_it_likes(h):
    np.testing.assert_allclose(differences.complex_step(sine, X, h), np.cos(X), rtol=1e-15)


@pytest.mark.parametrize("f", [lambda x: np.abs(x).sum(), lambda x: float(x.real.sum())])
def test_a_function_that_drops_the_imaginary_part_is_refused(f):
    with pytest.raises(TypeError, match="expected a complex number.*abs, float"):
        differences.complex_step(f, X)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_activation_takes_the_complex_step(name, dtype):
    g = activation(name)
    Z = np.array([-800, -30, -3, -1e-3, 1e-3, 0.7, 3, 30, 800], dtype=dtype)
    slope = differences.complex_step(lambda Z: g.value(Z).sum(), Z)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(slope, g.derivative(Z, g.value(Z)), rtol=8 * eps, atol=eps)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_complex_value_has_the_real_one_as_its_real_part(name):
    g = activation(name)
    Z = np.linspace(-30, 30, 41)
    np.testing.assert_allclose(g.value(Z + 1e-20j).real, g.value(Z), rtol=1e-14, atol=1e-15)


# One-sided slopes


def test_at_a_kink_the_sides_stay_apart():
    for h in (1e-1, 1e-5, 1e-9):
        assert differences.one_sided(lambda x: abs(x[0]), np.zeros(2), (0,), h) == (-1, 1)


def test_in_a_smooth_function_they_meet():
    x = np.array([0.5, 1.0])
    for h in (1e-2, 1e-3):
        left, right = differences.one_sided(lambda x: x[1] ** 3, x, (1,), h)
        assert right - left == pytest.approx(6 * h, rel=1e-3)
    np.testing.assert_array_equal(x, [0.5, 1.0])


def test_the_loss_may_read_the_very_array_that_it_is_given():
    x = np.array([0.5])
    assert differences.one_sided(lambda t: float(t @ x), x, (0,), 1e-3) == pytest.approx((0.5, 0.5))


# Taylor


def cubes(x):
    return float((x**3).sum())


G = 3 * X**2
V = np.random.default_rng(2).normal(size=X.shape)


def test_order_2_for_a_right_gradient():
    result = differences.taylor(cubes, X, G, V)
    assert result.order == pytest.approx(2, abs=0.02)
    assert result.passed
    np.testing.assert_allclose(result.orders[1:4], 2, atol=0.02)
    assert result.slope == pytest.approx((G * V).sum())


@pytest.mark.parametrize("slip", [-2, -1, 1e-1, 1e-3, 1e-4])
@pytest.mark.parametrize("entry", [(0, 0), (1, 2)])
def test_order_1_for_a_wrong_entry(slip, entry):
    wrong = G.copy()
    wrong[entry] *= 1 + slip
    result = differences.taylor(cubes, X, wrong, V)
    assert result.order < 1.9
    assert not result.passed


def test_order_1_at_a_kink():
    result = differences.taylor(lambda x: abs(x[0]) + x[1] ** 2, [0.0, 1.0], [0.0, 2.0], [1.0, 1.0])
    assert result.order == pytest.approx(1, abs=0.01)
    assert not result.passed


def test_what_rounding_makes_has_no_order():
    """A linear function has no remainder: nothing can be said."""
    result = differences.taylor(lambda x: float(3 * x[0]), [0.5], [3.0], [1.0])
    assert np.isnan(result.order)
    assert not result.passed


def test_a_slope_of_0_shows_nothing():
    result = differences.taylor(lambda x: float(x @ x), np.zeros(2), np.zeros(2), np.ones(2))
    assert result.order == pytest.approx(2)
    assert not result.passed


@pytest.mark.parametrize(
    ("gradient", "direction", "steps", "message"),
    [
        (G[0], V, [1e-1, 1e-2], r"shapes \(2, 3\), \(3,\) and \(2, 3\); expected three times"),
        (G, V.T, [1e-1, 1e-2], "expected three times the same"),
        (G, V, [1e-2, 1e-1], "expected at least two, falling, all above 0"),
        (G, V, [1e-2], "at least two"),
        (G, V, [1e-2, 0.0], "all above 0"),
        (np.nan * G, V, [1e-1, 1e-2], "gradient holds 6 NaN"),
    ],
)
def test_bad_taylor(gradient, direction, steps, message):
    with pytest.raises(ValueError, match=message):
        differences.taylor(cubes, X, gradient, direction, steps)
