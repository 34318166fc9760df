"""The data of the experiments: XOR, two moons and handwritten digits. Rows are samples."""

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


class Parts(NamedTuple):
    """A data set in three parts: fit on the first, choose on the second, judge on the third."""

    X_train: Array
    Y_train: Array
    X_validation: Array
    Y_validation: Array
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


def digits(rng: np.random.Generator, validation: int = 300, test: int = 300) -> Parts:
    """Scikit-learn's 1797 handwritten digits, shuffled, in three parts, and scaled.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws which images go into which part.
    validation, test : int
        Images in these parts; the training part has all others.

    Returns
    -------
    Parts
        X (1197, 64), (300, 64) and (300, 64) by default: images of 8 by 8 pixels, row by row.
        Y with a column for each of the classes 0 to 9, one-hot. All pixels are shifted by one
        number and divided by one number, the mean and the standard deviation of the training part:
        a larger number is still more ink, and no pixel that is nearly always empty is blown up.

    Raises
    ------
    ValueError, TypeError
        Fewer than one image in a part, or something that is not a Generator.

    Notes
    -----
    By 13 writers, says ``sklearn.datasets.load_digits().DESCR``, some of each in every part.
    Introduced in :ref:`ch-classes`.
    """
    from sklearn.datasets import load_digits

    checks.generator(rng)
    found = load_digits()
    m = len(found.data)
    checks.whole(validation, "validation", 1, m - 2)
    checks.whole(test, "test", 1, m - validation - 1)
    order = rng.permutation(m)
    X, Y = found.data[order], np.eye(10)[found.target[order]]
    first, second = m - validation - test, m - test
    X = (X - X[:first].mean()) / X[:first].std()
    parts = slice(first), slice(first, second), slice(second, m)
    return Parts(*(array[part] for part in parts for array in (X, Y)))
