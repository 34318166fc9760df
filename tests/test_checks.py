"""The checks on what a function is given."""

import numpy as np
import pytest

from labsupport import checks


@pytest.mark.parametrize(
    ("given", "dtype"),
    [([1, 2], np.float64), ([True], np.float64), (np.float32([0.5]), np.float32), (1.5, float)],
)
def test_finite_gives_floating_point(given, dtype):
    array = checks.finite(given, "X")
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.asarray(given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a"], "speeds has type .*; expected real numbers"),
        ([1j], "speeds has type .*; expected real numbers"),
        ([None], "speeds has type .*; expected real numbers"),
        ([np.nan, 1, np.nan], "speeds holds 2 NaN or infinite of 3 values"),
        ([-np.inf, 1, 2], "speeds holds 1 NaN or infinite of 3 values"),
    ],
)
def test_finite_refuses(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        checks.finite(given, "speeds")


def test_data_gives_both_back():
    X, Y = checks.data([[0, 1], [1, 1]], [[1], [0]], n_in=2, n_out=1)
    assert X.dtype == Y.dtype == np.float64
    np.testing.assert_array_equal(X, [[0, 1], [1, 1]])
    np.testing.assert_array_equal(Y, [[1], [0]])


@pytest.mark.parametrize(
    ("x_shape", "y_shape", "message"),
    [
        ((2, 4), (4, 1), r"X has shape \(2, 4\); expected \(m, 2\).*pass X\.T"),
        ((2,), (1, 1), r"X has shape \(2,\); expected \(m, 2\)"),
        ((0, 2), (0, 1), r"X has shape \(0, 2\).*at least one"),
        ((1, 4, 2), (4, 1), r"X has shape \(1, 4, 2\); expected \(m, 2\)"),
        ((4, 2), (4,), r"Y has shape \(4,\); expected \(4, 1\).*reshape\(-1, 1\)"),
        ((4, 2), (3, 1), r"Y has shape \(3, 1\); expected \(4, 1\)"),
    ],
)
def test_data_refuses_shapes_that_do_not_match(x_shape, y_shape, message):
    with pytest.raises(ValueError, match=message):
        checks.data(np.ones(x_shape), np.ones(y_shape), n_in=2, n_out=1)


@pytest.mark.parametrize(
    ("value", "below", "message"),
    [
        *((v, np.inf, "a finite number above 0") for v in (0, -1, np.nan, np.inf, [0.1, 0.0])),
        *((v, 1, "a number between 0 and 1") for v in (0, 1, -0.5, np.nan)),
        *((v, np.inf, "a number") for v in ("0.1", None, True, 1j)),
    ],
)
def test_positive_refuses(value, below, message):
    for fine in (1e-300, np.float32(0.5), [0.1, 0.999]):
        checks.positive(fine, "rate", below)
    with pytest.raises((ValueError, TypeError), match=rf"rate is .*; expected {message}\."):
        checks.positive(value, "rate", below)


@pytest.mark.parametrize("value", [-1, 4, 1.0, "1"])
def test_whole_refuses(value):
    for fine in (0, 3, np.int8(2)):
        checks.whole(fine, "runs", 0, 3)
    with pytest.raises(ValueError, match="runs is .*; expected a whole number from 0 to 3"):
        checks.whole(value, "runs", 0, 3)
