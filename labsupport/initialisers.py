"""Where training starts: weights and biases of one layer. Compared in chapter 11.

Each takes a generator, the layer's widths and the shape of the runs axis (``()`` for one network,
``(r,)`` for r of them) and gives W ``(*runs, n_in, n_out)`` and b ``(*runs, 1, n_out)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from labsupport.arrays import Array

Initialiser: TypeAlias = Callable[
    [np.random.Generator, int, int, tuple[int, ...]], tuple[Array, Array]
]


def normal(
    rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
) -> tuple[Array, Array]:
    """Weights from N(0, 1), biases zero: what most lab records do."""
    return rng.standard_normal((*runs, n_in, n_out)), np.zeros((*runs, 1, n_out))


def zeros(
    rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
) -> tuple[Array, Array]:
    """All zero: every hidden unit stays the copy of its neighbours."""
    return np.zeros((*runs, n_in, n_out)), np.zeros((*runs, 1, n_out))


def constant(
    rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
) -> tuple[Array, Array]:
    """Each weight 1/n_in, biases zero: every unit is handed the mean of the layer before.

    Units that agree are passed on in their size, so that what fails is due to symmetry alone.
    """
    return np.full((*runs, n_in, n_out), 1 / n_in), np.zeros((*runs, 1, n_out))


def pytorch(
    rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
) -> tuple[Array, Array]:
    """The default of ``nn.Linear``: weights and biases uniform within 1/sqrt(n_in).

    The variance is 1/(3 n_in), a sixth of He's.
    """
    bound = n_in**-0.5
    W = rng.uniform(-bound, bound, (*runs, n_in, n_out))
    return W, rng.uniform(-bound, bound, (*runs, 1, n_out))


def glorot(
    rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
) -> tuple[Array, Array]:
    """Glorot and Bengio (2010): uniform with variance 2/(n_in + n_out), biases zero."""
    bound = (6 / (n_in + n_out)) ** 0.5
    return rng.uniform(-bound, bound, (*runs, n_in, n_out)), np.zeros((*runs, 1, n_out))


def he(
    rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
) -> tuple[Array, Array]:
    """He et al. (2015): normal with variance 2/n_in, biases zero."""
    scale = (2 / n_in) ** 0.5
    return rng.normal(0, scale, (*runs, n_in, n_out)), np.zeros((*runs, 1, n_out))


INITIALISERS: dict[str, Initialiser] = {
    f.__name__: f for f in (normal, zeros, constant, pytorch, glorot, he)
}


def initialiser(name: str) -> Initialiser:
    """Look an initialiser up by name.

    Raises
    ------
    ValueError
        A name that is not among ``normal, zeros, constant, pytorch, glorot, he``.
    """
    if name not in INITIALISERS:
        raise ValueError(f"unknown initialiser {name!r}; choose one of {', '.join(INITIALISERS)}.")
    return INITIALISERS[name]
