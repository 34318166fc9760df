"""What theory promises of backtracking: the bound on the step, and what rounding does to it.

A network of one layer is a least-squares problem with the loss `mse`, and logistic regression with
`bce_with_logits`. Both have a global L, so the bound min(first, 2 shrink (1 - c) / L) applies.
"""

import warnings

import numpy as np
import pytest
from scipy.optimize._linesearch import line_search_armijo

from labsupport import network
from labsupport.descent import Armijo, train
from labsupport.history import DescentWarning
from labsupport.network import Network, Parameters, initialise


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


def steps_below_the_bound(rng, kind, dtype, slack, problems=500, epochs=60):
    """Number of problems in which some accepted step is below the bound."""
    failed = 0
    for _ in range(problems):
        net, start, X, Y, L = problem(rng, kind, dtype)
        rule = random_rule(rng, slack=slack)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DescentWarning)
            history = train(net, start, X, Y, rule, epochs).history
        bound = min(rule.first, 2 * rule.shrink * (1 - rule.c) / L)
        steps = history.step[np.isfinite(history.step)]
        gave_up = history.stopped == "search gave up"
        failed += bool(gave_up or (steps < bound * (1 - 1e-6)).any())
    return failed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["quadratic", "logistic"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_bound_holds_with_the_slack(kind, dtype):
    assert steps_below_the_bound(np.random.default_rng(1), kind, dtype, slack=4.0) == 0


@pytest.mark.parametrize("kind", ["quadratic", "logistic"])
def test_without_the_slack_rounding_breaks_it_in_float32(kind):
    failed = steps_below_the_bound(np.random.default_rng(1), kind, np.float32, 0.0, problems=100)
    assert failed > 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_exact_fit_leaves_the_bound_only_at_the_bottom(dtype):
    """Where the loss goes to 0, its rounding error is not a few ulp of it: a known limit.

    The error of a squared residual r is about eps r |y|, and no multiple of eps r^2.
    """
    rng, left = np.random.default_rng(6), 0
    for _ in range(100):
        net, start, X, Y, L = problem(rng, "quadratic", dtype, exact=True)
        rule = random_rule(rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DescentWarning)
            history = train(net, start, X, Y, rule, 100).history
        bound = min(rule.first, 2 * rule.shrink * (1 - rule.c) / L)
        below = ~(history.step[:-1] >= bound * (1 - 1e-6))
        if below.any():
            left += 1
            floor = (100 * np.finfo(dtype).eps) ** 2 * max(1.0, history.loss[0])
            assert history.loss[:-1][below].max() < floor
    assert left > 0


@pytest.mark.parametrize("kind", ["quadratic", "logistic"])
def test_the_number_of_trials_is_bounded(kind):
    rng = np.random.default_rng(2)
    for _ in range(50):
        net, start, X, Y, L = problem(rng, kind, np.float64)
        rule = random_rule(rng)
        history = train(net, start, X, Y, rule, 20).history
        ratio = rule.first * L / (2 * (1 - rule.c))
        most = np.ceil(max(0.0, np.log(ratio) / np.log(1 / rule.shrink))) + 1
        assert np.nanmax(history.trials) <= most


def test_interpolation_goes_where_scipy_goes():
    """SciPy's Armijo search takes the same parabola for its second trial."""
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(200):
        net, start, X, Y, L = problem(rng, "logistic", np.float64)
        first = 10 / L
        value, gradient = network.loss_and_gradient(net, start, X, Y)

        def f(v, net=net, X=X, Y=Y):
            return float(network.loss_value(net, Parameters(net.sizes, v), X, Y))

        g = gradient.vector
        theirs, evaluations, _ = line_search_armijo(
            f, start.vector, -g, g, float(value), c1=1e-4, alpha0=first
        )
        rule = Armijo(first, shrink=0.5, c=1e-4, interpolate=True)
        history = train(net, start, X, Y, rule, 1).history
        if evaluations == 2 and 0.1 * first < theirs < 0.5 * first:
            assert history.trials[0] == 2
            assert history.step[0] == pytest.approx(theirs, rel=1e-9)
            compared += 1
        elif evaluations == 1:
            assert history.step[0] == theirs == first
    assert compared >= 10


def test_interpolation_keeps_between_a_tenth_and_shrink():
    rng = np.random.default_rng(4)
    for _ in range(100):
        net, start, X, Y, L = problem(rng, "quadratic", np.float64)
        history = train(net, start, X, Y, Armijo(100 / L, 0.5, 0.1, interpolate=True), 1).history
        trials, step = history.trials[0], history.step[0]
        assert (
            100 / L * 0.1 ** (trials - 1) * 0.999 <= step <= 100 / L * 0.5 ** (trials - 1) * 1.001
        )


def test_interpolation_needs_fewer_trials():
    rng = np.random.default_rng(5)
    plain = clever = 0.0
    for _ in range(50):
        net, start, X, Y, L = problem(rng, "logistic", np.float64)
        for interpolate in (False, True):
            rule = Armijo(1000 / L, 0.5, 1e-4, interpolate=interpolate)
            trials = np.nansum(train(net, start, X, Y, rule, 10).history.trials)
            plain, clever = plain + trials * (not interpolate), clever + trials * interpolate
    assert clever < 0.8 * plain


def test_a_trial_that_overflows_is_shrunk_as_usual():
    net = Network((1, 1), output="identity", loss="mse")
    start = Parameters.of(np.array([[1.0]]), np.array([[0.0]]))
    rule = Armijo(1e200, 0.5, 1e-4, interpolate=True)
    history = train(net, start, np.array([[1.0]]), np.array([[0.0]]), rule, 3).history
    assert np.isfinite(history.loss).all() and history.loss[-1] < history.loss[0]


@pytest.mark.parametrize("slack", [-1, float("nan"), float("inf")])
def test_slack_out_of_range(slack):
    with pytest.raises(ValueError, match="slack is .*; expected a finite number of at least 0"):
        Armijo(slack=slack)
