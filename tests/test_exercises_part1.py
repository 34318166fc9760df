"""The self-checks of chapters 1 to 5: the right answer passes, each planted slip is named.

Further right answers are the folded solutions, which the chapters themselves hand to the checks.
"""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from labsupport import datasets, descent, network, torch_twin
from labsupport.bugs import BUGS
from labsupport.descent import Armijo, Fixed
from labsupport.feedback import check
from labsupport.network import Network, Parameters

X, Y = datasets.xor()
NET = Network((2, 4, 1))
START = network.initialise(NET, np.random.default_rng(1))


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def agrees(said, hint):
    """A right answer has no hint; a wrong one is told it."""
    assert said.passed == (hint is None), said
    assert hint is None or hint in repr(said), said


# Chapter 1


def chance(q, log=np.log):
    return -q * log(q) - (1 - q) * log(1 - q)


@pytest.mark.parametrize(
    ("gain", "hint"),
    [
        (chance(0.3) - 0.6, None),
        (0.011, None),
        (np.array(0.0109), None),
        (0.6 - chance(0.3), "chance minus the loss"),
        (chance(0.3), "still to be taken off"),
        (0.61, "still to be taken off"),
        (np.log(2) - 0.6, "equally frequent"),
        (chance(0.3, np.log2) - 0.6, "base 2"),
        (chance(0.3, np.log10) - 0.6, "base 10"),
        (-0.3 * np.log(0.3) - 0.6, "two terms"),
        (-0.7 * np.log(0.7) - 0.6, "two terms"),
        (0.6 / chance(0.3), "not a ratio"),
        (1 - 0.6 / chance(0.3), "not a share"),
        (0.6, "too large"),
    ],
)
def test_guess(gain, hint):
    agrees(check("ex-guess", gain), hint)


def affine_losses(epochs=2000, rate=1.0, seed=None, swap=False):
    net, ends = Network((2, 1)), []
    zero = Parameters.of(np.zeros((2, 1)), np.zeros((1, 1)))
    start = zero if seed is None else network.initialise(net, np.random.default_rng(seed))
    for target in (X.min(axis=1, keepdims=True), X.max(axis=1, keepdims=True)):
        ends.append(descent.train(net, start, X, target, Fixed(rate), epochs).history.loss[-1])
    return ends[::-1] if swap else ends


@pytest.mark.parametrize(
    ("losses", "hint"),
    [
        (affine_losses(), None),
        (affine_losses(seed=3), None),
        (affine_losses(swap=True), "`loss_and`: that is the loss of *or*"),
        (affine_losses(epochs=1000), "half the way"),
        (affine_losses(rate=0.1), "a tenth of the way"),
        ((np.log(2), np.log(2)), "still those of xor"),
        ((np.ones(2001), np.ones(2001)), "shape (2001,)"),
        ((affine_losses()[0], ...), "`loss_or`"),
    ],
)
def test_and_or(losses, hint):
    agrees(check("ex-and-or", *losses), hint)


@pytest.mark.parametrize(
    ("W", "b", "hint"),
    [
        ([[10.0], [10.0], [-20.0]], [[-5.0]], None),
        ([[2], [2], [-4]], -1, None),
        ([[1.0, 1.0, -2.0]], -0.5, "transposed"),
        ([1.0, 1.0, -2.0], -0.5, "shape (3,)"),
        ([[1.0], [1.0], [-1.0]], -0.5, "At (1, 1) the answer is above 0.5, and the class is 0"),
        ([[1.0], [1.0], [-2.0]], 0.0, "exactly at 0.5"),
        ([[1.0], [1.0], [-2.0]], 0.5, "start with its sign"),
        ([[1.0], [1.0], [-2.0]], np.zeros((1, 3)), "`b` has shape (1, 3)"),
        ([[1.0], [1.0], [-2.0]], ..., "`b`"),
    ],
)
def test_product(W, b, hint):
    agrees(check("ex-product", W, b), hint)


# Chapter 2

SHAPES = {
    **{"Z1": (7, 5), "D1": (7, 5), "W1": (3, 5), "b1": (1, 5)},
    **{"Z2": (7, 2), "D2": (7, 2), "W2": (5, 2), "b2": (1, 2)},
    **{"Z3": (7, 1), "D3": (7, 1), "W3": (2, 1), "b3": (1, 1)},
}


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({}, None),
        ({"Z1": [7, 5]}, None),
        ({"W1": (5, 3)}, "`W1` is not (5, 3): it is transposed"),
        ({"Z2": (2, 7)}, "rows are samples"),
        ({"b1": (5,)}, "write both of its lengths"),
        ({"b1": (5, 1)}, "a bias is one row"),
        ({"b2": (7, 2)}, "a bias is one row"),
        ({"D1": (3, 5)}, "not of W"),
        ({"W2": (7, 2)}, "as many rows as the layer before"),
        ({"Z3": (7, 2)}, "a column for each unit of its layer"),
        ({"A1": (7, 5)}, "Not asked for: `A1`"),
        ({"W3": None}, "`W3` is not None"),
        ({"W3": 2}, "`W3` is not 2"),
    ],
)
def test_third_layer(change, hint):
    agrees(check("ex-third-layer", SHAPES | change), hint)


def test_third_layer_names_what_is_missing():
    agrees(check("ex-third-layer", {"Z1": (7, 5)}), "Missing: `D1`, `D2`")
    agrees(check("ex-third-layer", [(7, 5)]), "expected a dictionary")


@pytest.mark.parametrize(
    ("delta", "hint"),
    [
        (lambda P, Y: 2 * (P - Y) * P * (1 - P) / len(Y), None),
        (lambda P, Y: (P - Y) / len(Y), "line 6 of the cross-entropy"),
        (lambda P, Y: 2 * (P - Y) / len(Y), "the derivative of the sigmoid is missing"),
        (lambda P, Y: (P - Y) * P * (1 - P) / len(Y), "the 2 of the square"),
        (lambda P, Y: 2 * (P - Y) * P * (1 - P), "the 1/m is missing"),
        (lambda P, Y: 2 * (Y - P) * P * (1 - P) / len(Y), "wrong way round"),
        (lambda P, Y: 2 * (P - Y) * sigmoid(P) * (1 - sigmoid(P)) / len(Y), "with P itself"),
        (lambda P, Y: np.mean(2 * (P - Y) * P * (1 - P)), "keeps its own row"),
        (lambda P, Y: 2 * (P - Y) @ P * (1 - P), "ValueError"),
        (lambda P: P, "No line of it was reached"),
    ],
)
def test_mse_delta(delta, hint):
    agrees(check("ex-mse-delta", delta), hint)


def late_dW1(rate):
    cache = network.forward(NET, START, X)
    gradient = network.backward(NET, START, cache, Y)
    A1, D2 = cache.A[1], network.output_delta(NET, cache, Y)
    W2 = START.weights[1] - rate * gradient.weights[1]
    return X.T @ ((D2 @ W2.T) * A1 * (1 - A1)), gradient.weights[0]


def relative(rate=0.5):
    late, correct = late_dW1(rate)
    return np.linalg.norm(late - correct) / np.linalg.norm(correct)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (relative(), None),
        (round(relative(), 4), None),
        (100 * relative(), "in percent"),
        (relative(1.0), "learning rate of 1"),
        (np.linalg.norm(late_dW1(0.5)[0] - late_dW1(0.5)[1]), "divide by the size"),
        (-relative(), "sign"),
        (late_dW1(0.5)[0], "shape (2, 4)"),
    ],
)
def test_update_order(change, hint):
    agrees(check("ex-update-order", change), hint)


# Chapter 3


class Weights(NamedTuple):
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


def forward_tanh(w, X):
    A1 = np.tanh(X @ w.W1 + w.b1)
    return A1, sigmoid(A1 @ w.W2 + w.b2)


def backward(slope, delta=lambda P, Y: (P - Y) / len(Y), bias=lambda D: D.sum(0, keepdims=True)):
    def of_tanh(w, X, A1, P, Y):
        D2 = delta(P, Y)
        D1 = (D2 @ w.W2.T) * slope(A1)
        return Weights(X.T @ D1, bias(D1), A1.T @ D2, bias(D2))

    return of_tanh


def tanh_slope(A1):
    return 1 - A1**2


def row_transposed(w, X, A1, P, Y):
    D2 = (P - Y) / len(Y)
    D1 = (D2 @ w.W2.T) * (1 - A1**2)
    return Weights(D1.T @ X, D1.sum(0), A1.T @ D2, D2.sum(0))


def weights_in_place(w, X, A1, P, Y):
    gradient = backward(tanh_slope)(w, X, A1, P, Y)
    for tensor, g in zip(w, gradient, strict=True):
        tensor -= 0.5 * g
    return gradient


@pytest.mark.parametrize(
    ("forward", "backward_", "hint"),
    [
        (forward_tanh, backward(tanh_slope), None),
        (forward_tanh, backward(tanh_slope, bias=lambda D: D.sum(0)), None),
        (forward_tanh, backward(lambda A: A * (1 - A)), BUGS["other derivative"].slip),
        (forward_tanh, backward(lambda A: 1 - np.tanh(A) ** 2), BUGS["derivative of A"].slip),
        (forward_tanh, backward(lambda A: 1), BUGS["no hidden derivative"].slip),
        (forward_tanh, backward(tanh_slope, lambda P, Y: P - Y), "the 1/m is missing"),
        (
            forward_tanh,
            backward(tanh_slope, lambda P, Y: (Y - P) / len(Y)),
            BUGS["delta sign"].slip,
        ),
        (forward_tanh, backward(tanh_slope, bias=lambda D: D.mean(0)), BUGS["bias mean"].slip),
        (forward_tanh, backward(tanh_slope, bias=lambda D: D.sum(1)), "over the units"),
        (forward_tanh, backward(tanh_slope, bias=np.sum), "one sum over everything"),
        (forward_tanh, row_transposed, "`dW1` has shape"),
        (forward_tanh, row_transposed, BUGS["transposed dW"].slip),
        (forward_tanh, weights_in_place, "changes the parameters it is given"),
        (forward_tanh, lambda w, X, A1, P, Y: (w.W1, w.b1), "gives 2 arrays"),
        (forward_tanh, ..., "`backward_tanh`"),
        (
            lambda w, X: (sigmoid(X @ w.W1 + w.b1), sigmoid(sigmoid(X @ w.W1 + w.b1) @ w.W2)),
            backward(tanh_slope),
            "`A1` is off by",
        ),
        (
            lambda w, X: (sigmoid(X @ w.W1 + w.b1), forward_tanh(w, X)[1]),
            backward(tanh_slope),
            "Right already: `P`",
        ),
        (
            lambda w, X: (
                np.tanh(X @ w.W1 + w.b1),
                np.tanh(np.tanh(X @ w.W1 + w.b1) @ w.W2 + w.b2),
            ),
            backward(tanh_slope),
            "the output became a tanh too",
        ),
        (lambda w, X: forward_tanh(w, X)[1], backward(tanh_slope), "gives 1 arrays"),
    ],
)
def test_tanh(forward, backward_, hint):
    agrees(check("ex-tanh", forward, backward_), hint)


def sigmoid_slope(A1):
    return A1 * (1 - A1)


@pytest.mark.parametrize(
    ("broken", "named", "hint"),
    [
        (backward(lambda A1: A1), ["W1", "b1"], None),
        (backward(lambda A1: A1), {"dW1", "db1"}, None),
        (backward(sigmoid_slope, lambda P, Y: P - Y), ("W1", "b1", "W2", "b2"), None),
        (backward(sigmoid_slope), ["W1"], "is still right"),
        (backward(lambda A1: A1), ["W1"], "lacks an array"),
        (backward(lambda A1: A1), ["W1", "b1", "W2"], "has `W2`, which is right"),
        (backward(lambda A1: A1), ..., "`named`"),
        (backward(sigmoid_slope, bias=lambda D: D.sum(1)), ["b1", "b2"], "Plant one that they"),
        (backward(lambda A1: A1[:, :2]), ["W1", "b1"], "ValueError"),
        (..., ["W1"], "`broken_backward`"),
    ],
)
def test_break(broken, named, hint):
    agrees(check("ex-break", broken, named), hint)


SOLVED = {2: 36, 3: 50, 4: 50, 8: 50}  # the chapter's own


@pytest.mark.parametrize(
    ("solved", "hint"),
    [
        (SOLVED, None),
        ({2: 31, 3: 45, 4: 50, 8: 50}, None),
        ({n: 50 - k for n, k in SOLVED.items()}, "do not arrive"),
        ({n: k / 50 for n, k in SOLVED.items()}, "whole numbers"),
        (dict.fromkeys(SOLVED, 0), "All widths give the same count"),
        ({2: 0, 3: 1, 4: 3, 8: 10}, "5000 epochs"),
        ({2: 36, 4: 50}, "keys (2, 3, 4, 8)"),
        ([36, 50, 50, 50], "dictionary"),
        ({n: np.ones(50) for n in SOLVED}, "shape (50,)"),
    ],
)
def test_width(solved, hint):
    agrees(check("ex-width", solved), hint)


# Chapter 4


def end(epochs=500, dtype=np.float64, start=START):
    return descent.train(NET, start.astype(dtype), X, Y, Fixed(0.5), epochs).parameters.vector


@pytest.mark.parametrize(
    ("gap", "hint"),
    [
        (abs(end() - end(dtype=np.float32)).max(), None),
        (torch.tensor(3e-6), None),
        (0.0, "exactly 0"),
        (-3e-6, "absolute value"),
        (1e-15, "neither side was trained in float32"),
        (abs(end(1) - end(1, np.float32)).max(), "single rounding"),
        (abs(end() - end(400)).max(), "something else"),
        (end() - end(dtype=np.float32), "shape (17,)"),
    ],
)
def test_float32(gap, hint):
    agrees(check("ex-float32", gap), hint)


def copied(change=lambda layer, W, b: (W.T, b[0]), dtype=torch.float64):
    model = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid()).to(dtype)
    with torch.no_grad():
        for k, (W, b) in enumerate(zip(START.weights, START.biases, strict=True)):
            weight, bias = change(k, W, b)
            model[2 * k].weight.copy_(torch.tensor(weight))
            if bias is not None:
                model[2 * k].bias.copy_(torch.tensor(bias))
    return model


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (copied(), None),
        (torch_twin.module(NET, START), None),
        (copied(dtype=torch.float32), "call `.double()`"),
        (copied(lambda k, W, b: (W.T, None)), "`b1` is not the bias of `start`"),
        (copied(lambda k, W, b: (W.reshape(W.shape[::-1]), b[0])), "do not reshape"),
        (copied(lambda k, W, b: (W.T[:1], b[0])), "broadcast a single row"),
        (torch_twin.module(NET, Parameters(NET.sizes, START.vector + 1)), "was it copied"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "not those of a 2-4-1"),
        (START, "expected an `nn.Sequential`"),
    ],
)
def test_transpose(model, hint):
    agrees(check("ex-transpose", model), hint)


def with_momentum(step):
    def train(start, learning_rate, momentum, epochs):
        w, v = start.vector.copy(), np.zeros(17)
        for _ in range(epochs):
            here = Parameters(NET.sizes, w)
            g = network.loss_and_gradient(NET, here, X, Y)[1].vector
            w, v = step(w, v, g, learning_rate, momentum)
        return Parameters(NET.sizes, w)

    return train


def late(w, v, g, a, mu):
    return w - a * v, mu * v + g


def in_place(start, learning_rate, momentum, epochs):
    v = 0
    for _ in range(epochs):
        v = momentum * v + network.loss_and_gradient(NET, start, X, Y)[1].vector
        start.vector[...] -= learning_rate * v
    return start


@pytest.mark.parametrize(
    ("train", "hint"),
    [
        (with_momentum(lambda w, v, g, a, mu: (w - a * (mu * v + g), mu * v + g)), None),
        (with_momentum(lambda w, v, g, a, mu: (w + mu * v - a * g, mu * v - a * g)), None),
        (with_momentum(lambda w, v, g, a, mu: (w - a * g, v)), "must keep its value"),
        (with_momentum(lambda w, v, g, a, mu: (w - a * (0.9 * v + g), 0.9 * v + g)), "0.9 is"),
        (
            with_momentum(
                lambda w, v, g, a, mu: (w - a * (mu * v + (1 - mu) * g), mu * v + (1 - mu) * g)
            ),
            "not with 1 - momentum",
        ),
        (with_momentum(late), "before the new gradient"),
        (
            with_momentum(lambda w, v, g, a, mu: (w - a * (g + mu * (mu * v + g)), mu * v + g)),
            "Nes",
        ),
        (with_momentum(lambda w, v, g, a, mu: (w - a * (g - mu * v), g - mu * v)), "subtracted"),
        (
            with_momentum(lambda w, v, g, a, mu: (w - a * (v + g), v + g)),
            BUGS["zero grad forgotten"].slip,
        ),
        (with_momentum(lambda w, v, g, a, mu: (w + a * (mu * v + g), mu * v + g)), "wrong sign"),
        (in_place, "changes the parameters it is given"),
        (lambda start, learning_rate, momentum, epochs: None, "`train_with_momentum`"),
        (lambda start, learning_rate, momentum, epochs: 3.0, "gave a float"),
    ],
)
def test_momentum(train, hint):
    agrees(check("ex-momentum", train), hint)


# Chapter 5

DATA = datasets.moons()
RELU = Network((2, 16, 1), hidden="relu", output="identity", loss="bce_with_logits")
BEGIN = network.initialise(RELU, np.random.default_rng(1), "pytorch")


@pytest.fixture(scope="module")
def trials():
    """Trials of each epoch, by c, from a first trial of 16."""
    return {
        c: descent.train(
            RELU, BEGIN, DATA.X_train, DATA.Y_train, Armijo(16.0, c=c), 300
        ).history.trials
        for c in (1e-4, 0.1, 0.3, 0.5)
    }


@pytest.mark.parametrize(
    ("read", "hint"),
    [
        (np.nanmean, None),
        (lambda t: round(float(np.nanmean(t)), 1), None),
        (np.nansum, "that is the sum"),
        (np.nanmax, "that is the largest"),
        (np.mean, "nan"),
        (lambda t: np.nanmean(t) - 1, "it counts too"),
        (lambda t: 1.0, "from a first trial of 1"),
        (lambda t: t, "shape (301,)"),
    ],
)
def test_constants(trials, read, hint):
    answer = {c: read(t) for c, t in trials.items()}
    agrees(check("ex-constants", answer, begin=BEGIN), hint)


def test_constants_of_another_form(trials):
    agrees(check("ex-constants", [1, 2, 3, 4], begin=BEGIN), "dictionary")
    agrees(check("ex-constants", {0.1: 3}, begin=BEGIN), "with the keys")


def quadratic_steps(c, first=1.0):
    curvature, x, steps = np.array([1.0, 10.0]), np.array([10.0, 1.0]), []

    def f(x):
        return 0.5 * (curvature * x) @ x

    for _ in range(50):
        g, alpha = curvature * x, first
        while f(x - alpha * g) > f(x) - c * alpha * g @ g:
            alpha /= 2
        x = x - alpha * g
        steps.append(alpha)
    return steps


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (min(quadratic_steps(0.5)), None),
        (max(quadratic_steps(0.5)), "largest"),
        (0.05, "the bound of the theory"),
        (min(quadratic_steps(1e-4)), "c = 1e-4"),
        (0.1, "that is 1/L"),
        (quadratic_steps(0.5), "shape (50,)"),
        (0.0, "should be positive"),
    ],
)
def test_quadratic(step, hint):
    agrees(check("ex-quadratic", step), hint)


@pytest.mark.parametrize(
    ("count", "hint"),
    [
        (34, None),
        (33, "the first trial, of 1, counts too"),
        (35, "is not tried any more"),
        (0, "not the number of trials"),
        (10, "half as long"),
        (1, "uphill no trial passes"),
        (np.inf, "inf"),
        (100, "too large"),
    ],
)
def test_give_up(count, hint):
    agrees(check("ex-give-up", count), hint)
