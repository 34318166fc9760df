"""The checks on what a function is given."""

import numpy as np
import pytest

from labsupport import checks


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ([1, 2], np.float64),
        ([True, False], np.float64),
        (np.uint8([3]), np.float64),
        (np.float32([0.5]), np.float32),
        (1.5, np.float64),
    ],
)
def test_finite_gives_floating_point(given, dtype):
    array = checks.finite(given, "X")
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.asarray(given))


@pytest.mark.parametrize("given", [["a"], [1j], [None], [object()]])
def test_finite_refuses_what_is_not_a_number(given):
    with pytest.raises(TypeError, match=r"speeds has type .*; expected real numbers. Convert"):
        checks.finite(given, "speeds")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finite_counts_the_bad_values(bad):
    with pytest.raises(ValueError, match=r"X holds 2 NaN or infinite of 3 values; expected finite"):
        checks.finite([bad, 1, bad], "X")


def test_data_gives_both_back():
    X, Y = checks.data([[0, 1], [1, 1]], [[1], [0]], n_in=2, n_out=1)
    assert X.dtype == Y.dtype == np.float64
    np.testing.assert_array_equal(X, [[0, 1], [1, 1]])
    np.testing.assert_array_equal(Y, [[1], [0]])


@pytest.mark.parametrize(
    ("X", "Y", "message"),
    [
        (np.ones((2, 4)), np.ones((4, 1)), r"X has shape \(2, 4\); expected \(m, 2\).*pass X\.T"),
        (np.ones(2), np.ones((1, 1)), r"X has shape \(2,\); expected \(m, 2\)"),
        (np.ones((0, 2)), np.ones((0, 1)), r"X has shape \(0, 2\).*at least one"),
        (np.ones((1, 4, 2)), np.ones((4, 1)), r"X has shape \(1, 4, 2\); expected \(m, 2\)"),
        (np.ones((4, 2)), np.ones(4), r"Y has shape \(4,\); expected \(4, 1\).*reshape\(-1, 1\)"),
        (np.ones((4, 2)), np.ones((3, 1)), r"Y has shape \(3, 1\); expected \(4, 1\)"),
        (np.ones((4, 2)), np.full((4, 1), np.nan), "Y holds 4 NaN"),
        (np.full((4, 2), np.inf), np.ones((4, 1)), "X holds 8 NaN or infinite"),
    ],
)
def test_data_refuses_shapes_that_do_not_match(X, Y, message):
    with pytest.raises(ValueError, match=message):
        checks.data(X, Y, n_in=2, n_out=1)


@pytest.mark.parametrize("value", [1, 1e-300, np.float32(3), [0.1, 2.0], np.array([5])])
def test_positive_accepts(value):
    checks.positive(value, "rate")


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, -np.inf, [0.1, 0.0], [1.0, np.nan]])
def test_positive_refuses(value):
    with pytest.raises(ValueError, match=r"rate is .*; expected a finite number above 0\."):
        checks.positive(value, "rate")


@pytest.mark.parametrize("value", [0, 1, 1.5, -0.5, np.nan])
def test_positive_has_an_upper_limit(value):
    checks.positive(0.999, "c", below=1)
    with pytest.raises(ValueError, match=r"c is .*; expected a number between 0 and 1\."):
        checks.positive(value, "c", below=1)


@pytest.mark.parametrize("value", ["0.1", None, True, 1j])
def test_positive_refuses_what_is_not_a_number(value):
    with pytest.raises(TypeError, match=r"rate is .*; expected a number"):
        checks.positive(value, "rate")
