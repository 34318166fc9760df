"""Heavy ball, Nesterov and Adam: PyTorch's steps, for any constants; each run stops alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labsupport import datasets, network, torch_twin
from labsupport.descent import Fixed, train
from labsupport.momentum import Adam, HeavyBall, Nesterov
from labsupport.network import Network, Parameters, initialise

X, Y = datasets.xor()
NET = Network((2, 4, 1))
START = initialise(NET, np.random.default_rng(4))
STEPS = 1000
shares = st.floats(0.0, 0.95)


def by_torch(make, batch_size=None):
    """The parameters after a thousand steps of an optimiser of PyTorch, in float64."""
    module, criterion = torch_twin.module(NET, START), torch_twin.loss(NET)
    optimiser = make(module.parameters())
    data = torch_twin.as_tensor(X), torch_twin.as_tensor(Y)
    parts = list(zip(*(part.split(batch_size or 4) for part in data), strict=True))
    for step in range(STEPS):
        x, y = parts[step % len(parts)]
        optimiser.zero_grad()
        criterion(module(x), y).backward()
        optimiser.step()
    return torch_twin.parameters_of(module).vector


def by_rule(rule, batch_size=None):
    epochs = STEPS * (batch_size or 4) // 4
    trained = train(NET, START, X, Y, rule, epochs, batch_size=batch_size, every=epochs)
    return trained.parameters.vector


def along(gradients, rule=None, optimiser=None):
    """Where these gradients lead, whatever they were computed from."""
    if rule:
        x, memory = np.zeros(gradients.shape[1]), rule.begin(gradients[0])
        for g in gradients:
            step, direction = rule.propose(memory, g)
            x = x - step * direction
        return x
    p = torch.zeros(gradients.shape[1], dtype=torch.float64, requires_grad=True)
    made = optimiser([p])
    for g in torch.tensor(gradients):
        p.grad = g
        made.step()
    return p.detach().numpy()


def gradients_of(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(STEPS, 7)) * 10.0 ** rng.integers(-6, 3, 7)


@given(st.integers(0, 999), st.floats(0.0001, 1.0), shares, st.booleans())
@settings(max_examples=10)
def test_a_velocity_takes_the_steps_of_pytorch(seed, rate, momentum, nesterov):
    nesterov = nesterov and momentum > 0  # PyTorch has no look-ahead without momentum
    ours = along(gradients_of(seed), (Nesterov if nesterov else HeavyBall)(rate, momentum))
    settings = {"lr": rate, "momentum": momentum, "nesterov": nesterov}
    theirs = along(gradients_of(seed), optimiser=lambda p: torch.optim.SGD(p, **settings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 999), st.floats(0.0001, 1.0), shares, st.floats(0.1, 0.9999), st.booleans())
@settings(max_examples=10)
def test_adam_takes_the_steps_of_pytorch(seed, rate, beta1, beta2, amsgrad):
    ours = along(gradients_of(seed), Adam(rate, beta1, beta2, amsgrad=amsgrad))
    settings = {"lr": rate, "betas": (beta1, beta2), "amsgrad": amsgrad}
    theirs = along(gradients_of(seed), optimiser=lambda p: torch.optim.Adam(p, **settings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize(
    ("rule", "optimiser"),
    [
        (HeavyBall(0.1, 0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        (Nesterov(0.1, 0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
        (Adam(0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
        (Adam(0.01, amsgrad=True), lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True)),
    ],
)
def test_a_whole_training_is_that_of_pytorch(rule, optimiser, batch_size):
    """A thousand steps, each along the gradient that the last one led to."""
    ours, theirs = by_rule(rule, batch_size), by_torch(optimiser, batch_size)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_adam_without_correction_is_the_plain_loop():
    vector, mean, square = START.vector.copy(), 0.0, 0.0
    for _ in range(50):
        g = network.loss_and_gradient(NET, Parameters(NET.sizes, vector), X, Y)[1].vector
        mean, square = 0.9 * mean + 0.1 * g, 0.99 * square + 0.01 * g * g
        vector = vector - 0.01 * mean / (np.sqrt(square) + 1e-8)
    ours = train(NET, START, X, Y, Adam(0.01, beta2=0.99, correct=False), 50).parameters
    np.testing.assert_allclose(ours.vector, vector, rtol=0, atol=1e-12)


def test_momentum_zero_is_gradient_descent():
    plain = train(NET, START, X, Y, Fixed(0.5), 50).parameters.vector
    for rule in (HeavyBall(0.5, 0.0), Nesterov(0.5, 0.0)):
        np.testing.assert_array_equal(train(NET, START, X, Y, rule, 50).parameters.vector, plain)


def test_a_run_that_diverges_stops_alone():
    starts = initialise(NET, np.random.default_rng(5), "pytorch", runs=3)
    net = Network((2, 4, 1), output="identity", loss="mse")
    rule = HeavyBall(np.array([0.1, 1e200, 0.1]), np.array([0.5, 0.5, 0.9]))
    with pytest.warns(Warning, match="diverged"):
        history = train(net, starts, X, Y, rule, 20).history
    assert history.stopped.tolist() == ["epochs", "diverged", "epochs"]
    for k, momentum in ((0, 0.5), (2, 0.9)):
        alone = train(net, starts.run(k), X, Y, HeavyBall(0.1, momentum), 20).history
        np.testing.assert_allclose(history.loss[:, k], alone.loss, rtol=1e-12)
    assert history.forwards[-1, 0] == 21 and history.forwards[-1, 1] < 21


def test_a_velocity_carries_over_a_flat_place():
    """All units of a ReLU network die in the first step; what is moving goes on, as in PyTorch."""
    net = Network((1, 1, 1), hidden="relu", output="identity", loss="mse")
    start = Parameters.of([[1.0]], [[0.0]], [[1.0]], [[0.0]])
    x, y = np.array([[1.0]]), np.array([[-5.0]])
    ball = train(net, start, x, y, HeavyBall(0.2, 0.5), 3)
    assert ball.history.loss[1] < ball.history.loss[0]
    assert (
        ball.parameters.weights[0] != train(net, start, x, y, Fixed(0.2), 3).parameters.weights[0]
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HeavyBall(0.1, 1.0), "momentum is 1.0; expected a number in"),
        (lambda: Nesterov(0.1, -0.1), "momentum is -0.1"),
        (lambda: HeavyBall(0.0), "learning_rate"),
        (lambda: Adam(0.1, beta1=1.0), "beta1 is 1.0"),
        (lambda: Adam(0.1, beta2=-1.0), "beta2 is -1.0"),
        (lambda: HeavyBall(0.1, float("nan")), "momentum is nan"),
        (lambda: HeavyBall(0.1, np.array([0.5, 1.5])), "momentum is array"),
        (lambda: Adam(0.1, beta2=1.0), "beta2 is 1.0; expected a number in"),
        (lambda: Adam(0.1, beta1=np.array([0.9, 0.8])), "beta1 is .* one for all runs"),
        (lambda: Adam(0.1, epsilon=0.0), "epsilon is 0.0; expected a finite number above 0"),
        (lambda: Adam(0.1, epsilon=-1e-8), "epsilon is -1e-08"),
    ],
)
def test_what_is_out_of_range_is_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    "make",
    [lambda: HeavyBall(0.1, "0.9"), lambda: Adam(0.1, beta1=None), lambda: Nesterov(0.1, True)],
)
def test_what_is_no_number_is_named(make):
    with pytest.raises((TypeError, ValueError), match="expected a number"):
        make()


RULES = [HeavyBall(0.1), Nesterov(0.1), Adam(0.1), Adam(0.1, amsgrad=True)]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("other", [(9,), (3, 17), (1, 17)], ids=str)
def test_a_memory_of_another_network_is_refused_and_kept(rule, other):
    """One that NumPy would spread over the runs is refused, too."""
    memory = rule.begin(np.zeros(other))
    before = {name: np.copy(kept) for name, kept in memory.items()}
    with pytest.raises(ValueError, match=r"belongs to another training.*rule.begin\(vector\)"):
        rule.propose(memory, np.ones(17))
    for name, kept in memory.items():
        np.testing.assert_array_equal(kept, before[name])


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_that_was_used_begins_anew_from_another_start_and_network(rule):
    """It holds its settings alone, so that no reset is needed or can be forgotten."""
    settings = repr(rule)
    wider = Network((2, 6, 1))
    for net, seed in ((NET, 4), (wider, 5), (NET, 6)):
        start = initialise(net, np.random.default_rng(seed))
        used = train(net, start, X, Y, rule, 20).history.loss
        fresh = train(net, start, X, Y, type(rule)(**vars(rule)), 20).history.loss
        np.testing.assert_array_equal(used, fresh)
    assert repr(rule) == settings


def test_momenta_of_other_runs_are_refused():
    with pytest.raises(ValueError, match="momentum has shape"):
        train(NET, START, X, Y, HeavyBall(0.1, np.array([0.1, 0.2])), 1)
