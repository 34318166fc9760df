"""The twin in PyTorch: the same numbers; and its optimiser: the same steps as `descent`."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from torch import nn

from labsupport import datasets, descent, network, torch_twin
from labsupport.network import Network, initialise
from labsupport.rules import Armijo, Fixed, Rule
from labsupport.torch_twin import ArmijoSGD, as_tensor
from tests.cases import cases

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

    def __init__(self, rule=None, always_backward=False, set_to_none=True):
        self.twin, self.loss = torch_twin.module(NET, START), torch_twin.loss(NET)
        self.optimiser = ArmijoSGD(self.twin.parameters(), rule)
        self.always_backward, self.set_to_none = always_backward, set_to_none
        self.forwards = self.backwards = 0

    def closure(self, rows=slice(None)):
        self.optimiser.zero_grad(set_to_none=self.set_to_none)
        loss = self.loss(self.twin(X[rows]), Y[rows])
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


class Sloppy(Rule):
    """Never looks at the loss, and turns the gradient a little: a direction of its own."""

    def propose(self, memory, gradient):
        return 0.3, 0.5 * gradient


@pytest.mark.parametrize(
    "rule",
    [
        Armijo(1.0),
        Armijo(64.0),
        Armijo(64.0, warm=True),
        Armijo(64.0, interpolate=True),
        Fixed(0.5),
        Sloppy(),
    ],
    ids=["plain", "searching", "warm", "interpolating", "fixed", "own"],
)
def test_it_takes_the_steps_of_descent(rule):
    """300 epochs, every step equal, and every count."""
    ours = descent.train(NET, START, *MOONS[:2], rule, 300, progress=False)
    problem = Problem(rule)
    losses, steps = problem.train(300)
    history = ours.history
    np.testing.assert_allclose(steps, history.step[:-1], rtol=1e-9)
    np.testing.assert_allclose(losses, history.loss[:-1], rtol=1e-9)
    np.testing.assert_allclose(problem.vector, ours.parameters.vector, rtol=0, atol=1e-8)
    assert problem.optimiser.trials == history.trials[:-1].sum()


def test_mini_batches_take_the_steps_of_descent():
    rule, problem = Armijo(4.0), Problem(Armijo(4.0))
    run = descent.train(NET, START, *MOONS[:2], rule, epochs=3, batch_size=100)
    for k in 3 * [0, 100, 200, 300]:
        problem.optimiser.step(lambda k=k: problem.closure(slice(k, k + 100)))
    np.testing.assert_allclose(problem.vector, run.parameters.vector, rtol=0, atol=1e-11)


def test_one_rule_serves_two_optimisers():
    rule = Armijo(16.0, warm=True)
    first, second, alone = Problem(rule), Problem(rule), Problem(Armijo(16.0, warm=True))
    steps = [first.train(1)[1][0] for _ in range(5) if second.train(1)]
    np.testing.assert_array_equal(steps, alone.train(5)[1])


@pytest.mark.parametrize("always_backward", [False, True])
@pytest.mark.parametrize("set_to_none", [False, True])
def test_every_kind_of_closure_gives_the_same(always_backward, set_to_none):
    plain = Problem(Armijo(16.0))
    problem = Problem(Armijo(16.0), always_backward, set_to_none)
    losses, steps = plain.train(20)
    np.testing.assert_array_equal(problem.train(20), (losses, steps))
    np.testing.assert_array_equal(problem.vector, plain.vector)
    assert (steps < 16).any()
    optimiser = problem.optimiser
    assert optimiser.forwards == problem.forwards
    assert problem.forwards == 20 + optimiser.trials + 1 + always_backward  # 1: does it repeat?
    assert optimiser.backwards == problem.backwards
    assert problem.backwards == 20 + (optimiser.trials + 1) * always_backward


@pytest.mark.parametrize("always_backward", [False, True])
def test_the_gradient_of_the_start_is_left_behind(always_backward):
    """As after backward(): what another tool reads from .grad belongs to the loss returned."""
    problem = Problem(Armijo(64.0), always_backward)
    _, gradient = network.loss_and_gradient(NET, START, *MOONS[:2])
    loss = problem.optimiser.step(problem.closure)
    assert problem.optimiser.trials > 1
    assert loss.item() == pytest.approx(network.loss_value(NET, START, *MOONS[:2]), rel=1e-14)
    left = torch_twin.gradient_of(problem.twin)
    np.testing.assert_allclose(left.vector, gradient.vector, rtol=0, atol=1e-15)


def on_a_tensor(start, loss_of, rule):
    """One step on a function of a tensor; gives the tensor and the optimiser."""
    w = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimiser = ArmijoSGD([w], rule)

    def closure():
        optimiser.zero_grad()
        loss = loss_of(w)
        loss.backward()
        return loss

    optimiser.step(closure)
    return w.detach().numpy(), optimiser


def test_a_trial_of_nan_is_refused_and_the_search_goes_on():
    w, optimiser = on_a_tensor([1.0], lambda w: w.sqrt().sum(), Armijo(4.0))
    assert (optimiser.last_step, optimiser.trials, w) == (2.0, 2, 0)


def test_at_a_zero_gradient_it_stays():
    w, optimiser = on_a_tensor([0.0, 0.0], lambda w: (w * w).sum(), Armijo())
    assert (optimiser.last_step, optimiser.trials, optimiser.forwards) == (0, 0, 1)
    assert not w.any()


@pytest.mark.parametrize("warm", [False, True])
def test_a_search_that_gives_up_restores(warm):
    problem = Problem(Armijo(warm=warm))

    def uphill():
        problem.closure()
        loss = problem.loss(problem.twin(X), Y)
        if loss.requires_grad:
            for p in problem.twin.parameters():
                p.grad.neg_()
        return loss

    before = problem.vector
    with pytest.warns(descent.DescentWarning, match="gave up at loss 0.6598.*Check the gradient"):
        problem.optimiser.step(uphill)
    assert (problem.optimiser.last_step, problem.optimiser.trials) == (0, 34)  # down to 1e-10
    np.testing.assert_array_equal(problem.vector, before)
    assert problem.train(1)[1] == 1.0  # and the next search starts as if nothing was


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [2, 3])
def test_an_exception_in_the_closure_restores(error, at):
    problem = Problem(Armijo(64.0))
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
    assert problem.train(1)[1] > 0
    assert torch.equal(problem.twin[0].weight, before)


def test_dropout_left_on_is_refused_and_nothing_is_lost():
    torch.manual_seed(1)
    problem = Problem()
    problem.twin.insert(1, nn.Dropout(0.5))
    before = problem.vector
    with pytest.raises(ValueError, match="losses .* for the same parameters.*model.eval"):
        problem.train(1)
    np.testing.assert_array_equal(problem.vector, before)
    problem.twin.eval()
    assert problem.train(1)[1] > 0


def test_a_fresh_batch_at_each_call_is_refused():
    problem, rng = Problem(), np.random.default_rng(0)
    with pytest.raises(ValueError, match="same mini-batch"):
        problem.optimiser.step(lambda: problem.closure(rng.choice(400, 50, replace=False)))


def test_the_slack_keeps_the_bound_where_the_bare_condition_loses_it():
    """At the bottom c * step * ||g||^2 drowns in rounding, and good steps are refused."""
    rng = np.random.default_rng(0)
    A = torch.tensor(rng.standard_normal((30, 5)), dtype=torch.float32)
    b = torch.tensor(rng.standard_normal(30), dtype=torch.float32)
    curvature = 2 * float(torch.linalg.eigvalsh(A.T @ A).max()) / 30
    bound = min(1.0, 2 * 0.5 * (1 - 0.5) / curvature)

    def epochs_below_the_bound(slack):
        w = nn.Parameter(torch.zeros(5))
        optimiser, short = ArmijoSGD([w], Armijo(1.0, c=0.5, slack=slack)), 0

        def closure():
            optimiser.zero_grad()
            loss = ((A @ w - b) ** 2).mean()
            if loss.requires_grad:
                loss.backward()
            return loss

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", descent.DescentWarning)
            for _ in range(300):
                optimiser.step(closure)
                short += optimiser.last_step < bound
        assert w.dtype == torch.float32
        return short

    assert epochs_below_the_bound(0.0) > 50
    assert epochs_below_the_bound(4.0) == 0


def some_nan(problem):
    loss = problem.closure()
    problem.twin[0].weight.grad[0, 0] = torch.nan
    return loss


@pytest.mark.parametrize(
    ("error", "closure", "message"),
    [
        (TypeError, None, r"step\(\) needs a closure"),
        (TypeError, lambda p: p.closure() and 0.5, "the closure gave 0.5; expected the loss"),
        (TypeError, lambda p: p.closure() and torch.zeros(2), "a tensor of one number"),
        (ValueError, lambda p: p.closure() * torch.inf, "the loss is inf; expected a finite"),
        (ValueError, lambda p: torch.tensor(0.5), r"no parameter has a gradient.*backward\(\)"),
        (ValueError, some_nan, "the gradient is not finite"),
    ],
)
def test_bad_closures(error, closure, message):
    problem = Problem()
    before = problem.vector
    with pytest.raises(error, match=message):
        problem.optimiser.step(closure and (lambda: closure(problem)))
    np.testing.assert_array_equal(problem.vector, before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU; the rest runs without")
def test_on_a_gpu():
    problem = Problem(Armijo(16.0))
    run = descent.train(NET, START, *MOONS[:2], Armijo(16.0), epochs=20)
    problem.twin.cuda()
    for step in run.history.step[:-1]:
        problem.optimiser.step(lambda: _on(problem, "cuda"))
        assert problem.optimiser.last_step == step


def _on(problem, device):
    problem.optimiser.zero_grad()
    loss = problem.loss(problem.twin(X.to(device)), Y.to(device))
    if loss.requires_grad:
        loss.backward()
    return loss
