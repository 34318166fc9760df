"""The data of the experiments: XOR and two moons. Rows are samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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
