"""2-3-1 with ReLU in NumPy, which learned nothing; :ref:`ch-lies` says why."""

from __future__ import annotations

import numpy as np

from labsupport.network import Network, Parameters
from labsupport.records.record import Record
from labsupport.rules import Fixed

PRINTED = (
    1.0763, 0.6932, 0.6931, 0.6931, 0.6931, 0.6931, 0.6931, 0.6931, 0.6931, 0.6931,
)  # fmt: skip
"""The losses that it printed, at epoch 0, `every`, 2 * `every`, ..."""

FACTS = {
    "network": "2-3-1, NumPy functions, ReLU hidden, sigmoid output, float64",
    "initial": "np.random.seed(42) (legacy generator), randn for W1 (2x3) then W2 (3x1); biases "
    "zero",
    "loss": "binary cross-entropy on probabilities (mean)",
    "step": "gradient descent, learning rate 0.1, full batch",
    "epochs": 10000,
    "predictions": [0, 1, 0, 1],
    "claimed": "nothing: it prints its losses and its four classes, and stops",
    "truth": "all four outputs are 0.5; one hidden unit is dead, the other two are active on all "
    "four points, so the network is affine and sits at an exact critical point with loss "
    "ln 2; the printed classes are the signs of differences below 1e-14, the sides from "
    "which the outputs came to 0.5; accuracy 50 %",
    "reproducible": "every printed digit (seen with numpy 2.4 and the legacy generator)",
    "pseudocode": "updates the parameters after every sample; the program takes all four at once. "
    "A note on an epoch calls it one complete pass 'for an iteration'",
}


def start() -> Parameters:
    """What ``numpy.random.seed(42)`` and two calls of ``randn`` give; the global state stays."""
    legacy = np.random.RandomState(42)
    W1, W2 = legacy.randn(2, 3), legacy.randn(3, 1)
    return Parameters.of(W1, np.zeros(3), W2, np.zeros(1))


RECORD = Record(
    name="xor-relu",
    network=Network((2, 3, 1), "relu"),
    rule=Fixed(0.1),
    epochs=10_000,
    every=1000,
    initialiser="normal",
    prints="bce",
    seeded=start,
    facts=FACTS,
    printed=PRINTED,
)
