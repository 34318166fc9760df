"""What the probes see, against units counted by hand, and what became of each run."""

import numpy as np
import pytest

from labsupport import datasets, descent, network, probes
from labsupport.network import Network, Parameters

X, Y = datasets.xor()
RELU = Network((2, 3, 1), "relu", "identity", "bce_with_logits")

# Unit 1 is off on all four points, unit 2 on, unit 3 on at (1, 1) alone.
BY_HAND = Parameters.of(
    [[-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]], [0.0, 0.5, -1.5], [[1.0], [1.0], [-3.0]], [-1.0]
)


def passes(net, parameters):
    cache = network.forward(net, parameters, X)
    return net, parameters, cache, network.backward(net, parameters, cache, Y)


def test_units_counted_by_hand():
    given = passes(RELU, BY_HAND)
    np.testing.assert_allclose(probes.dead(*given), [1 / 3])
    np.testing.assert_allclose(probes.always_on(*given), [1 / 3])
    np.testing.assert_allclose(probes.saturated(*given), [(4 + 0 + 3) / 12])


def test_a_leaky_unit_is_never_dead_and_a_far_sigmoid_is_saturated():
    leaky = Network((2, 3, 1), "leaky_relu", "identity", "bce_with_logits")
    assert probes.dead(*passes(leaky, BY_HAND)) == 0
    sigmoid = Network((2, 3, 1), "sigmoid", "identity", "bce_with_logits")
    far = Parameters.of(np.zeros((2, 3)), [0.0, 5.0, -5.0], np.ones((3, 1)), [0.0])
    np.testing.assert_allclose(probes.saturated(*passes(sigmoid, far)), [2 / 3])
    assert probes.dead(*passes(sigmoid, far)) == 0


def test_the_norms_of_the_layers_make_up_that_of_the_gradient():
    net = Network((2, 4, 3, 1), "tanh", "sigmoid", "bce")
    start = network.initialise(net, np.random.default_rng(3), runs=5)
    given = passes(net, start)
    norms = probes.layer_norms(*given)
    assert norms.shape == (5, 3)
    total = np.linalg.norm(given[3].vector, axis=-1)
    np.testing.assert_allclose(np.sqrt((norms**2).sum(axis=-1)), total)
    first = given[3].named()
    np.testing.assert_allclose(
        norms[2, 0], np.hypot(*map(np.linalg.norm, (first["W1"][2], first["b1"][2])))
    )


def test_a_network_without_hidden_layers_has_no_units():
    net = Network((2, 1))
    given = passes(net, network.initialise(net, np.random.default_rng(3), runs=4))
    for probe in (probes.dead, probes.always_on, probes.saturated):
        assert probe(*given).shape == (4, 0)


@pytest.mark.parametrize(
    ("logits", "expected"), [((-5, 5, 5, -5), 1), ((-5, 5, 5, 0.01), 0), ((-5, 5, 5, -0.01), 0)]
)
def test_solved_needs_a_margin(logits, expected):
    cache = network.Cache([np.reshape(logits, (4, 1))], [X, np.reshape(logits, (4, 1))])
    assert probes.Solved(Y)(RELU, BY_HAND, cache, BY_HAND) == expected


def test_training_watches_at_the_recorded_epochs_and_changes_nothing():
    net = Network((2, 4, 1), "relu", "identity", "bce_with_logits")
    start = network.initialise(net, np.random.default_rng(3), runs=6)
    watch = {"dead": probes.dead, "norms": probes.layer_norms, "solved": probes.Solved(Y)}
    seen = descent.train(net, start, X, Y, descent.Fixed(0.3), 70, every=20, watch=watch)
    blind = descent.train(net, start, X, Y, descent.Fixed(0.3), 70, every=20)
    np.testing.assert_array_equal(seen.parameters.vector, blind.parameters.vector)
    assert seen.history.epoch.tolist() == [0, 20, 40, 60, 70]
    assert blind.history.watched == {}
    watched = seen.history.watched
    assert {k: v.shape for k, v in watched.items()} == {
        "dead": (5, 6, 1),
        "norms": (5, 6, 2),
        "solved": (5, 6),
    }
    np.testing.assert_array_equal(watched["dead"][0], probes.dead(*passes(net, start)))
    np.testing.assert_array_equal(watched["dead"][-1], probes.dead(*passes(net, seen.parameters)))
    norms = np.sqrt((watched["norms"] ** 2).sum(axis=-1))
    np.testing.assert_allclose(norms, seen.history.gradient_norm)


def test_watching_a_single_network_leaves_the_runs_axis_out():
    net = Network((2, 4, 1))
    start = network.initialise(net, np.random.default_rng(3))
    history = descent.train(
        net, start, X, Y, descent.Armijo(), 5, watch={"norms": probes.layer_norms}
    ).history
    assert history.watched["norms"].shape == (6, 2)


def test_watching_needs_the_full_batch():
    start = network.initialise(RELU, np.random.default_rng(3))
    with pytest.raises(ValueError, match="leave watch or batch_size away"):
        descent.train(
            RELU, start, X, Y, descent.Fixed(0.1), 2, batch_size=2, watch={"d": probes.dead}
        )


def test_outcomes_of_runs_that_solve_xor_and_of_one_that_cannot():
    net = Network((2, 4, 1), "tanh", "identity", "bce_with_logits")
    start = network.initialise(net, np.random.default_rng(3), runs=8)
    start.vector[5] = 0  # a saddle that no step leaves
    trained = descent.train(
        net, start, X, Y, descent.Fixed(0.5), 2000, every=10, watch={"solved": probes.Solved(Y)}
    )
    found = probes.outcomes(net, trained.parameters, trained.history, X, Y, levels=[np.log(2)])
    assert found.solved.tolist() == [i != 5 for i in range(8)]
    assert np.isnan(found.solved_at).tolist() == [i == 5 for i in range(8)]
    assert found.level[5] == np.log(2)
    assert np.isnan(np.delete(found.level, 5)).all()
    assert found.every == 10
    np.testing.assert_array_equal(found.loss, trained.history.loss[-1])
    run, at = 0, int(found.solved_at[0])
    before = descent.train(net, start, X, Y, descent.Fixed(0.5), at - 10).parameters
    after = descent.train(net, start, X, Y, descent.Fixed(0.5), at).parameters
    assert not probes.Solved(Y)(*passes(net, before))[run]
    assert probes.Solved(Y)(*passes(net, after))[run]


def test_outcomes_without_watching_know_no_epoch():
    start = network.initialise(RELU, np.random.default_rng(3), runs=3)
    trained = descent.train(RELU, start, X, Y, descent.Fixed(0.1), 3)
    found = probes.outcomes(RELU, trained.parameters, trained.history, X, Y)
    assert np.isnan(found.solved_at).all()
    assert np.isnan(found.level).all()
