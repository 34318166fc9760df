"""Self-checks of :ref:`ch-step-size`: how long a step may be."""

from __future__ import annotations

from functools import cache

import numpy as np

from labsupport import datasets, network
from labsupport.checks import Array
from labsupport.feedback.answers import one_number
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import Judge, Verdict, together
from labsupport.network import Network, Parameters


def _sigmoid(z: Array) -> Array:
    p: Array = 1 / (1 + np.exp(-z))
    return p


def _curvature(X: Array, w: Array) -> Array:
    """Second derivative of the logistic loss, (2, 2)."""
    p = _sigmoid(X @ w)
    H: Array = (X.T * (p * (1 - p))) @ X / len(X)
    return H


def _minimum(X: Array, y: Array) -> Array:
    """Weights of the least logistic loss, by Newton's method."""
    w = np.zeros(X.shape[1])
    for _ in range(20):
        w = w - np.linalg.solve(_curvature(X, w), X.T @ (_sigmoid(X @ w) - y) / len(y))
    return w


def _top(H: Array) -> float:
    return float(np.linalg.eigvalsh(H)[-1])


def sharp_bound(share: object) -> Verdict:
    """Judge the longest step with labels of 0.5, in units of 2/L, ex-sharp-bound."""
    data = datasets.moons()
    X, y = data.X_train, data.Y_train[:, 0]
    L = _top(_curvature(X, np.zeros(2)))
    soft = _top(_curvature(X, _minimum(X, np.full(len(X), 0.5))))
    slips = {
        "that is with the true labels": L / _top(_curvature(X, _minimum(X, y))),
        "that is the step itself; divide it by 2/L": 2 / soft,
        "that is in units of 1/L": 2 * L / soft,
    }
    return number("share", share, L / soft, slips, rtol=5e-3)


def units(kappa_mm: object, steps_mm: object) -> Verdict:
    """Judge condition number and count of steps with an input in other units, ex-units."""
    data = datasets.moons()
    X, y = data.X_train * [1, 10], data.Y_train[:, 0]
    best = _minimum(X, y)
    H, Hessian_at_0 = _curvature(X, best), _curvature(X, np.zeros(2))
    slips = {
        "that is the condition number in centimetres": float(
            np.linalg.cond(_curvature(data.X_train, _minimum(data.X_train, y)))
        ),
        "that is at w = 0; take the minimum": float(np.linalg.cond(Hessian_at_0)),
        "that is its inverse": float(1 / np.linalg.cond(H)),
    }
    kappa = number("kappa_mm", kappa_mm, float(np.linalg.cond(H)), slips)
    count, counted = _steps_by_slip()
    return together(kappa, number("steps_mm", steps_mm, count, counted, atol=2))


@cache
def _steps_by_slip() -> tuple[int, dict[str, float]]:
    """How many steps it takes in millimetres, and how many with each slip."""
    data = datasets.moons()
    X, y = data.X_train * [1, 10], data.Y_train[:, 0]
    best, zero = _minimum(X, y), np.zeros(2)
    step, old_step = 1 / _top(_curvature(X, zero)), 1 / _top(_curvature(data.X_train, zero))
    return _steps(X, y, best, step), {
        "that is in centimetres": _steps(data.X_train, y, best * [1, 10], old_step),
        "that is with steps of 2/L": _steps(X, y, best, 2 * step),
        "that is with steps of 1/(4L): is the 1/4 in L twice?": _steps(X, y, best, step / 4),
    }


def _steps(X: Array, y: Array, best: Array, step: float) -> int:
    """How many steps from 0 until the loss is within 1e-6 of the least."""

    def loss(w: Array) -> float:
        return float(np.mean(np.logaddexp(0, X @ w) - y * (X @ w)))

    w, count, goal = np.zeros(2), 0, loss(best) + 1e-6
    while loss(w) > goal and count < 20_000:
        w, count = w - step * (X.T @ (_sigmoid(X @ w) - y)) / len(y), count + 1
    return count


def leave_edge(fell_back: object, *, starts: Array) -> Verdict:
    """Judge in how many runs the sharpness falls back with cross-entropy, ex-leave-edge."""
    given = one_number("fell_back", fell_back)
    peak, end = _sharpness_of_cross_entropy(starts)
    slips = {
        "that is those that do not fall back": float((end >= 0.95 * peak).sum()),
        "that is below half of the highest value; 95 % is asked for": float(
            (end < 0.5 * peak).sum()
        ),
    }
    return number("fell_back", given, float((end < 0.95 * peak).sum()), slips)


def _sharpness_of_cross_entropy(V: Array) -> tuple[Array, Array]:
    """Highest and last sharpness of the runs from these starts, (8,) each."""
    few = datasets.moons(samples=125)
    net = Network((2, 8, 1), hidden="tanh", output="identity", loss="bce_with_logits")

    def gradient(V: Array) -> Array:
        parameters = Parameters(net.sizes, V)
        cache = network.forward(net, parameters, few.X_train)
        return network.backward(net, parameters, cache, few.Y_train).vector

    def sharpness(v: Array, h: float = 1e-5) -> float:
        moves = h * np.eye(len(v))
        H = (gradient(v + moves) - gradient(v - moves)) / (2 * h)
        return _top((H + H.T) / 2)

    seen = []
    for epoch in range(3001):
        if epoch % 300 == 0:
            seen.append([sharpness(v) for v in V])
        V = V - 2.0 * gradient(V)
    return np.max(seen, axis=0), np.array(seen[-1])


CHECKS: dict[str, Judge] = {
    "ex-sharp-bound": sharp_bound,
    "ex-units": units,
    "ex-leave-edge": leave_edge,
}
