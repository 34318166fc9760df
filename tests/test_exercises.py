"""The self-checks of all exercises: right answers pass, each planted slip gets the hint that fits.

Further right answers are the folded solutions, which the chapters themselves hand to the checks.
"""

import copy
import functools
import inspect
import types
from collections import namedtuple
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from labsupport import datasets, descent, feedback, network, records, torch_twin, zoo
from labsupport.autograd import Value
from labsupport.bugs import BUGS
from labsupport.descent import Armijo, Fixed
from labsupport.feedback import check
from labsupport.feedback.exercises import backtracking, five_records, momentum, step_size
from labsupport.feedback.exercises.many_machines import unknown_runs
from labsupport.feedback.exercises.momentum import unknown_curves
from labsupport.momentum import Adam, HeavyBall
from labsupport.network import Network, Parameters

TABLE = {}
"""By label: rows of a hint and the answers that get it; None with right answers, the first row."""

X, Y = datasets.xor()
NET = Network((2, 4, 1))
START = network.initialise(NET, np.random.default_rng(1))
MOONS = datasets.moons()
RELU = Network((2, 16, 1), hidden="relu", output="identity", loss="bce_with_logits")
CONTEXT = {
    "begin": network.initialise(RELU, np.random.default_rng(1), "pytorch"),
    "starts": network.initialise(RELU, np.random.default_rng(13), "pytorch", runs=10),
    "data": MOONS,
    "parts": datasets.digits(np.random.default_rng(2)),
    "parameters": tuple(START),
    "start": START,
    "seed": 5,
    "crowd": records.run("xor-autograd", rng=np.random.default_rng(16), runs=200),
}
EDGE = Network((2, 8, 1), hidden="tanh", output="identity", loss="mse")
EDGE_STARTS = network.initialise(EDGE, np.random.default_rng(1), "pytorch", runs=8).vector


Weights = namedtuple("Weights", "W1 b1 W2 b2")


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def asked(label):
    """Names of the answers, and of what the chapter hands over."""
    given = inspect.signature(feedback.CHECKS[label]).parameters.values()
    made = [p.name for p in given if p.kind is p.KEYWORD_ONLY]
    return [p.name for p in given if p.name not in made], made


def told(label, *answers):
    made = CONTEXT | ({"starts": EDGE_STARTS} if label == "ex-leave-edge" else {})
    return check(label, *answers, **{name: made[name] for name in asked(label)[1]})


def agrees(said, hint):
    """A right answer has no hint; a wrong one is told it, and so is one that is half open."""
    status = "right" if hint is None else "open" if hint.startswith(("Write", "Now")) else "wrong"
    assert said.status == status and (hint or "") in repr(said), said


# Chapter 1


def chance(q, log=np.log):
    return -q * log(q) - (1 - q) * log(1 - q)


TABLE["ex-guess"] = [
    *((None, chance(0.3) - 0.6), (None, 0.011), ("chance minus the loss", 0.6 - chance(0.3))),
    *(("still to be taken off", 0.61), ("equally frequent", np.log(2) - 0.6)),
    *(("base 2", chance(0.3, np.log2) - 0.6), ("base 10", chance(0.3, np.log10) - 0.6)),
    *(("two terms", -0.3 * np.log(0.3) - 0.6), ("two terms", -0.7 * np.log(0.7) - 0.6)),
    *(("not a ratio", 0.6 / chance(0.3)), ("not a share", 1 - 0.6 / chance(0.3))),
]
TABLE["ex-sixteen"] = [
    *((None, [(0, 1, 1, 0), (1, 0, 0, 1)]), (None, np.array([[1, 0, 0, 1], [0, 1, 1, 0]]))),
    *((None, {(0, 1, 1, 0), (1, 0, 0, 1)}), (None, [[False, True, True, False], [1, 0, 0, 1]])),
    *(("Another one is as hard", [(0, 1, 1, 0)]), ("Another one is as hard", (1, 0, 0, 1))),
    ("(0, 0, 0, 1) can be learned", [(0, 0, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1)]),
    ("(0, 0, 0, 0) can be learned", list(np.ndindex(2, 2, 2, 2))),
    ("four entries, 0 or 1", [(0, 1, 1), (1, 0, 0)]),
    ("four entries, 0 or 1", [(0, 2, 2, 0)]),
    ("`hard` is of type str; expected a list of tables", "xor"),
    ("Write `hard`", []),
]
W = [[1.0], [1.0], [-2.0]]
TABLE["ex-product"] = [
    (None, [[10.0], [10.0], [-20.0]], [[-5.0]]),
    (None, [[2], [2], [-4]], -1),
    ("transposed", [[1.0, 1.0, -2.0]], -0.5),
    ("`W` is of type str; expected an array of numbers", "1 1 -2", -0.5),
    ("`W` is of type list; expected an array of numbers, its rows of one", [[1], [1, -2]], -0.5),
    ("At (1, 1) the answer is above 0.5, and the class is 0", [[1.0], [1.0], [-1.0]], -0.5),
    ("exactly at 0.5", W, 0.0),
    ("start with its sign", W, 0.5),
    ("`b` has shape (1, 3)", W, np.zeros((1, 3))),
    ("Write `b`", W, ...),
]


# Chapter 2


def late_dW1(rate):
    cache = network.forward(NET, START, X)
    gradient = network.backward(NET, START, cache, Y)
    A1, D2 = cache.A[1], network.output_delta(NET, cache, Y)
    W2 = START.weights[1] - rate * gradient.weights[1]
    return X.T @ ((D2 @ W2.T) * A1 * (1 - A1)), gradient.weights[0]


def relative(rate=0.5):
    late, correct = late_dW1(rate)
    return np.linalg.norm(late - correct) / np.linalg.norm(correct)


SHAPES = {
    **{"Z1": (7, 5), "D1": (7, 5), "W1": (3, 5), "b1": (1, 5)},
    **{"Z2": (7, 2), "D2": (7, 2), "W2": (5, 2), "b2": (1, 2)},
    **{"Z3": (7, 1), "D3": (7, 1), "W3": (2, 1), "b3": (1, 1)},
}
TABLE["ex-third-layer"] = [
    (None, SHAPES),
    (None, SHAPES | {"Z1": [7, 5], "D1": np.array((7, 5))}),
    ("`W1` is not (5, 3): it is transposed", SHAPES | {"W1": (5, 3)}),
    ("rows are samples", SHAPES | {"Z2": (2, 7)}),
    ("write both of its lengths", SHAPES | {"b1": (5,)}),
    ("a bias is one row", SHAPES | {"b2": (7, 2)}),
    ("not of W", SHAPES | {"D1": (3, 5)}),
    ("as many rows as the layer before", SHAPES | {"W2": (7, 2)}),
    ("a column for each unit of its layer", SHAPES | {"Z3": (7, 2)}),
    ("Not asked for: `A1`", SHAPES | {"A1": (7, 5)}),
    ("`W3` is not None: a shape is a tuple", SHAPES | {"W3": None}),
    ("a shape is a tuple", SHAPES | {"D3": ()}),
    ("Missing: `D1`, `D2`", {"Z1": (7, 5)}),
    ("expected a dictionary", [(7, 5)]),
]
TABLE["ex-line-eight"] = [
    (None, lambda D2, W2, A1: (D2 @ W2.T) * (1 - A1 * A1)),
    ("the slope of the sigmoid", lambda D2, W2, A1: (D2 @ W2.T) * A1 * (1 - A1)),
    ("own slope of tanh is missing", lambda D2, W2, A1: D2 @ W2.T),
    ("no second tanh", lambda D2, W2, A1: (D2 @ W2.T) / np.cosh(A1) ** 2),
    ("with the square", lambda D2, W2, A1: (D2 @ W2.T) * (1 - A1)),
    ("1/m is in `D2` already", lambda D2, W2, A1: (D2 @ W2.T) * (1 - A1**2) / len(D2)),
    ("belongs to line 7", lambda D2, W2, A1: ((D2 @ W2.T) * (1 - A1**2)).sum(0, keepdims=True)),
]
TABLE["ex-mse-delta"] = [
    (None, lambda P, Y: 2 * (P - Y) * P * (1 - P) / len(Y)),
    ("line 6 of the cross-entropy", lambda P, Y: (P - Y) / len(Y)),
    ("the derivative of the sigmoid is missing", lambda P, Y: 2 * (P - Y) / len(Y)),
    ("the 2 of the square", lambda P, Y: (P - Y) * P * (1 - P) / len(Y)),
    ("the 1/m is missing", lambda P, Y: 2 * (P - Y) * P * (1 - P)),
    ("wrong way round", lambda P, Y: 2 * (Y - P) * P * (1 - P) / len(Y)),
    ("with P itself", lambda P, Y: 2 * (P - Y) * sigmoid(P) * (1 - sigmoid(P)) / len(Y)),
    ("keeps its own row", lambda P, Y: np.mean(2 * (P - Y) * P * (1 - P))),
]
TABLE["ex-update-order"] = [
    (None, relative()),
    ("in percent", 100 * relative()),
    ("learning rate of 1", relative(1.0)),
    ("divide by the size", np.linalg.norm(late_dW1(0.5)[0] - late_dW1(0.5)[1])),
]


# Chapter 3


def forward(hidden=np.tanh, output=sigmoid, bias=1):
    def of_tanh(w, X):
        A1 = hidden(X @ w.W1 + bias * w.b1)
        return A1, output(A1 @ w.W2 + bias * w.b2)

    return of_tanh


def tanh_slope(A1):
    return 1 - A1**2


def sigmoid_slope(A1):
    return A1 * (1 - A1)


def backward(
    slope=tanh_slope,
    delta=lambda P, Y: (P - Y) / len(Y),
    bias=lambda D: D.sum(0, keepdims=True),
    first=lambda X, D: X.T @ D,
):
    def of_tanh(w, X, A1, P, Y):
        D2 = delta(P, Y)
        D1 = (D2 @ w.W2.T) * slope(A1)
        return Weights(first(X, D1), bias(D1), A1.T @ D2, bias(D2))

    return of_tanh


def weights_in_place(w, X, A1, P, Y):
    gradient = backward()(w, X, A1, P, Y)
    for tensor, g in zip(w, gradient, strict=True):
        tensor -= 0.5 * g
    return gradient


TABLE["ex-tanh"] = [
    (None, forward(), backward()),
    (None, lambda w, X: list(forward()(w, X)), backward(bias=lambda D: D.sum(0))),
    (BUGS["other derivative"].slip, forward(), backward(sigmoid_slope)),
    (BUGS["derivative of A"].slip, forward(), backward(lambda A: 1 - np.tanh(A) ** 2)),
    (BUGS["no hidden derivative"].slip, forward(), backward(lambda A: 1)),
    ("the 1/m is missing", forward(), backward(delta=lambda P, Y: P - Y)),
    (BUGS["delta sign"].slip, forward(), backward(delta=lambda P, Y: (Y - P) / len(Y))),
    (BUGS["bias mean"].slip, forward(), backward(bias=lambda D: D.mean(0))),
    ("over the units", forward(), backward(bias=lambda D: D.sum(1))),
    ("one sum over everything", forward(), backward(bias=np.sum)),
    ("`dW1` is transposed", forward(), backward(first=lambda X, D: D.T @ X)),
    ("`backward_tanh` changes `w`, which it is given", forward(), weights_in_place),
    ("gives 2 arrays", forward(), lambda w, X, A1, P, Y: (w.W1, w.b1)),
    ("Write `backward_tanh`", forward(), ...),
    ("still has the sigmoid", forward(hidden=sigmoid), backward()),
    ("Right already: `P`", lambda w, X: (sigmoid(X @ w.W1), forward()(w, X)[1]), backward()),
    ("the biases are missing", forward(bias=0), backward()),
    ("the output became a tanh too", forward(output=np.tanh), backward()),
    ("gives P; expected A1, P, in", lambda w, X: forward()(w, X)[1], backward()),
]


TABLE["ex-break"] = [
    (None, backward(lambda A1: A1), ["W1", "b1"]),
    (None, backward(lambda A1: A1), {"dW1", "db1"}),
    (None, backward(lambda A1: A1), "W1, b1"),
    (None, backward(sigmoid_slope, lambda P, Y: P - Y), ("W1", "b1", "W2", "b2")),
    ("is still right", backward(sigmoid_slope), ["W1"]),
    ("lacks an array", backward(lambda A1: A1), ["W1"]),
    ("has `W2`, which is right", backward(lambda A1: A1), ["W1", "b1", "W2"]),
    ("no array is called W3", backward(lambda A1: A1), ["W1", "b1", "W3"]),
    ("Now `named`", backward(lambda A1: A1), ...),
    ("Plant one that they", backward(sigmoid_slope, bias=lambda D: D.sum(1)), ["b1", "b2"]),
    ("Plant one that does not raise", backward(lambda A1: A1[:, :2]), ["W1", "b1"]),
    ("Write `broken_backward`", ..., ["W1"]),
    (
        "right on the data of this page",
        backward(sigmoid_slope, lambda P, Y: (P - Y) / 4),
        Weights._fields,
    ),
    ("gives nan", backward(lambda A1: A1 * np.nan), ["W1", "b1"]),
]


def arrived(rate=1.0, seed=5, epochs=(400, 5000), below=0.1, kind="normal", runs=50):
    """How many starts arrive within each of two counts of epochs, by hidden units."""
    counts = {}
    for hidden in (2, 3, 4, 8):
        net = Network((2, hidden, 1))
        starts = network.initialise(net, np.random.default_rng(seed), kind, runs=runs)
        ends = descent.train(
            net, starts, X, Y, Fixed(rate), max(epochs), target=below, every=1000, progress=False
        ).history
        there = ends.stopped == "target"
        counts[hidden] = tuple(int((there & (ends.stopped_at <= n)).sum()) for n in epochs)
    return counts


@pytest.mark.parametrize(
    ("hint", "made"),
    [
        ("400 epochs", {"rate": 0.5}),
        ("400 epochs", {"rate": 2.0}),
        ("400 epochs", {"below": 0.2}),
        ("400 epochs", {"below": 0.05}),
        ("400 epochs", {"epochs": (500, 5000)}),
        ("", {"epochs": (400, 500)}),
        ("", {"kind": "pytorch"}),
    ],
)
def test_counts_of_another_program_are_refused(hint, made):
    agrees(check("ex-width", arrived(**made), seed=5), hint)


SOLVED = arrived()
TABLE["ex-width"] = [
    (None, SOLVED),
    (None, {hidden: np.array(counts) for hidden, counts in SOLVED.items()}),
    ("do not arrive", {n: (50 - a, 50 - b) for n, (a, b) in SOLVED.items()}),
    ("whole numbers", {n: (a / 50, b / 50) for n, (a, b) in SOLVED.items()}),
    ("All widths give the same", dict.fromkeys(SOLVED, (40, 40))),
    ("the wrong way round", {n: (b, a) for n, (a, b) in SOLVED.items()}),
    ("two counts", {n: b for n, (_, b) in SOLVED.items()}),
    ("keys (2, 3, 4, 8)", {2: (36, 36), 4: (50, 50)}),
]


# Chapter 4


def end(epochs=500, dtype=np.float64, start=START):
    run = descent.train(NET, start.astype(dtype), X, Y, Fixed(0.5), epochs, progress=False)
    return run.parameters.vector


def copied(
    change=lambda layer, W, b: (W.T, b[0]), dtype=torch.float64, hidden=nn.Sigmoid, last=nn.Sigmoid
):
    model = nn.Sequential(nn.Linear(2, 4), hidden(), nn.Linear(4, 1), last()).to(dtype)
    with torch.no_grad():
        for k, (W, b) in enumerate(zip(START.weights, START.biases, strict=True)):
            weight, bias = change(k, W, b)
            model[2 * k].weight.copy_(torch.tensor(weight))
            if bias is not None:
                model[2 * k].bias.copy_(torch.tensor(bias))
    return model


def with_momentum(velocity, move=lambda w, v, g, a, mu: w - a * v):
    """Train by v = velocity(v, g, mu) and w = move(w, v, g, a, mu), the new v in place of the old.

    The moves differ in what they make of v.
    """

    def train(start, learning_rate, momentum, epochs):
        w, v = start.vector.copy(), np.zeros(17)
        for _ in range(epochs):
            g = network.loss_and_gradient(NET, Parameters(NET.sizes, w), X, Y)[1].vector
            v = velocity(v, g, momentum)
            w = move(w, v, g, learning_rate, momentum)
        return Parameters(NET.sizes, w)

    return train


def heavy(v, g, mu):
    return mu * v + g


def late(w, v, g, a, mu):
    return w - a * (v - g) / mu


def in_place(start, learning_rate, momentum, epochs):
    v = 0
    for _ in range(epochs):
        v = momentum * v + network.loss_and_gradient(NET, start, X, Y)[1].vector
        start.vector[...] -= learning_rate * v
    return start


def single(epochs, dtype=torch.float32, rate=0.5, of=copied):
    """The third dress in any precision."""
    model = of(dtype=dtype)
    x, y = torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype)
    sgd = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(epochs):
        sgd.zero_grad()
        nn.functional.binary_cross_entropy(model(x), y).backward()
        sgd.step()
    return torch_twin.parameters_of(model)


def rounded(epochs):
    return single(epochs, torch.float64).astype(np.float32)


def in_numpy(epochs):
    run = descent.train(NET, START.astype(np.float32), X, Y, Fixed(0.5), epochs, progress=False)
    return tuple(run.parameters)


APART = abs(np.asarray(single(500).vector, float) - end())
TABLE["ex-float32"] = [
    (None, single, APART.max()),
    (None, single, torch.tensor(APART.max())),
    (None, in_numpy, abs(np.concatenate([t.ravel() for t in in_numpy(500)]) - end()).max()),
    ("not that of these weights", single, 3e-6 if APART.max() > 1e-5 else 3e-5),
    ("exactly 0", single, 0.0),
    ("absolute value", single, -APART.max()),
    ("neither side was trained in float32", single, 1e-15),
    ("that is the mean", single, APART.mean()),
    ("gives float64", lambda epochs: single(epochs, torch.float64), APART.max()),
    ("trained in float64 and rounded", rounded, abs(rounded(500).vector - end()).max()),
    ("after one epoch", lambda epochs: single(epochs, rate=0.1), APART.max()),
    ("after one epoch", lambda epochs: single(500), APART.max()),
    ("after 500 epochs", lambda epochs: single(min(epochs, 400)), APART.max()),
    ("expected W1, b1, W2, b2", lambda epochs: single(epochs).vector, APART.max()),
    ("Write `gap`", single, ...),
]


class Odd:
    """Can be called, and has something else as its parameters."""

    def parameters(self):
        return ["W1"]

    def __call__(self, X):
        return X


TABLE["ex-transpose"] = [
    (None, copied()),
    (None, torch_twin.module(NET, START)),
    ("call `.double()`", copied(dtype=torch.float32)),
    ("`b1` is not the bias of `start`", copied(lambda k, W, b: (W.T, None))),
    ("do not reshape", copied(lambda k, W, b: (W.reshape(W.shape[::-1]), b[0]))),
    ("broadcast a single row", copied(lambda k, W, b: (W.T[:1], b[0]))),
    ("was it copied", torch_twin.module(NET, Parameters(NET.sizes, START.vector + 1))),
    ("its output is not", copied(hidden=nn.Tanh)),
    ("its output is not", copied(hidden=nn.ReLU)),
    ("its output is not", copied(hidden=nn.Identity)),
    ("that of `network.predict` before the sigmoid", copied(last=nn.Identity)),
    ("expected an `nn.Sequential`", SimpleNamespace(parameters=copied().parameters)),
    ("not those of a 2-4-1", nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))),
    ("expected an `nn.Sequential`", START),
    ("`by_hand.parameters` stopped with TypeError", nn.Sequential),
    ("`by_hand.parameters()` is of type str", Odd()),
]
TABLE["ex-momentum"] = [
    (None, with_momentum(heavy)),
    (None, with_momentum(lambda v, g, mu: mu * v - g, lambda w, v, g, a, mu: w + a * v)),
    ("must keep its value", with_momentum(lambda v, g, mu: g)),
    ("0.9 is", with_momentum(lambda v, g, mu: 0.9 * v + g)),
    ("not with 1 - momentum", with_momentum(lambda v, g, mu: mu * v + (1 - mu) * g)),
    ("before the new gradient", with_momentum(heavy, late)),
    ("Nesterov", with_momentum(heavy, lambda w, v, g, a, mu: w - a * (g + mu * v))),
    ("subtracted", with_momentum(lambda v, g, mu: g - mu * v)),
    (BUGS["zero grad forgotten"].slip, with_momentum(lambda v, g, mu: v + g)),
    ("wrong sign", with_momentum(heavy, lambda w, v, g, a, mu: w + a * v)),
    ("changes `start`, which it is given", in_place),
    ("gives 1 arrays; expected 4: W1, b1, W2, b2", lambda *given: [np.ones((2, 4))]),
]


# Chapter 5


def quadratic_steps(c):
    curvature, x, steps = np.array([1.0, 10.0]), np.array([10.0, 1.0]), []

    def f(x):
        return 0.5 * (curvature * x) @ x

    for _ in range(50):
        g, alpha = curvature * x, 1.0
        while f(x - alpha * g) > f(x) - c * alpha * g @ g:
            alpha /= 2
        x = x - alpha * g
        steps.append(alpha)
    return steps


def history(rule, start, epochs):
    return descent.train(
        RELU, start, MOONS.X_train, MOONS.Y_train, rule, epochs, progress=False
    ).history


TABLE["ex-quadratic"] = [
    (None, min(quadratic_steps(0.5))),
    ("largest", max(quadratic_steps(0.5))),
    ("the bound of the theory", 0.05),
    ("c = 1e-4", min(quadratic_steps(1e-4))),
    ("that is 1/L", 0.1),
]
TABLE["ex-give-up"] = [
    *((None, 34), ("the first trial, of 1, counts too", 33), ("is not tried any more", 35)),
    *(("not the number of trials", 0), ("half as long", 10), ("uphill no trial passes", 1)),
]


def searching(
    good=lambda loss, before, c, alpha, g, d, last: loss <= before + c * alpha * (g @ d),
    before_each=False,
    move=lambda x, alpha, d, g: x + alpha * d,
    end=lambda x, alpha, d, trials: (x, 0.0, trials),
    at=None,
    counts=0,
    back=False,
    use=lambda *constants: constants,
):
    """A line search; planted slips differ in one of its parts."""

    def search(f, x, g, d, first, shrink, c, smallest):
        alpha, shrink, c, smallest = use(first, shrink, c, smallest)
        before, trials = f(x), 0
        last = before
        while alpha >= smallest:
            alpha, trials = alpha * (shrink if before_each else 1), trials + 1
            there = move(x, alpha, d, g)
            loss = f(x if at == "x" else there)
            if good(loss, before, c, alpha, g, d, last):
                there = x + alpha / shrink * d if back else there
                return there, alpha, trials + counts
            last = loss
            if not before_each:
                alpha = shrink * alpha
        return end(x, alpha / shrink, d, trials + counts)

    return search


class Carries:
    """A search that begins where the one before ended."""

    step = None

    def __call__(self, f, x, g, d, first, shrink, c, smallest):
        found = searching()(f, x, g, d, self.step or first, shrink, c, smallest)
        self.step = found[1]
        return found


def recursive(f, x, g, d, first, shrink, c, smallest, trials=1):
    """As good as a loop; f(x) is asked for again and again."""
    if first < smallest:
        return [x, 0, trials - 1]
    if f(x + first * d) <= f(x) + c * first * np.dot(g, d):
        return [x + first * d, np.float32(first) if first == 1 else first, trials]
    return recursive(f, x, g, d, shrink * first, shrink, c, smallest, trials + 1)


def all_at_once(f, x, g, d, first, shrink, c, smallest):
    """Lists every trial, and takes the first that passes."""
    steps = [first * shrink**k for k in range(200) if first * shrink**k >= smallest]
    passed = [f(x + a * d) - f(x) <= c * a * (g @ d) for a in steps]
    k = passed.index(True) if any(passed) else None
    return (x, 0.0, len(steps)) if k is None else (x + steps[k] * d, steps[k], k + 1)


def endless(f, x, g, d, first, shrink, c, smallest):
    while not f(x + first * d) <= f(x) + c * first * (g @ d):
        trial = shrink * first  # and `first` stays
    return x + first * d, first, trial


def pushing(f, x, g, d, *constants):
    found = searching()(f, x, g, d, *constants)
    x += found[1] * d
    return found


TABLE["ex-search"] = [
    *((None, searching()), (None, recursive), (None, all_at_once)),
    ("shrinks before it tests", searching(before_each=True)),
    ("with the trial before", searching(lambda f, b, c, a, g, d, last: f <= last + c * a * g @ d)),
    ("loss at x where", searching(at="x")),
    ("accepts nan", searching(lambda f, b, c, a, g, d, last: not f > b + c * a * (g @ d))),
    ("before the accepted one", searching(back=True)),
    ("moves although", searching(end=lambda x, a, d, n: (x + a * d, 0.0, n))),
    ("it gives a step", searching(end=lambda x, a, d, n: (x, a, n))),
    ("one trial too few", searching(counts=-1)),
    ("one trial too many", searching(counts=1)),
    ("did not make", searching(end=lambda x, a, d, n: (x, 0.0, n + 1))),
    ("has the wrong sign", searching(lambda f, b, c, a, g, d, last: f <= b - c * a * (g @ d))),
    ("so no abs", searching(lambda f, b, c, a, g, d, last: f <= b - c * a * abs(g @ d))),
    ("not -g @ g", searching(lambda f, b, c, a, g, d, last: f <= b - c * a * (g @ g))),
    ("not -d @ d", searching(lambda f, b, c, a, g, d, last: f <= b - c * a * (d @ d))),
    ("c is missing", searching(lambda f, b, c, a, g, d, last: f <= b + a * (g @ d))),
    ("promise is missing", searching(lambda f, b, c, a, g, d, last: f <= b)),
    ("step is missing", searching(lambda f, b, c, a, g, d, last: f <= b + c * (g @ d))),
    ("it goes along -g", searching(move=lambda x, a, d, g: x - a * g)),
    ("it goes along -d", searching(move=lambda x, a, d, g: x - a * d)),
    ("carried over", Carries()),
    ("begins at 1", searching(use=lambda first, shrink, c, least: (1.0, shrink, c, least))),
    ("it halves", searching(use=lambda first, shrink, c, least: (first, 0.5, c, least))),
    (
        "c is 1e-4",
        searching(use=lambda first, shrink, c, least: (first, shrink, 1e-4, least)),
    ),
    ("below 1e-10", searching(use=lambda first, shrink, c, least: (first, shrink, c, 1e-10))),
    ("never gives up", searching(use=lambda first, shrink, c, least: (first, shrink, c, 0.0))),
    (
        "10 trials are too few",  # the last one is `smallest` itself
        searching(use=lambda first, shrink, c, least: (first, shrink, c, np.nextafter(least, 1))),
    ),
    # two at once: what `backtrack` itself does, and another pair
    (
        "these two slips gives your very numbers: the slope along d is g @ d, not -g @ g; and it",
        lambda f, x, g, d, *constants: searching()(f, x, g, -g, *constants),
    ),
    (
        "it halves, whatever `shrink` is",
        searching(counts=1, use=lambda first, shrink, c, least: (first, 0.5, c, least)),
    ),
    # none of ours
    ("none of the trials", lambda f, x, g, d, first, *constants: (x + 0.3 * d, 0.3, 1)),
    ("is too long", lambda f, x, g, d, first, *constants: (x + first * d, first, 1)),
    (
        "is too short: a longer trial passes already",
        lambda f, x, g, d, first, shrink, *more: (x + first * shrink**9 * d, first * shrink**9, 10),
    ),
    ("gives up, but a trial passes", lambda f, x, *given: (x, 0.0, 3)),
    ("the new x is not", lambda f, x, *given: (x + 1, *searching()(f, x, *given)[1:])),
    ("77 trials are too many", lambda *given: (*searching()(*given)[:2], 77)),
    ("after 10000 losses there is no end", endless),
    ("changes `x`, which it is given", pushing),
    ("expected three: new x, step, trials", lambda f, x, *given: x),
    ("The new x has shape ()", lambda *given: searching()(*given)[::-1]),
    ("stopped with TypeError", lambda f, x, g: x),
]


@pytest.mark.parametrize("hint", backtracking.SLIPS)
@np.errstate(all="ignore")
def test_a_slip_of_a_search_shows_on_some_problem_and_is_named_alone(hint):
    found = list(backtracking._searches(**backtracking.SLIPS[hint]))
    assert not all(a.agrees(b) for a, b in zip(found, backtracking._searches(), strict=True))
    assert backtracking._named(found) == [hint]


@np.errstate(all="ignore")
def test_no_two_slips_of_a_search_make_it_right():
    right = list(backtracking._searches())
    for one, other in combinations(backtracking.SLIPS.values(), 2):
        if both := backtracking._both(one, other):
            found = backtracking._searches(**both)
            assert not all(a.agrees(b) for a, b in zip(found, right, strict=True)), (one, other)


def test_a_search_that_asks_for_more_losses_than_it_needs_is_told():
    assert "keep f(x)" in repr(check("ex-search", recursive))
    assert "losses" not in repr(check("ex-search", searching()))


def test_constants():
    trials = {
        c: history(Armijo(16.0, c=c), CONTEXT["begin"], 300).trials for c in (1e-4, 0.1, 0.3, 0.5)
    }
    for hint, read in (
        (None, np.nanmean),
        ("that is the sum", np.nansum),
        ("that is the largest", np.nanmax),
        ("nan", np.mean),
        ("it counts too", lambda t: np.nanmean(t) - 1),
        ("from a first trial of 1", lambda t: 1.0),
    ):
        agrees(told("ex-constants", {c: read(t) for c, t in trials.items()}), hint)
    agrees(told("ex-constants", [1, 2, 3, 4]), "dictionary")
    agrees(told("ex-constants", {0.1: 3}), "with the keys")


# Chapter 6


def delta_tanh(slip):
    return lambda Z, Y: slip(np.tanh(Z), Z, Y, len(Y))


TABLE["ex-tanh-delta"] = [
    (None, lambda Z, Y: 2 * (np.tanh(Z) - Y) / np.cosh(Z) ** 2 / Z.shape[0]),
    ("over the samples", lambda Z, Y: 2 * (np.tanh(Z) - Y) / np.cosh(Z) ** 2 / Y.size),
    ("1/m is missing", delta_tanh(lambda a, z, y, m: 2 * (a - y) * (1 - a * a))),
    ("wrong sign", delta_tanh(lambda a, z, y, m: 2 * (y - a) * (1 - a * a) / m)),
    ("no factor 1/2", delta_tanh(lambda a, z, y, m: (a - y) * (1 - a * a) / m)),
    ("derivative of tanh is missing", delta_tanh(lambda a, z, y, m: 2 * (a - y) / m)),
    ("delta of cross-entropy", delta_tanh(lambda a, z, y, m: (a - y) / m)),
    ("a, not with z", delta_tanh(lambda a, z, y, m: 2 * (a - y) * (1 - z * z) / m)),
    ("of the sigmoid", delta_tanh(lambda a, z, y, m: 2 * (a - y) * a * (1 - a) / m)),
    ("apply tanh first", delta_tanh(lambda a, z, y, m: 2 * (z - y) * (1 - z * z) / m)),
    (
        "tanh, not a sigmoid",
        lambda Z, Y: 2 * (sigmoid(Z) - Y) * sigmoid(Z) * sigmoid(-Z) / len(Y),
    ),
]
TABLE["ex-log-sigmoid"] = [
    (None, lambda Z: -np.logaddexp(0, -Z)),
    (None, lambda Z: list(np.where(Z < 0, Z, 0) - np.log1p(np.exp(-abs(Z))))),
    ("is not finite", lambda Z: np.log(sigmoid(Z))),
    ("At z = -100.25 it is off", lambda Z: np.maximum(np.log(sigmoid(Z)), -100)),
    ("shape (9, 1)", lambda Z: (-np.logaddexp(0, -Z))[:9]),
    ("lacks digits", lambda Z: np.minimum(Z, 0) - np.log(1 + np.exp(-abs(Z)))),
    ("is off by", lambda Z: Z - np.maximum(Z, 0) - np.log1p(np.exp(Z))),
    ("negative", lambda Z: np.logaddexp(0, -Z)),
    (
        "At z = -10.25 it is off",
        lambda Z: np.where(Z < -10, Z, np.log(sigmoid(Z))),
    ),  # 5e-5 off, between the points
    ("At z = 36.25 it lacks", lambda Z: np.where(Z > 36, 0.0, -np.log1p(np.exp(-Z)))),
    (
        "At z = 39.25 it lacks",
        lambda Z: np.where(abs(Z) > 39, np.minimum(Z, 0), -np.logaddexp(0, -Z)),
    ),
    ("shape", lambda Z: (-np.logaddexp(0, -Z)).ravel()),
    ("logarithm of 1 - sigmoid", lambda Z: -np.logaddexp(0, Z)),
    ("not its logarithm", sigmoid),
]
TABLE["ex-softmax-twice"] = [
    *((None, 0.5514), (None, np.log(np.e + 2) - 1), ("applied once", 0), ("two classes", 0.3133)),
    *(("chance", 1.0986), ("its loss is asked for", 0.5761)),
]


# Chapter 7


def columns(m=lambda X: X.shape[1], slope=tanh_slope, axis=1, keep=True, turn=np.asarray):
    def backward_columns(W2, X, A1, P, Y):
        D2 = (P - Y) / m(X)
        D1 = (W2.T @ D2) * slope(A1)
        b1, b2 = (D.sum(axis=axis, keepdims=keep) for D in (D1, D2))
        return [turn(t) for t in (D1 @ X.T, b1, D2 @ A1.T, b2)]

    return backward_columns


def total(W, b, Z, D, dW, db):
    return np.vdot(W, dW) + np.vdot(b, db) - np.vdot(Z, D)


P3, A3 = 0.776025, np.tanh(-0.5)  # output and second hidden unit of the third sample
D3 = P3 - 1
ENTRY = -0.5 * D3 * (1 - A3**2)
TABLE["ex-by-hand"] = [
    (None, round(D3, 4), round(ENTRY, 4)),
    ("`delta`: that is its row in the batch of four", D3 / 4, ENTRY),
    ("`delta`: it has the wrong sign", -D3, ENTRY),
    ("`delta`: the target is subtracted from the logit", 1.242653 - 1, ENTRY),
    ("`delta`: there is a derivative of the sigmoid too many", D3 * P3 * (1 - P3), ENTRY),
    ("`entry`: the factor g' is missing", D3, -0.5 * D3),
    ("`entry`: that is its row", D3, ENTRY / 4),
    ("`entry`: g' is that of the activation", D3, -0.5 * D3 * (1 - np.tanh(A3) ** 2)),
    ("`entry`: the weight into the output is missing", D3, D3 * (1 - A3**2)),
    ("`entry`: that is the first hidden unit", D3, D3 * (1 - np.tanh(1) ** 2)),
    ("Write `entry`", D3, ...),
]
TABLE["ex-input-gradient"] = [
    (None, lambda D, W: D @ W.T),
    ("`dX` is transposed", lambda D, W: W @ D.T),
    ("the 1/m is in D1 already", lambda D, W: D @ W.T / len(D)),
    ("wrong sign", lambda D, W: -D @ W.T),
    ("no g' belongs here", lambda D, W: D @ W.T * (1 - np.tanh(D @ W.T) ** 2)),
]
TABLE["ex-columns"] = [
    (None, columns()),
    (None, columns(keep=False)),
    ("`len(X)` counts the inputs", columns(m=len)),
    ("the 1/m is missing", columns(m=lambda X: 1)),
    ("g' is missing", columns(slope=np.ones_like)),
    ("Right already: `dW2`, `db2`", columns(slope=sigmoid_slope)),
    ("summed over the units", columns(axis=0)),
    ("transposed", columns(turn=np.transpose)),
]
TABLE["ex-checksum"] = [
    (None, total, {2, 1}),
    (None, total, [1, 2]),
    ("the sign", lambda *v: -total(*v), {1, 2}),
    ("not its size", lambda *v: abs(total(*v)), {1, 2}),
    ("of the bias", lambda W, b, Z, D, dW, db: np.vdot(W, dW) - np.vdot(Z, D), {1, 2}),
    ("the right side", lambda W, b, Z, D, dW, db: np.vdot(W, dW) + np.vdot(b, db), {1, 2}),
    ("lacks an equation", total, 2),
    ("the proof of the checksum uses", total, {1, 2, 4}),
    ("numbers from 1 to 4", total, {5}),
    ("Write `blind_to`", total, set()),
]


# Chapter 8


def quotient(for_a, for_b, incoming=lambda d: d):
    """A `divide` with these slopes."""

    def divide(a, b):
        def back(d):
            return incoming(d) * for_a(a.data, b.data), incoming(d) * for_b(a.data, b.data)

        return Value(a.data / b.data, (a, b), back)

    return divide


RIGHT = (lambda a, b: 1 / b, lambda a, b: -a / b**2)
TABLE["ex-tape-divide"] = [
    (None, quotient(*RIGHT)),
    (
        None,
        lambda a, b: Value(
            a.data / b.data, (a, b), lambda d: (d / b.data, -d * a.data * b.data**-2)
        ),
    ),
    ("wrong sign", quotient(RIGHT[0], lambda a, b: a / b**2)),
    ("lacks a square", quotient(RIGHT[0], lambda a, b: -a / b)),
    ("lacks the factor a", quotient(RIGHT[0], lambda a, b: -1 / b**2)),
    ("1/b, not b", quotient(lambda a, b: b, RIGHT[1])),
    ("changed places", quotient(*RIGHT[::-1])),
    ("slope that comes in", quotient(*RIGHT, incoming=np.ones_like)),
    ("gives a ndarray; expected a `Value`", lambda a, b: a.data / b.data),
    ("made of the two Values", lambda a, b: Value(a.data / b.data, (b, a), lambda d: (d, d))),
    ("two slopes, `(for a, for b)`", lambda a, b: Value(a.data / b.data, (a, b), lambda d: d)),
    ("made of the two Values", lambda a, b: Value(a.data / b.data)),
]
TABLE["ex-tape-count"] = [
    (None, lambda layers: 5 * layers + 2),
    ("X and the loss", lambda layers: 5 * layers),
    ("X or the loss", lambda layers: 5 * layers + 1),
    ("weights and biases", lambda layers: 3 * layers + 2),
    ("two values, the product and the sum", lambda layers: 4 * layers + 2),
    ("X is there once", lambda layers: 6 * layers + 1),
    ("expected a function", 12),
]
TABLE["ex-tape-parts"] = [
    (None, 0.25, 0.75),
    (None, 1 / 4, 3 / 4),
    ("a mean over its own samples", 1, 1),
    ("counts the single sample as much", 0.5, 0.5),
    ("that is the other's", 0.75, 0.25),
    ("Write `of_three`", 0.25, ...),
]


# Chapter 9


def five_point(f, x, v, h):
    near = f(x + h * v) - f(x - h * v)
    return (8 * near - (f(x + 2 * h * v) - f(x - 2 * h * v))) / (12 * h)


def guarded(g, n, tolerance=1e-7):
    if (np.abs(g) <= 1e-9).all() and (np.abs(n) <= 1e-9).all():
        return "vacuous"
    error = np.linalg.norm(g - n) / (np.linalg.norm(g) + np.linalg.norm(n))
    return "passed" if error <= tolerance else "failed"


def unless(condition, says):
    """Make an answer that says something else under a condition."""
    return lambda g, n, t=1e-7: says if condition(g, n) else guarded(g, n, t)


TABLE["ex-five-point"] = [
    (None, five_point),
    ("use all four", lambda f, x, v, h: (f(x + h * v) - f(x - h * v)) / (2 * h)),
    ("division by 12 h is missing", lambda f, x, v, h: 12 * h * five_point(f, x, v, h)),
    ("not by 12", lambda f, x, v, h: h * five_point(f, x, v, h)),
    ("not by 2 h", lambda f, x, v, h: 6 * five_point(f, x, v, h)),
    ("sign is turned round", lambda f, x, v, h: five_point(f, x, -v, h)),
    ("not with the h", lambda f, x, v, h: (f(x + 1e-5 * v) - f(x - 1e-5 * v)) / 2e-5),
    ("not with the h", lambda f, x, v, h: five_point(f, x, v, 1e-3)),
    ("not with the h", lambda f, x, v, h: five_point(f, x, v, h / 2)),
    ("not along v", lambda f, x, v, h: five_point(f, x, v / np.linalg.norm(v), h)),
]
TABLE["ex-guard"] = [
    (None, guarded),
    ("tolerance 1e-09", lambda g, n, t=1e-7: guarded(g, n)),
    ("must return", lambda g, n, t=1e-7: guarded(g, n, t) == "passed"),
    ("twice too large", lambda g, n, t=1e-7: "passed"),
    ("wrong sign", lambda g, n, t=1e-7: guarded(np.abs(g), np.abs(n), t)),
    ("gradients of zeros", unless(np.allclose, "passed")),
    ("a nan", unless(lambda g, n: np.isnan([g, n]).any(), "passed")),
    ("measured one is zero", unless(lambda g, n: (abs(n) < 1e-9).all(), "vacuous")),
]
ABS, MAX, NORM = np.abs, np.max, np.linalg.norm


def guarding(
    error=lambda g, n: NORM(g - n) / (NORM(g) + NORM(n)),
    nothing=lambda g, n: (ABS(g) <= 1e-9).all() and (ABS(n) <= 1e-9).all(),
    broken=lambda g, n: False,
    within=lambda error, tolerance: error <= tolerance,
):
    """A guard with one flaw."""

    def guarded_check(g, n, tolerance=1e-7):
        if broken(g, n):
            return "failed"
        if nothing(g, n):
            return "vacuous"
        return "passed" if within(error(g, n), tolerance) else "failed"

    return guarded_check


FLAWED = {
    "divides by the claimed norm alone": guarding(lambda g, n: NORM(g - n) / (NORM(g) + 1e-300)),
    "divides by the larger norm": guarding(lambda g, n: NORM(g - n) / max(NORM(g), NORM(n))),
    "is absolute": guarding(lambda g, n: NORM(g - n)),
    "takes the largest entry": guarding(lambda g, n: MAX(ABS(g - n)) / (MAX(ABS(g)) + MAX(ABS(n)))),
    "takes the mean": guarding(
        lambda g, n: ABS(g - n).mean() / (ABS(g).mean() + ABS(n).mean()),
    ),
    "compares entry by entry": guarding(
        lambda g, n: MAX(ABS(g - n) / np.maximum(ABS(g) + ABS(n), 1e-300))
    ),
    "is blind to large errors of small entries": guarding(
        lambda g, n: 0 if np.allclose(g, n, rtol=1e-7, atol=1e-7) else 1
    ),
    "asks any entry to be small": guarding(
        nothing=lambda g, n: ((ABS(g) <= 1e-9) & (ABS(n) <= 1e-9)).any()
    ),
    "asks the norm to be small": guarding(nothing=lambda g, n: max(NORM(g), NORM(n)) <= 1e-9),
    "asks the mean to be small": guarding(
        nothing=lambda g, n: max(ABS(g).mean(), ABS(n).mean()) <= 1e-9
    ),
    "forgets the minus sign": guarding(nothing=lambda g, n: (g <= 1e-9).all() & (n <= 1e-9).all()),
    "calls 1e-8 nothing": guarding(nothing=lambda g, n: max(MAX(ABS(g)), MAX(ABS(n))) <= 1e-8),
    "calls 1e-10 something": guarding(nothing=lambda g, n: max(MAX(ABS(g)), MAX(ABS(n))) <= 1e-10),
    "looks for nan in the claimed alone": guarding(
        within=lambda error, t: not error > t, broken=lambda g, n: np.isnan(g).any()
    ),
    "looks at the first entry for nan": guarding(
        within=lambda error, t: not error > t,
        broken=lambda g, n: np.isnan(g.flat[0]) or np.isnan(n.flat[0]),
    ),
    "takes no smaller tolerance": guarding(within=lambda error, t: error <= max(t, 1e-7)),
    "adds to the norm": guarding(lambda g, n: NORM(g - n) / (NORM(g) + NORM(n) + 1e-8)),
    "takes the spectral norm": guarding(
        lambda g, n: NORM(g - n, 2) / (NORM(g, 2) + NORM(n, 2)),
    ),
    "takes the first row": guarding(lambda g, n: NORM((g - n)[0]) / (NORM(g[0]) + NORM(n[0]))),
    "squares": guarding(lambda g, n: NORM(g - n) ** 2 / (NORM(g) ** 2 + NORM(n) ** 2)),
}


@pytest.mark.parametrize("flaw", FLAWED)
def test_a_guard_with_an_honest_flaw_is_refused(flaw):
    said = check("ex-guard", FLAWED[flaw])
    assert said.status == "wrong" and "`guarded_check` says" in repr(said), said


def test_a_guard_may_be_written_otherwise():
    assert check("ex-guard", guarding())
    assert check("ex-guard", guarding(broken=lambda g, n: np.isnan([g, n]).any()))
    assert check("ex-guard", lambda g, n, tolerance=1e-7: str(guarding()(g, n, tolerance)))


TABLE["ex-leaky"] = [
    *((None, 0.99), ("on the left", 0.01), ("not added", 1.01), ("divide it", 0.495)),
    ("both", 1.0),
]


# Chapter 10

GUILTY = {letter: suspect.bug.name for letter, suspect in zoo.SUSPECTS.items()}
for one, other in ("AB", "CD", "EF"):
    TABLE[f"ex-suspects-{one}{other}".lower()] = [
        (None, GUILTY[one], GUILTY[other]),
        (f"Suspect {one}", GUILTY[other], GUILTY[one]),
        (f"Suspect {other}", GUILTY[other], GUILTY[one]),
        (f"Write `suspect_{other.lower()}`", GUILTY[one], ...),
        (f"Suspect {one}", "delta sign", ...),
        ("'no such bug' is no name in the zoo", "no such bug", GUILTY[other]),
    ]
ALIKE, NO_ARRAY = "though the same arrays are wrong", "wrong in W1, b1, W2, b2, that of F in no"
TABLE["ex-suspects-ab"] += [("not possible on every", "mask from output", GUILTY["B"])]
TABLE["ex-suspects-cd"] += [(ALIKE, "no hidden derivative", GUILTY["D"])]
TABLE["ex-suspects-ef"] += [
    (ALIKE, GUILTY["E"], "stale cache"),
    (f"the first step of `update too early` is {NO_ARRAY}", GUILTY["E"], "update too early"),
]


@pytest.mark.parametrize("letter", GUILTY)
def test_every_other_name_is_refused_with_a_reason(letter):
    pair = next(pair for pair in ("AB", "CD", "EF") if letter in pair)
    for name in set(BUGS) - {GUILTY[letter]}:
        answers = [name if other == letter else GUILTY[other] for other in pair]
        (line,) = check(f"ex-suspects-{pair.lower()}", *answers).lines
        assert f"Suspect {letter}" in line and name in line and f"`{GUILTY[letter]}`" not in line


def two_hidden(
    by=len, second=lambda W: W.T, bias=lambda D: D.sum(0), slope=lambda a, z: 1 - a * a, turn=list
):
    """The backward pass of ex-repair, with those of its mistakes that are left in."""

    def backward(W, A, Y):
        D3 = (A[3] - Y) / by(Y)
        D2 = (D3 @ W[2].T) * slope(A[2], A[1])
        D1 = (D2 @ second(W[1])) * slope(A[1], A[0])
        return turn(t for a, D in zip(A, (D1, D2, D3), strict=False) for t in (a.T @ D, bias(D)))

    return backward


SQUARE = {"second": lambda W: W}
ALL_ENTRIES = {"by": np.size}
MEAN = {"bias": lambda D: D.mean(0)}
BOTH = ("mean over outputs", "bias mean")
TABLE["ex-repair"] = [
    *((None, two_hidden()), (None, two_hidden(turn=tuple, slope=lambda a, z: (1 - a) * (1 + a)))),
    ("stopped with ValueError", two_hidden(**SQUARE, **ALL_ENTRIES, **MEAN)),
    ("stopped with ValueError", two_hidden(**SQUARE)),
    (BUGS["mean over outputs"].slip, two_hidden(**ALL_ENTRIES)),
    (BUGS["bias mean"].slip, two_hidden(**MEAN)),
    ("; and ".join(BUGS[n].slip for n in BOTH), two_hidden(**ALL_ENTRIES, **MEAN)),
    (BUGS["other derivative"].slip, two_hidden(slope=lambda a, z: a * (1 - a))),
    ("gives dW2, db2, dW3, db3", lambda W, A, Y: two_hidden()(W, A, Y)[2:]),
]


# Chapter 11


def fits(rtol=1e-6, ends=(0, -1), finite=np.isfinite, near=None, data=None):
    """An auditor: which ends of the curve it looks at, how closely, and what it calls finite."""
    near = near or (lambda one, other: np.isclose(one, other, rtol=rtol, atol=0))

    def auditor(losses, net, start, end, X, Y):
        known = [network.loss_value(net, P, *(data or (X, Y))) for P in (start, end)]
        close = all(near(losses[k], known[k]) for k in ends)
        return bool(close and finite(losses).all())

    return auditor


def touches(losses, net, start, end, X, Y):
    start.vector[:] = 0
    return True


NEEDED = np.log(0.01) / np.log1p(-binomtest(53, 200).proportion_ci(method="wilson").low)
TABLE["ex-restarts"] = [
    *((None, 20), ("round up", 19), ("whole number", NEEDED), ("observed rate", 15)),
    *(("upper end", 12), ("95 %", 13), ("on average", 5), ("too large", 21)),
]
TABLE["ex-mse-levels"] = [
    (None, 0.25, 1 / 6, 0.125),
    ("cross-entropy", 0.6931, 1 / 6, 0.125),
    ("over all four", 0.25, 2 / 9, 0.125),
    ("cross-entropy", 0.25, 0.4774, 0.125),
    ("1/3 or 2/3", 0.25, 3 / 16, 0.125),
    ("over all four", 0.25, 1 / 6, 0.25),
    ("cross-entropy", 0.25, 1 / 6, 0.3466),
    ("factor 2", 0.125, 1 / 6, 0.125),
]
TABLE["ex-auditor"] = [
    (None, fits()),
    (None, lambda *given: torch.tensor(fits()(*given))),
    ("True to a curve with a nan in it", fits(finite=np.ones_like)),
    ("infinite loss", fits(finite=lambda losses: ~np.isnan(losses))),
    ("off by 1e-4", fits(rtol=1e-2)),
    ("False to a true curve with a rounding", fits(rtol=0)),
    ("ends at another model", fits(ends=[0])),
    ("second training", fits(ends=[-1])),
    ("False to a true curve", lambda *given: False),
    ("changes `start`, which it is given", touches),
    ("the curve of a second", fits(near=lambda a, b: a - b <= 1e-6 * b)),
    ("ends at another", fits(near=lambda a, b: b - a <= 1e-6 * b)),
    ("a last loss that is off by 1e-4, above on other", fits(near=lambda a, b: abs(a - b) <= 1e-6)),
    ("first loss that is off by 1e-5", fits(near=np.isclose)),
    ("off by 1e-5", fits(rtol=2e-5)),
    ("other data", fits(data=(X, Y))),
    ("losses rise", lambda losses, *given: fits()(losses, *given) and losses[0] > losses[-1]),
    ("expected True or False", lambda *given: np.array([True, True])),
]


# Chapter 12


def root(Z):
    return np.sqrt((Z * Z).mean())


def scaled(divide_by, measure_once=False, layers=None, change=Parameters.copy):
    """Make an answer that divides each W by a function of its Z; planted slips differ in it."""

    def answer(net, P, X):
        P, old = change(P), network.forward(net, P, X).Z
        for layer, W in enumerate(P.weights[:layers]):
            Z = old[layer] if measure_once else network.forward(net, P, X).Z[layer]
            W /= divide_by(Z)
        return P

    return answer


def with_bias(net, P, X):
    P = scaled(root)(net, P, X)
    P.biases[0][:] = 1
    return P


TABLE["ex-leaky-variance"] = [
    (None, lambda n, s: 2 / (n * (1 + s**2))),
    (None, lambda n, s: np.array([[1 / (n * (0.5 + s**2 / 2))]])),
    ("the part below zero counts too", lambda n, s: 2 / n),
    ("the slope enters it squared", lambda n, s: 2 / (n * (1 + s))),
    ("the standard deviation", lambda n, s: (2 / (n * (1 + s**2))) ** 0.5),
    ("on each side of zero", lambda n, s: 1 / (n * (1 + s**2))),
    ("the weights make good for it", lambda n, s: (1 + s**2) / (2 * n)),
    ("the sum over the inputs is missing", lambda n, s: 2 / (1 + s**2)),
    ("Begin with the mean of the squares", lambda n, s: 3 / n),
]
TANH, SIGMOID = {"b9", "b10"}, {"W9", "b9", "W10", "b10"}
ALL = {f"{letter}{layer}" for layer in range(1, 11) for letter in "Wb"}
TABLE["ex-first-to-move"] = [
    (None, TANH, SIGMOID),
    (None, ["b10", "b9"], ("b10", "W10", "b9", "W9")),
    (None, "b9, b10", "W9, b9, W10, b10"),
    ("through a matrix of zeros", ALL, SIGMOID),
    ("gets no delta", TANH | {"b8"}, SIGMOID),
    ("what is tanh(0)?", TANH | {"W10"}, SIGMOID),
    ("a bias is missing", {"b10"}, SIGMOID),
    ("what is sigmoid(0)?", TANH, {"b9", "b10", "W10"}),
    ("no tensor is called b11", {"b11"}, SIGMOID),
    ("expected names", {9, 10}, SIGMOID),
    ("Write `moves_sigmoid`", TANH, ...),
]
TABLE["ex-unit-variance"] = [
    (None, scaled(root)),
    ("changes `P`, which it is given", scaled(root, change=lambda P: P)),
    ("divided by one number", scaled(lambda Z: np.sqrt((Z**2).mean(axis=0)))),
    ("biases are to stay zero", with_bias),
    ("measured before any was changed", scaled(root, measure_once=True)),
    ("do not subtract a mean", scaled(lambda Z: Z.std())),
    ("not by the mean square", scaled(lambda Z: (Z * Z).mean())),
    ("The first 2 of 4 layers", scaled(root, layers=2)),
    ("The mean square of Z_1 is 0.25", scaled(lambda Z: 2 * root(Z))),
    ("expected Parameters", lambda net, P, X: P.weights),
    ("expected Parameters", lambda net, P, X: Parameters(P.sizes, P.vector[None])),
]


# Chapter 13

TABLE["ex-sharp-bound"] = [
    *((None, 1), (None, 1.001), ("with the true labels", 4.196), ("divide it by 2/L", 5.79)),
    *(("in units of 1/L", 2.0), ("too small", 0.97), ("too large", 1.16)),
]
TABLE["ex-units"] = [
    (None, 35.69, 1628),
    ("in centimetres", 3.1595, 1628),
    ("its inverse", 1 / 35.6937, 1628),
    ("`kappa_mm` is too small", 35.2, 1628),
    ("in centimetres", 35.69, 60),
    ("`steps_mm` is too small", 35.69, 1600),
    ("`steps_mm` is too large", 35.69, 1640),
    ("Write `steps_mm`", 35.694, ...),
    ("`kappa_mm`", 3.0, ...),
]
TABLE["ex-leave-edge"] = [(None, 8), ("too small", 7)]


def test_the_edge(monkeypatch):
    """Eight of eight in the real runs; here with a stand-in, so that each count has a meaning."""
    peak, last = np.full(8, 2.0), np.array([0.5, 0.6, 0.7, 1.5, 1.6, 1.8, 1.95, 2.0])
    monkeypatch.setattr(step_size, "_sharpness_of_cross_entropy", lambda starts: (peak, last))
    hints = {None: 6, "do not fall back": 2, "below half": 3, "too small": 5, "too large": 7}
    for hint, count in hints.items():
        agrees(told("ex-leave-edge", count), hint)


# Chapter 14


def root_ratio(kappa):
    return (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)


TABLE["ex-best-momentum"] = [
    (None, lambda kappa: root_ratio(kappa) ** 2),
    (None, lambda kappa: 1 - 4 * np.sqrt(kappa) / (1 + np.sqrt(kappa)) ** 2),
    ("square it", root_ratio),
    ("comes in by its root", lambda kappa: ((kappa - 1) / (kappa + 1)) ** 2),
    ("rate of gradient descent", lambda kappa: (kappa - 1) / (kappa + 1)),
    ("rate of Nesterov's method", lambda kappa: 1 - 1 / np.sqrt(kappa)),
    ("best step for curvatures from 1", lambda kappa: 4 / (1 + np.sqrt(kappa)) ** 2),
    ("is off by", lambda kappa: 0.9),
    ("expected a function", 0.67),
]


def points(last=1.0, new=lambda beta: 1.0, remembered=True):
    def two_points(gradient, x, alpha, beta, steps):
        before = x
        for _ in range(steps):
            step = last * beta * (x - before) - alpha * new(beta) * gradient(x)
            x, before = x + step, (x if remembered else x + step)
        return x

    return two_points


def velocity(along):
    def stored(gradient, x, alpha, beta, steps):
        v = np.zeros_like(x)
        for _ in range(steps):
            g, old = gradient(x), v
            v = beta * v + g
            x = x - alpha * along(g, v, old, beta)
        return x

    return stored


def looking_ahead(gradient, x, alpha, beta, steps):
    v = 0.0
    for _ in range(steps):
        v = beta * v - alpha * gradient(x + beta * v)
        x = x + v
    return x


def dampened(gradient, x, alpha, beta, steps):
    v = 0.0
    for _ in range(steps):
        v = beta * v + (1 - beta) * gradient(x)
        x = x - alpha * (gradient(x) + beta * v)
    return x


def with_rate_inside(gradient, x, alpha, beta, steps):
    v = 0.0
    for _ in range(steps):
        g = gradient(x)
        v = beta * v + alpha * g
        x = x - alpha * (g + beta * v)
    return x


def rate_on_the_move(gradient, x, alpha, beta, steps):
    before = x
    for _ in range(steps):
        x, before = x - alpha * (gradient(x) - beta * (x - before)), x
    return x


def whole_move(gradient, x, alpha, beta, steps):
    return points()(gradient, x, alpha, 1.0, steps)


TABLE["ex-heavy-ball"] = [
    (None, points()),
    (None, velocity(lambda g, v, old, beta: v)),
    ("nothing is kept of the last move", points(remembered=False)),
    ("subtracted where it should be added", points(last=-1.0)),
    ("dampening", points(new=lambda beta: 1 - beta)),
    ("that is Nesterov's method", looking_ahead),
    ("stores the point ahead", velocity(lambda g, v, old, beta: g + beta * v)),
    ("it has it already", rate_on_the_move),
    ("added whole, without beta", whole_move),
    ("the rate comes twice", lambda g, x, a, b, n: points()(g, x, a * a, b, n)),
]
TABLE["ex-nesterov"] = [
    (None, velocity(lambda g, v, old, beta: g + beta * v)),
    ("that is the heavy ball", velocity(lambda g, v, old, beta: v)),
    ("not the point ahead", looking_ahead),
    ("not kept from step to step", velocity(lambda g, v, old, beta: g + beta * g)),
    ("the new slope in v already", velocity(lambda g, v, old, beta: g + beta * old)),
    ("dampening", dampened),
    ("the rate is in the velocity already", with_rate_inside),
    ("v is added whole", velocity(lambda g, v, old, beta: g + v)),
]


def own_adam(
    correct=(1, 1), swap=False, inside=0, first=1, root=np.sqrt, forget=False, fixed=None, short=0
):
    def my_adam(gradient, x, alpha, beta1, beta2, epsilon, steps):
        beta1, beta2 = fixed or ((beta2, beta1) if swap else (beta1, beta2))
        mean = square = np.zeros(len(x))
        for t in range(first, first + steps - short):
            g = gradient(x)
            mean = g * (1 - beta1) + (0 if forget else beta1 * mean)
            square = g**2 * (1 - beta2) + (0 if forget else beta2 * square)
            up = mean / (1 - beta1**t) if correct[0] else mean
            down = square / (1 - beta2**t) if correct[1] else square
            x = x - alpha * up / (root(down + inside * epsilon) + (1 - inside) * epsilon)
        return x

    return my_adam


def early_epsilon(gradient, x, alpha, beta1, beta2, epsilon, steps):
    mean = square = 0.0
    for t in range(1, steps + 1):
        g = gradient(x)
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g * g
        size = alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        x = x - size * mean / (np.sqrt(square) + epsilon)
    return x


def added_whole(gradient, x, alpha, beta1, beta2, epsilon, steps):
    mean = square = 0.0
    for t in range(1, steps + 1):
        g = gradient(x)
        mean, square = beta1 * mean + g, beta2 * square + g * g
        x = x - alpha * mean / (1 - beta1**t) / (np.sqrt(square / (1 - beta2**t)) + epsilon)
    return x


TABLE["ex-adam"] = [
    (None, own_adam()),
    ("neither mean is corrected", own_adam(correct=(0, 0))),
    ("mean of the slopes is not corrected", own_adam(correct=(0, 1))),
    ("mean of the squares is not corrected", own_adam(correct=(1, 0))),
    ("changed places", own_adam(swap=True)),
    ("inside the root", own_adam(inside=1)),
    ("added before the correction", early_epsilon),
    ("root of the mean square is missing", own_adam(root=lambda square: square)),
    ("not at 2", own_adam(first=2)),
    ("not kept from step to step", own_adam(forget=True)),
    ("enters with 1 - beta", added_whole),
    ("0.9 and 0.999 are written", own_adam(fixed=(0.9, 0.999))),
    ("use `epsilon`", lambda g, x, a, b1, b2, e, n: own_adam()(g, x, a, b1, b2, 1e-8, n)),
    ("the last of the steps is missing", own_adam(short=1)),
    ("ZeroDivisionError", lambda *given: 1 / 0),
]


def decayed(move, slopes=lambda g, x, decay: g, mean_only=False, after=False):
    def decoupled(gradient, x, alpha, decay, steps):
        mean = square = np.zeros(len(x))
        for t in range(1, steps + 1):
            short = move(x, alpha, decay)
            g = gradient(short if after else x)
            into = slopes(g, x, decay)
            mean = 0.9 * mean + 0.1 * into
            square = 0.999 * square + 0.001 * (g if mean_only else into) ** 2
            x = short - alpha * mean / (1 - 0.9**t) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        return x

    return decoupled


def pulled(g, x, decay):
    return g + decay * x


def shortened(x, alpha, decay):
    return x - alpha * decay * x


def left(x, alpha, decay):
    return x


def shortened_late(gradient, x, alpha, decay, steps):
    mean = square = 0.0
    for t in range(1, steps + 1):
        g = gradient(x)
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
        x = x - alpha * mean / (1 - 0.9**t) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        x = x - alpha * decay * x
    return x


def by_pytorch(make):
    """Steps of an optimiser of PyTorch, in the form of the exercise."""

    def decoupled(gradient, x, alpha, decay, steps):
        p = torch.tensor(x, requires_grad=True)
        optimiser = make([p], lr=alpha, weight_decay=decay)
        for _ in range(steps):
            p.grad = torch.tensor(gradient(p.detach().numpy()))
            optimiser.step()
        return p.detach().numpy()

    return decoupled


TABLE["ex-weight-decay"] = [
    (None, decayed(shortened)),
    (None, by_pytorch(torch.optim.AdamW)),
    ("the decay is in the slopes", decayed(left, pulled)),
    ("the decay is in the slopes", by_pytorch(torch.optim.Adam)),
    ("the decay is in the mean of the slopes", decayed(left, pulled, mean_only=True)),
    ("comes without the rate", decayed(lambda x, alpha, decay: x - decay * x)),
    ("makes x longer", decayed(lambda x, alpha, decay: x + alpha * decay * x)),
    ("nothing decays", decayed(left)),
    ("the new x is shortened", shortened_late),
    ("taken after the decay", decayed(shortened, after=True)),
    ("is off by", decayed(lambda x, alpha, decay: x - 2 * alpha * decay * x)),
]


@pytest.mark.parametrize("steps", [1, 10, 1000])
@pytest.mark.parametrize(
    ("of", "make"), [("x", torch.optim.AdamW), ("slopes", torch.optim.Adam)], ids=str
)
def test_weight_decay_is_where_pytorch_has_it(steps, of, make):
    """Decoupled in AdamW; in the gradient, the slip of the exercise, in Adam."""
    A = np.diag([1.0, 30.0, 0.01])
    given = A.__matmul__, np.array([1.0, -2.0, 3.0]), 0.01, 0.3, steps
    expected = by_pytorch(make)(*given)
    np.testing.assert_allclose(momentum._decayed(*given, of=of), expected, rtol=1e-12, atol=1e-12)


DREW = {"A": "heavy ball", "B": "Adam", "C": "gradient descent"}
TABLE["ex-who-drew"] = [
    (None, DREW),
    ("the next ones are longer", DREW | {"A": "gradient descent"}),
    ("do they depend on the slope", DREW | {"B": "gradient descent"}),
    ("it never changes", DREW | {"C": "Adam"}),
    ("'adam' is none of heavy ball, Adam, gradient descent", DREW | {"B": "adam"}),
    ("is none of heavy ball", DREW | {"B": np.array(["Adam", "Adam"])}),
    ("is none of heavy ball", DREW | {"B": np.array([..., "Adam"], dtype=object)}),
    ("is none of heavy ball", DREW | {"B": ["Adam"]}),
    ("with the keys ('A', 'B', 'C')", {"A": "Adam"}),
    ("with the keys", "Adam"),
    ("Write `drew`", DREW | {"C": ...}),
]


def test_unknown_curves_are_what_the_answers_say():
    """Each by the rule of the package, with its constants."""
    rules = {"A": HeavyBall(0.1, 0.85), "B": Adam(0.1), "C": Fixed(0.1)}
    for letter, seen in unknown_curves().items():
        x, memory = np.ones(1), rules[letter].begin(np.ones(1))
        for expected in seen:
            assert np.isclose(abs(x[0]), expected, rtol=0, atol=1e-12)
            step, direction = rules[letter].propose(memory, x.copy())
            x = x - step * direction


# Chapter 15


def simulated(growth, shrink, steps=1000):
    """Trials a step that is never to end above 1, counted."""
    size, trials = 1.0, 0
    for _ in range(steps):
        size, trials = size * growth, trials + 1
        while size > 1:
            size, trials = size * shrink, trials + 1
    return trials / steps


TABLE["ex-growth"] = [
    (None, lambda g, s: 1 + np.log(g) / np.log(1 / s)),
    ("that is accepted is missing", lambda g, s: np.log(g) / np.log(1 / s)),
    ("depends on `shrink`", lambda g, s: 1 + np.log2(g)),
    ("made good", lambda g, s: 1 + np.log(1 / s) / np.log(g)),
    ("is negative", lambda g, s: 1 + np.log(g) / np.log(s)),
    ("take logarithms", lambda g, s: 1 + g * s),
    ("right for 2 and 0.5", lambda g, s: 2.0),
    ("as a simulation does", lambda g, s: simulated(g, s)),
    ("each doubling", lambda g, s: g / s),
]


def test_share_of_broken_conditions():
    h = history(Fixed(4.0), CONTEXT["starts"], 166)
    fall, norm = h.loss[:-1] - h.loss[1:], h.gradient_norm[:-1]
    for hint, share in {
        None: np.mean(fall < 0.3 * 4 * norm**2),
        "that are accepted": np.mean(fall >= 0.3 * 4 * norm**2),
        "raises the loss": np.mean(fall < 0),
        "enters squared": np.mean(fall < 0.3 * 4 * norm),
        "the step is missing": np.mean(fall < 0.3 * norm**2),
        "too large": np.mean(fall < 0.9 * 4 * norm**2),
        "percentage": 100 * np.mean(fall < 0.3 * 4 * norm**2),
    }.items():
        agrees(told("ex-break-condition", share), hint)


def searched(data, starts, **options):
    """Steps within 500 passes, the loss after the last of them, and that after all 166."""
    h = descent.train(RELU, starts, *data[:2], Armijo(1.0, **options), 166, progress=False).history
    last = (h.passes <= 500).sum(axis=0) - 1
    return last, h.loss[last, np.arange(len(last))], h.loss[-1]


BEST = {"warm": True, "interpolate": True}


def test_interpolate_on_other_points():
    steps, losses, _ = searched(MOONS, CONTEXT["starts"], **BEST)
    agrees(told("ex-race-interpolate", np.median(steps), np.median(losses)), None)
    steps, losses, _ = searched(MOONS, CONTEXT["starts"], warm=True)
    agrees(told("ex-race-interpolate", np.median(steps), np.median(losses)), "without interpol")


def test_interpolate_at_the_rehearsal_of_the_page():
    data = datasets.moons(1200, noise=0.3, test=5 / 6, seed=42)
    starts = network.initialise(RELU, np.random.default_rng(42), "pytorch", runs=5)

    def says(*answers):
        return check("ex-race-interpolate", *answers, starts=starts, data=data)

    steps, losses, late = searched(data, starts, **BEST)
    few, loss = np.median(steps), np.median(losses)
    agrees(says(few, loss), None)
    for hint, options in {
        "that is without interpolation": {"warm": True},
        "that is without warm start": {"interpolate": True},
        "that is with c = 0.3": BEST | {"c": 0.3},
        "that is with a window of ten": BEST | {"window": 10},
    }.items():
        few_too, loss_too, _ = (np.median(part) for part in searched(data, starts, **options))
        agrees(says(few_too, loss_too), hint)
        agrees(says(few, loss_too), hint)
        agrees(says(few_too, loss), "is the search warm" if few_too == 166 else hint)
    for hint, of in {"mean": np.mean, "lowest": np.min, "highest": np.max}.items():
        agrees(says(few, of(losses)), f"that is the {hint} of the starts")
    agrees(says(steps.mean(), loss), "that is the mean of the starts")
    agrees(says(166, loss), "every epoch that was run")
    agrees(says(few, np.median(late)), "more than the budget")
    agrees(says(few + 1, loss), "before any step")
    agrees(says(few - 1, loss), "`afforded` is too small")
    agrees(says(few, 1.0005 * loss), "right to 3 digits")
    agrees(says(few, ...), "Write `interpolated`")


# Chapter 16

LEAKS = {"A": "scale of all", "B": "same images", "C": "clean"}
TABLE["ex-leak"] = [
    (None, LEAKS),
    ("compare the rows", LEAKS | {"B": "clean"}),
    ("leaves that part a mean of 0", LEAKS | {"A": "clean"}),
    ("no image of its test part", LEAKS | {"C": "same images"}),
    ("'none' is none of clean, same images, scale of all", LEAKS | {"C": "none"}),
    ("is none of clean", LEAKS | {"C": np.array(["clean", "clean"])}),
    ("with the keys ('A', 'B', 'C')", {"A": "clean"}),
    ("with the keys", "B"),
    ("Write `leaks`", LEAKS | {"B": ...}),
]


def by_temperature(inside=1, outside=1, mean=1, sign=1, axis=1, shift=True):
    def warm_delta(Z, Y, T):
        S = Z / T**inside
        S = S - S.max(axis=axis, keepdims=True) * shift
        P = np.exp(S) / np.exp(S).sum(axis=axis, keepdims=True)
        return sign * (P - Y) / T**outside / (len(Y) if mean else 1)

    return warm_delta


TABLE["ex-temperature"] = [
    (None, by_temperature()),
    ("asks for that factor", by_temperature(outside=0)),
    ("1 / T, not T", by_temperature(outside=-1)),
    ("inside the softmax, too", by_temperature(inside=0)),
    ("the temperature is not used", by_temperature(inside=0, outside=0)),
    ("divided by T, not multiplied", by_temperature(inside=-1, outside=-1)),
    ("1/m belongs", by_temperature(mean=0)),
    ("not over all entries", lambda Z, Y, T: by_temperature()(Z, Y, T) / Y.shape[1]),
    ("the sign is wrong", by_temperature(sign=-1)),
    ("not those of a column", by_temperature(axis=0)),
    ("not finite for large ones: take the largest", by_temperature(shift=False)),
    (
        "wrong for large ones: take the largest",
        lambda Z, Y, T: np.nan_to_num(by_temperature(shift=False)(Z, Y, T)),
    ),
    (
        "wrong for large ones: take the largest",
        lambda Z, Y, T: by_temperature(shift=False)(np.clip(Z, -50, 50), Y, T),
    ),
    ("wrong for large ones", lambda Z, Y, T: by_temperature()(Z, Y, T)[abs(Z).max(axis=1) < 99]),
]


def top_pair(C, keep=lambda C: np.triu(C + C.T, 1), turn=1):
    return np.unravel_index(keep(C).argmax(), C.shape)[::turn]


def one_way(C):
    return C - np.diag(np.diag(C))


TABLE["ex-confused"] = [
    (None, lambda C: top_pair(C)),
    (None, lambda C: max(combinations(range(len(C)), 2), key=lambda p: C[p] + C[p[::-1]])),
    ("leave it out", lambda C: top_pair(C, lambda C: C)),
    ("i for j and j for i", lambda C: top_pair(C, one_way)),
    ("both directions count, and `i < j`", lambda C: tuple(sorted(top_pair(C, one_way)))),
    ("only one direction counts here", lambda C: top_pair(C, lambda C: np.triu(C, 1))),
    ("below the diagonal", lambda C: top_pair(C, lambda C: np.tril(C, -1))),
    ("the smaller class comes first", lambda C: top_pair(C, turn=-1)),
    ("more than three classes", lambda C: top_pair(C[:3, :3])),
    ("need not have class 0", lambda C: (0, 1 + (C + C.T)[0, 1:].argmax())),
]


# Chapter 18


def curve(letter):
    """Two losses of a curve: of its initial parameters, and the first that was shown."""
    shown = five_records.two_curves()[letter]
    net = records.RECORDS["xor-module"].network
    return float(network.loss_value(net, shown.initial, X, Y)), float(shown.loss[0])


def sides(P, Y):
    return (P - 0.5) * np.where(Y > 0.5, 1, -1)


TRUE, SHOWN = curve("A")
TABLE["ex-two-curves"] = [
    (None, "A", TRUE),
    (None, "A", np.array([round(TRUE, 4)])),
    ("begins at the loss of its initial parameters", "B", TRUE),
    ("expected one of the letters A, B", "a", TRUE),
    ("belongs to the other curve", "A", curve("B")[0]),
    ("where the curve begins", "A", SHOWN),
    ("Write `first_loss`", "A", ...),
]
TABLE["ex-place"] = [
    *((None, 40), (None, 40.5), ("above it", 160), ("epoch 5000", 73)),
    *(("the number of starts is asked for", 0.2), ("at the first epoch", 80), ("too large", 55)),
]
TABLE["ex-margin"] = [
    (None, lambda P, Y: ((P - 0.5) * (2 * Y - 1)).min()),
    (None, lambda P, Y: 0.5 - abs(P - Y).max()),
    ("Give it a minus", lambda P, Y: abs(P - 0.5).min()),
    ("not the mean", lambda P, Y: sides(P, Y).mean()),
    ("take the worst", lambda P, Y: sides(P, Y).max()),
    ("from the wrong end", lambda P, Y: (1 - abs(P - Y)).min()),
    ("wrong sign", lambda P, Y: (-sides(P, Y)).max()),
    ("is not the distance from 0.5", lambda P, Y: abs(P - Y).max()),
    ("P = ", lambda P, Y: ((P - 0.5) * Y).min()),
    ("`margin` is nan", lambda P, Y: np.nan),
    ("`margin` is nan", lambda P, Y: np.nan if (sides(P, Y) < 0).sum() > 2 else sides(P, Y).min()),
    ("P = ", lambda P, Y: -0.5 if (sides(P, Y) < 0).any() else sides(P, Y).min()),
    ("P = ", lambda P, Y: sides(P, Y)[:6].min()),
    ("P = ", lambda P, Y: sides(P, Y)[0, 0]),
]


def test_the_curves_are_what_the_exercise_says():
    initial, first = curve("B")
    assert np.isclose(first, initial, rtol=1e-12)
    assert first < SHOWN < TRUE - 0.01  # to begin low says nothing
    for shown in five_records.two_curves().values():
        assert len(shown.epoch) == len(shown.loss) and shown.epoch[0] == 0


# Chapter 17

TABLE["ex-shard-weights"] = [
    (None, lambda sizes: np.array(sizes) / np.mean(sizes)),
    (None, lambda sizes: [len(sizes) * n / sum(sizes) for n in sizes]),
    ("these weights add up to one", lambda sizes: np.array(sizes) / np.sum(sizes)),
    ("DDP leaves the plain mean", lambda sizes: np.ones(len(sizes))),
    ("divided by the number of samples", lambda sizes: np.array(sizes)),
    ("it is upside down", lambda sizes: np.mean(sizes) / np.array(sizes)),
    ("comes in twice", lambda sizes: len(sizes) * np.array(sizes) / np.mean(sizes)),
    ("is off by", lambda sizes: np.array(sizes) / np.mean(sizes) + 0.1),
    ("expected a function", [1.5, 0.5]),
]
TABLE["ex-bytes-a-step"] = [
    (None, lambda p, n, size: 2 * (p - 1) * n * size / p),
    ("one of the two rounds", lambda p, n, size: (p - 1) * n * size / p),
    ("a p-th of the gradient", lambda p, n, size: 2 * (p - 1) * n * size),
    ("all goes through it", lambda p, n, size: (p - 1) * n * size),
    ("those are numbers", lambda p, n, size: 2 * (p - 1) * n / p),
    ("those are bits", lambda p, n, size: 16 * (p - 1) * n * size / p),
    ("p - 1 passes a round, not p", lambda p, n, size: 2 * n * size),
    ("one pass of the ring", lambda p, n, size: n * size / p),
    ("is off by", lambda p, n, size: n * size),
    ("expected a function", 17.5e6),
]
WAS = {"A": "own shuffle", "B": "another seed", "C": "last batch dropped", "D": "forgotten reduce"}
TABLE["ex-which-mistake"] = [
    (None, WAS),
    ("that two workers used", WAS | {"A": "last batch dropped"}),
    ("before the first step", WAS | {"B": "forgotten reduce"}),
    ("count the rows", WAS | {"C": "own shuffle"}),
    ("equal at first, and equal later", WAS | {"D": "another seed"}),
    ("Write `was`", WAS | {"A": ...}),
    ("'bad luck' is none of another seed, ", WAS | {"A": "bad luck"}),
    ("is none of another seed", WAS | {"A": np.array(["own shuffle", "bad luck"])}),
    ("should be a dictionary", {"A": "own shuffle"}),
]


def test_the_unknown_runs_report_what_each_mistake_does():
    runs = unknown_runs()
    assert list(runs) == list(WAS)
    for letter, mistake in WAS.items():
        prints = [worker["fingerprints"] for worker in runs[letter]]
        rows = sorted(row for worker in runs[letter] for row in worker["rows"])
        start, steps = ({tuple(p[cut]) for p in prints} for cut in (slice(1), slice(1, None)))
        assert (len(start) == 1) == (mistake != "another seed")
        assert (len(steps) == 1) == (mistake in ("last batch dropped", "own shuffle"))
        assert (len(rows) == 15) == (mistake != "last batch dropped")
        whole = mistake in ("another seed", "forgotten reduce")
        assert (rows == list(range(15))) == whole


# All of them

SECRETS = {"ex-restarts": "20", "ex-leaky": "0.99", "ex-softmax-twice": "0.55"} | {
    "ex-two-curves": f"{TRUE:.3f}"
}


@pytest.mark.parametrize(
    ("label", "hint", "answers"),
    [(label, hint, answers) for label, rows in TABLE.items() for hint, *answers in rows],
)
def test_the_answer_gets_its_hint(label, hint, answers):
    said = told(label, *answers)
    agrees(said, hint)
    assert "; or " not in repr(said)  # no two slips of an exercise are one
    assert said or label not in SECRETS or SECRETS[label] not in repr(said)


def test_every_exercise_has_its_answers():
    apart = {"ex-constants", "ex-break-condition", "ex-race-interpolate"}  # tests of their own
    assert set(TABLE) | apart == set(feedback.CHECKS)


class Posing:
    def __array__(self, *given, **named):
        raise RuntimeError("no array at all")


ODD = [
    *("text", "0.5", b"1", 1j, True, object(), Posing(), np.sin, nn.Linear, np.nan, 10**400),
    *([[1, 2], [3]], [None, 1.0], ([1.0], [2.0, 3.0]), range(3), {0, 9}, {"W1": None}, {9: [1]}),
    *(np.zeros(0), np.ones((2, 3, 4)), np.array(["a"]), np.array(None), torch.ones(2).to_sparse()),
    *(iter([1]), [("W1", 2)], {"D1": (), "W2": (np.ones(2), 3)}, [np.ones(2), "b"], START),
]


@pytest.mark.parametrize("label", feedback.CHECKS)
def test_an_odd_answer_gets_a_verdict(label):
    """It, and a function that gives it, in place of each right answer and of all."""
    count = len(asked(label)[0])
    right = TABLE.get(label, [(None, *[...] * count)])[0][1:]
    assert len(right) == count
    for odd in ODD:
        for answer in (odd, lambda *given, odd=odd: odd):
            for k in range(count):
                assert not told(label, *right[:k], answer, *right[k + 1 :]), (odd, k)
            assert not told(label, *[answer] * count), odd


@pytest.mark.parametrize("label", feedback.CHECKS)
def test_every_exercise_can_be_open(label):
    """Its answers, or functions of which nothing is written."""

    def stub(*given): ...

    for answer in (..., stub):
        said = told(label, *[answer] * len(asked(label)[0]))
        assert said.status == "open"
        assert all(f"`{name}`" in repr(said) for name in asked(label)[0])


def changing(right, k):
    """The right function, which then changes what it was given as its argument k, if it can."""

    @functools.wraps(right)
    def changes(*given):
        value = copy.deepcopy(right(*given))
        given = given[k] if k < len(given) else None
        given = given.data if isinstance(given, Value) else given
        for array in given if isinstance(given, tuple) else [getattr(given, "vector", given)]:
            if isinstance(array, np.ndarray):
                array += 1.0
                done.append(k)
        return value

    done = []
    return changes, done


@pytest.mark.parametrize("label", TABLE)
def test_a_function_that_changes_what_it_is_given_is_told(label):
    answers = TABLE[label][0][1:]
    for n, right in enumerate(answers):
        if isinstance(right, types.FunctionType):
            names = list(inspect.signature(right).parameters)
            for k, name in enumerate(names):
                function, done = changing(right, k)
                said = told(label, *answers[:n], function, *answers[n + 1 :])
                assert bool(said) != bool(done), (label, name, said)
                assert said or f"changes `{name}`, which it is given" in repr(said), said


def test_an_error_of_ours_is_raised(monkeypatch):
    monkeypatch.setattr(step_size, "number", lambda *given, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check("ex-sharp-bound", 1)


def test_update_order_from_another_start():
    """The share is that of the parameters on the page, whatever its seed."""
    for seed in (2, 1000):
        start = network.initialise(NET, np.random.default_rng(seed))
        W1, b1, W2, b2 = start
        A1 = sigmoid(X @ W1 + b1)
        D2 = (sigmoid(A1 @ W2 + b2) - Y) / 4
        right, late = (X.T @ (D2 @ W.T * A1 * (1 - A1)) for W in (W2, W2 - 0.5 * A1.T @ D2))
        share = np.linalg.norm(late - right) / np.linalg.norm(right)
        assert check("ex-update-order", share, parameters=tuple(start))
        assert not check("ex-update-order", relative(), parameters=tuple(start))
