"""ArmijoSGD beyond one plain run: groups, saving, mini-batches, noise, schedulers, precision."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from labsupport import datasets, descent, network, torch_twin
from labsupport.history import DescentWarning
from labsupport.network import Network, initialise
from labsupport.torch_armijo import ArmijoSGD

MOONS = datasets.moons()
X, Y = torch.tensor(MOONS.X_train), torch.tensor(MOONS.Y_train)
NET = Network((2, 16, 1), "relu", "identity", "bce_with_logits")
START = initialise(NET, np.random.default_rng(3), "pytorch")
LOSS = nn.BCEWithLogitsLoss()


def closure_for(model, X=X, Y=Y):
    def closure():
        model.zero_grad()
        loss = LOSS(model(X), Y)
        if loss.requires_grad:
            loss.backward()
        return loss

    return closure


def vector(model):
    return torch_twin.parameters_of(model).vector


# Parameter groups


def test_groups_share_one_step_along_scaled_gradients():
    model = torch_twin.module(NET, START)
    _, gradient = network.loss_and_gradient(NET, START, *MOONS[:2])
    groups = [
        {"params": model[0].parameters(), "scale": 0.5},
        {"params": model[2].parameters()},
    ]
    optimiser = ArmijoSGD(groups, first=16.0)
    before = network.loss_value(NET, START, *MOONS[:2])
    optimiser.step(closure_for(model))
    direction = gradient.copy()
    first_layer = 3 * 16
    direction.vector[:first_layer] *= 0.5
    moved = START.vector - optimiser.last_step * direction.vector
    np.testing.assert_allclose(vector(model), moved, rtol=0, atol=1e-14)
    squared = gradient.vector @ direction.vector
    after = network.loss_value(NET, network.Parameters(NET.sizes, moved), *MOONS[:2])
    assert after <= before - 1e-4 * optimiser.last_step * squared


def test_groups_without_scales_are_one_group():
    one, two = torch_twin.module(NET, START), torch_twin.module(NET, START)
    together = ArmijoSGD(one.parameters(), first=16.0)
    apart = ArmijoSGD(
        [{"params": two[2].parameters()}, {"params": two[0].parameters()}], first=16.0
    )
    for _ in range(20):
        together.step(closure_for(one))
        apart.step(closure_for(two))
        assert together.last_step == apart.last_step
    np.testing.assert_allclose(vector(one), vector(two), rtol=0, atol=1e-12)


@pytest.mark.parametrize("option", [{"first": 2.0}, {"c": 0.5}, {"warm": True}])
def test_a_group_has_no_search_of_its_own(option):
    one, two = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match=f"group sets {next(iter(option))}; one search decides"):
        ArmijoSGD([{"params": [one]}, {"params": [two], **option}])


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_is_positive(scale):
    with pytest.raises(ValueError, match="scale is .*; expected a finite number above 0"):
        ArmijoSGD([{"params": [nn.Parameter(torch.ones(1))], "scale": scale}])


# Saving


@pytest.mark.parametrize("warm", [False, True])
def test_a_saved_search_goes_on_as_if_it_had_not_stopped(warm, tmp_path):
    model = torch_twin.module(NET, START)
    optimiser = ArmijoSGD(model.parameters(), first=64.0, warm=warm)
    for _ in range(5):
        optimiser.step(closure_for(model))
    torch.save({"model": model.state_dict(), "search": optimiser.state_dict()}, tmp_path / "saved")
    saved = torch.load(tmp_path / "saved")

    again = torch_twin.module(NET, START)
    again.load_state_dict(saved["model"])
    resumed = ArmijoSGD(again.parameters())
    resumed.load_state_dict(saved["search"])
    assert resumed.last_step == optimiser.last_step
    assert (resumed.forwards, resumed.trials) == (optimiser.forwards, optimiser.trials)
    for _ in range(5):
        optimiser.step(closure_for(model))
        resumed.step(closure_for(again))
        assert resumed.last_step == optimiser.last_step
    np.testing.assert_array_equal(vector(model), vector(again))
    assert resumed.trials == optimiser.trials


def test_a_deep_copy_searches_alone():
    model = torch_twin.module(NET, START)
    optimiser = ArmijoSGD(model.parameters(), warm=True)
    optimiser.step(closure_for(model))
    assert copy.deepcopy(optimiser.state_dict()) == optimiser.state_dict()


# Mini-batches and noise


def test_mini_batches_take_the_steps_of_descent():
    model = torch_twin.module(NET, START)
    optimiser = ArmijoSGD(model.parameters(), first=4.0)
    run = descent.train(NET, START, *MOONS[:2], descent.Armijo(first=4.0), epochs=3, batch_size=100)
    for _ in range(3):
        for k in range(0, 400, 100):
            optimiser.step(closure_for(model, X[k : k + 100], Y[k : k + 100]))
    np.testing.assert_allclose(vector(model), run.parameters.vector, rtol=0, atol=1e-11)


def test_dropout_left_on_is_refused_and_nothing_is_lost():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 1)).double()
    optimiser = ArmijoSGD(model.parameters())
    before = vector(model)
    with pytest.raises(ValueError, match="two|losses .* for the same parameters.*dropout"):
        optimiser.step(closure_for(model))
    np.testing.assert_array_equal(vector(model), before)
    model.eval()
    optimiser.step(closure_for(model))
    assert optimiser.last_step > 0


def test_a_fresh_batch_at_each_call_is_refused():
    model = torch_twin.module(NET, START)
    rng = np.random.default_rng(0)

    def closure():
        rows = rng.choice(400, 50, replace=False)
        return closure_for(model, X[rows], Y[rows])()

    with pytest.raises(ValueError, match="same mini-batch"):
        ArmijoSGD(model.parameters()).step(closure)


# Schedulers


@pytest.mark.parametrize(
    "scheduler",
    [
        lambda o: torch.optim.lr_scheduler.StepLR(o, 10),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10),
        lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda epoch: 1.0),
        lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o),
    ],
)
def test_a_learning_rate_scheduler_is_refused(scheduler):
    model = torch_twin.module(NET, START)
    optimiser = ArmijoSGD(model.parameters())
    with pytest.raises(ValueError, match="no learning rate.*Leave the learning-rate scheduler"):
        scheduler(optimiser)
    optimiser.load_state_dict(optimiser.state_dict())
    with pytest.raises(ValueError, match="no learning rate"):
        scheduler(optimiser)


# The last digits


def test_the_slack_keeps_the_bound_where_the_bare_condition_loses_it():
    """At the bottom c * step * ||g||^2 drowns in rounding, and good steps are refused."""
    rng = np.random.default_rng(0)
    A = torch.tensor(rng.standard_normal((30, 5)), dtype=torch.float32)
    b = torch.tensor(rng.standard_normal(30), dtype=torch.float32)
    curvature = 2 * float(torch.linalg.eigvalsh(A.T @ A).max()) / 30
    bound = min(1.0, 2 * 0.5 * (1 - 0.5) / curvature)

    def epochs_below_the_bound(slack):
        w = nn.Parameter(torch.zeros(5))
        optimiser = ArmijoSGD([w], first=1.0, c=0.5, slack=slack)

        def closure():
            optimiser.zero_grad()
            loss = ((A @ w - b) ** 2).mean()
            if loss.requires_grad:
                loss.backward()
            return loss

        short = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DescentWarning)
            for _ in range(300):
                optimiser.step(closure)
                short += optimiser.last_step < bound
        return short

    assert epochs_below_the_bound(0.0) > 50
    assert epochs_below_the_bound(4.0) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU; the rest runs without")
def test_on_a_gpu():
    model = torch_twin.module(NET, START).cuda()
    optimiser = ArmijoSGD(model.parameters(), first=16.0)
    run = descent.train(NET, START, *MOONS[:2], descent.Armijo(first=16.0), epochs=20)
    for epoch in range(20):
        optimiser.step(closure_for(model, X.cuda(), Y.cuda()))
        assert optimiser.last_step == run.history.step[epoch]
    np.testing.assert_allclose(vector(model), run.parameters.vector, rtol=0, atol=1e-9)
