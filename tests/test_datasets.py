"""XOR, and two moons as the record made them."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
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
