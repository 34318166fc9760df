"""XOR, two moons as the record made them, and digits in three parts."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from labsupport import datasets


def test_xor():
    X, Y = datasets.xor()
    assert X.dtype == Y.dtype == np.float64
    np.testing.assert_array_equal(X, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(Y, [[0], [1], [1], [0]])


RECORD = {"samples": 500, "noise": 0.2, "test": 0.2, "seed": 42}


@pytest.mark.parametrize("given", [{}, {"samples": 60, "noise": 0.0, "test": 0.25, "seed": 3}])
def test_moons_is_the_construction_of_the_record(given):
    samples, noise, test, seed = (RECORD | given).values()
    X, y = make_moons(n_samples=samples, noise=noise, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test, random_state=seed)
    scaler = StandardScaler().fit(X_train)
    expected = scaler.transform(X_train), y_train, scaler.transform(X_test), y_test
    for ours, theirs in zip(datasets.moons(**given), expected, strict=True):
        assert ours.dtype == np.float64 and ours.ndim == 2
        np.testing.assert_array_equal(ours.reshape(theirs.shape), theirs)


@pytest.mark.parametrize("bad", [{"noise": -1.0}, {"test": 1.5}, {"samples": -3}])
def test_moons_refuses_bad_settings(bad):
    with pytest.raises(ValueError, match="must be"):
        datasets.moons(**bad)


def test_digits_are_all_images_once_each_with_its_own_class():
    parts = datasets.digits(np.random.default_rng(3), validation=200, test=100)
    assert [len(part) for part in parts] == [1497, 1497, 200, 200, 100, 100]
    X, Y = np.vstack(parts[::2]), np.vstack(parts[1::2])
    assert X.dtype == Y.dtype == np.float64
    np.testing.assert_array_equal(np.unique(Y), [0, 1])
    np.testing.assert_array_equal(Y.sum(axis=1), 1)
    found = load_digits()
    scale = 16 / np.ptp(X)  # the same shift and scale for every pixel
    pixels = np.rint((X - X.min()) * scale)
    np.testing.assert_allclose((X - X.min()) * scale, pixels, atol=1e-9)
    ours = np.column_stack([pixels, Y.argmax(axis=1)])
    theirs = np.column_stack([found.data, found.target])
    np.testing.assert_array_equal(*(np.array(sorted(map(tuple, a))) for a in (ours, theirs)))


def test_digits_are_scaled_by_the_training_part_only():
    parts = datasets.digits(np.random.default_rng(3))
    assert abs(parts.X_train.mean()) < 1e-12 and abs(parts.X_train.std() - 1) < 1e-12
    assert abs(parts.X_test.mean()) > 1e-4 and abs(parts.X_test.std() - 1) > 1e-4


def test_digits_are_drawn_by_the_generator():
    one, same, other = (datasets.digits(np.random.default_rng(k)) for k in (1, 1, 2))
    np.testing.assert_array_equal(one.Y_test, same.Y_test)
    assert not np.array_equal(one.Y_test, other.Y_test)


@pytest.mark.parametrize("bad", [{"validation": 0}, {"test": 0}, {"validation": 900, "test": 897}])
def test_digits_refuses_an_empty_part(bad):
    with pytest.raises(ValueError, match=r"expected|between|at least"):
        datasets.digits(np.random.default_rng(0), **bad)


def test_digits_wants_a_generator():
    with pytest.raises(TypeError):
        datasets.digits(42)
