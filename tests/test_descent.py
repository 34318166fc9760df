"""Training: against a loop by hand, one run or many, every pass counted, every way to end."""

import os
import re
import subprocess
import sys
import tracemalloc
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from labsupport import datasets, descent, network
from labsupport.descent import Armijo, DescentWarning, Fixed, Rule
from labsupport.network import Network, Parameters, initialise
from tests.cases import cases

NET = Network((2, 4, 1))
START = initialise(NET, np.random.default_rng(7))
X, Y = datasets.xor()
train = partial(descent.train, progress=False)

LINE = Network((1, 1), output="identity", loss="mse")
DATA = np.array([[-1.0], [1.0]]), np.array([[-1.0], [1.0]])  # loss w^2 - 2w + 1 + b^2, gradient 2
NUMBERS = ("loss", "gradient_norm", "step", "trials", "forwards", "backwards")
RULES = {"fixed": Fixed(0.2), "reset": Armijo(8.0), "warm": Armijo(8.0, warm=True)}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
MANY = NET, initialise(NET, np.random.default_rng(2), runs=6), X, Y
may_give_up = pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")


def end_of(training):
    """Why and when a single run ended."""
    return str(training.history.stopped), int(training.history.stopped_at)


def watched(*arguments, **options):
    """Train; give the training and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return train(*arguments, **options), caught


# Against a loop written by hand


def pass_by_hand(vector, X, Y):
    """Loss and gradient of 2-4-1 with sigmoids and cross-entropy."""
    W1, b1, W2, b2 = Parameters(NET.sizes, vector)
    A1 = 1 / (1 + np.exp(-(X @ W1 + b1)))
    P = 1 / (1 + np.exp(-(A1 @ W2 + b2)))
    D2 = (P - Y) / len(X)
    D1 = (D2 @ W2.T) * A1 * (1 - A1)
    gradient = [np.ravel(g) for g in (X.T @ D1, D1.sum(0), A1.T @ D2, D2.sum(0))]
    return -np.mean(Y * np.log(P) + (1 - Y) * np.log(1 - P)), np.concatenate(gradient)


def train_by_hand(rule, epochs, size, rng):
    """The whole training with plain loops, and the columns of its history."""
    x, rows, most = START.vector, [], 1
    alpha = rule.learning_rate if isinstance(rule, Fixed) else rule.first
    for _ in range(epochs):
        loss, gradient = pass_by_hand(x, X, Y)
        order = np.arange(4) if rng is None else rng.permutation(4)
        for at in range(0, 4, size):
            few = X[order[at : at + size]], Y[order[at : at + size]]
            here, g = pass_by_hand(x, *few)
            step, trials = alpha, 1
            if isinstance(rule, Armijo):
                while pass_by_hand(x - step * g, *few)[0] > here - rule.c * step * (g @ g):
                    step, trials = rule.shrink * step, trials + 1
                alpha = rule.growth * step if rule.warm else rule.first
            most = max(most, trials)
            x = x - step * g
        rows.append((loss, np.linalg.norm(gradient), step, trials))
    return x, most, np.array(rows).T


@pytest.mark.parametrize(
    ("rule", "epochs", "size", "shuffled"),
    [
        (Fixed(0.5), 200, None, False),
        (Fixed(0.5), 50, 1, False),
        (Fixed(0.5), 50, 3, True),  # the last batch is of one sample
        (Armijo(64.0, growth=3), 60, None, False),
        (Armijo(30.0, 0.7, 0.4, warm=True, growth=3), 60, None, False),
        (Armijo(16.0), 6, 3, True),
        (Armijo(16.0, warm=True, growth=1.2), 6, 3, True),
    ],
)
def test_every_step_is_that_of_a_loop_by_hand(rule, epochs, size, shuffled):
    generators = [np.random.default_rng(5) if shuffled else None for _ in range(2)]
    x, most, (loss, norm, step, trials) = train_by_hand(rule, epochs, size or 4, generators[0])
    ours = train(NET, START, X, Y, rule, epochs, batch_size=size, rng=generators[1])
    atol = 1e-12 if isinstance(rule, Fixed) else 1e-10
    np.testing.assert_allclose(ours.parameters.vector, x, rtol=0, atol=atol)
    np.testing.assert_allclose(ours.history.loss[:-1], loss, rtol=1e-11)
    np.testing.assert_array_equal(ours.history.step[:-1], step)
    np.testing.assert_array_equal(ours.history.trials[:-1], trials)
    if size is None:
        np.testing.assert_allclose(ours.history.gradient_norm[:-1], norm, rtol=1e-10)
    else:
        assert np.isnan(ours.history.gradient_norm).all()
    assert (most > 1) == isinstance(rule, Armijo)


def test_the_start_and_the_data_are_left_as_they_are():
    before = START.vector.copy(), X.copy(), Y.copy()
    for size in (None, 2):
        ours = train(NET, START, X, Y, Armijo(16.0), 5, batch_size=size)
        assert not np.shares_memory(ours.parameters.vector, START.vector)
    for now, then in zip((START.vector, X, Y), before, strict=True):
        np.testing.assert_array_equal(now, then)


@every_rule
@pytest.mark.parametrize("size", [None, 3])
def test_float32_stays_float32(rule, size):
    ours = train(NET, START.astype(np.float32), X, Y, rule, 20, batch_size=size)
    exact = train(NET, START, X, Y, rule, 20, batch_size=size)
    assert ours.parameters.vector.dtype == ours.history.loss.dtype == np.float32
    np.testing.assert_allclose(ours.history.loss, exact.history.loss, rtol=1e-3)
    assert not np.array_equal(ours.history.loss, exact.history.loss)


# A rule of one's own


class HeavyBall(Rule):
    """Momentum, as a reader would write it."""

    def begin(self, vector):
        return {"velocity": np.zeros_like(vector)}

    def propose(self, memory, gradient):
        memory["velocity"] = 0.9 * memory["velocity"] + gradient
        return np.full(gradient.shape[:-1], 0.1), memory["velocity"]


@pytest.mark.parametrize("size", [None, 2])
def test_a_rule_of_ones_own_is_followed_and_counted(size):
    x, velocity = START.vector, 0.0
    for _ in range(5):
        for at in range(0, 4, size or 4):
            few = slice(at, at + (size or 4))
            velocity = 0.9 * velocity + pass_by_hand(x, X[few], Y[few])[1]
            x = x - 0.1 * velocity
    ours = train(NET, START, X, Y, HeavyBall(), 5, batch_size=size)
    np.testing.assert_allclose(ours.parameters.vector, x, rtol=0, atol=1e-12)
    assert ours.history.forwards[-1] == (6 if size is None else 5)
    assert ours.history.backwards[-1] == ours.history.trials[:-1].sum() == 5
    assert_equal_runs(MANY, HeavyBall(), epochs=5, batch_size=size)


def test_a_rule_without_a_proposal_or_with_too_many_is_refused():
    with pytest.raises(NotImplementedError, match=r"Rule has no propose\(memory, gradient\)"):
        train(NET, START, X, Y, Rule(), 1)
    rule = HeavyBall()
    rule.propose = lambda memory, gradient: (np.ones(2), gradient)
    with pytest.raises(ValueError, match=r"steps of shape \(2,\); .*runs: \(\)"):
        train(NET, START, X, Y, rule, 1)


# One run or many


def of_run(rule, k):
    """A rule with the setting of one run."""
    name = "learning_rate" if isinstance(rule, Fixed) else "first"
    value = getattr(rule, name, 0)
    return replace(rule, **{name: value[k]}) if np.ndim(value) else rule


def assert_equal_runs(case, rule, seed=None, **options):
    """Every number of every run as if it had run alone; alone it may have ended earlier."""
    net, parameters, X, Y = case

    def trained(parameters, rule):
        rng = None if seed is None else np.random.default_rng(seed)
        return train(net, parameters, X, Y, rule, rng=rng, **options)

    many = trained(parameters, rule)
    for k in range(parameters.runs[0]):
        one = trained(parameters.run(k), of_run(rule, k))
        there = one.parameters.vector
        size = 1e-11 * max(1.0, abs(there).max())  # long steps carry rounding on
        np.testing.assert_allclose(many.parameters.vector[k], there, rtol=0, atol=size)
        assert many.history.stopped[k] == one.history.stopped
        assert many.history.stopped_at[k] == one.history.stopped_at
        rows = np.searchsorted(many.history.epoch, one.history.epoch)
        for name in NUMBERS:
            ours, alone = getattr(many.history, name)[:, k], getattr(one.history, name)
            exact = name in ("step", "trials")
            # A saturated output loses digits of its slope.
            close = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-9, "atol": 1e-12}
            np.testing.assert_allclose(ours[rows], alone, **close)
            if exact:  # once ended, no step is taken
                assert np.isnan(ours[rows[-1] :]).all()
            elif name != "gradient_norm":  # and nothing changes
                np.testing.assert_allclose(ours[rows[-1] :], alone[-1], rtol=1e-12, atol=1e-12)
    return many


@every_rule
@given(cases(runs=True, smooth=True, samples=8, widths=5), st.integers(1, 3), st.integers(0, 8))
@settings(max_examples=40)
@may_give_up
def test_many_runs(rule, case, every, size):
    size = min(size, len(case.X)) or None
    assert_equal_runs(case, rule, 5, epochs=3 if size else 6, every=every, batch_size=size)


@every_rule
@pytest.mark.parametrize(("size", "every"), [(None, 1), (2, 1), (None, 4)])
def test_many_runs_that_end_at_a_target(rule, size, every):
    """One runs to the end, others stop on the way: each as if it were alone."""
    target = 0.72 if isinstance(rule, Fixed) else 0.6
    many = assert_equal_runs(MANY, rule, epochs=40, target=target, batch_size=size, every=every)
    assert len(set(many.history.stopped_at)) > 1
    if every == 1:
        for k in np.flatnonzero(many.history.stopped == "target"):
            end = many.history.stopped_at[k]
            assert many.history.loss[end, k] <= target
            assert (many.history.loss[:end, k] > target).all()


@pytest.mark.parametrize("rule", [RULES["fixed"], RULES["warm"]])
@pytest.mark.parametrize("runs", [63, 64])
def test_many_more_runs(rule, runs):
    """From 64 on the runs of a small network lie side by side in memory; nothing else changes."""
    case = NET, initialise(NET, np.random.default_rng(2), runs=runs), X, Y
    many = assert_equal_runs(case, rule, epochs=12, every=3)
    assert many.parameters.vector.flags.f_contiguous == (runs == 64)


@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("make", [Fixed, Armijo, partial(Armijo, warm=True)])
def test_every_run_its_own_step(make, size):
    rule = make(np.array([0.1, 1.0, 20.0, 0.2, 2.0, 10.0]))
    assert_equal_runs(MANY, rule, epochs=10, batch_size=size)


@may_give_up
def test_a_run_that_diverges_leaves_the_others_alone():
    start = Parameters(LINE.sizes, np.array([[0.5, 0.0]] * 3))
    rule = Fixed(np.array([50.0, 0.01, 50.0]))
    many = assert_equal_runs((LINE, start, *DATA), rule, epochs=200)
    assert list(many.history.stopped) == ["diverged", "epochs", "diverged"]
    with pytest.warns(DescentWarning, match=r"diverged after \d+ epochs .*\(2 of 3 runs\)"):
        train(LINE, start, *DATA, rule, 200)


@may_give_up
def test_a_search_that_gives_up_leaves_the_others_alone():
    """Run 1 starts with steps so small that a refused trial elsewhere must not end it."""
    case = NET, initialise(NET, np.random.default_rng(2), runs=3), X, Y
    many = train(*case, Armijo(np.array([64.0, 1e-3, 64.0]), smallest=1e-3), 5)
    alone = train(NET, case[1].run(1), X, Y, Armijo(1e-3, smallest=1e-3), 5)
    np.testing.assert_array_equal(many.history.step[:, 1], alone.history.step)
    assert (many.history.trials[:-1, [0, 2]] > 1).any()


# How a run ends


@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("epochs", [0, 10, np.int8(2)])
def test_after_the_epochs(size, epochs):
    ours = train(NET, START, X, Y, Fixed(0.5), epochs, batch_size=size)
    assert end_of(ours) == ("epochs", epochs)
    np.testing.assert_array_equal(ours.history.epoch, np.arange(epochs + 1))
    assert ours.history.loss[0] == network.loss_value(NET, START, X, Y)
    assert ours.history.loss[-1] == network.loss_value(NET, ours.parameters, X, Y)
    assert np.isnan(ours.history.step[-1]) and np.isnan(ours.history.trials[-1])


@pytest.mark.parametrize("size", [None, 1])
def test_at_the_target(size):
    go = partial(train, NET, START, X, Y, Fixed(0.5), batch_size=size)
    ours = go(3000, target=0.3)
    reason, epoch = end_of(ours)
    assert reason == "target" and 0 < epoch < 3000 and ours.history.epoch[-1] == epoch
    assert ours.history.loss[-1] <= 0.3 < ours.history.loss[-2]
    # Reached exactly at the last epoch it is still the target, and at the start no step is made.
    assert end_of(go(epoch, target=0.3)) == ("target", epoch)
    already = go(3000, target=5.0)
    assert end_of(already) == ("target", 0)
    np.testing.assert_array_equal(already.parameters.vector, START.vector)


@every_rule
def test_at_a_zero_gradient(rule):
    """All weights zero: an exact critical point of XOR, at ln 2."""
    zeros = initialise(NET, np.random.default_rng(1), "zeros")
    with warnings.catch_warnings(action="error"):
        ours = train(NET, zeros, X, Y, rule, 100)
    assert end_of(ours) == ("zero gradient", 0)
    np.testing.assert_array_equal(ours.parameters.vector, zeros.vector)
    np.testing.assert_allclose(ours.history.loss, [np.log(2)], rtol=1e-15)
    assert (ours.history.forwards[-1], ours.history.backwards[-1]) == (1, 0)


def test_a_zero_gradient_of_every_mini_batch_is_no_harm():
    """A warm start grows the step after each success; where nothing moves it must not overflow."""
    zeros, data = Parameters.of([[0]], [0]), (np.ones((8, 1)), np.zeros((8, 1)))
    with warnings.catch_warnings(action="error"):
        ours = train(LINE, zeros, *data, Armijo(warm=True), 200, batch_size=1)
    assert end_of(ours) == ("epochs", 200)
    assert (ours.history.step[:-1] == 1.0).all()


@pytest.mark.parametrize(("size", "every"), [(None, 1), (None, 7), (1, 1)])
def test_when_it_diverges(size, every):
    """w = 0.5, b = 0 and a rate of 10: the error is multiplied by -19 in every step."""
    start = Parameters.of([[0.5]], [0])
    ours, caught = watched(LINE, start, *DATA, Fixed(10.0), 1000, batch_size=size, every=every)
    assert [w.category for w in caught] == [DescentWarning]  # and no RuntimeWarning of NumPy
    assert caught[0].filename == __file__  # it points to the line that called train
    reason, epoch = end_of(ours)
    assert reason == "diverged" and 50 < epoch < 200
    last = network.loss_value(LINE, ours.parameters, *DATA)
    assert np.isfinite(ours.parameters.vector).all()
    assert last == ours.history.loss[-1] > 1e200
    message = str(caught[0].message)
    assert f"diverged after {epoch} epochs at loss {last:.6g}: " in message
    assert "smaller learning rate" in message


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
    ours, caught = watched(NET, START, X, Y, Armijo(warm=warm), 100, batch_size=size)
    assert [w.category for w in caught] == [DescentWarning]
    assert caught[0].filename == __file__
    loss = network.loss_value(NET, START, X, Y)
    message = str(caught[0].message)
    assert f"search gave up after 0 epochs at loss {loss:.6g}: " in message
    assert "Check the gradient" in message
    assert end_of(ours) == ("search gave up", 0)
    np.testing.assert_array_equal(ours.parameters.vector, START.vector)
    np.testing.assert_array_equal(ours.history.loss, [loss, loss])
    assert np.isnan(ours.history.step).all()
    if size is None:
        assert ours.history.trials[0] == 34  # 1, 1/2, ... down to 1e-10
        assert (ours.history.forwards[-1], ours.history.backwards[-1]) == (35, 1)


def test_a_loss_that_is_as_low_as_floating_point_sees_ends_quietly_or_says_so():
    """Near a minimum the condition drowns in rounding: no step is invented."""
    ours, caught = watched(LINE, Parameters.of([[0.3]], [0.1]), *DATA, Armijo(0.3, c=0.9), 5000)
    reason, epoch = end_of(ours)
    assert epoch < 5000
    assert reason in ("zero gradient", "search gave up")
    assert len(caught) == (reason == "search gave up")
    assert (np.diff(ours.history.loss) <= 0).all()
    np.testing.assert_allclose(ours.parameters.vector, [1, 0], atol=1e-7)


@pytest.mark.parametrize("size", [None, 2])
def test_a_trial_that_overflows_is_refused_and_the_search_goes_on(size):
    with warnings.catch_warnings(action="error"):
        ours = train(LINE, Parameters.of([[0.5]], [0]), *DATA, Armijo(1e300), 3, batch_size=size)
    assert end_of(ours) == ("epochs", 3)
    assert ours.history.trials[0] > 900
    assert ours.history.loss[-1] < ours.history.loss[0]


def test_a_trial_of_nan_is_refused(monkeypatch):
    """The very loss gives nan at the first trials, not merely infinity."""
    seen, right = [], network.forward

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
    np.testing.assert_array_equal(history.passes, history.forwards + 2 * history.backwards)
    if every == 1:
        spent = np.cumsum(history.trials[:-1])
        np.testing.assert_array_equal(history.forwards, np.append(1, 1 + spent))
        np.testing.assert_array_equal(history.backwards, np.arange(21))
    assert (count["forward"] > 21) == isinstance(rule, Armijo)


@pytest.mark.parametrize("rule", [Fixed(0.5), Armijo(16.0), Armijo(16.0, warm=True)])
@pytest.mark.parametrize("size", [1, 3])
def test_mini_batches_count_every_share_of_a_pass(count, rule, size):
    history = train(NET, START, X, Y, rule, 20, batch_size=size).history
    watching = 21  # the loss of the whole data set, once an epoch
    assert history.forwards[-1] == pytest.approx(count["forward"] - watching, rel=1e-12)
    assert history.backwards[-1] == pytest.approx(count["backward"], rel=1e-12)
    assert history.backwards[-1] == pytest.approx(20, rel=1e-12)


@may_give_up
def test_a_step_that_is_taken_back_is_counted(count):
    """Putting the parameters back takes a pass that is not counted: it belongs to no algorithm."""
    diverged = train(LINE, Parameters.of([[0.5]], [0]), *DATA, Fixed(10.0), 1000).history
    steps = diverged.stopped_at + 1  # the last one led nowhere
    assert diverged.forwards[-1] == 1 + steps == 2 * count["forward"] - 1  # 2 of 4 samples
    assert diverged.backwards[-1] == steps


# What is recorded


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("every", [2, 3, 100])
def test_every_so_many_epochs(size, every):
    rule = Armijo(16.0, warm=True)
    full = train(NET, START, X, Y, rule, 10, batch_size=size)
    some = train(NET, START, X, Y, rule, 10, batch_size=size, every=np.int32(every))
    expected = sorted({*range(0, 11, every), 10})
    np.testing.assert_array_equal(some.history.epoch, expected)
    assert some.history.every == every
    np.testing.assert_array_equal(some.parameters.vector, full.parameters.vector)
    for name in NUMBERS:
        all_rows, rows = getattr(full.history, name), getattr(some.history, name)
        np.testing.assert_array_equal(rows, all_rows[expected], err_msg=name)


@every_rule
def test_memory_does_not_grow_with_the_epochs(rule):
    """Parameters, gradient, trial and a few sets of activations; the history every k epochs."""
    net, (X, Y, *_) = Network((2, 16, 1)), datasets.moons(100)
    start = initialise(net, np.random.default_rng(1), runs=200)
    one_set, row = 200 * len(X) * 2 * (16 + 1) * 8, 6 * 200 * 8  # Z and A; six numbers a run

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
    assert 55 * row < peak(60, 1) - many < 3 * 60 * row  # so that growth would be seen


# The progress bar

AT_ONCE = {"delay": 0, "mininterval": 0, "miniters": 1}  # as in a run of more than a second


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("progress", [False, True])
def test_only_a_long_run_shows_a_bar_and_wipes_it_away(capfd, monkeypatch, slow, progress):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    if slow:
        monkeypatch.setattr(descent, "tqdm", lambda *a, **o: tqdm(*a, **{**o, **AT_ONCE}))
    descent.train(NET, START, X, Y, Fixed(0.5), 50, progress=progress)
    out, err = capfd.readouterr()
    assert out == ""
    if slow and progress:
        assert re.search(r"\d+%.*epoch", err)
        assert err.endswith("\r") and err.rsplit("\r", 2)[1].strip() == ""
    else:
        assert err == ""


@pytest.mark.parametrize("disable", ["", "1"])
def test_the_bar_can_be_switched_off_from_outside(disable):
    """So that stored outputs stay free of bars on slow machines too; tqdm reads it when loaded."""
    program = f"""
from labsupport import datasets, descent, network
bar, net = descent.tqdm, network.Network((2, 1))
descent.tqdm = lambda *a, **o: bar(*a, **{{**o, **{AT_ONCE}}})
start = network.Parameters(net.sizes, descent.np.ones(3))
descent.train(net, start, *datasets.xor(), descent.Fixed(0.5), 50)"""
    environment = {**os.environ, "TQDM_DISABLE": disable}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment)
    assert run.returncode == 0
    assert (run.stderr == b"") == bool(disable)


# Bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fixed(0), "learning_rate is 0; expected a finite number above 0"),
        (lambda: Fixed(np.array([0.1, np.inf])), "learning_rate is array.*; expected"),
        (lambda: Fixed("0.1"), "learning_rate is '0.1'; expected a number"),
        (lambda: Armijo(0.0), "first is 0.0; expected a finite number above 0"),
        (lambda: Armijo(1e-11), "first is 1e-11; expected at least smallest, 1e-10"),
        (lambda: Armijo(shrink=1.0), "shrink is 1.0; expected a number between 0 and 1"),
        (lambda: Armijo(c=1), "c is 1; expected a number between 0 and 1"),
        (lambda: Armijo(growth=0.5), "growth is 0.5; expected a finite number of at least 1"),
        (lambda: Armijo(growth=np.nan), "growth is nan; expected a finite number"),
        (lambda: Armijo(smallest=-1), "smallest is -1; expected a finite number above 0"),
        (lambda: Armijo(slack=-1), "slack is -1; expected a finite number of at least 0"),
        (lambda: Armijo(slack=np.inf), "slack is inf; expected a finite number of at least 0"),
    ],
)
def test_a_rule_refuses(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs is -1; expected a whole number of at least 0"),
        ({"epochs": 1.5}, "epochs is 1.5; expected a whole number of at least 0"),
        ({"every": 0}, "every is 0; expected a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size is 0; expected a whole number from 1 to 4"),
        ({"batch_size": 5}, "batch_size is 5; expected a whole number from 1 to 4"),
        ({"rng": 7}, r"rng is 7; expected a Generator: numpy\.random"),
        ({"target": np.nan}, "target is nan; expected a loss"),
        ({"watch": {"a": print}, "batch_size": 2}, "leave watch or batch_size away"),
        ({"rule": 0.5}, r"rule is 0\.5; expected a step rule: Fixed\(0\.5\), or Armijo"),
        ({"rule": Fixed}, "rule is <class .*; expected a step rule"),
        ({"rule": Fixed(np.ones(2))}, r"learning_rate has shape \(2,\); expected one number.*\(\)"),
        ({"rule": Armijo(np.ones(2))}, r"first has shape \(2,\); expected one number.*\(\)"),
        ({"X": X.T}, r"X has shape \(2, 4\); expected \(m, 2\).*pass X\.T"),
        (
            {"net": LINE, "parameters": Parameters.of([[1e200]], [0]), "X": [[1]], "Y": [[0]]},
            "loss is inf before the first step; .*smaller weights",
        ),
    ],
)
def test_train_refuses(options, message):
    fine = {"net": NET, "parameters": START, "X": X, "Y": Y, "rule": Fixed(0.5), "epochs": 5}
    train(**fine)
    with pytest.raises((ValueError, TypeError), match=message):
        train(**{**fine, **options})
