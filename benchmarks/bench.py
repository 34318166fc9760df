"""The time of labsupport against that of its peers, as one table of ratios.

Both sides of a row do the same work, checked before the clock starts, and take turns (ours, theirs,
ours, theirs, ...), so that a machine that slows down slows both. A ratio is that of two neighbours;
the table gives the median and the range. A new row is a function that gives such ratios, under
`@row`; one whose peer is not installed says so.
"""

from __future__ import annotations

import gc
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import scipy.special

from labsupport import datasets, descent, network
from labsupport.arrays import Array
from labsupport.network import Network, Parameters, initialise

RATE = 0.5
XOR = Network((2, 4, 1))
MOONS = Network((2, 16, 1), "relu", "identity", "bce_with_logits")


class Size(NamedTuple):
    """How much to measure: turns of each side, and epochs (or steps) a turn."""

    turns: int = 25
    epochs: int = 400


@dataclass(frozen=True)
class Row:
    """A line of the table: `measure` gives ratios, and their median may have a limit."""

    what: str
    peer: str
    measure: Callable[[Size], Array]
    at_most: float | None = None
    at_least: float | None = None

    def line(self, size: Size) -> tuple[str, ...]:
        """Measure, and give the cells."""
        target = "-"
        if self.at_most is not None:
            target = f"at most {self.at_most:g}"
        if self.at_least is not None:
            target = f"at least {self.at_least:g}"
        try:
            ratios = self.measure(size)
        except ModuleNotFoundError as error:
            return self.what, self.peer, f"{error.name} is not installed", "", target, "-"
        low, middle, high = ratios.min(), float(np.median(ratios)), ratios.max()
        met = "-"
        if target != "-":
            fine = middle <= (self.at_most or np.inf) and middle >= (self.at_least or 0)
            met = "yes" if fine else "NO"
        return self.what, self.peer, f"{middle:.3g}", f"{low:.3g} - {high:.3g}", target, met


ROWS: list[Row] = []


def row(what: str, peer: str, **limits: float) -> Callable[..., Callable[[Size], Array]]:
    """Add a function that gives ratios to the table."""

    def add(measure: Callable[[Size], Array]) -> Callable[[Size], Array]:
        ROWS.append(Row(what, peer, measure, **limits))
        return measure

    return add


def turns(one: Callable[[], Any], other: Callable[[], Any], size: Size) -> Array:
    """Time of `one` over that of `other`, turn by turn, after a turn to warm up."""
    seconds = []
    one(), other()
    gc.collect()
    gc.disable()
    try:
        for _ in range(size.turns):
            pair = []
            for side in (one, other):
                begin = perf_counter()
                side()
                pair.append(perf_counter() - begin)
            seconds.append(pair[0] / pair[1])
    finally:
        gc.enable()
    return np.array(seconds)


# One epoch of 2-4-1 on XOR: sigmoids, cross-entropy, full batch, the loss recorded every epoch


def xor_start() -> Parameters:
    return initialise(XOR, np.random.default_rng(7))


def ours(epochs: int) -> Array:
    """All as a chapter calls it, with its history, its checks and its progress bar."""
    data = datasets.xor()
    return descent.train(XOR, xor_start(), *data, descent.Fixed(RATE), epochs).history.loss[:-1]


def by_hand(epochs: int, sigmoid: Callable[[Array], Array]) -> list[float]:
    """What a good student writes, and nothing else."""
    X, Y = datasets.xor()
    W1, b1, W2, b2 = xor_start()
    losses = []
    for _ in range(epochs):
        A1 = sigmoid(X @ W1 + b1)
        P = sigmoid(A1 @ W2 + b2)
        losses.append(-np.mean(Y * np.log(P) + (1 - Y) * np.log(1 - P)))
        D2 = (P - Y) / len(X)
        D1 = (D2 @ W2.T) * A1 * (1 - A1)
        W2 = W2 - RATE * (A1.T @ D2)
        b2 = b2 - RATE * D2.sum(axis=0, keepdims=True)
        W1 = W1 - RATE * (X.T @ D1)
        b1 = b1 - RATE * D1.sum(axis=0, keepdims=True)
    return losses


def in_pytorch(epochs: int) -> list[float]:
    """nn.Sequential, BCELoss and SGD, in float64 from the same weights."""
    import torch

    from labsupport import torch_twin

    X, Y = map(torch_twin.as_tensor, datasets.xor())
    model = torch_twin.module(XOR, xor_start())
    criterion = torch.nn.BCELoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    losses = []
    for _ in range(epochs):
        optimiser.zero_grad()
        loss = criterion(model(X), Y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def same_losses(epochs: int, theirs: Callable[[int], Any]) -> None:
    np.testing.assert_allclose(ours(epochs), theirs(epochs), rtol=1e-10)


def plain_sigmoid(Z: Array) -> Array:
    return 1 / (1 + np.exp(-Z))


@row("one epoch, XOR 2-4-1", "bare NumPy loop, 1 / (1 + exp(-z))", at_most=1.5)
def epoch_against_the_plain_loop(size: Size) -> Array:
    same_losses(size.epochs, lambda epochs: by_hand(epochs, plain_sigmoid))
    return turns(lambda: ours(size.epochs), lambda: by_hand(size.epochs, plain_sigmoid), size)


@row("one epoch, XOR 2-4-1", "bare NumPy loop, scipy expit", at_most=1.5)
def epoch_against_the_loop_with_expit(size: Size) -> Array:
    expit = scipy.special.expit
    same_losses(size.epochs, lambda epochs: by_hand(epochs, expit))
    return turns(lambda: ours(size.epochs), lambda: by_hand(size.epochs, expit), size)


@row("PyTorch eager, one epoch, XOR 2-4-1", "labsupport", at_least=5)
def epoch_in_pytorch(size: Size) -> Array:
    same_losses(size.epochs, in_pytorch)
    return turns(lambda: in_pytorch(size.epochs), lambda: ours(size.epochs), size)


# The Armijo optimiser in PyTorch on the moons, 2-16-1, against the passes that it makes


def armijo_on_moons(first: float) -> tuple[Any, Parameters, Any, Callable[[], Any], Any]:
    """Give module, start, optimiser, a closure that saves what it can, and the bare loss."""
    from labsupport import torch_twin

    X, Y = map(torch_twin.as_tensor, datasets.moons()[:2])
    start = initialise(MOONS, np.random.default_rng(3), "pytorch")
    model, criterion = torch_twin.module(MOONS, start), torch_twin.loss(MOONS)
    optimiser = torch_twin.ArmijoSGD(model.parameters(), first=first)

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


# What backpropagation saves


@row("2P forward passes, moons 2-16-1 (P = 65)", "one forward and backward pass")
def differences_against_backward(size: Size) -> Array:
    X, Y = datasets.moons()[:2]
    start = initialise(MOONS, np.random.default_rng(3), "pytorch")
    loss = MOONS.loss_function.value
    gradients = max(size.epochs // 40, 1)

    def backward() -> None:
        for _ in range(gradients):
            cache = network.forward(MOONS, start, X)
            loss(cache.output, Y)
            network.backward(MOONS, start, cache, Y)

    def differences() -> None:
        for _ in range(2 * start.vector.size * gradients):
            loss(network.forward(MOONS, start, X).output, Y)

    return turns(differences, backward, size)


# The table


def versions() -> str:
    names = ["numpy", "scipy", "torch"]
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join([f"Python {platform.python_version()}", *found])


def threads() -> str:
    from threadpoolctl import threadpool_info

    counts = {f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()}
    return f"{os.cpu_count()} cores; threads: {', '.join(sorted(counts))}"


def table(size: Size) -> str:
    """Measure every row; give the table, in Markdown."""
    head = ("time of", "over that of", "ratio (median)", "min - max", "target", "met")
    cells = [head, *(row.line(size) for row in ROWS)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def main(size: Size = Size()) -> None:  # noqa: B008 (it is immutable)
    text = table(size)  # loads the peers, whose threads are then known
    print(f"{versions()}; {platform.machine()}, {threads()}")
    print(f"{size.turns} turns a row, ours and theirs alternating\n")
    print(text)


if __name__ == "__main__":
    main()
