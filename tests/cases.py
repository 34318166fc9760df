"""Random networks with data, for the property tests."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from labsupport.activations import ACTIVATIONS
from labsupport.network import Network, Parameters, size

KINKED = ("relu", "leaky_relu")
SOFTMAX = "softmax_cross_entropy"
LEGAL = [
    ("bce", "sigmoid"),
    ("bce_with_logits", "identity"),
    (SOFTMAX, "identity"),
    *(("mse", g) for g in ACTIVATIONS),
]


class Case(NamedTuple):
    net: Network
    parameters: Parameters
    X: np.ndarray
    Y: np.ndarray


@st.composite
def cases(draw, runs=False, samples=20, widths=9, smooth=False):
    """A network of any depth, legal loss and activations; with `runs` 1 to 4 networks at once,
    in either order of memory.

    The weights shrink with the width of the layer before, so that no output saturates: there the
    gradient of PyTorch's BCELoss is the less exact one.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    sizes = tuple(draw(st.lists(st.integers(1, widths), min_size=2, max_size=6)))
    loss, output = draw(st.sampled_from(LEGAL))
    if loss == SOFTMAX:
        sizes = (*sizes[:-1], sizes[-1] + 1)  # at least two classes
    hidden = draw(st.sampled_from(list(ACTIVATIONS)))
    if smooth:
        hidden, output = ("tanh" if g in KINKED else g for g in (hidden, output))
    m = draw(st.integers(1, samples))
    many = (draw(st.integers(1, 4)),) if runs else ()
    rng = np.random.default_rng(seed)
    net = Network(sizes, hidden, output, loss)
    parameters = Parameters(sizes, rng.normal(size=(*many, size(sizes))))
    for W in parameters.weights:
        W /= W.shape[-2] ** 0.5
    if runs and draw(st.booleans()):
        parameters = parameters.interleaved()
    X = rng.normal(size=(m, sizes[0]))
    shape = (m, sizes[-1])
    if loss == "mse":
        return Case(net, parameters, X, rng.normal(size=shape))
    soft = draw(st.booleans())
    if loss == SOFTMAX:
        Y = rng.dirichlet(np.ones(sizes[-1]), m)
        return Case(net, parameters, X, Y if soft else np.eye(sizes[-1])[Y.argmax(axis=1)])
    Y = rng.random(shape)
    return Case(net, parameters, X, Y if soft else Y.round())
