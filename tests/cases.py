"""Random networks with data, for the property tests."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from labsupport.activations import ACTIVATIONS
from labsupport.network import Network, Parameters, size

KINKED = ("relu", "leaky_relu")
LEGAL = [("bce", "sigmoid"), ("bce_with_logits", "identity"), *(("mse", g) for g in ACTIVATIONS)]


class Case(NamedTuple):
    net: Network
    parameters: Parameters
    X: np.ndarray
    Y: np.ndarray


@st.composite
def cases(draw, runs=False, samples=20, widths=9, smooth=False):
    """A network of any depth, legal loss and activations; with `runs` 1 to 4 networks at once.

    The weights shrink with the width of the layer before, so that no output saturates: there the
    gradient of PyTorch's BCELoss is the less exact one.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    sizes = tuple(draw(st.lists(st.integers(1, widths), min_size=2, max_size=6)))
    loss, output = draw(st.sampled_from(LEGAL))
    hidden = draw(st.sampled_from(list(ACTIVATIONS)))
    if smooth:
        hidden, output = ("tanh" if g in KINKED else g for g in (hidden, output))
    m = draw(st.integers(1, samples))
    shape = (draw(st.integers(1, 4)),) if runs else ()
    rng = np.random.default_rng(seed)
    net = Network(sizes, hidden, output, loss)
    parameters = Parameters(sizes, rng.normal(size=(*shape, size(sizes))))
    for W in parameters.weights:
        W /= W.shape[-2] ** 0.5
    X = rng.normal(size=(m, sizes[0]))
    soft = draw(st.booleans())
    Y = rng.normal(size=(m, sizes[-1])) if loss == "mse" else rng.random((m, sizes[-1]))
    return Case(net, parameters, X, Y if soft or loss == "mse" else Y.round())
