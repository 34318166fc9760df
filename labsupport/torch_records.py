"""Where two of the lab records began: weights that PyTorch draws from the seed 42.

The records trained in PyTorch too. `labsupport.records` needs only the start from it.
"""

from __future__ import annotations

import torch
from torch import nn

from labsupport.network import Parameters

SEED = 42


def autograd_start() -> Parameters:
    """Draw W1 (2, 4), W2 (4, 4) and W3 (4, 1) from N(0, 1), biases zero, in float32. Chapter 4."""
    seeded = torch.Generator().manual_seed(SEED)
    tensors = []
    for shape in ((2, 4), (4, 4), (4, 1)):
        tensors += [torch.randn(shape, generator=seeded).numpy(), torch.zeros(shape[1]).numpy()]
    return Parameters.of(*tensors)


def moons_starts() -> tuple[Parameters, Parameters]:
    """Draw two 2-16-1 modules, one after the other, in float32: fixed rate, then search. Chapter 5.

    The generator of PyTorch is as before afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        fixed, search = (_linear_pair() for _ in range(2))
    return fixed, search


def _linear_pair() -> Parameters:
    layers = nn.Linear(2, 16), nn.Linear(16, 1)
    pairs = [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in layers]
    return Parameters.of(*(tensor for pair in pairs for tensor in pair))
