"""Self-checks of :ref:`ch-init`: how large the first weights are, and which of them move."""

from __future__ import annotations

from typing import Any

import numpy as np

from labsupport import network
from labsupport.feedback.answers import call, members, one_number
from labsupport.feedback.judges import close
from labsupport.feedback.verdict import (
    Judge,
    Verdict,
    is_open,
    reading,
    right,
    together,
    unattempted,
    wrong,
)
from labsupport.network import Network, Parameters


def leaky_variance(leaky_variance: Any) -> Verdict:
    """Judge the variance of weights that keeps the signal of leaky ReLU, ex-leaky-variance."""
    slips = {
        "that is He's rule; the part below zero counts too": lambda n, s: 2 / n,
        "a square is asked for, and the slope enters it squared": lambda n, s: 2 / ((1 + s) * n),
        "that is the standard deviation; the variance is asked for": lambda n, s: (
            (2 / ((1 + s * s) * n)) ** 0.5
        ),
        "only half of the squares are on each side of zero": lambda n, s: 1 / ((1 + s * s) * n),
        "that is by how much the squares shrink; the weights make good for it": lambda n, s: (
            (1 + s * s) / (2 * n)
        ),
        "the sum over the inputs is missing: how many are there?": lambda n, s: 2 / (1 + s * s),
    }
    cases = [(32, 0.0), (32, 0.01), (7, 0.2), (100, 1.0)]
    name = "leaky_variance"
    given = [one_number(name, call(name, leaky_variance, *case)) for case in cases]

    def agrees(formula: Any) -> bool:
        return all(close(v, formula(*case), 1e-9) for v, case in zip(given, cases, strict=True))

    if agrees(lambda n, s: 2 / ((1 + s * s) * n)):
        return right("It goes from ReLU to the identity as the slope goes from 0 to 1.")
    for hint, formula in slips.items():
        if agrees(formula):
            return wrong(f"`leaky_variance`: {hint}.")
    return wrong(
        "Begin with the mean of the squares of A: one half of the Z is above zero, one below. "
        "With slope 0 it must be He's rule, with slope 1 that of a layer without activation."
    )


@reading
def _moving(name: str, answer: object, expected: set[str], activation: str) -> Verdict:
    """Judge the names of the tensors that have a gradient."""
    if is_open(answer):
        return unattempted(name)
    given = members(name, answer, str, "names, as in `{'W1', 'b1'}`")
    tensors = {f"{letter}{layer}" for layer in range(1, 11) for letter in "Wb"}
    if unknown := sorted(given - tensors):
        return wrong(f"`{name}`: no tensor is called {', '.join(unknown)}; they go from W1 to b10.")
    if given == expected:
        return right(f"`{name}` is right.")
    if given == tensors:
        return wrong(f"`{name}`: how does a delta get through a matrix of zeros?")
    extra, missing = given - expected, expected - given
    if any(int(n[1:]) < 9 for n in extra):
        return wrong(f"`{name}`: one of these gets no delta: some matrix behind it is zero.")
    if extra:
        return wrong(
            f"`{name}`: a weight needs a delta and an activation; what is {activation}(0)?"
        )
    if any(n.startswith("b") for n in missing):
        return wrong(f"`{name}`: a bias is missing; it needs only a delta.")
    return wrong(f"`{name}`: a weight is missing; what is {activation}(0)?")


def first_to_move(moves_tanh: object, moves_sigmoid: object) -> Verdict:
    """Judge which tensors have a gradient if only the last weights are not zero."""
    return together(
        _moving("moves_tanh", moves_tanh, _movers("tanh"), "tanh"),
        _moving("moves_sigmoid", moves_sigmoid, _movers("sigmoid"), "sigmoid"),
    )


def _movers(activation: str) -> set[str]:
    net = Network((2, *9 * (4,), 1), activation, "identity", "bce_with_logits")
    rng = np.random.default_rng(1)
    P = network.initialise(net, rng, "zeros")
    P.weights[-1][:] = rng.standard_normal((4, 1))
    X, Y = rng.standard_normal((5, 2)), np.array([[0.0], [1], [1], [0], [1]])
    _, gradient = network.loss_and_gradient(net, P, X, Y)
    return {name for name, T in gradient.named().items() if T.any()}


def unit_variance(unit_variance: Any) -> Verdict:
    """Judge an initialisation that measures each layer and rescales it, ex-unit-variance."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((50, 3))
    for activation in ("tanh", "relu"):
        net = Network((3, 20, 20, 20, 1), activation, "identity", "bce_with_logits")
        P = network.initialise(net, rng, "normal")
        after = call("unit_variance", unit_variance, net, P, X)
        if (verdict := _judge_scaled(net, P, after, X)) is not None:
            return verdict
    return right("Every layer has a mean square of 1, for tanh and for ReLU.")


def _judge_scaled(net: Network, before: Parameters, after: Any, X: Any) -> Verdict | None:
    """Say what is wrong with rescaled parameters, or nothing."""
    same = isinstance(after, Parameters) and after.sizes == before.sizes
    if not same or after.vector.shape != before.vector.shape:
        kind = type(after).__name__
        return wrong(f"`unit_variance` gives {kind}; expected Parameters of the layers of `P`.")
    factors = []
    for W, V in zip(before.weights, after.weights, strict=True):
        ratio = V / W
        if not np.allclose(ratio, ratio.flat[0], rtol=1e-6):
            return wrong("All weights of a layer are to be divided by one number.")
        factors.append(float(ratio.flat[0]))
    if any(b.any() for b in after.biases):
        return wrong("The biases are to stay zero.")
    Z = network.forward(net, after, X).Z
    squares = np.array([(layer * layer).mean() for layer in Z])
    if np.allclose(squares, 1, rtol=1e-6):
        return None
    old = [float((layer * layer).mean()) for layer in network.forward(net, before, X).Z]
    if np.allclose(factors, np.power(old, -0.5)):
        return wrong(
            "All layers were measured before any was changed. A layer is handed what the layers "
            "before it give *now*: a new forward pass is due after each change."
        )
    if np.allclose([(layer.std() - 1) for layer in Z], 0, atol=1e-6):
        return wrong("The standard deviation is 1, the mean square is not: do not subtract a mean.")
    if close(factors[0], 1 / old[0], 1e-6):
        return wrong("Divide by the root of the mean square, not by the mean square.")
    if close(squares[0], 1, 1e-6) and not close(squares[-1], 1, 1e-6):
        done = int(np.argmax(np.abs(squares - 1) > 1e-6))
        return wrong(f"The first {done} of {len(squares)} layers have a mean square of 1.")
    return wrong(f"The mean square of Z_1 is {squares[0]:.3g} afterwards; expected 1.")


CHECKS: dict[str, Judge] = {
    "ex-leaky-variance": leaky_variance,
    "ex-first-to-move": first_to_move,
    "ex-unit-variance": unit_variance,
}
