"""2-4-4-1 with raw tensors and autograd of PyTorch; :ref:`ch-pytorch` runs it again."""

from __future__ import annotations

from labsupport.network import Network, Parameters
from labsupport.records.record import Record
from labsupport.rules import Fixed

PRINTED = (
    0.7198, 0.6869, 0.6755, 0.6402, 0.5343, 0.2707, 0.0889, 0.0417, 0.0253, 0.0177,
)  # fmt: skip
"""The losses that it printed, at epoch 0, `every`, 2 * `every`, ..."""

FACTS = {
    "network": "2-4-4-1, sigmoid in every layer, raw tensors with autograd, float32",
    "initial": "torch.manual_seed(42), then randn for W1 (2x4), W2 (4x4), W3 (4x1) in that order; "
    "biases zero",
    "loss": "binary cross-entropy on probabilities (mean)",
    "step": "gradient descent, learning rate 0.1, full batch, gradients zeroed by hand",
    "epochs": 5000,
    "figure": "loss over epochs: binary cross-entropy against epoch, with a grid",
    "reproducible": "every printed digit (seen with torch 2.13.0 on CPU)",
    "claimed": "that the learning rate greatly influences the speed of convergence; it was run at "
    "one learning rate only",
    "pseudocode": "starts the backward pass from A2 - y for 'MSE or cross-entropy' alike, which "
    "is right for cross-entropy only (the slip that xor-class makes in code); "
    "speaks of two layers where the program has three",
    "truth": "the program is right: with its seed every printed digit returns",
}


def start() -> Parameters:
    """Draw W1 (2, 4), W2 (4, 4) and W3 (4, 1) from N(0, 1), biases zero, in float32."""
    import torch

    seeded = torch.Generator().manual_seed(42)
    tensors = []
    for shape in ((2, 4), (4, 4), (4, 1)):
        tensors += [torch.randn(shape, generator=seeded).numpy(), torch.zeros(shape[1]).numpy()]
    return Parameters.of(*tensors)


RECORD = Record(
    name="xor-autograd",
    network=Network((2, 4, 4, 1)),
    rule=Fixed(0.1),
    epochs=5000,
    every=500,
    initialiser="normal",
    prints="bce",
    seeded=start,
    facts=FACTS,
    printed=PRINTED,
)
