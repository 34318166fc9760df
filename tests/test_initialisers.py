"""Where training starts: shapes, variances, and the generator as the only source of chance."""

import numpy as np
import pytest
import torch

from labsupport.initialisers import INITIALISERS, initialiser

N_IN, N_OUT = 300, 500
VARIANCE = {
    "normal": 1.0,
    "zeros": 0.0,
    "constant": 0.0,
    "pytorch": 1 / (3 * N_IN),
    "glorot": 2 / (N_IN + N_OUT),
    "he": 2 / N_IN,
}
WITHOUT_CHANCE = ("zeros", "constant")
BOUND = {"pytorch": N_IN**-0.5, "glorot": (6 / (N_IN + N_OUT)) ** 0.5}


@pytest.mark.parametrize("name", INITIALISERS)
@pytest.mark.parametrize("runs", [(), (1,), (2, 3)])
def test_shapes_and_the_generator_decides(name, runs):
    first, again, other = (
        initialiser(name)(np.random.default_rng(seed), 3, 4, runs) for seed in (7, 7, 8)
    )
    assert [t.shape for t in first] == [(*runs, 3, 4), (*runs, 1, 4)]
    assert first[0].dtype == first[1].dtype == np.float64
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    if name not in WITHOUT_CHANCE:
        assert not np.array_equal(first[0], other[0])
        if runs == (2, 3):
            assert not np.array_equal(first[0][0], first[0][1])  # each run starts elsewhere


@pytest.mark.parametrize("name", INITIALISERS)
def test_mean_variance_and_bounds(name):
    """150 000 weights: the variance of a sample is within 2 % (5 standard deviations or more)."""
    W, b = initialiser(name)(np.random.default_rng(2), N_IN, N_OUT, ())
    assert W.var() == pytest.approx(VARIANCE[name], rel=0.02, abs=1e-20)
    mean = 1 / N_IN if name == "constant" else 0.0
    assert abs(W.mean() - mean) <= 5 * (VARIANCE[name] / W.size) ** 0.5 + 1e-15
    if name in BOUND:
        assert 0.999 * BOUND[name] < abs(W).max() <= BOUND[name]
    elif name not in WITHOUT_CHANCE:
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


@pytest.mark.parametrize("name", ["xavier", "He", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"unknown initialiser .*choose one of normal, zeros"):
        initialiser(name)
