"""A step rule of one's own works in `descent.train`, and is counted like ours."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsupport import datasets, network
from labsupport.descent import Armijo, Fixed, Rule, train
from labsupport.momentum import Adam, HeavyBall, Nesterov
from labsupport.network import Network, Parameters, initialise
from tests.cases import cases

X, Y = datasets.xor()
NET = Network((2, 4, 1))
STARTS = initialise(NET, np.random.default_rng(3), runs=5)


@dataclass(frozen=True)
class Bold(Rule):
    """Doubles the step after a fall of the loss, halves it until there is one: ten lines."""

    first: float = 1.0

    def begin(self, vector):
        return {"step": np.full(vector.shape[:-1], self.first)}

    def propose(self, memory, gradient):
        return memory["step"], gradient

    def decide(self, memory, trial):
        return np.where(trial.loss <= trial.before, trial.step, trial.step / 2)

    def remember(self, memory, trial):
        memory["step"] = 2 * trial.step


@dataclass(frozen=True)
class Rolling(Rule):
    """A velocity: state of the size of the parameters. It never looks at the loss."""

    rate: float = 0.1
    keep: float = 0.9

    def begin(self, vector):
        return {"velocity": np.zeros_like(vector)}

    def propose(self, memory, gradient):
        memory["velocity"] = self.keep * memory["velocity"] + gradient
        return self.rate, memory["velocity"]


def loss(vector):
    return network.loss_value(NET, Parameters(NET.sizes, vector), X, Y)


def gradient(vector):
    return network.loss_and_gradient(NET, Parameters(NET.sizes, vector), X, Y)[1].vector


def test_a_search_of_ones_own_is_counted_like_ours():
    history = train(NET, STARTS.run(0), X, Y, Bold(), 30).history
    vector, step, forwards = STARTS.run(0).vector.copy(), 1.0, 1
    for epoch in range(30):
        g, trials = gradient(vector), 1
        while not loss(vector - step * g) <= loss(vector):
            step, trials = step / 2, trials + 1
        vector, forwards = vector - step * g, forwards + trials
        assert (history.step[epoch], history.trials[epoch]) == (step, trials)
        assert history.loss[epoch + 1] == pytest.approx(loss(vector), rel=1e-12)
        assert (history.forwards[epoch + 1], history.backwards[epoch + 1]) == (forwards, epoch + 1)
        step = 2 * step
    assert history.trials[:-1].max() > 1  # it did search


def test_a_velocity_of_ones_own_is_remembered():
    trained = train(NET, STARTS.run(0), X, Y, Rolling(), 50)
    vector, velocity = STARTS.run(0).vector.copy(), 0.0
    for _ in range(50):
        velocity = 0.9 * velocity + gradient(vector)
        vector = vector - 0.1 * velocity
    np.testing.assert_allclose(trained.parameters.vector, vector, rtol=0, atol=1e-12)
    assert (trained.history.trials[:-1] == 1).all()
    assert trained.history.forwards[-1] == 51


RULES = [
    Bold(),
    Rolling(),
    Fixed(0.5),
    Armijo(8.0),
    Armijo(1.0, warm=True, c=0.3),
    Armijo(8.0, interpolate=True),
    Armijo(64.0, warm=True, window=10),
    HeavyBall(0.3, 0.8),
    Nesterov(0.3, 0.8),
    Adam(0.05, amsgrad=True),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("batch_size", [None, 3])
def test_five_runs_at_once_are_five_runs(rule, batch_size):
    many = train(NET, STARTS, X, Y, rule, 20, batch_size=batch_size)
    for k in range(5):
        one = train(NET, STARTS.run(k), X, Y, rule, 20, batch_size=batch_size)
        np.testing.assert_allclose(many.history.loss[:, k], one.history.loss, rtol=1e-12)
        for name in ("step", "trials", "forwards", "backwards"):
            mine, alone = getattr(many.history, name), getattr(one.history, name)
            np.testing.assert_array_equal(mine[:, k], alone)


def test_a_rule_that_does_not_look_makes_no_pass_on_a_mini_batch():
    blind, looking = (train(NET, STARTS, X, Y, r, 4, batch_size=2) for r in (Rolling(), Bold()))
    np.testing.assert_array_equal(blind.history.forwards[-1], 4.0)
    assert (looking.history.forwards[-1] >= 8.0).all()


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_serves_any_number_of_trainings(rule):
    """What it remembers belongs to the training: the second one begins as the first did."""
    first, second = (train(NET, STARTS, X, Y, rule, 10).history.loss for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_what_a_rule_changes_in_place_later_does_not_change_the_history():
    class Growing(Bold):
        def remember(self, memory, trial):
            memory["step"] *= 1.5

    steps = train(NET, STARTS, X, Y, Growing(0.1), 5).history.step
    np.testing.assert_allclose(steps[:-1], 0.1 * 1.5 ** np.arange(5)[:, None] * np.ones(5))


@pytest.mark.parametrize("window", [1, 3, 10])
def test_a_window_lets_the_loss_rise_up_to_the_largest_of_the_last(window):
    rule = Armijo(64.0, warm=True, c=1e-3, window=window)
    history = train(NET, STARTS, X, Y, rule, 200).history
    loss, step, norm = history.loss, history.step[:-1], history.gradient_norm[:-1]
    largest = np.array([loss[max(0, k - window + 1) : k + 1].max(axis=0) for k in range(200)])
    assert (loss[1:] <= largest * (1 + 1e-14) - 1e-3 * step * norm**2).all()
    assert (np.diff(loss, axis=0) > 0).any() == (window > 1)


@settings(max_examples=25)
@given(cases(runs=True), st.floats(1e-3, 1.0))
def test_fixed_is_the_gradient_times_the_rate(case, rate):
    trained = train(*case, Fixed(rate), 1)
    _, slope = network.loss_and_gradient(*case)
    moved = case.parameters.vector - rate * slope.vector
    np.testing.assert_allclose(trained.parameters.vector, moved, rtol=1e-12, atol=1e-14)


def test_what_is_no_rule_is_refused():
    class Silent(Rule):
        pass

    class Wrong(Rule):
        def propose(self, memory, gradient):
            return np.ones(3), gradient

    with pytest.raises(TypeError, match=r"rule is 0.5; expected a step rule: Fixed\(0.5\)"):
        train(NET, STARTS, X, Y, 0.5, 1)
    with pytest.raises(NotImplementedError, match=r"Silent has no propose\(memory, gradient\)"):
        train(NET, STARTS, X, Y, Silent(), 1)
    with pytest.raises(ValueError, match=r"steps of shape \(3,\); expected .* runs: \(5,\)"):
        train(NET, STARTS, X, Y, Wrong(), 1)
