"""XOR, and two moons as the record made them."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from labsupport import datasets, records


def test_xor():
    X, Y = datasets.xor()
    assert X.dtype == Y.dtype == np.float64
    np.testing.assert_array_equal(X, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(Y, [[0], [1], [1], [0]])


def test_moons_is_the_construction_of_the_record():
    made = records.facts("moons-backtracking")["data"]
    assert "make_moons(n_samples=500, noise=0.2, random_state=42)" in made
    assert "train_test_split(test_size=0.2, random_state=42)" in made
    assert "StandardScaler fitted on the training part" in made
    X, y = make_moons(n_samples=500, noise=0.2, random_state=42)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    scaler = StandardScaler().fit(X_train)
    split = datasets.moons()
    np.testing.assert_array_equal(split.X_train, scaler.transform(X_train))
    np.testing.assert_array_equal(split.X_test, scaler.transform(X_test))
    np.testing.assert_array_equal(split.Y_train[:, 0], y_train)
    np.testing.assert_array_equal(split.Y_test[:, 0], y_test)


def test_moons_shapes_and_scale():
    split = datasets.moons(samples=60, noise=0.1, test=0.25, seed=3)
    assert [part.shape for part in split] == [(45, 2), (45, 1), (15, 2), (15, 1)]
    assert all(part.dtype == np.float64 for part in split)
    assert set(split.Y_train.ravel()) == set(split.Y_test.ravel()) == {0.0, 1.0}
    np.testing.assert_allclose(split.X_train.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(split.X_train.std(axis=0), 1, rtol=1e-14)
    assert abs(split.X_test.mean(axis=0)).max() > 1e-3  # scaled by the training part


def test_moons_settings_matter():
    plain = datasets.moons(samples=40)
    assert not np.array_equal(plain.X_train, datasets.moons(samples=40, seed=1).X_train)
    assert not np.array_equal(plain.X_train, datasets.moons(samples=40, noise=0.1).X_train)
    np.testing.assert_array_equal(plain.X_train, datasets.moons(samples=40).X_train)


@pytest.mark.parametrize("bad", [{"noise": -1.0}, {"test": 1.5}, {"samples": -3}])
def test_moons_refuses_bad_settings(bad):
    with pytest.raises(ValueError, match="must be"):
        datasets.moons(**bad)
