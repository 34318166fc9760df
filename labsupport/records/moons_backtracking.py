"""2-16-1 on the moons, at a fixed rate and by a search; :ref:`ch-backtracking` runs it again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from labsupport import datasets
from labsupport.checks import Array
from labsupport.network import Network, Parameters
from labsupport.records.record import Record
from labsupport.rules import Armijo, Fixed

FACTS = {
    "network": "2-16-1, nn.Module, ReLU hidden, logit output, default nn.Linear initialisation, "
    "float32",
    "data": "scikit-learn make_moons(n_samples=500, noise=0.2, random_state=42); "
    "train_test_split(test_size=0.2, random_state=42); StandardScaler fitted on the "
    "training part",
    "initial": "torch.manual_seed(42) once; the fixed-rate model is drawn first, the backtracking "
    "model second, so they start from different weights",
    "loss": "binary cross-entropy with logits (mean)",
    "step": {
        "fixed": "SGD, learning rate 0.1",
        "backtracking": "Armijo: first trial 1.0, factor 0.5, c = 1e-4, gives up below 1e-10 "
        "and then takes 1e-6",
    },
    "epochs": 300,
    "printed_accuracy": {
        "fixed": {"train": 0.865, "test": 0.86},
        "backtracking": {"train": 0.98, "test": 0.98},
    },
    "figure": "both loss curves against epoch",
    "claimed": "that a fixed rate is rigid, that backtracking adapts, that its lower loss means a "
    "more accurate boundary, and that backtracking was implemented successfully",
    "truth": "the first trial 1.0 was accepted in all 300 epochs: it never backtracked, and from "
    "the same weights it is the same run as a fixed learning rate of 1.0; the extra "
    "forward passes are not counted",
    "reproducible": "every printed digit (seen with torch 2.13.0 and scikit-learn 1.9.1 on CPU)",
    "scan": "the lines with the accept test itself are missing from the scan; that a trial is "
    "accepted when its loss is at most the loss minus c alpha times the squared norm is "
    "inferred from the constants, the rest of the loop and the printed accuracies, which "
    "return with it",
}


def training_part() -> tuple[Array, Array]:
    """Give X (400, 2) and Y (400, 1)."""
    data = datasets.moons()
    return data.X_train, data.Y_train


def start(index: int) -> Parameters:
    """Draw two 2-16-1 modules, one after the other, in float32: fixed rate (0), then search (1).

    The generator of PyTorch is as before afterwards.
    """
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(42)
        pairs = [(nn.Linear(2, 16), nn.Linear(16, 1)) for _ in range(2)]
    arrays = [(p.weight.detach().numpy().T, p.bias.detach().numpy()) for p in pairs[index]]
    return Parameters.of(*(array for pair in arrays for array in pair))


RECORD = Record(
    name="moons-backtracking",
    network=Network((2, 16, 1), "relu", "identity", "bce_with_logits"),
    rule=Armijo(first=1.0, shrink=0.5, c=1e-4, slack=0.0),
    epochs=300,
    every=1,
    initialiser="pytorch",
    prints="bce_with_logits",
    data=training_part,
    seeded=partial(start, 1),
    facts=FACTS,
)

FIXED = replace(RECORD, name="moons-fixed", rule=Fixed(0.1), seeded=partial(start, 0), facts=None)
"""The other half of the record: the same network at a fixed rate, from another start."""
