"""Losses against PyTorch, their gradients against autograd and differences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labsupport.gradcheck.differences import complex_step
from labsupport.losses import LOSSES, loss, softmax
from labsupport.torch_twin import LOSSES as TORCH

shapes = st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(0, 2**32 - 1))


def sample(name, m, n, seed, runs=()):
    """Outputs and targets that this loss can be given."""
    rng = np.random.default_rng(seed)
    A = rng.uniform(0.01, 0.99, (*runs, m, n)) if name == "bce" else rng.normal(0, 3, (*runs, m, n))
    if name == "softmax_cross_entropy":
        return A, rng.dirichlet(np.ones(n), m)
    return A, rng.normal(size=(m, n)) if name == "mse" else rng.random((m, n))


@pytest.mark.parametrize("name", LOSSES)
@given(shapes)
def test_value_and_gradient_equal_pytorch(name, shape):
    A, Y = sample(name, *shape)
    a = torch.tensor(A, requires_grad=True)
    # PyTorch's "mean" also averages over outputs; here they are added.
    value = TORCH[name](reduction="sum")(a, torch.tensor(Y)) / len(Y)
    value.backward()
    np.testing.assert_allclose(loss(name).value(A, Y), value.item(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(loss(name).gradient(A, Y), a.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@given(shapes)
def test_gradient_equals_the_complex_step(name, shape):
    """The value takes complex numbers too."""
    A, Y = sample(name, *shape)
    numeric = complex_step(lambda A: loss(name).value(A, Y), A)
    np.testing.assert_allclose(loss(name).gradient(A, Y), numeric, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_a_runs_axis_gives_one_loss_a_run_and_float32_stays(name):
    A, Y = sample(name, 5, 3, 7, runs=(4,))
    values, gradients = loss(name).value(A, Y), loss(name).gradient(A, Y)
    assert values.shape == (4,)
    for k in range(4):
        np.testing.assert_allclose(values[k], loss(name).value(A[k], Y), rtol=1e-14)
        np.testing.assert_array_equal(gradients[k], loss(name).gradient(A[k], Y))
    short = A.astype(np.float32), Y.astype(np.float32)
    assert loss(name).value(*short).dtype == loss(name).gradient(*short).dtype == np.float32
    loss(name).require(short[1])


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


@pytest.mark.parametrize("z", [0.0, 36.74, 1e300])
def test_bce_with_logits_is_finite_for_every_finite_logit(z):
    Z = np.array([[z], [-z]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        wrong = loss("bce_with_logits").value(Z, np.array([[0.0], [1.0]]))
        right = loss("bce_with_logits").value(Z, np.array([[1.0], [0.0]]))
    assert wrong == pytest.approx(z + np.log1p(np.exp(-z)), rel=1e-15)
    assert right == pytest.approx(np.log1p(np.exp(-z)), rel=1e-15)


# Softmax


@given(shapes)
def test_softmax_equals_pytorch(shape):
    Z, _ = sample("softmax_cross_entropy", *shape, runs=(2,))
    P = softmax(Z)
    np.testing.assert_allclose(P, torch.softmax(torch.tensor(Z), -1).numpy(), rtol=1e-13)
    np.testing.assert_allclose(P.sum(axis=-1), 1, rtol=1e-14)


@pytest.mark.parametrize("z", [0.0, 40.0, 1e300])
def test_softmax_cross_entropy_is_finite_for_every_logit(z):
    Z, Y, ce = np.array([[z, -z, 0.0]]), np.eye(3)[[1]], loss("softmax_cross_entropy")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert ce.value(Z, Y) == pytest.approx(np.log1p(np.exp(-z) + np.exp(-2 * z)) + 2 * z)
        assert np.isfinite(ce.gradient(Z, Y)).all()
        assert ce.value(-Z, Y) <= np.log(3)


def test_softmax_cross_entropy_by_hand():
    ce = loss("softmax_cross_entropy")
    Z = np.log([[1.0, 2.0, 5.0], [2.0, 1.0, 1.0]])
    Y = np.array([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]])
    assert ce.value(Z, Y) == pytest.approx(
        -(np.log(5 / 8) + np.log(1 / 2) / 2 + np.log(1 / 4) / 2) / 2
    )
    by_hand = [[1 / 16, 1 / 8, 5 / 16 - 1 / 2], [0, -1 / 8, 1 / 8]]
    np.testing.assert_allclose(ce.gradient(Z, Y), by_hand, atol=1e-16)


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        ([[1, 0, 0], [1, 1, 0]], r"row 1 of Y adds up to 2; softmax_.*bce_with_logits"),
        ([[0, 0, 0], [0, 1, 0]], r"row 0 of Y adds up to 0; .* class numbers .*numpy\.eye\(n\)"),
        ([[0.5, 0.4999, 0]], r"row 0 of Y adds up to 0\.9999; "),
        ([[2, -1, 0]], r"Y reaches from -1 to 2; softmax_cross_entropy needs .* \[0, 1\]"),
    ],
)
def test_rows_that_are_no_probabilities_are_refused(Y, message):
    ce = loss("softmax_cross_entropy")
    ce.require(np.array([[0.2, 0.3, 0.5], [0, 1, 0]]))
    with pytest.raises(ValueError, match=message):
        ce.require(np.array(Y, dtype=float))
    loss("mse").require(np.array(Y, dtype=float))  # which takes any target


@pytest.mark.parametrize("name", ["bce", "bce_with_logits"])
@pytest.mark.parametrize("label", [-1e-9, 1.0000001])
def test_labels_outside_0_1_are_refused(name, label):
    loss(name).require(np.array([[0.0], [1.0], [0.3]]))
    with pytest.raises(ValueError, match=rf"Y reaches from .*{name} needs .* \[0, 1\].*mse"):
        loss(name).require(np.array([[0.5], [label]]))


@pytest.mark.parametrize("name", ["BCE", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"unknown loss .*choose one of mse, bce, bce_with_logits"):
        loss(name)
