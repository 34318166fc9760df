"""XOR, two moons as the record made them, and written digits."""

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


def test_digits_are_scaled_on_the_training_part_alone():
    data = datasets.digits(train=200, test=500, seed=3)
    assert [part.shape for part in data] == [(200, 64), (200, 10), (500, 64), (500, 10)]
    spread = data.X_train.std(axis=0)
    np.testing.assert_allclose(data.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(spread[spread > 0], 1)
    assert 30 < (spread > 0).sum() < 64  # the pixels at the edge are always white
    assert (data.X_test.std(axis=0)[spread > 0] != 1).all()
    for Y in (data.Y_train, data.Y_test):
        np.testing.assert_array_equal(np.sort(Y, axis=1)[:, -2:], np.tile([0, 1], (len(Y), 1)))


def test_parts_of_the_digits_share_no_image():
    """Undo the scaling: the images, the labels, and no image twice."""
    order = np.random.default_rng(5).permutation(1797)
    pixels, labels = load_digits(return_X_y=True)
    for part, rows in ((0, order[1000:1250]), (1, order[1250:1500])):
        data = datasets.digits(part=part, seed=5)
        scale = StandardScaler().fit(pixels[rows])
        np.testing.assert_allclose(scale.inverse_transform(data.X_train), pixels[rows], atol=1e-9)
        np.testing.assert_array_equal(data.Y_train.argmax(axis=1), labels[rows])
        np.testing.assert_array_equal(data.Y_test.argmax(axis=1), labels[order[:1000]])


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"train": 300, "part": 2}, "part 2 of 300 images and 1000 to test need 1900; there are"),
        ({"train": 0}, "train is 0"),
        ({"part": -1}, "part is -1"),
    ],
)
def test_digits_refuse_more_than_there_is(bad, said):
    with pytest.raises(ValueError, match=said):
        datasets.digits(**bad)
