"""The data of the experiments: XOR, two moons, written digits. Rows are samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labsupport import checks
from labsupport.checks import Array


class Split(NamedTuple):
    """A data set in two parts: fit on the first, judge on the second."""

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array


def xor() -> tuple[Array, Array]:
    """The exclusive or: its four samples, X (4, 2) and Y (4, 1). Introduced in :ref:`ch-aim`."""
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    return X, (X.sum(axis=1, keepdims=True) == 1).astype(float)


def moons(samples: int = 500, noise: float = 0.2, test: float = 0.2, seed: int = 42) -> Split:
    """Two interleaved half circles, split and standardised. Introduced in :ref:`ch-backtracking`.

    Parameters
    ----------
    samples : int
        Points in all.
    noise : float
        Standard deviation of the noise on each coordinate, before standardising.
    test : float
        Share of the points that goes to the test part.
    seed : int
        Handed to scikit-learn for the points and for the split, as the record
        ``moons-backtracking`` did: the one place where a seed and not a generator is passed,
        because scikit-learn takes no `numpy.random.Generator`.

    Returns
    -------
    Split
        X_train (400, 2), Y_train (400, 1), X_test (100, 2), Y_test (100, 1) by default. The mean
        and scale of both parts are those of the training part.
    """
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    X, y = make_moons(n_samples=samples, noise=noise, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test, random_state=seed)
    scale = StandardScaler().fit(X_train)
    return Split(
        scale.transform(X_train),
        y_train.reshape(-1, 1).astype(float),
        scale.transform(X_test),
        y_test.reshape(-1, 1).astype(float),
    )


def digits(train: int = 250, test: int = 1000, part: int = 0, seed: int = 42) -> Split:
    """Draw images of written digits, 8 by 8 pixels in ten classes. Introduced in :ref:`ch-race`.

    Parameters
    ----------
    train, test : int
        Images in each part.
    part : int
        Which images to train on: those of different parts are different, and the test part, of the
        same seed, is the same.
    seed : int
        Decides on the order in which the 1797 images are taken.

    Returns
    -------
    Split
        X_train (train, 64), Y_train (train, 10) and X_test, Y_test, one-hot. The mean and scale of
        both parts are those of the training part; a pixel that never changes there has scale 1.

    Raises
    ------
    ValueError, TypeError
        Sizes that are no whole numbers from 1, or more images than there are.

    Notes
    -----
    Of the images that ``sklearn.datasets.load_digits`` gives.
    """
    from sklearn.datasets import load_digits
    from sklearn.preprocessing import StandardScaler

    pixels, labels = load_digits(return_X_y=True)
    for name, number, low in (("train", train, 1), ("test", test, 1), ("part", part, 0)):
        checks.whole(number, name, low)
    first = test + part * train
    if first + train > len(pixels):
        raise ValueError(
            f"part {part} of {train} images and {test} to test need {first + train}; "
            f"there are {len(pixels)}."
        )
    order = np.random.default_rng(seed).permutation(len(pixels))
    fit, judge = order[first : first + train], order[:test]
    scale, classes = StandardScaler().fit(pixels[fit]), np.eye(10)
    return Split(
        scale.transform(pixels[fit]),
        classes[labels[fit]],
        scale.transform(pixels[judge]),
        classes[labels[judge]],
    )
