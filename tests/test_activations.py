"""Values and derivatives of the activations, against PyTorch and against their limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labsupport.activations import ACTIVATIONS, SLOPE, activation

every_name = pytest.mark.parametrize("name", ACTIVATIONS)
both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@every_name
@given(st.lists(st.floats(-700, 700), min_size=1, max_size=20))
def test_value_and_derivative_equal_pytorch(name, numbers):
    g, Z = activation(name), np.array(numbers)
    z = torch.tensor(Z, requires_grad=True)
    a = getattr(torch.nn, g.module)()(z)
    a.sum().backward()
    A = g.value(Z)
    np.testing.assert_allclose(A, a.detach().numpy(), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(g.derivative(Z, A), z.grad.numpy(), rtol=1e-12, atol=1e-15)


@every_name
@both_precisions
@pytest.mark.parametrize("shape", [(), (2, 3, 4)])
def test_shape_and_precision_stay(name, dtype, shape):
    g, Z = activation(name), np.random.default_rng(1).normal(size=shape).astype(dtype)
    before = Z.copy()
    A = g.value(Z)
    D = g.derivative(Z, A)
    assert np.shape(A) == np.shape(D) == shape
    assert A.dtype == D.dtype == dtype
    np.testing.assert_array_equal(Z, before)


@pytest.mark.parametrize(
    ("name", "slope"),
    [("identity", 1), ("sigmoid", 0.25), ("tanh", 1), ("relu", 0), ("leaky_relu", SLOPE)],
)
def test_derivative_at_zero(name, slope):
    g = activation(name)
    for zero in (np.zeros(1), -np.zeros(1)):
        assert g.derivative(zero, g.value(zero)) == slope


@every_name
def test_far_out_nothing_overflows(name):
    g, Z = activation(name), np.array([-1e308, -1e3, 1e3, 1e308])
    with np.errstate(all="raise", under="ignore"):
        A = g.value(Z)
        D = g.derivative(Z, A)
    limits = {"sigmoid": [0, 0, 1, 1], "tanh": [-1, -1, 1, 1], "relu": [0, 0, 1e3, 1e308]}
    np.testing.assert_array_equal(A, limits.get(name, A))
    assert np.isfinite(A).all() and np.isfinite(D).all()


@every_name
@both_precisions
def test_a_large_array_has_the_values_of_a_small_one(name, dtype):
    """The sigmoid is computed in another way from 500 numbers on."""
    g, limits = activation(name), np.finfo(dtype)
    Z = np.array([-800, -100, -30, -3, -1e-3, 0, 1e-3, 0.7, 3, 30, 800], dtype=dtype)
    large, expected = g.value(np.tile(Z, 100)), np.tile(g.value(Z), 100)
    assert large.dtype == dtype
    np.testing.assert_allclose(large, expected, rtol=8 * limits.eps, atol=limits.tiny)


@pytest.mark.parametrize("name", ["swish", "ReLU", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"unknown activation .*choose one of identity, sigmoid"):
        activation(name)
