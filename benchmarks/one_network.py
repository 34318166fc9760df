"""One network 2-4-1 on XOR: the bare loop, PyTorch and others; what backpropagation saves."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from benchmarks.table import Size, row, turns
from labsupport import datasets, descent, network
from labsupport.checks import Array
from labsupport.network import Network, Parameters, initialise

RATE = 0.5
XOR = Network((2, 4, 1))
MOONS = Network((2, 16, 1), "relu", "identity", "bce_with_logits")

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


def torch_losses(
    model: Any, criterion: Any, optimiser: Any, X: Any, Y: Any, epochs: int
) -> list[float]:
    """The loop of every PyTorch tutorial, with the losses that it sees."""
    losses = []
    for _ in range(epochs):
        optimiser.zero_grad()
        loss = criterion(model(X), Y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def in_pytorch(epochs: int) -> list[float]:
    """nn.Sequential, BCELoss and SGD, in float64 from the same weights."""
    import torch

    from labsupport import torch_twin

    X, Y = map(torch_twin.as_tensor, datasets.xor())
    model = torch_twin.module(XOR, xor_start())
    criterion = torch.nn.BCELoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    return torch_losses(model, criterion, optimiser, X, Y, epochs)


def same_losses(epochs: int, theirs: Callable[[int], Any]) -> None:
    np.testing.assert_allclose(ours(epochs), theirs(epochs), rtol=1e-10)


def plain_sigmoid(Z: Array) -> Array:
    return 1 / (1 + np.exp(-Z))


@row("one epoch, XOR 2-4-1", "bare NumPy loop, 1 / (1 + exp(-z))", at_most=1.3)
def epoch_against_the_plain_loop(size: Size) -> Array:
    same_losses(size.epochs, lambda epochs: by_hand(epochs, plain_sigmoid))
    return turns(lambda: ours(size.epochs), lambda: by_hand(size.epochs, plain_sigmoid), size)


@row("one epoch, XOR 2-4-1", "bare NumPy loop, scipy expit")
def epoch_against_the_loop_with_expit(size: Size) -> Array:
    expit = scipy.special.expit
    same_losses(size.epochs, lambda epochs: by_hand(epochs, expit))
    return turns(lambda: ours(size.epochs), lambda: by_hand(size.epochs, expit), size)


@row("PyTorch eager, one epoch, XOR 2-4-1", "labsupport", at_least=6)
def epoch_in_pytorch(size: Size) -> Array:
    same_losses(size.epochs, in_pytorch)
    return turns(lambda: in_pytorch(size.epochs), lambda: ours(size.epochs), size)


def in_scikit_learn(epochs: int) -> list[float]:
    """MLPClassifier from the same weights, its momentum, penalty and shuffling switched off."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    X, Y = datasets.xor()
    W1, b1, W2, b2 = xor_start()
    model = MLPClassifier(
        4,
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=4,
        learning_rate_init=RATE,
        momentum=0,
        shuffle=False,
        max_iter=epochs,
        n_iter_no_change=epochs + 1,
        warm_start=True,
    )
    model.partial_fit(X, Y[:, 0], classes=[0, 1])  # makes the weights that are replaced here
    model.coefs_, model.intercepts_ = [W1.copy(), W2.copy()], [b1[0].copy(), b2[0].copy()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, Y[:, 0])
    losses: list[float] = model.loss_curve_[-epochs:]
    return losses


@row("scikit-learn MLPClassifier, one epoch, XOR 2-4-1", "labsupport")
def epoch_in_scikit_learn(size: Size) -> Array:
    same_losses(size.epochs, in_scikit_learn)
    return turns(lambda: in_scikit_learn(size.epochs), lambda: ours(size.epochs), size)


@row("micrograd, one epoch, XOR 2-4-1 (ReLU, MSE)", "labsupport")
def epoch_in_micrograd(size: Size) -> Array:
    from micrograd.nn import MLP

    net = Network((2, 4, 1), "relu", "identity", "mse")
    start = initialise(net, np.random.default_rng(7), "pytorch")
    X, Y = datasets.xor()
    epochs = max(size.epochs // 10, 1)

    def theirs() -> list[float]:
        model = MLP(2, [4, 1])
        for layer, W, b in zip(model.layers, start.weights, start.biases, strict=True):
            for k, neuron in enumerate(layer.neurons):
                neuron.b.data = b[0, k]
                for i, w in enumerate(neuron.w):
                    w.data = W[i, k]
        losses = []
        for _ in range(epochs):
            errors = [model(list(x)) - y for x, (y,) in zip(X, Y, strict=True)]
            loss = sum(e * e for e in errors) / len(X)
            model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
            losses.append(float(loss.data))
        return losses

    def us() -> Array:
        return descent.train(net, start, X, Y, descent.Fixed(0.1), epochs).history.loss[:-1]

    np.testing.assert_allclose(us(), theirs(), rtol=1e-10)
    return turns(theirs, us, size)


# A network large enough that nothing but the matrix products should count


@row("one step, 784-1024-1024-10, batch 512, float32", "PyTorch eager", at_most=1.1)
def large_step_against_pytorch(size: Size) -> Array:
    import torch

    from labsupport import torch_twin

    rng = np.random.default_rng(5)
    net = Network((784, 1024, 1024, 10), "relu", "identity", "softmax_cross_entropy")
    X = rng.standard_normal((512, 784)).astype(np.float32)
    Y = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 512)]
    start = initialise(net, rng, "he").astype(np.float32)
    model, criterion = torch_twin.module(net, start), torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(Y)
    steps = max(size.epochs // 40, 1)

    def theirs() -> list[float]:
        torch_twin.copy_into(model, start)
        return torch_losses(model, criterion, optimiser, inputs, targets, steps)

    def us() -> Array:
        return descent.train(net, start, X, Y, descent.Fixed(0.01), steps).history.loss[:-1]

    np.testing.assert_allclose(us(), theirs(), rtol=1e-4)
    return turns(us, theirs, size)


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
