"""2-4-1 as a module of PyTorch, mean squared error; :ref:`ch-records` tells its story."""

from __future__ import annotations

from labsupport.network import Network
from labsupport.records.record import Record
from labsupport.rules import Fixed

PRINTED = (
    0.2595, 0.2497, 0.2492, 0.2483, 0.2458, 0.2361, 0.1899, 0.0877, 0.0361, 0.0194, 0.0125,
    0.0089, 0.0069, 0.0055, 0.0046, 0.0039, 0.0034, 0.0030, 0.0027, 0.0024,
)  # fmt: skip
"""The losses that it printed, at epoch 0, `every`, 2 * `every`, ..."""

FACTS = {
    "network": "2-4-1, nn.Module, sigmoid in both layers, default nn.Linear initialisation, "
    "float32",
    "initial": "no seed",
    "loss": "mean squared error",
    "step": "torch.optim.SGD, learning rate 0.1, full batch",
    "epochs": 20000,
    "predictions": [0.0494, 0.9517, 0.956, 0.0455],
    "figure": "a 'training loss curve' of 20,000 epochs and a decision boundary (contours over a "
    "grid, blue = 0, red = 1). Of the curve's vertical axis only the labels 0.0016 and "
    "0.0014 can be read. The training loop stands a second time, on the model that is "
    "already trained, and it is this second training whose losses are plotted; it must "
    "begin where the printed predictions are: at a loss of about 0.0022",
    "written_gradient": "dL/dw = (yhat - y) * yhat * (1 - yhat) * a_prev: output layer only, "
    "without the factor 2/N",
    "reproducible": "in shape only: no seed",
    "claimed": "that the plotted curve is the training loss",
    "truth": "the plotted curve begins where the real one ends; the real one is a plateau near "
    "0.25 and a fall between epochs 5,000 and 9,000",
}


RECORD = Record(
    name="xor-module",
    network=Network((2, 4, 1), loss="mse"),
    rule=Fixed(0.1),
    epochs=20_000,
    every=1000,
    initialiser="pytorch",
    prints="mse",
    facts=FACTS,
    printed=PRINTED,
)
