"""Values and derivatives of the activations, against PyTorch and against their limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labsupport.activations import ACTIVATIONS, SLOPE, activation

NAMES = list(ACTIVATIONS)


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(st.floats(-700, 700), min_size=1, max_size=20))
def test_value_and_derivative_equal_pytorch(name, numbers):
    g = activation(name)
    Z = np.array(numbers)
    z = torch.tensor(Z, requires_grad=True)
    a = getattr(torch.nn, activation(name).module)()(z)
    a.sum().backward()
    A = g.value(Z)
    np.testing.assert_allclose(A, a.detach().numpy(), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(g.derivative(Z, A), z.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_precision_stay(name, shape, dtype):
    g = activation(name)
    Z = np.random.default_rng(1).normal(size=shape).astype(dtype)
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


@pytest.mark.parametrize("name", NAMES)
def test_far_out_nothing_overflows(name):
    g = activation(name)
    Z = np.array([-1e308, -1e3, 1e3, 1e308])
    with np.errstate(all="raise", under="ignore"):
        A = g.value(Z)
        D = g.derivative(Z, A)
    limits = {"sigmoid": [0, 0, 1, 1], "tanh": [-1, -1, 1, 1], "relu": [0, 0, 1e3, 1e308]}
    if name in limits:
        np.testing.assert_array_equal(A, limits[name])
    assert np.isfinite(D).all()


@pytest.mark.parametrize("name", ["swish", "", "ReLU", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"unknown activation .*choose one of identity, sigmoid"):
        activation(name)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_large_array_has_the_values_of_a_small_one(name, dtype):
    """The sigmoid is computed in another way from 500 numbers on."""
    g = activation(name)
    Z = np.array([-800, -100, -30, -3, -1e-3, 0, 1e-3, 0.7, 3, 30, 800], dtype=dtype)
    large = g.value(np.tile(Z, 100))
    assert large.dtype == dtype
    tiny = np.finfo(dtype).tiny
    expected = np.tile(g.value(Z), 100)
    np.testing.assert_allclose(large, expected, rtol=8 * np.finfo(dtype).eps, atol=tiny)
