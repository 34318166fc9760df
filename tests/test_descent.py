"""Training: against loops by hand, one run or many, every pass counted, every way to end."""

import re
import time
import tracemalloc
import warnings
from functools import partial

import numpy as np
import pytest
from cases import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from labsupport import datasets, descent, network
from labsupport.descent import Armijo, DescentWarning, Fixed
from labsupport.network import Network, Parameters, initialise

NET = Network((2, 4, 1))
START = initialise(NET, np.random.default_rng(7))
X, Y = datasets.xor()
train = partial(descent.train, progress=False)

LINE = Network((1, 1), output="identity", loss="mse")
DATA = np.array([[-1.0], [1.0]]), np.array([[-1.0], [1.0]])  # loss w^2 - 2w + 1 + b^2, gradient 2


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def loss_by_hand(P, Y):
    return -np.mean(Y * np.log(P) + (1 - Y) * np.log(1 - P))


def pass_by_hand(W1, b1, W2, b2, X, Y):
    """Loss and gradients of 2-4-1 with sigmoids and cross-entropy."""
    A1 = sigmoid(X @ W1 + b1)
    P = sigmoid(A1 @ W2 + b2)
    D2 = (P - Y) / len(X)
    D1 = (D2 @ W2.T) * A1 * (1 - A1)
    return loss_by_hand(P, Y), (X.T @ D1, D1.sum(0), A1.T @ D2, D2.sum(0))


def vector(tensors):
    return np.concatenate([np.ravel(t) for t in tensors])


def at(vector):
    return Parameters(NET.sizes, vector)


def end_of(training):
    """Why and when a single run ended."""
    return str(training.history.stopped), int(training.history.stopped_at)


# Against loops written by hand


def test_fixed_step_full_batch():
    P, losses, norms = list(START.copy()), [], []
    for epoch in range(201):
        loss, G = pass_by_hand(*P, X, Y)
        losses.append(loss)
        norms.append(np.sqrt(sum((g**2).sum() for g in G)))
        if epoch < 200:
            P = [p - 0.5 * g for p, g in zip(P, G, strict=True)]
    ours = train(NET, START, X, Y, Fixed(0.5), 200)
    np.testing.assert_allclose(ours.history.loss, losses, rtol=1e-12)
    np.testing.assert_allclose(ours.history.gradient_norm, norms, rtol=1e-11)
    np.testing.assert_allclose(ours.parameters.vector, vector(P), rtol=0, atol=1e-12)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("shuffled", [False, True])
def test_fixed_step_mini_batches(size, shuffled):
    """Sample by sample with 1; the last of 3 is a batch of one."""
    P, losses, rng = list(START.copy()), [], np.random.default_rng(5)
    for epoch in range(51):
        losses.append(pass_by_hand(*P, X, Y)[0])
        if epoch == 50:
            break
        order = rng.permutation(4) if shuffled else np.arange(4)
        for first in range(0, 4, size):
            few = order[first : first + size]
            _, G = pass_by_hand(*P, X[few], Y[few])
            P = [p - 0.5 * g for p, g in zip(P, G, strict=True)]
    ours_rng = np.random.default_rng(5) if shuffled else None
    ours = train(NET, START, X, Y, Fixed(0.5), 50, batch_size=size, rng=ours_rng)
    np.testing.assert_allclose(ours.history.loss, losses, rtol=1e-12)
    np.testing.assert_allclose(ours.parameters.vector, vector(P), rtol=0, atol=1e-12)


def search_by_hand(x, g, f, alpha, shrink, c):
    """Chapter 5 as one function: step, trials, and where it leads."""
    trials, here = 1, f(x)
    while f(x - alpha * g) > here - c * alpha * (g @ g):
        alpha *= shrink
        trials += 1
    return alpha, trials, x - alpha * g


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    ("first", "shrink", "c", "growth"), [(64, 0.5, 1e-4, 2), (30, 0.7, 0.4, 3)]
)
def test_armijo_full_batch(warm, first, shrink, c, growth):
    def f(x):
        return pass_by_hand(*at(x), X, Y)[0]

    x, alpha, steps, trials, losses = START.vector, first, [], [], []
    for _ in range(60):
        loss, G = pass_by_hand(*at(x), X, Y)
        step, count, x = search_by_hand(x, vector(G), f, alpha, shrink, c)
        losses.append(loss)
        steps.append(step)
        trials.append(count)
        alpha = growth * step if warm else first
    rule = Armijo(first, shrink=shrink, c=c, warm=warm, growth=growth)
    ours = train(NET, START, X, Y, rule, 60)
    np.testing.assert_array_equal(ours.history.step[:-1], steps)
    np.testing.assert_array_equal(ours.history.trials[:-1], trials)
    np.testing.assert_allclose(ours.history.loss[:-1], losses, rtol=1e-12)
    np.testing.assert_allclose(ours.parameters.vector, x, rtol=0, atol=1e-11)
    assert max(trials) > 1


@pytest.mark.parametrize("warm", [False, True])
def test_armijo_mini_batches_look_at_the_same_samples_twice(warm):
    x, alpha, rng, lasts = START.vector, 16.0, np.random.default_rng(5), []
    most = 0
    for _ in range(6):
        order = rng.permutation(4)
        for few in (order[:3], order[3:]):
            _, G = pass_by_hand(*at(x), X[few], Y[few])
            f = lambda x, few=few: pass_by_hand(*at(x), X[few], Y[few])[0]  # noqa: E731
            step, trials, x = search_by_hand(x, vector(G), f, alpha, 0.5, 1e-4)
            alpha = 1.2 * step if warm else 16.0
            most = max(most, trials)
        lasts.append((step, trials))
    rule, rng = Armijo(16.0, warm=warm, growth=1.2), np.random.default_rng(5)
    ours = train(NET, START, X, Y, rule, 6, batch_size=3, rng=rng)
    np.testing.assert_allclose(ours.parameters.vector, x, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(ours.history.step[:-1], [step for step, _ in lasts])
    np.testing.assert_array_equal(ours.history.trials[:-1], [trials for _, trials in lasts])
    assert most > 1


def test_a_batch_of_all_samples_is_the_full_batch():
    full = train(NET, START, X, Y, Armijo(16.0), 30)
    batch = train(NET, START, X, Y, Armijo(16.0), 30, batch_size=4)
    np.testing.assert_array_equal(full.parameters.vector, batch.parameters.vector)
    np.testing.assert_array_equal(full.history.step, batch.history.step)
    assert np.isnan(batch.history.gradient_norm).all()
    assert np.isfinite(full.history.gradient_norm).all()


def test_the_start_and_the_data_are_left_as_they_are():
    before = START.vector.copy(), X.copy(), Y.copy()
    for size in (None, 2):
        ours = train(NET, START, X, Y, Armijo(16.0), 5, batch_size=size)
        assert not np.shares_memory(ours.parameters.vector, START.vector)
    for now, then in zip((START.vector, X, Y), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_generator_decides_the_order():
    one, again, other = (
        train(NET, START, X, Y, Fixed(0.5), 3, batch_size=1, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.parameters.vector, again.parameters.vector)
    assert not np.array_equal(one.parameters.vector, other.parameters.vector)


@pytest.mark.parametrize("rule", [Fixed(0.5), Armijo(16.0), Armijo(16.0, warm=True)])
@pytest.mark.parametrize("size", [None, 3])
def test_float32_stays_float32(rule, size):
    ours = train(NET, START.astype(np.float32), X, Y, rule, 20, batch_size=size)
    exact = train(NET, START, X, Y, rule, 20, batch_size=size)
    assert ours.parameters.vector.dtype == np.float32
    assert ours.history.loss.dtype == np.float32
    np.testing.assert_allclose(ours.history.loss, exact.history.loss, rtol=1e-3)
    assert not np.array_equal(ours.history.loss, exact.history.loss)


# One run or many

RULES = {
    "fixed": Fixed(0.2),
    "reset": Armijo(8.0),
    "warm": Armijo(8.0, warm=True),
}


def assert_equal_runs(case, rule, **options):
    """Every number of every run as if it had run alone; alone it may have ended earlier."""
    net, parameters, X, Y = case
    make = options.pop("make_rng", lambda: None)
    many = train(net, parameters, X, Y, rule, rng=make(), **options)
    for k in range(parameters.runs[0]):
        own = rule
        if isinstance(rule, Fixed) and np.ndim(rule.learning_rate):
            own = Fixed(rule.learning_rate[k])
        elif isinstance(rule, Armijo) and np.ndim(rule.first):
            own = Armijo(rule.first[k], warm=rule.warm)
        one = train(net, parameters.run(k), X, Y, own, rng=make(), **options)
        np.testing.assert_allclose(
            many.parameters.vector[k], one.parameters.vector, rtol=1e-12, atol=1e-12
        )
        assert many.history.stopped[k] == one.history.stopped
        assert many.history.stopped_at[k] == one.history.stopped_at
        rows = np.searchsorted(many.history.epoch, one.history.epoch)
        for name in ("loss", "gradient_norm", "step", "trials", "forwards", "backwards"):
            ours, alone = getattr(many.history, name)[:, k], getattr(one.history, name)
            exact = name in ("step", "trials")
            np.testing.assert_allclose(
                ours[rows], alone, rtol=0 if exact else 1e-11, atol=0 if exact else 1e-12
            )
            if name in ("step", "trials"):  # once ended, no step is taken
                assert np.isnan(ours[rows[-1] :]).all()
            elif name in ("loss", "forwards", "backwards"):  # and nothing changes
                np.testing.assert_allclose(ours[rows[-1] :], alone[-1], rtol=1e-12, atol=1e-12)
    return many


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(cases(runs=True, smooth=True, samples=8, widths=5), st.integers(1, 3))
@settings(max_examples=25)
@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
def test_many_runs_full_batch(rule, case, every):
    assert_equal_runs(case, rule, epochs=7, every=every)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(cases(runs=True, smooth=True, samples=8, widths=5), st.integers(1, 8))
@settings(max_examples=25)
@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
def test_many_runs_mini_batches(rule, case, size):
    size = min(size, len(case.X))
    make = partial(np.random.default_rng, 5)
    assert_equal_runs(case, rule, epochs=4, batch_size=size, make_rng=make)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("every", [1, 4])
def test_many_runs_that_end_at_a_target(rule, size, every):
    """One runs to the end, others stop on the way: each as if it were alone."""
    case = NET, initialise(NET, np.random.default_rng(2), runs=6), X, Y
    target = 0.72 if isinstance(rule, Fixed) else 0.6
    many = assert_equal_runs(case, rule, epochs=40, target=target, batch_size=size, every=every)
    if every == 1:
        reached = many.history.stopped == "target"
        assert reached.any()
        assert len(set(many.history.stopped_at)) > 1
        for k in np.flatnonzero(reached):
            end = many.history.stopped_at[k]
            assert many.history.loss[end, k] <= target
            assert (many.history.loss[:end, k] > target).all()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("runs", [63, 64, 500])
def test_hundreds_of_runs(rule, runs):
    """From 64 on the runs of a small network lie side by side in memory; nothing else changes."""
    case = NET, initialise(NET, np.random.default_rng(2), runs=runs), X, Y
    many = assert_equal_runs(case, rule, epochs=12, every=3)
    assert many.parameters.vector.flags.f_contiguous == (runs >= 64)


def test_many_runs_that_end_at_a_small_gradient():
    case = NET, initialise(NET, np.random.default_rng(2), runs=6), X, Y
    many = assert_equal_runs(case, Fixed(0.5), epochs=60, smallest_gradient=0.03)
    assert set(many.history.stopped) == {"small gradient", "epochs"}


@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("make", [Fixed, Armijo, partial(Armijo, warm=True)])
def test_every_run_its_own_step(make, size):
    case = NET, initialise(NET, np.random.default_rng(2), runs=3), X, Y
    assert_equal_runs(case, make(np.array([0.1, 1.0, 20.0])), epochs=10, batch_size=size)


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
def test_a_run_that_diverges_leaves_the_others_alone():
    start = Parameters(LINE.sizes, np.array([[0.5, 0.0]] * 3))
    case = LINE, start, *DATA
    many = assert_equal_runs(case, Fixed(np.array([0.01, 50.0, 0.02])), epochs=200)
    assert list(many.history.stopped) == ["epochs", "diverged", "epochs"]
    assert np.isfinite(many.parameters.vector).all()


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
def test_a_search_that_gives_up_leaves_the_others_alone():
    """Run 1 starts with steps so small that a refused trial elsewhere must not end it."""
    case = NET, initialise(NET, np.random.default_rng(2), runs=3), X, Y
    rule = Armijo(np.array([64.0, 1e-3, 64.0]), smallest=1e-3)
    many = train(*case, rule, 5)
    alone = train(NET, case[1].run(1), X, Y, Armijo(1e-3, smallest=1e-3), 5)
    np.testing.assert_array_equal(many.history.step[:, 1], alone.history.step)
    assert (many.history.trials[:-1, [0, 2]] > 1).any()


# How a run ends


def test_after_the_epochs():
    ours = train(NET, START, X, Y, Fixed(0.5), 10)
    assert end_of(ours) == ("epochs", 10)
    np.testing.assert_array_equal(ours.history.epoch, np.arange(11))
    assert ours.history.loss[-1] == network.loss_value(NET, ours.parameters, X, Y)


@pytest.mark.parametrize("size", [None, 2])
def test_no_epochs_is_a_look_at_the_start(size):
    ours = train(NET, START, X, Y, Fixed(0.5), 0, batch_size=size)
    assert end_of(ours) == ("epochs", 0)
    np.testing.assert_array_equal(ours.parameters.vector, START.vector)
    np.testing.assert_array_equal(ours.history.loss, [network.loss_value(NET, START, X, Y)])
    assert np.isnan(ours.history.step).all()
    assert np.isnan(ours.history.trials).all()


@pytest.mark.parametrize("size", [None, 1])
def test_at_the_target(size):
    options = {"batch_size": size, "epochs": 3000}
    ours = train(NET, START, X, Y, Fixed(0.5), target=0.3, **options)
    reason, epoch = end_of(ours)
    assert reason == "target"
    assert 0 < epoch < 3000
    assert ours.history.loss[-1] <= 0.3 < ours.history.loss[-2]
    assert ours.history.epoch[-1] == epoch
    # Reached exactly at the last epoch it is still the target, and at the start no step is made.
    assert end_of(train(NET, START, X, Y, Fixed(0.5), epoch, batch_size=size, target=0.3)) == (
        "target",
        epoch,
    )
    already = train(NET, START, X, Y, Fixed(0.5), target=5.0, **options)
    assert end_of(already) == ("target", 0)
    np.testing.assert_array_equal(already.parameters.vector, START.vector)


def test_at_a_small_gradient():
    ours = train(NET, START, X, Y, Fixed(0.5), 3000, smallest_gradient=0.02)
    reason, epoch = end_of(ours)
    assert reason == "small gradient"
    assert 0 < epoch < 3000
    assert ours.history.gradient_norm[-1] <= 0.02 < ours.history.gradient_norm[:-1].min()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_at_a_zero_gradient(rule):
    """All weights zero: an exact critical point of XOR, at ln 2."""
    zeros = initialise(NET, np.random.default_rng(1), "zeros")
    with warnings.catch_warnings(action="error"):
        ours = train(NET, zeros, X, Y, rule, 100)
    assert end_of(ours) == ("zero gradient", 0)
    np.testing.assert_array_equal(ours.parameters.vector, zeros.vector)
    np.testing.assert_allclose(ours.history.loss, [np.log(2)], rtol=1e-15)
    assert ours.history.forwards[-1] == 1
    assert ours.history.backwards[-1] == 0


@pytest.mark.parametrize("warm", [False, True])
def test_a_zero_gradient_of_every_mini_batch_is_no_harm(warm):
    """A warm start grows the step after each success; where nothing moves it must not overflow."""
    zeros, data = Parameters.of([[0]], [0]), (np.ones((8, 1)), np.zeros((8, 1)))
    with warnings.catch_warnings(action="error"):
        ours = train(LINE, zeros, *data, Armijo(warm=warm), 200, batch_size=1)
    assert end_of(ours) == ("epochs", 200)
    assert (ours.history.step[:-1] == 1.0).all()


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize("every", [1, 7])
def test_when_it_diverges(size, every):
    """w = 0.5, b = 0 and a rate of 10: the error is multiplied by -19 in every step."""
    start = Parameters.of([[0.5]], [0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = train(LINE, start, *DATA, Fixed(10.0), 1000, batch_size=size, every=every)
    assert [w.category for w in caught] == [DescentWarning]  # and no RuntimeWarning of NumPy
    assert caught[0].filename == __file__  # it points to the line that called train
    reason, epoch = end_of(ours)
    assert reason == "diverged"
    assert 50 < epoch < 200
    last = network.loss_value(LINE, ours.parameters, *DATA)
    assert np.isfinite(ours.parameters.vector).all()
    assert np.isfinite(ours.history.loss).all()
    assert last == ours.history.loss[-1] > 1e200
    message = str(caught[0].message)
    assert f"diverged after {epoch} epochs at loss {last:.6g}: " in message
    assert "Try a smaller learning rate" in message


def test_when_some_runs_diverge_it_says_how_many():
    start = Parameters(LINE.sizes, np.array([[0.5, 0.0]] * 3))
    with pytest.warns(DescentWarning, match=r"diverged after \d+ epochs .*\(2 of 3 runs\)"):
        train(LINE, start, *DATA, Fixed(np.array([10.0, 0.1, 10.0])), 1000)


@pytest.fixture
def uphill(monkeypatch):
    """A backward pass with the wrong sign: the direction is not one of descent."""
    right = network.backward

    def wrong(*arguments, **options):
        gradient = right(*arguments, **options)
        gradient.vector[...] *= -1
        return gradient

    monkeypatch.setattr(network, "backward", wrong)


@pytest.mark.usefixtures("uphill")
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("size", [None, 4, 2])
def test_when_the_search_gives_up(warm, size):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = train(NET, START, X, Y, Armijo(warm=warm), 100, batch_size=size)
    assert [w.category for w in caught] == [DescentWarning]
    assert caught[0].filename == __file__
    loss = network.loss_value(NET, START, X, Y)
    assert f"search gave up after 0 epochs at loss {loss:.6g}: " in str(caught[0].message)
    assert "Check the gradient" in str(caught[0].message)
    assert end_of(ours) == ("search gave up", 0)
    np.testing.assert_array_equal(ours.parameters.vector, START.vector)
    np.testing.assert_array_equal(ours.history.loss, [loss, loss])
    assert np.isnan(ours.history.step).all()  # 34 trials: 1, 1/2, ... down to 1e-10
    if size is None:
        assert ours.history.trials[0] == 34
        assert ours.history.forwards[-1] == 35


@pytest.mark.usefixtures("uphill")
def test_a_fixed_step_goes_uphill_unnoticed():
    """What makes the line search a bug detector."""
    ours = train(NET, START, X, Y, Fixed(0.5), 20)
    assert (np.diff(ours.history.loss) > 0).all()
    assert end_of(ours) == ("epochs", 20)


def test_a_loss_that_is_as_low_as_floating_point_sees_ends_quietly_or_says_so():
    """Near a minimum the condition drowns in rounding: no step is invented."""
    start = Parameters.of([[0.3]], [0.1])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = train(LINE, start, *DATA, Armijo(0.3, c=0.9), 5000)
    reason, epoch = end_of(ours)
    assert epoch < 5000
    assert reason in ("zero gradient", "search gave up")
    assert len(caught) == (reason == "search gave up")
    assert (np.diff(ours.history.loss) <= 0).all()
    np.testing.assert_allclose(ours.parameters.vector, [1, 0], atol=1e-7)


@pytest.mark.parametrize("size", [None, 2])
def test_a_trial_of_nan_is_refused_and_the_search_goes_on(size):
    """A first trial so long that the weights overflow."""
    with warnings.catch_warnings(action="error"):
        ours = train(LINE, Parameters.of([[0.5]], [0]), *DATA, Armijo(1e300), 3, batch_size=size)
    assert end_of(ours) == ("epochs", 3)
    assert ours.history.trials[0] > 900
    assert ours.history.loss[-1] < ours.history.loss[0]


def test_a_trial_of_nan_only(monkeypatch):
    """The very loss gives nan at the first trials, not merely infinity."""
    seen = []
    right = network.forward

    def forward(net, parameters, X):
        cache = right(net, parameters, X)
        seen.append(1)
        if len(seen) in (2, 3):
            cache.A[-1] = np.full_like(cache.A[-1], np.nan)
        return cache

    monkeypatch.setattr(network, "forward", forward)
    ours = train(NET, START, X, Y, Armijo(1.0), 2)
    np.testing.assert_array_equal(ours.history.step[:-1], [0.25, 1.0])
    np.testing.assert_array_equal(ours.history.trials[:-1], [3, 1])


def test_a_loss_that_is_not_finite_at_the_start():
    net = Network((1, 1), output="identity", loss="mse")
    with pytest.raises(
        ValueError, match="the loss is inf before the first step; .*smaller weights"
    ):
        train(net, Parameters.of([[1e200]], [0]), [[1]], [[0]], Fixed(0.1), 5)


# What it cost


@pytest.fixture
def count(monkeypatch):
    """Count the passes that really happen, a pass over k of m samples as k/m."""
    counts = {"forward": 0.0, "backward": 0.0}

    def counted(name):
        right = getattr(network, name)

        def wrapper(net, parameters, data, *rest, **options):
            samples = len(data) if name == "forward" else len(data.A[0])
            counts[name] += samples / 4
            return right(net, parameters, data, *rest, **options)

        monkeypatch.setattr(network, name, wrapper)

    counted("forward")
    counted("backward")
    return counts


@pytest.mark.parametrize("rule", [Fixed(0.5), Armijo(16.0), Armijo(16.0, warm=True)])
@pytest.mark.parametrize("every", [1, 3])
def test_full_batch_counts_every_pass(count, rule, every):
    history = train(NET, START, X, Y, rule, 20, every=every).history
    assert history.forwards[-1] == count["forward"]
    # The gradient at the last point is computed for its norm and moves nothing.
    assert history.backwards[-1] == count["backward"] - 1 == 20
    assert history.forwards[0] == 1
    assert history.backwards[0] == 0
    np.testing.assert_array_equal(history.passes, history.forwards + 2 * history.backwards)
    if every == 1:
        spent = np.cumsum(history.trials[:-1])
        np.testing.assert_array_equal(history.forwards, np.append(1, 1 + spent))
        np.testing.assert_array_equal(history.backwards, np.arange(21))
    if isinstance(rule, Armijo):
        assert count["forward"] > 21


@pytest.mark.parametrize("rule", [Fixed(0.5), Armijo(16.0), Armijo(16.0, warm=True)])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_mini_batches_count_every_share_of_a_pass(count, rule, size):
    history = train(NET, START, X, Y, rule, 20, batch_size=size).history
    watched = 21  # the loss of the whole data set, once an epoch
    assert history.forwards[-1] == pytest.approx(count["forward"] - watched, rel=1e-12)
    assert history.backwards[-1] == pytest.approx(count["backward"], rel=1e-12)
    assert history.backwards[-1] == pytest.approx(20, rel=1e-12)
    if isinstance(rule, Fixed):
        assert history.forwards[-1] == pytest.approx(20, rel=1e-12)
    else:
        assert history.forwards[-1] > 40 or size == 1


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
def test_a_step_that_is_taken_back_is_counted(count):
    """Putting the parameters back takes a pass that is not counted: it belongs to no algorithm."""
    diverged = train(LINE, Parameters.of([[0.5]], [0]), *DATA, Fixed(10.0), 1000).history
    steps = diverged.stopped_at + 1  # the last one led nowhere
    assert diverged.forwards[-1] == 1 + steps == 2 * count["forward"] - 1  # 2 of 4 samples
    assert diverged.backwards[-1] == steps


@pytest.mark.usefixtures("uphill")
@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
def test_a_search_that_gave_up_is_counted(count):
    history = train(NET, START, X, Y, Armijo(), 5).history
    assert history.forwards[-1] == 1 + 34 == count["forward"] - 1
    assert history.backwards[-1] == 1


# What is recorded


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("rule", [Fixed(0.5), Armijo(16.0, warm=True)])
@pytest.mark.parametrize("every", [2, 3, 10, 11, 100])
def test_every_so_many_epochs(size, rule, every):
    full = train(NET, START, X, Y, rule, 10, batch_size=size)
    some = train(NET, START, X, Y, rule, 10, batch_size=size, every=every)
    expected = sorted({*range(0, 11, every), 10})
    np.testing.assert_array_equal(some.history.epoch, expected)
    assert some.history.every == every
    np.testing.assert_array_equal(some.parameters.vector, full.parameters.vector)
    for name in ("loss", "gradient_norm", "step", "trials", "forwards", "backwards"):
        all_rows, rows = getattr(full.history, name), getattr(some.history, name)
        np.testing.assert_array_equal(rows, all_rows[expected], err_msg=name)


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("runs", [None, 1, 3])
def test_shapes_of_the_history(size, runs):
    start = initialise(NET, np.random.default_rng(1), runs=runs)
    history = train(NET, start, X, Y, Armijo(4.0), 5, batch_size=size).history
    shape = () if runs is None else (runs,)
    for name in ("loss", "gradient_norm", "step", "trials", "forwards", "backwards", "passes"):
        assert getattr(history, name).shape == (6, *shape), name
    assert history.stopped.shape == history.stopped_at.shape == shape
    assert history.epoch.shape == (6,)
    assert np.isnan(history.step[-1]).all()  # nothing happens after the last epoch
    assert np.isfinite(history.step[:-1]).all()


def test_rows_do_not_share_memory_with_what_goes_on():
    one = train(NET, START, X, Y, Fixed(0.5), 5).history
    two = train(NET, START, X, Y, Fixed(0.5), 10).history
    np.testing.assert_array_equal(one.loss, two.loss[:6])


# The progress bar


@pytest.mark.parametrize("progress", [False, True])
def test_a_short_run_writes_nothing(capfd, progress):
    descent.train(NET, START, X, Y, Armijo(), 50, progress=progress)
    assert capfd.readouterr() == ("", "")


def slow(monkeypatch):
    """A bar that is drawn at once, as it is in a run of more than a second."""
    now = {"delay": 0, "mininterval": 0, "miniters": 1}
    monkeypatch.setattr(descent, "tqdm", lambda *a, **options: tqdm(*a, **{**options, **now}))


def test_a_long_run_shows_a_bar_on_stderr_and_wipes_it_away(capfd, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    slow(monkeypatch)
    descent.train(NET, START, X, Y, Fixed(0.5), 50)
    out, err = capfd.readouterr()
    assert out == ""
    assert re.search(r"\d+%.*epoch", err)
    assert err.endswith("\r")
    assert err.rsplit("\r", 2)[1].strip() == ""


def test_no_bar_when_none_is_wanted(capfd, monkeypatch):
    slow(monkeypatch)
    descent.train(NET, START, X, Y, Fixed(0.5), 50, progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_bar_waits_a_second_and_can_be_switched_off(monkeypatch):
    """The variable is how stored outputs stay free of bars, on slow machines too."""
    seen = []
    monkeypatch.setattr(
        descent, "tqdm", lambda *a, **o: seen.append((o, tqdm(*a, **o))) or seen[-1][1]
    )
    descent.train(NET, START, X, Y, Fixed(0.5), 5)
    options, _ = seen[-1]
    assert options["delay"] == 1
    assert options["leave"] is False
    assert "disable" not in options  # tqdm then looks at TQDM_DISABLE itself
    descent.train(NET, START, X, Y, Fixed(0.5), 5, progress=False)
    assert seen[-1][0]["disable"] is True


# Bad input


@pytest.mark.parametrize(
    ("error", "make", "message"),
    [
        (ValueError, lambda: Fixed(0), "learning_rate is 0; expected a finite number above 0"),
        (ValueError, lambda: Fixed(-0.1), "learning_rate is -0.1; expected a finite number above"),
        (ValueError, lambda: Fixed(np.nan), "learning_rate is nan; expected a finite number above"),
        (ValueError, lambda: Fixed(np.inf), "learning_rate is inf; expected a finite number above"),
        (ValueError, lambda: Fixed(np.array([0.1, 0])), "learning_rate is array.*; expected"),
        (TypeError, lambda: Fixed("0.1"), "learning_rate is '0.1'; expected a number"),
        (ValueError, lambda: Armijo(0.0), "first is 0.0; expected a finite number above 0"),
        (ValueError, lambda: Armijo(np.inf), "first is inf; expected a finite number above 0"),
        (ValueError, lambda: Armijo(1e-11), "first is 1e-11; expected at least smallest, 1e-10"),
        (
            ValueError,
            lambda: Armijo(shrink=1.0),
            "shrink is 1.0; expected a number between 0 and 1",
        ),
        (ValueError, lambda: Armijo(shrink=0), "shrink is 0; expected a number between 0 and 1"),
        (ValueError, lambda: Armijo(c=0), "c is 0; expected a number between 0 and 1"),
        (ValueError, lambda: Armijo(c=1), "c is 1; expected a number between 0 and 1"),
        (ValueError, lambda: Armijo(c=-1e-4), "c is -0.0001; expected a number between 0 and 1"),
        (TypeError, lambda: Armijo(c=None), "c is None; expected a number"),
        (ValueError, lambda: Armijo(growth=0.5), "growth is 0.5; expected a finite number of at l"),
        (ValueError, lambda: Armijo(growth=np.nan), "growth is nan; expected a finite number of a"),
        (ValueError, lambda: Armijo(smallest=-1), "smallest is -1; expected a finite number above"),
    ],
)
def test_a_rule_refuses(error, make, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("error", "options", "message"),
    [
        (ValueError, {"epochs": -1}, "epochs is -1; expected a whole number of at least 0"),
        (ValueError, {"epochs": 1.5}, "epochs is 1.5; expected a whole number of at least 0"),
        (ValueError, {"epochs": "9"}, "epochs is '9'; expected a whole number of at least 0"),
        (ValueError, {"every": 0}, "every is 0; expected a whole number of at least 1"),
        (ValueError, {"batch_size": 0}, "batch_size is 0; expected a whole number from 1 to 4"),
        (ValueError, {"batch_size": 5}, "batch_size is 5; expected a whole number from 1 to 4"),
        (ValueError, {"batch_size": 2.0}, "batch_size is 2.0; expected a whole number from 1 to 4"),
        (TypeError, {"rng": 7, "batch_size": 2}, r"rng is 7; expected a Generator: numpy\.random"),
        (ValueError, {"target": np.nan}, "target is nan; expected a loss"),
        (ValueError, {"smallest_gradient": 0}, "smallest_gradient is 0; expected a finite number"),
        (
            ValueError,
            {"smallest_gradient": 0.1, "batch_size": 2},
            "smallest_gradient needs the full gradient; leave batch_size away",
        ),
        (TypeError, {"rule": 0.5}, r"rule is 0\.5; expected a step rule: Fixed\(0\.5\), or Armijo"),
        (TypeError, {"rule": Fixed}, "rule is <class .*; expected a step rule"),
        (
            ValueError,
            {"rule": Fixed(np.array([0.1, 0.2]))},
            r"learning_rate has shape \(2,\); expected one number, or one for each .*: \(\)",
        ),
        (ValueError, {"X": X.T[:, :3]}, r"X has shape \(2, 3\); expected \(m, 2\).*pass X\.T"),
        (ValueError, {"X": X * np.nan}, "X holds 8 NaN or infinite of 8 values"),
        (ValueError, {"Y": Y.ravel()}, r"Y has shape \(4,\); expected \(4, 1\).*reshape"),
        (ValueError, {"Y": 2 * Y}, r"Y reaches from 0 to 2; bce needs targets in \[0, 1\]"),
        (ValueError, {"Y": np.full((4, 1), np.inf)}, "Y holds 4 NaN or infinite"),
        (TypeError, {"X": X.astype(str)}, "X has type .*expected real numbers"),
        (ValueError, {"net": Network((2, 3, 1))}, r"belong to layers \(2, 4, 1\); the network has"),
    ],
)
def test_train_refuses(error, options, message):
    fine = {"net": NET, "parameters": START, "X": X, "Y": Y, "rule": Fixed(0.5), "epochs": 5}
    train(**fine)
    with pytest.raises(error, match=message):
        train(**{**fine, **options})


def test_numpy_integers_are_whole_numbers():
    ours = train(
        NET, START, X, Y, Fixed(0.5), np.int64(2), every=np.int32(1), batch_size=np.int8(2)
    )
    assert end_of(ours) == ("epochs", 2)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        Armijo().c = 0.5


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_memory_does_not_grow_with_the_epochs(rule):
    """Parameters, gradient, trial and a few sets of activations; the history every k epochs."""
    net = Network((2, 16, 1))
    start = initialise(net, np.random.default_rng(1), runs=200)
    X, Y = datasets.moons(100)[:2]
    one_set = 200 * len(X) * 2 * (16 + 1) * 8  # Z and A of every unit

    def peak(epochs, every):
        tracemalloc.start()
        train(net, start, X, Y, rule, epochs, every=every)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1, 1)  # what is kept for ever, such as caches of imports
    few, many = peak(5, 5), peak(60, 60)
    assert many < few + 50_000
    assert few < 2.5 * one_set + 5 * start.vector.nbytes
    row = 6 * 200 * 8  # six numbers a run
    assert 55 * row < peak(60, 1) - many < 3 * 60 * row  # so that growth would be seen


def test_many_runs_cost_no_python_loop():
    """64 runs in well below 64 times the time of one: the runs axis is an array axis."""
    many = initialise(NET, np.random.default_rng(1), runs=64)

    def seconds(parameters):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            train(NET, parameters, X, Y, Fixed(0.5), 100)
            times.append(time.perf_counter() - begin)
        return min(times)

    assert seconds(many) < 16 * seconds(many.run(0))
