"""Where training starts: shapes, variances, and the generator as the only source of chance."""

import numpy as np
import pytest
import torch

from labsupport.initialisers import INITIALISERS, initialiser

NAMES = list(INITIALISERS)
N_IN, N_OUT = 300, 500
VARIANCE = {
    "normal": 1.0,
    "zeros": 0.0,
    "pytorch": 1 / (3 * N_IN),
    "glorot": 2 / (N_IN + N_OUT),
    "he": 2 / N_IN,
}
BOUND = {"pytorch": N_IN**-0.5, "glorot": (6 / (N_IN + N_OUT)) ** 0.5}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("runs", [(), (1,), (5,), (2, 3)])
def test_shapes(name, runs):
    W, b = initialiser(name)(np.random.default_rng(1), 3, 4, runs)
    assert W.shape == (*runs, 3, 4)
    assert b.shape == (*runs, 1, 4)
    assert W.dtype == b.dtype == np.float64


@pytest.mark.parametrize("name", NAMES)
def test_mean_variance_and_bounds(name):
    """150 000 weights: the variance of a sample is within 2 % (5 standard deviations or more)."""
    W, b = initialiser(name)(np.random.default_rng(2), N_IN, N_OUT, ())
    assert W.var() == pytest.approx(VARIANCE[name], rel=0.02)
    assert abs(W.mean()) <= 5 * (VARIANCE[name] / W.size) ** 0.5
    if name in BOUND:
        assert 0.999 * BOUND[name] < abs(W).max() <= BOUND[name]
    elif name != "zeros":
        assert abs(W).max() > 4 * VARIANCE[name] ** 0.5  # a normal has tails
    if name == "pytorch":
        assert b.var() == pytest.approx(VARIANCE[name], rel=0.3)
        assert abs(b).max() <= BOUND[name]
    else:
        assert not b.any()


def test_pytorch_draws_as_nn_linear_does():
    layer = torch.nn.Linear(N_IN, N_OUT)
    W, b = initialiser("pytorch")(np.random.default_rng(3), N_IN, N_OUT, ())
    for ours, theirs in ((W, layer.weight), (b, layer.bias)):
        theirs = theirs.detach().numpy()
        assert ours.std() == pytest.approx(theirs.std(), rel=0.1)
        assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_decides(name):
    first, again, other = (
        initialiser(name)(np.random.default_rng(seed), 3, 4, (2,)) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    if name != "zeros":
        assert not np.array_equal(first[0], other[0])
        assert not np.array_equal(first[0][0], first[0][1])  # each run starts elsewhere


@pytest.mark.parametrize("name", ["xavier", "He", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"unknown initialiser .*choose one of normal, zeros"):
        initialiser(name)
