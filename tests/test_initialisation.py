"""What the map of the chapter on initialisation says of one field, on other starts and more data.

`make replicate` counts the chapter's own assertions from other seeds.
"""

import numpy as np
import pytest

from labsupport import datasets, descent, network


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::labsupport.descent.DescentWarning")
@pytest.mark.parametrize(("rate", "learn"), [(3e-6, True), (0.1, False)])
def test_normal_with_relu_is_a_matter_of_the_rate(rate, learn):
    """On the chapter's 64 points, not the 16 of its map: at one rate most, at another none."""
    net = network.Network((2, *9 * (32,), 1), "relu", "identity", "bce_with_logits")
    start = network.initialise(net, np.random.default_rng(2027), runs=16)
    few = datasets.moons(samples=80)
    data = few.X_train, few.Y_train
    ended = descent.train(net, start, *data, descent.Fixed(rate), 200, target=0.6).history.stopped
    assert (np.sum(ended == "target") >= 12) if learn else not np.any(ended == "target")
