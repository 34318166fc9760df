"""What the probes see, against units counted by hand, and what became of each run."""

import numpy as np
import pytest

from labsupport import datasets, descent, network, probes
from labsupport.descent import Fixed
from labsupport.network import Network, Parameters

X, Y = datasets.xor()
RELU, LEAKY, SIGMOID = (
    Network((2, 3, 1), hidden, "identity", "bce_with_logits")
    for hidden in ("relu", "leaky_relu", "sigmoid")
)

# Unit 1 is off on all four points, unit 2 on, unit 3 on at (1, 1) alone.
BY_HAND = Parameters.of(
    [[-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]], [0.0, 0.5, -1.5], [[1.0], [1.0], [-3.0]], [-1.0]
)
FAR = Parameters.of(np.zeros((2, 3)), [0.0, 5.0, -5.0], np.ones((3, 1)), [0.0])


def passes(net, parameters):
    cache = network.forward(net, parameters, X)
    return net, parameters, cache, network.backward(net, parameters, cache, Y)


def draw(net, runs=None):
    return network.initialise(net, np.random.default_rng(3), runs=runs)


def train(net, start, epochs, **options):
    return descent.train(net, start, X, Y, Fixed(0.5), epochs, **options)


@pytest.mark.parametrize(
    ("probe", "net", "parameters", "share"),
    [
        (probes.dead, RELU, BY_HAND, 1 / 3),
        (probes.always_on, RELU, BY_HAND, 1 / 3),
        (probes.saturated, RELU, BY_HAND, (4 + 0 + 3) / 12),
        (probes.dead, LEAKY, BY_HAND, 0),
        (probes.saturated, SIGMOID, FAR, 2 / 3),
        (probes.dead, SIGMOID, FAR, 0),
    ],
)
def test_units_counted_by_hand(probe, net, parameters, share):
    np.testing.assert_allclose(probe(*passes(net, parameters)), [share])
    net = Network((2, 1))  # without hidden layers it has no units
    assert probe(*passes(net, draw(net, runs=4))).shape == (4, 0)


def test_the_norms_of_the_layers_make_up_that_of_the_gradient():
    net = Network((2, 4, 3, 1), "tanh", "sigmoid", "bce")
    given = passes(net, draw(net, runs=5))
    norms, first = probes.layer_norms(*given), given[3].named()
    total = np.linalg.norm(given[3].vector, axis=-1)
    np.testing.assert_allclose(np.sqrt((norms**2).sum(axis=-1)), total)
    parts = (first["W1"][2], first["b1"][2])
    np.testing.assert_allclose(norms[2, 0], np.hypot(*map(np.linalg.norm, parts)))


@pytest.mark.parametrize(
    ("logits", "expected"), [((-5, 5, 5, -5), 1), ((-5, 5, 5, 0.01), 0), ((-5, 5, 5, -0.01), 0)]
)
def test_solved_needs_a_margin(logits, expected):
    cache = network.Cache([np.reshape(logits, (4, 1))], [X, np.reshape(logits, (4, 1))])
    assert probes.Solved(Y)(RELU, BY_HAND, cache, BY_HAND) == expected


@pytest.mark.parametrize("runs", [None, 6])
def test_training_watches_at_the_recorded_epochs_and_changes_nothing(runs):
    start, axis = draw(RELU, runs), () if runs is None else (runs,)
    watch = {"dead": probes.dead, "norms": probes.layer_norms, "solved": probes.Solved(Y)}
    seen, blind = (train(RELU, start, 70, every=20, watch=w) for w in (watch, None))
    np.testing.assert_array_equal(seen.parameters.vector, blind.parameters.vector)
    assert seen.history.epoch.tolist() == [0, 20, 40, 60, 70]
    assert blind.history.watched == {}
    watched = seen.history.watched
    assert [v.shape for v in watched.values()] == [(5, *axis, 1), (5, *axis, 2), (5, *axis)]
    np.testing.assert_array_equal(watched["dead"][0], probes.dead(*passes(RELU, start)))
    np.testing.assert_array_equal(watched["dead"][-1], probes.dead(*passes(RELU, seen.parameters)))
    norms = np.sqrt((watched["norms"] ** 2).sum(axis=-1))
    np.testing.assert_allclose(norms, seen.history.gradient_norm)


def test_outcomes_of_runs_that_solve_xor_and_of_one_that_cannot():
    net = Network((2, 4, 1), "tanh", "identity", "bce_with_logits")
    start, solved = draw(net, runs=8), probes.Solved(Y)
    start.vector[5] = 0  # a saddle that no step leaves
    trained = train(net, start, 2000, every=10, watch={"solved": solved})
    found = probes.outcomes(net, trained.parameters, X, Y, levels=[np.log(2)])
    assert found.solved.tolist() == [i != 5 for i in range(8)]
    assert found.level[5] == np.log(2)
    assert np.isnan(np.delete(found.level, 5)).all()
    np.testing.assert_array_equal(found.loss, trained.history.loss[-1])
