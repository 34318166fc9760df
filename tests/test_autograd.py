"""The tape: its gradients are PyTorch's, NumPy's and those of a central difference."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labsupport import autograd, datasets, descent, network
from labsupport.autograd import Value, unstretch
from labsupport.network import Network, initialise
from tests.cases import cases


def through_the_tape(net, parameters, X, Y):
    """Loss and gradient of a network, by the tape; gives the loss as a Value too."""
    leaves = [Value(tensor) for tensor in parameters]
    A = Value(X)
    for W, b, g in zip(leaves[::2], leaves[1::2], net.activations, strict=True):
        A = (A @ W + b).activate(g.name)
    J = A.loss(Y, net.loss)
    J.backward()
    return J, np.concatenate([leaf.grad.ravel() for leaf in leaves])


@given(cases())
def test_a_network_has_the_gradient_of_numpy(case):
    J, slopes = through_the_tape(*case)
    value, gradient = network.loss_and_gradient(*case)
    assert J.data == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(slopes, gradient.vector, rtol=1e-9, atol=1e-11)


OPERATIONS = ["+", "*", "@", "sigmoid", "tanh", "relu", "again"]


def program(operations, one, add, product, matrix, activate):
    """Run the same operations on whatever computes: sums, products, values used twice."""
    values = list(one)
    for k, name in enumerate(operations):
        a, b = values[-1], values[(7 * k) % len(values)]
        if name == "@":
            new = matrix(a, values[0])
        elif name in ("+", "*"):
            new = (add if name == "+" else product)(a, b)
        elif name == "again":
            new = product(add(a, a), a)
        else:
            new = activate(a, name)
        values.append(new)
    return values[-1]


@given(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_any_program_has_the_gradient_of_pytorch(operations, seed):
    """Square matrices, a row, a column and a number: what is stretched is added up again."""
    rng = np.random.default_rng(seed)
    given_ = [0.5 * rng.normal(size=shape) for shape in ((3, 3), (1, 3), (3, 1), (3,), (), (3, 3))]
    ours = [Value(x) for x in given_]
    theirs = [torch.tensor(x, requires_grad=True) for x in given_]
    end = program(operations, ours, Value.__add__, Value.__mul__, Value.__matmul__, Value.activate)
    other = program(
        operations, theirs, torch.add, torch.mul, torch.matmul,
        lambda a, name: getattr(torch, name)(a),
    )  # fmt: skip
    weights = rng.normal(size=end.data.shape)
    (end * Value(weights)).loss(np.zeros(end.data.shape), "mse").backward()
    scaled = other * torch.tensor(weights)
    (scaled**2).sum(dim=(-2, -1)).div(end.data.shape[-2]).backward()
    for mine, tensor in zip(ours, theirs, strict=True):
        expected = np.zeros(mine.data.shape) if tensor.grad is None else tensor.grad.numpy()
        np.testing.assert_allclose(mine.grad, expected, rtol=1e-10, atol=1e-12)


def test_a_value_used_twice_gets_both_slopes():
    x = Value([[3.0]])
    y = x * x + x
    y.backward()
    assert x.grad == 7.0  # 2 x + 1
    y.backward()
    assert x.grad == 14.0  # gradients add up until somebody makes them zero


@pytest.mark.parametrize(
    ("shape", "stretched"), [((), (2, 3)), ((3,), (2, 3)), ((1, 3), (2, 3)), ((2, 1), (2, 3))]
)
def test_unstretch_adds_up_what_was_copied(shape, stretched):
    slope = np.arange(6.0).reshape(stretched)
    back = unstretch(slope, shape)
    assert back.shape == shape
    x, h = np.zeros(shape), 1e-6
    for at in np.ndindex(*shape):
        moved = x.copy()
        moved[at] = h
        rise = (slope * np.broadcast_to(moved, stretched)).sum() / h
        assert back[at] == pytest.approx(rise)


def test_it_trains_the_network_of_the_lab():
    net, data = Network((2, 4, 1)), datasets.xor()
    p = initialise(net, np.random.default_rng(7))
    run = descent.train(net, p, *data, descent.Fixed(0.5), 300)
    for _ in range(300):
        p.vector[...] -= 0.5 * through_the_tape(net, p, *data)[1]
    np.testing.assert_allclose(p.vector, run.parameters.vector, rtol=0, atol=1e-12)


def test_a_long_tape_needs_no_deep_stack():
    total = x = Value(1.0)
    for _ in range(5000):
        total = total + x
    total.backward()
    assert x.grad == 5001.0


def test_it_fits_on_a_page():
    lines = Path(autograd.__file__).read_text("utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 60
