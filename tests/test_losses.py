"""Losses against PyTorch, their gradients against autograd and differences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labsupport.gradcheck import central_difference
from labsupport.losses import LOSSES, loss
from labsupport.torch_twin import LOSSES as TORCH

NAMES = list(LOSSES)
shapes = st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(0, 2**32 - 1))


def sample(name, m, n, seed, runs=()):
    """Outputs and targets that this loss can be given."""
    rng = np.random.default_rng(seed)
    A = rng.uniform(0.01, 0.99, (*runs, m, n)) if name == "bce" else rng.normal(0, 3, (*runs, m, n))
    return A, rng.normal(size=(m, n)) if name == "mse" else rng.random((m, n))


@pytest.mark.parametrize("name", NAMES)
@given(shapes)
def test_value_and_gradient_equal_pytorch(name, shape):
    A, Y = sample(name, *shape)
    a = torch.tensor(A, requires_grad=True)
    # PyTorch's "mean" also averages over outputs; here they are added.
    value = TORCH[name](reduction="sum")(a, torch.tensor(Y)) / len(Y)
    value.backward()
    np.testing.assert_allclose(loss(name).value(A, Y), value.item(), rtol=1e-13)
    np.testing.assert_allclose(loss(name).gradient(A, Y), a.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@given(shapes)
def test_gradient_equals_the_central_difference(name, shape):
    A, Y = sample(name, *shape)
    numeric = central_difference(lambda A: float(loss(name).value(A, Y)), A)
    np.testing.assert_allclose(loss(name).gradient(A, Y), numeric, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_a_runs_axis_gives_one_loss_a_run(name):
    A, Y = sample(name, 5, 3, 7, runs=(4,))
    values, gradients = loss(name).value(A, Y), loss(name).gradient(A, Y)
    assert values.shape == (4,)
    for k in range(4):
        np.testing.assert_allclose(values[k], loss(name).value(A[k], Y), rtol=1e-14)
        np.testing.assert_array_equal(gradients[k], loss(name).gradient(A[k], Y))


def test_by_hand():
    A, Y = np.array([[0.5], [0.25]]), np.array([[1.0], [0.0]])
    assert loss("mse").value(A, Y) == (0.25 + 0.0625) / 2
    assert loss("bce").value(A, Y) == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2, rel=1e-15)
    assert loss("bce_with_logits").value(np.zeros((3, 1)), np.ones((3, 1))) == np.log(2)


def test_bce_is_clamped_at_100_nats_as_in_pytorch():
    A, Y = np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])
    with np.errstate(all="raise"):
        assert loss("bce").value(A, Y) == 100
        assert loss("bce").value(A, 1 - Y) == 0
        assert np.isfinite(loss("bce").gradient(A, Y)).all()
    assert torch.nn.BCELoss()(torch.tensor(A), torch.tensor(Y)).item() == 100


@pytest.mark.parametrize("z", [0.0, 16.64, 36.74, 800.0, 1e300])
def test_bce_with_logits_is_finite_for_every_finite_logit(z):
    Z = np.array([[z], [-z]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        wrong = loss("bce_with_logits").value(Z, np.array([[0.0], [1.0]]))
        right = loss("bce_with_logits").value(Z, np.array([[1.0], [0.0]]))
    assert wrong == pytest.approx(z + np.log1p(np.exp(-z)), rel=1e-15)
    assert right == pytest.approx(np.log1p(np.exp(-z)), rel=1e-15)


@pytest.mark.parametrize("name", ["bce", "bce_with_logits"])
@pytest.mark.parametrize("label", [-1.0, -1e-9, 1.0000001, 2.0])
def test_labels_outside_0_1_are_refused(name, label):
    loss(name).check(np.array([[0.0], [1.0], [0.3]]))
    with pytest.raises(
        ValueError, match=rf"Y reaches from .*{name} needs targets in \[0, 1\].*mse"
    ):
        loss(name).check(np.array([[0.5], [label]]))


def test_mse_takes_any_target():
    loss("mse").check(np.array([[-1e9], [1e9]]))


@pytest.mark.parametrize("name", ["BCE", "hinge", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"unknown loss .*choose one of mse, bce, bce_with_logits"):
        loss(name)
