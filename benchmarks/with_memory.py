"""Rules with a memory on XOR 2-4-1: a step against a fixed one, and against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.many_networks import RUNS, starts
from benchmarks.one_network import XOR, torch_losses, xor_start
from benchmarks.table import Size, row, turns
from labsupport import datasets, descent
from labsupport.checks import Array
from labsupport.momentum import Adam, HeavyBall
from labsupport.network import Parameters
from labsupport.rules import Fixed, Rule

BALL, ADAM = HeavyBall(0.5, 0.9), Adam(0.01)


def losses(rule: Rule, epochs: int, start: Parameters) -> Array:
    return descent.train(XOR, start, *datasets.xor(), rule, epochs).history.loss[:-1]


def in_pytorch(rule: Rule, epochs: int) -> list[float]:
    """The same rule of torch.optim, in float64 from the same weights."""
    import torch

    from labsupport import torch_twin

    X, Y = map(torch_twin.as_tensor, datasets.xor())
    model = torch_twin.module(XOR, xor_start())
    optimiser: Any = (
        torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        if rule is BALL
        else torch.optim.Adam(model.parameters(), lr=0.01)
    )
    return torch_losses(model, torch.nn.BCELoss(), optimiser, X, Y, epochs)


def against_fixed(rule: Rule, size: Size) -> Array:
    start = xor_start()
    return turns(
        lambda: losses(rule, size.epochs, start),
        lambda: losses(Fixed(0.5), size.epochs, start),
        size,
    )


def beside_pytorch(rule: Rule, size: Size, start: Parameters) -> Array:
    return turns(
        lambda: in_pytorch(rule, size.epochs), lambda: losses(rule, size.epochs, start), size
    )


def against_pytorch(rule: Rule, size: Size) -> Array:
    start = xor_start()
    np.testing.assert_allclose(losses(rule, 100, start), in_pytorch(rule, 100), rtol=1e-9)
    return beside_pytorch(rule, size, start)


def at_once(rule: Rule, size: Size) -> Array:
    return RUNS * beside_pytorch(rule, size, starts())


@row("one epoch of heavy ball, XOR 2-4-1", "one epoch of a fixed rate", at_most=1.3)
def ball_against_fixed(size: Size) -> Array:
    return against_fixed(BALL, size)


@row("one epoch of Adam, XOR 2-4-1", "one epoch of a fixed rate", at_most=1.6)
def adam_against_fixed(size: Size) -> Array:
    return against_fixed(ADAM, size)


@row("PyTorch's SGD with momentum, one epoch, XOR 2-4-1", "labsupport", at_least=4)
def ball_against_pytorch(size: Size) -> Array:
    return against_pytorch(BALL, size)


@row("PyTorch's Adam, one epoch, XOR 2-4-1", "labsupport", at_least=4)
def adam_against_pytorch(size: Size) -> Array:
    return against_pytorch(ADAM, size)


@row("PyTorch's SGD with momentum, one by one", f"labsupport, {RUNS} at once", at_least=500)
def ball_at_once(size: Size) -> Array:
    return at_once(BALL, size)


@row("PyTorch's Adam, one by one", f"labsupport, {RUNS} at once", at_least=500)
def adam_at_once(size: Size) -> Array:
    return at_once(ADAM, size)
