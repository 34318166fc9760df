"""The Armijo optimiser for PyTorch, against its passes alone and against copying all state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.one_network import MOONS
from benchmarks.table import Size, row, turns
from labsupport import datasets
from labsupport.checks import Array
from labsupport.network import Parameters, initialise
from labsupport.rules import Armijo

# The Armijo optimiser in PyTorch on the moons, 2-16-1, against the passes that it makes


def armijo_on_moons(first: float) -> tuple[Any, Parameters, Any, Callable[[], Any], Any]:
    """Give module, start, optimiser, a closure that saves what it can, and the bare loss."""
    from labsupport import torch_twin

    X, Y = map(torch_twin.as_tensor, datasets.moons()[:2])
    start = initialise(MOONS, np.random.default_rng(3), "pytorch")
    model, criterion = torch_twin.module(MOONS, start), torch_twin.loss(MOONS)
    optimiser = torch_twin.ArmijoSGD(model.parameters(), Armijo(first=first))

    def evaluate() -> Any:
        return criterion(model(X), Y)

    def closure() -> Any:
        optimiser.zero_grad()
        loss = evaluate()
        if loss.requires_grad:
            loss.backward()
        return loss

    return model, start, optimiser, closure, evaluate


def armijo_over_its_passes(first: float, size: Size) -> Array:
    import torch

    from labsupport import torch_twin

    model, start, optimiser, closure, _ = armijo_on_moons(first)
    epochs = max(size.epochs // 10, 1)

    trials = []  # of each epoch, from the first run

    def train() -> None:
        torch_twin.copy_into(model, start)
        for _ in range(epochs):
            before = optimiser.trials
            optimiser.step(closure)
            trials.append(optimiser.trials - before)

    def passes() -> None:
        for count in trials[:epochs]:
            closure()
            with torch.no_grad():
                for _ in range(count):
                    closure()

    return turns(train, passes, size)


@row("ArmijoSGD, moons 2-16-1, never backtracks", "its passes alone", at_most=1.2)
def armijo_first_trial_1(size: Size) -> Array:
    return armijo_over_its_passes(1.0, size)


@row("ArmijoSGD, moons 2-16-1, first trial 64", "its passes alone", at_most=1.2)
def armijo_first_trial_64(size: Size) -> Array:
    return armijo_over_its_passes(64.0, size)


def copying_the_state_dict(first: float, size: Size) -> Array:
    """The search as the lab record wrote it: all state copied and loaded for every trial."""
    import copy

    import torch

    from labsupport import torch_twin

    model, start, optimiser, closure, evaluate = armijo_on_moons(first)
    epochs = max(size.epochs // 10, 1)
    accepted: dict[str, list[float]] = {"ours": [], "theirs": []}

    def ours() -> None:
        torch_twin.copy_into(model, start)
        for _ in range(epochs):
            optimiser.step(closure)
            accepted["ours"].append(optimiser.last_step)

    def theirs() -> None:
        torch_twin.copy_into(model, start)
        for _ in range(epochs):
            loss = closure().item()
            gradients = [p.grad.clone() for p in model.parameters()]
            squared = sum((g**2).sum().item() for g in gradients)
            before = copy.deepcopy(model.state_dict())
            alpha = first
            while alpha > 1e-10:
                model.load_state_dict(before)
                with torch.no_grad():
                    for p, g in zip(model.parameters(), gradients, strict=True):
                        p -= alpha * g
                    if evaluate().item() <= loss - 1e-4 * alpha * squared:
                        break
                alpha *= 0.5
            accepted["theirs"].append(alpha)

    times = turns(theirs, ours, size)
    assert accepted["ours"][:epochs] == accepted["theirs"][:epochs]
    return times


@row("a search that copies the state dict, first trial 1", "ArmijoSGD", at_least=1.5)
def state_dict_first_trial_1(size: Size) -> Array:
    return copying_the_state_dict(1.0, size)


@row("a search that copies the state dict, first trial 64", "ArmijoSGD", at_least=1.5)
def state_dict_first_trial_64(size: Size) -> Array:
    return copying_the_state_dict(64.0, size)
