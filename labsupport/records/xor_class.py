"""2-4-1 as a NumPy class that prints one loss and descends another; :ref:`ch-losses` finds it."""

from __future__ import annotations

from labsupport.network import Network
from labsupport.records.record import Record
from labsupport.rules import Fixed

PRINTED = (
    0.3420, 0.2618, 0.2558, 0.2512, 0.2475, 0.2443, 0.2411, 0.2377, 0.2337, 0.2288, 0.2228,
    0.2156, 0.2067, 0.1963, 0.1839, 0.1698, 0.1538, 0.1362, 0.1177, 0.0991, 0.0816, 0.0659,
    0.0526, 0.0418, 0.0333, 0.0267, 0.0216, 0.0176, 0.0145, 0.0121, 0.0102, 0.0086, 0.0074,
    0.0064, 0.0056, 0.0049, 0.0043, 0.0038, 0.0034, 0.0031, 0.0028, 0.0025, 0.0023, 0.0021,
    0.0019, 0.0018, 0.0016, 0.0015, 0.0014, 0.0013, 0.0012, 0.0011, 0.0010, 0.0010, 0.0009,
    0.0009, 0.0008, 0.0008, 0.0007, 0.0007, 0.0006, 0.0006, 0.0006, 0.0006, 0.0005, 0.0005,
    0.0005, 0.0005, 0.0004, 0.0004, 0.0004, 0.0004, 0.0004, 0.0004, 0.0003, 0.0003, 0.0003,
    0.0003, 0.0003, 0.0003, 0.0003, 0.0003, 0.0003, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002,
    0.0002, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002, 0.0002,
    0.0002,
)  # fmt: skip
"""The losses that it printed, at epoch 0, `every`, 2 * `every`, ..."""

FACTS = {
    "network": "2-4-1, NumPy class, sigmoid in both layers, samples in columns, W is (outputs x "
    "inputs), float64",
    "initial": "randn weights, zero biases, no seed",
    "loss": "prints mean squared error, but the backward pass starts from a2 - y, the output "
    "delta of binary cross-entropy",
    "step": "gradient descent, learning rate 0.1, full batch",
    "epochs": 10000,
    "predictions": [0.00331625, 0.99047302, 0.98564877, 0.01688339],
    "naming_trap": "sigmoid_derivative(x) returns x * (1 - x): it expects the activation, not z",
    "truth": "the mismatch is why it trains fast; the printed loss cannot reveal it; a gradient "
    "check against the printed loss fails by about 0.5, against cross-entropy it passes",
    "reproducible": "in shape only: no seed",
    "claimed": "nothing beyond the printed losses and predictions; it calls the printed loss the "
    "mean squared error",
}


RECORD = Record(
    name="xor-class",
    network=Network((2, 4, 1)),  # it descends the cross-entropy, whatever it prints
    rule=Fixed(0.1),
    epochs=10_000,
    every=100,
    initialiser="normal",
    prints="mse",
    facts=FACTS,
    printed=PRINTED,
)
