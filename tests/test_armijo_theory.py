"""What theory promises of backtracking: the bound on the step, and what rounding does to it.

A network of one layer is a least-squares problem with the loss `mse`, and logistic regression with
`bce_with_logits`. Both have a global L, so the bound min(first, 2 shrink (1 - c) / L) applies.
"""

import numpy as np
import pytest

from labsupport import network
from labsupport.descent import Armijo, train
from labsupport.network import Network, Parameters, initialise

pytestmark = pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")


def problem(rng, kind, dtype, exact=False):
    """A random problem: network, start, data, and L; `exact` ones can be fitted to loss 0."""
    n = int(rng.integers(1, 6))
    m = int(rng.integers(2, n + 2)) if exact else int(rng.integers(3 * (n + 1), 40))
    X = rng.standard_normal((m, n)) * rng.uniform(0.1, 3, n)
    with_bias = np.column_stack([X, np.ones(m)])
    largest = np.linalg.eigvalsh(with_bias.T @ with_bias).max() / m
    if kind == "quadratic":
        net, Y, L = Network((n, 1), output="identity", loss="mse"), rng.standard_normal((m, 1)), 2
    else:
        net = Network((n, 1), output="identity", loss="bce_with_logits")
        Y, L = rng.integers(0, 2, (m, 1)).astype(float), 0.25
    return net, initialise(net, rng).astype(dtype), X, Y, L * largest


def random_rule(rng, **options):
    first = 10 ** rng.uniform(-1, 3)
    return Armijo(first, rng.uniform(0.1, 0.9), rng.uniform(0.01, 0.9), **options)


def below_the_bound(rng, kind, dtype, slack=4.0, epochs=60, exact=False):
    """A history on a random problem, and at which epochs its step is below the bound."""
    net, start, X, Y, L = problem(rng, kind, dtype, exact)
    rule = random_rule(rng, slack=slack)
    history = train(net, start, X, Y, rule, epochs).history
    bound = min(rule.first, 2 * rule.shrink * (1 - rule.c) / L)
    stayed = np.isnan(history.step[:-1])  # the gradient is exactly 0, or the search gave up
    short = history.step[:-1] < bound * (1 - 1e-6)
    return history, short | (stayed if history.stopped == "search gave up" else False)


def problems_below_the_bound(rng, kind, dtype, slack, problems):
    return sum(below_the_bound(rng, kind, dtype, slack)[1].any() for _ in range(problems))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["quadratic", "logistic"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_bound_holds_with_the_slack(kind, dtype):
    assert problems_below_the_bound(np.random.default_rng(1), kind, dtype, 4.0, 150) == 0


@pytest.mark.parametrize("kind", ["quadratic", "logistic"])
def test_without_the_slack_rounding_breaks_it_in_float32(kind):
    assert problems_below_the_bound(np.random.default_rng(1), kind, np.float32, 0.0, 100) > 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_exact_fit_leaves_the_bound_only_at_the_bottom(dtype):
    """Where the loss goes to 0, its rounding error is not a few ulp of it: a known limit.

    The error of a squared residual r is about eps r |y|, and no multiple of eps r^2.
    """
    rng, left = np.random.default_rng(6), 0
    for _ in range(50):
        history, below = below_the_bound(rng, "quadratic", dtype, epochs=100, exact=True)
        if below.any():
            left += 1
            floor = (100 * np.finfo(dtype).eps) ** 2 * max(1.0, history.loss[0])
            assert history.loss[:-1][below].max() < floor
    assert left > 0


def test_interpolation_goes_to_the_lowest_point():
    """Through loss, slope and refused trial, kept between a tenth and `shrink` of the trial."""
    rng, inside = np.random.default_rng(3), 0
    for kind in ["quadratic", "logistic"] * 50:
        net, start, X, Y, L = problem(rng, kind, np.float64)
        first = 10 ** rng.uniform(0, 2) / L
        value, gradient = network.loss_and_gradient(net, start, X, Y)
        step, g, trials = first, gradient.vector, 1
        while True:
            there = Parameters(net.sizes, start.vector - step * g)
            loss = network.loss_value(net, there, X, Y)
            if loss <= value - 1e-4 * step * (g @ g):
                break
            bend, slope, _ = np.linalg.solve(  # a s^2 + b s + c
                [[0, 0, 1], [0, 1, 0], [step**2, step, 1]], [value, -(g @ g), loss]
            )
            lowest = -slope / (2 * bend)
            inside += 0.1 * step < lowest < 0.5 * step
            step, trials = np.clip(lowest, 0.1 * step, 0.5 * step), trials + 1
        history = train(net, start, X, Y, Armijo(first, interpolate=True), 1).history
        assert history.trials[0] == trials
        assert history.step[0] == pytest.approx(step, rel=1e-9)
    assert inside >= 10


def test_a_trial_that_overflows_is_shrunk_as_usual():
    net = Network((1, 1), output="identity", loss="mse")
    start = Parameters.of(np.array([[1.0]]), np.array([[0.0]]))
    rule = Armijo(1e200, 0.5, 1e-4, interpolate=True)
    history = train(net, start, np.array([[1.0]]), np.array([[0.0]]), rule, 3).history
    assert np.isfinite(history.loss).all() and history.loss[-1] < history.loss[0]
