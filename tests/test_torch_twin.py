"""The twin in PyTorch: the same numbers; and its Armijo step: the same steps as `descent`."""

import numpy as np
import pytest
import torch
from cases import cases
from hypothesis import assume, given, settings
from torch import nn

from labsupport import datasets, descent, network, torch_twin
from labsupport.network import Network, Parameters, initialise
from labsupport.torch_twin import ArmijoSGD, as_tensor

NET = Network((2, 16, 1), "relu", "identity", "bce_with_logits")
START = initialise(NET, np.random.default_rng(3), "pytorch")
MOONS = datasets.moons()
X, Y = as_tensor(MOONS.X_train), as_tensor(MOONS.Y_train)


# The module


@given(cases())
def test_forward_equals_numpy(case):
    twin = torch_twin.module(case.net, case.parameters)
    ours = network.forward(*case[:3]).output
    np.testing.assert_allclose(twin(as_tensor(case.X)).detach().numpy(), ours, 1e-12, 1e-12)


@given(cases())
def test_loss_equals_numpy(case):
    assume(case.net.loss != "mse" or case.net.sizes[-1] == 1)
    twin = torch_twin.module(case.net, case.parameters)
    # Where PyTorch averages over outputs, it divides by their number too; classes it adds up.
    theirs = torch_twin.loss(case.net)(twin(as_tensor(case.X)), as_tensor(case.Y)).item()
    outputs = 1 if case.net.loss_function.classes else case.net.sizes[-1]
    ours = network.loss_value(*case) / outputs
    assert theirs == pytest.approx(ours, rel=1e-12)


@given(cases())
def test_weights_go_there_and_come_back(case):
    parameters = case.parameters
    twin = torch_twin.module(case.net, parameters)
    back = torch_twin.parameters_of(twin)
    assert back.sizes == parameters.sizes
    np.testing.assert_array_equal(back.vector, parameters.vector)
    back.vector[...] = 7.0  # copies: neither the module nor the start has changed
    np.testing.assert_array_equal(torch_twin.parameters_of(twin).vector, parameters.vector)
    torch_twin.copy_into(twin, back)
    assert (torch_twin.parameters_of(twin).vector == 7.0).all()


def test_weights_are_transposed():
    twin = torch_twin.module(NET, START)
    assert twin[0].weight.shape == (16, 2)
    np.testing.assert_array_equal(twin[0].weight.detach().numpy(), START.weights[0].T)
    assert [type(layer) for layer in twin] == [nn.Linear, nn.ReLU, nn.Linear, nn.Identity]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("float32", torch.float32), ("float64", torch.float64)]
)
def test_precision_goes_along(ours, theirs):
    twin = torch_twin.module(NET, START.astype(ours))
    assert {p.dtype for p in twin.parameters()} == {theirs}
    assert torch_twin.parameters_of(twin).vector.dtype == ours
    assert as_tensor(MOONS.X_train, theirs).dtype == theirs


def test_as_tensor_copies():
    values = np.zeros(3)
    tensor = as_tensor(values)
    values[0] = 1
    assert tensor.dtype == torch.float64
    assert not tensor.any()


def test_the_same_5000_steps_as_numpy():
    net = Network((2, 4, 1))
    start = initialise(net, np.random.default_rng(7))
    data = datasets.xor()
    ours = descent.train(net, start, *data, descent.Fixed(0.5), 5000, progress=False)
    twin, loss = torch_twin.module(net, start), torch_twin.loss(net)
    sgd = torch.optim.SGD(twin.parameters(), lr=0.5)
    x, y = map(as_tensor, data)
    for _ in range(5000):
        sgd.zero_grad()
        value = loss(twin(x), y)
        value.backward()
        sgd.step()
    assert ours.history.loss[-1] < 0.05
    assert ours.history.loss[-2] == pytest.approx(value.item(), rel=1e-12)
    end = torch_twin.parameters_of(twin).vector
    np.testing.assert_allclose(end, ours.parameters.vector, rtol=0, atol=1e-12)


def test_building_a_module_draws_nothing():
    before = torch.get_rng_state()
    torch_twin.module(NET, START)
    assert torch.equal(before, torch.get_rng_state())


def test_bad_modules_are_refused():
    runs = initialise(NET, np.random.default_rng(1), runs=3)
    with pytest.raises(ValueError, match=r"runs \(3,\); expected .* one run\. Pick .*run\(0\)"):
        torch_twin.module(NET, runs)
    with pytest.raises(ValueError, match=r"layers \(2, 16, 1\) and .*expected \(2, 4, 1\)"):
        torch_twin.module(Network((2, 4, 1)), START)
    with pytest.raises(ValueError, match=r"expected \(2, 4, 1\)"):
        torch_twin.copy_into(nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1)), START)
    for bad in (nn.ReLU(), nn.Sequential(nn.Linear(2, 1, bias=False))):
        with pytest.raises(
            ValueError, match=r"expected a module of nn\.Linear layers, each with a"
        ):
            torch_twin.parameters_of(bad)
    with pytest.raises(ValueError, match=r"no gradient; call loss\.backward\(\) first"):
        torch_twin.gradient_of(torch_twin.module(NET, START))
    with pytest.raises(ValueError, match="nn.MSELoss also averages over the outputs"):
        torch_twin.loss(Network((2, 3), output="identity", loss="mse"))


# The optimiser


class Problem:
    """The moons with an optimiser, and a closure in one of the ways that people write it."""

    def __init__(self, always_backward=False, set_to_none=True, start=START, **options):
        self.twin, self.loss = torch_twin.module(NET, start), torch_twin.loss(NET)
        self.optimiser = ArmijoSGD(self.twin.parameters(), **options)
        self.always_backward, self.set_to_none = always_backward, set_to_none
        self.forwards = self.backwards = 0

    def closure(self):
        self.optimiser.zero_grad(set_to_none=self.set_to_none)
        loss = self.loss(self.twin(X), Y)
        self.forwards += 1
        if self.always_backward or loss.requires_grad:
            loss.backward()
            self.backwards += 1
        return loss

    def train(self, epochs):
        losses, steps = [], []
        for _ in range(epochs):
            losses.append(self.optimiser.step(self.closure).item())
            steps.append(self.optimiser.last_step)
        return np.array(losses), np.array(steps)

    @property
    def vector(self):
        return torch_twin.parameters_of(self.twin).vector


@pytest.mark.parametrize("warm", [False, True], ids=["reset", "warm"])
@pytest.mark.parametrize("first", [1.0, 64.0])
def test_it_takes_the_steps_of_descent(warm, first):
    """300 epochs, every step equal, and every count."""
    rule = descent.Armijo(first, warm=warm)
    ours = descent.train(NET, START, *MOONS[:2], rule, 300, progress=False)
    problem = Problem(first=first, warm=warm)
    losses, steps = problem.train(300)
    history = ours.history
    np.testing.assert_array_equal(steps, history.step[:-1])
    np.testing.assert_allclose(losses, history.loss[:-1], rtol=1e-10)
    np.testing.assert_allclose(problem.vector, ours.parameters.vector, rtol=0, atol=1e-10)
    assert problem.optimiser.trials == history.trials[:-1].sum()
    assert (steps != first).any() == (warm or first > 1)  # the search did search


@pytest.mark.parametrize("always_backward", [False, True])
@pytest.mark.parametrize("set_to_none", [False, True])
@pytest.mark.parametrize("warm", [False, True])
def test_every_kind_of_closure_gives_the_same(always_backward, set_to_none, warm):
    plain = Problem(first=16.0, warm=warm)
    problem = Problem(always_backward, set_to_none, first=16.0, warm=warm)
    losses, steps = plain.train(20)
    np.testing.assert_array_equal(problem.train(20), (losses, steps))
    np.testing.assert_array_equal(problem.vector, plain.vector)
    assert (steps < 16).any()


@pytest.mark.parametrize("always_backward", [False, True])
def test_the_passes_it_counts_are_those_of_the_closure(always_backward):
    problem = Problem(always_backward, first=64.0)
    problem.train(5)
    optimiser = problem.optimiser
    assert optimiser.forwards == problem.forwards
    assert problem.forwards == 5 + optimiser.trials + 1 + always_backward  # 1: does it repeat?
    assert optimiser.backwards == problem.backwards
    assert problem.backwards == 5 + (optimiser.trials + 1) * always_backward
    assert optimiser.trials > 5


@pytest.mark.parametrize("always_backward", [False, True])
@pytest.mark.parametrize("set_to_none", [False, True])
def test_the_gradient_of_the_start_is_left_behind(always_backward, set_to_none):
    """As after backward(): what another tool reads from .grad belongs to the loss returned."""
    problem = Problem(always_backward, set_to_none, first=64.0)
    _, gradient = network.loss_and_gradient(NET, START, *MOONS[:2])
    loss = problem.optimiser.step(problem.closure)
    assert problem.optimiser.trials > 1
    assert loss.item() == pytest.approx(network.loss_value(NET, START, *MOONS[:2]), rel=1e-14)
    left = torch_twin.gradient_of(problem.twin)
    np.testing.assert_allclose(left.vector, gradient.vector, rtol=0, atol=1e-15)


def test_armijos_condition_holds_and_the_trial_before_failed_it():
    problem = Problem(first=64.0, c=0.3, shrink=0.7)
    before = network.loss_value(NET, START, *MOONS[:2])
    _, gradient = network.loss_and_gradient(NET, START, *MOONS[:2])
    problem.optimiser.step(problem.closure)
    step, slope = problem.optimiser.last_step, gradient.vector @ gradient.vector

    def decrease(alpha):
        there = Parameters(NET.sizes, START.vector - alpha * gradient.vector)
        return before - network.loss_value(NET, there, *MOONS[:2])

    assert decrease(step) >= 0.3 * step * slope
    assert decrease(step / 0.7) < 0.3 * step / 0.7 * slope
    assert step == pytest.approx(64 * 0.7 ** (problem.optimiser.trials - 1))
    np.testing.assert_allclose(problem.vector, START.vector - step * gradient.vector, atol=1e-13)


def test_float32():
    problem = Problem()
    twin = problem.twin.float()
    optimiser = ArmijoSGD(twin.parameters(), first=64.0)
    x, y, first = X.float(), Y.float(), None

    def closure():
        optimiser.zero_grad()
        loss = problem.loss(twin(x), y)
        loss.backward()
        return loss

    for _ in range(10):
        last = optimiser.step(closure).item()
        first = first or last
    assert last < first
    assert {p.dtype for p in twin.parameters()} == {torch.float32}


def test_a_trial_of_nan_is_refused_and_the_search_goes_on():
    w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimiser = ArmijoSGD([w], first=4.0)

    def closure():  # the square root of a negative number is nan
        optimiser.zero_grad()
        loss = w.sqrt().sum()
        if loss.requires_grad:
            loss.backward()
        return loss

    loss = optimiser.step(closure)
    assert loss.item() == 1
    assert (optimiser.last_step, optimiser.trials) == (2.0, 2)
    assert w.item() == 0


@pytest.mark.parametrize("warm", [False, True])
def test_a_search_that_gives_up_restores(warm):
    problem = Problem(warm=warm)

    def uphill():
        problem.closure()
        loss = problem.loss(problem.twin(X), Y)
        if loss.requires_grad:
            for p in problem.twin.parameters():
                p.grad.neg_()
        return loss

    before = problem.vector
    with pytest.warns(
        descent.DescentWarning, match="search gave up at loss 0.6598.*Check the grad"
    ):
        problem.optimiser.step(uphill)
    assert problem.optimiser.last_step == 0
    assert problem.optimiser.trials == 34  # 1, 1/2, ... down to 1e-10
    np.testing.assert_array_equal(problem.vector, before)
    assert problem.optimiser._memory["next"] == 1.0
    problem.optimiser.step(problem.closure)  # and the next search starts as if nothing was
    assert problem.optimiser.last_step == 1.0


def test_at_a_zero_gradient_it_stays():
    w = nn.Parameter(torch.zeros(3))
    optimiser = ArmijoSGD([w])

    def closure():
        optimiser.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    assert optimiser.step(closure).item() == 0
    assert (optimiser.last_step, optimiser.trials, optimiser.forwards) == (0, 0, 1)
    assert not w.any()


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [2, 3])
def test_an_exception_in_the_closure_restores(error, at):
    problem = Problem(first=64.0)
    before = problem.vector
    _, gradient = network.loss_and_gradient(NET, START, *MOONS[:2])

    def breaks():
        if problem.forwards == at:
            raise error
        return problem.closure()

    with pytest.raises(type(error)):
        problem.optimiser.step(breaks)
    np.testing.assert_array_equal(problem.vector, before)
    left = torch_twin.gradient_of(problem.twin)
    np.testing.assert_allclose(left.vector, gradient.vector, rtol=0, atol=1e-15)


def test_parameters_without_a_gradient_stay():
    problem = Problem()
    problem.twin[0].weight.requires_grad_(False)
    before = problem.twin[0].weight.clone()
    problem.optimiser.step(problem.closure)
    assert torch.equal(problem.twin[0].weight, before)
    assert problem.optimiser.last_step > 0


# Bad input


def step_with(closure):
    problem = Problem()
    before = problem.vector
    try:
        problem.optimiser.step(closure and (lambda: closure(problem)))
    finally:
        np.testing.assert_array_equal(problem.vector, before)


def some_nan(problem):
    loss = problem.closure()
    problem.twin[0].weight.grad[0, 0] = torch.nan
    return loss


@pytest.mark.parametrize(
    ("error", "closure", "message"),
    [
        (TypeError, None, r"step\(\) needs a closure: it must evaluate the loss at every trial"),
        (
            TypeError,
            lambda problem: 0.5,
            "the closure gave 0.5; expected the loss, a tensor of one",
        ),
        (TypeError, lambda problem: problem.closure() and None, "the closure gave None; expected"),
        (TypeError, lambda problem: torch.zeros(2), "expected the loss, a tensor of one number"),
        (
            ValueError,
            lambda problem: problem.closure() * torch.nan,
            "the loss is nan; expected a f",
        ),
        (
            ValueError,
            lambda problem: problem.closure() + torch.inf,
            "the loss is inf; expected a f",
        ),
        (
            ValueError,
            lambda problem: torch.tensor(0.5),
            r"no parameter has a gradient.*backward\(\)",
        ),
        (ValueError, some_nan, "the gradient is not finite; the parameters are as before"),
    ],
)
def test_bad_closures(error, closure, message):
    with pytest.raises(error, match=message):
        step_with(closure)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first": 0}, "first is 0; expected a finite number above 0"),
        ({"first": -1.0}, "first is -1.0; expected a finite number above 0"),
        ({"first": float("nan")}, "first is nan; expected a finite number above 0"),
        ({"first": 1e-12}, "first is 1e-12; expected at least smallest, 1e-10"),
        ({"shrink": 1}, "shrink is 1; expected a number between 0 and 1"),
        ({"shrink": 0}, "shrink is 0; expected a number between 0 and 1"),
        ({"c": 1.5}, "c is 1.5; expected a number between 0 and 1"),
        ({"c": -1e-4}, "c is -0.0001; expected a number between 0 and 1"),
        ({"growth": 0.9}, "growth is 0.9; expected a finite number of at least 1"),
        ({"growth": float("inf")}, "growth is inf; expected a finite number of at least 1"),
        ({"smallest": 0}, "smallest is 0; expected a finite number above 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        ArmijoSGD([nn.Parameter(torch.ones(1))], **options)


@settings(max_examples=20)
@given(cases(smooth=True))
def test_it_never_climbs(case):
    assume(case.net.loss != "mse" or case.net.sizes[-1] == 1)
    twin, loss = torch_twin.module(case.net, case.parameters), torch_twin.loss(case.net)
    x, y = as_tensor(case.X), as_tensor(case.Y)
    optimiser = ArmijoSGD(twin.parameters(), first=8.0, warm=True)

    def closure():
        optimiser.zero_grad()
        value = loss(twin(x), y)
        value.backward()
        return value

    losses = [optimiser.step(closure).item() for _ in range(8)]
    assert (np.diff(losses) <= 0).all()
