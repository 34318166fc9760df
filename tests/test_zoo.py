"""All mistakes at once train as each of them does alone."""

from dataclasses import replace

import numpy as np
import pytest

from labsupport import datasets, network, zoo
from labsupport.bugs import BUGS
from labsupport.lines import CORRECT
from labsupport.network import Network

X, Y = datasets.xor()
NET = Network((2, 4, 1))
POSSIBLE = [CORRECT, *(bug for bug in BUGS.values() if bug.applies(NET, 4))]


def starts(net=NET, runs=3):
    return network.initialise(net, np.random.default_rng(1), runs=runs)


def alone(bug, net, parameters, X, Y, epochs, rate=0.5):
    parameters, memory, losses = parameters.copy(), {}, []
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            cache = network.forward(net, parameters, X)
            losses.append(net.loss_function.value(cache.output, Y))
            parameters = zoo.step(bug, net, parameters, X, Y, rate, memory)
    return parameters, np.array(losses)


@pytest.mark.parametrize(
    ("net", "m"),
    [
        (NET, 4),
        (Network((3, 4, 4, 2), "tanh", "sigmoid", "mse"), 5),
        (Network((3, 4, 1), "relu"), 5),
    ],
)
def test_together_as_alone(net, m):
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(m, net.sizes[0])), rng.random((m, net.sizes[-1]))
    bugs = [bug for bug in BUGS.values() if bug.applies(net, m)]
    trained = zoo.train(net, [*bugs, CORRECT], starts(net), X, Y, 0.5, 4, every=1)
    assert set(trained.parameters) == {bug.name for bug in bugs} | {"correct"}
    np.testing.assert_array_equal(trained.epoch, range(5))
    for bug in (*bugs, CORRECT):
        parameters, losses = alone(bug, net, starts(net), X, Y, 4)
        found = trained.parameters[bug.name]
        np.testing.assert_allclose(found.vector, parameters.vector, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(trained.loss[bug.name][:-1], losses, rtol=1e-9)


@pytest.mark.parametrize("name", ["correct", "no mean", "stale cache"])
def test_one_kind_only(name):
    chosen = [bug for bug in POSSIBLE if bug.name == name]
    trained = zoo.train(NET, chosen, starts(), X, Y, 0.5, 7, every=3)
    np.testing.assert_array_equal(trained.epoch, [0, 3, 6, 7])
    parameters, losses = alone(chosen[0], NET, starts(), X, Y, 7)
    found = trained.parameters[name].vector
    np.testing.assert_allclose(found, parameters.vector, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(trained.loss[name][:3], losses[::3], rtol=1e-9)


def test_the_starts_are_left_alone():
    begin = starts()
    kept = begin.vector.copy()
    trained = zoo.train(NET, POSSIBLE, begin, X, Y, 0.5, 2)
    np.testing.assert_array_equal(begin.vector, kept)
    first = trained.parameters["start moves along"].vector
    first[...] = 0
    assert trained.parameters["correct"].vector.all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"starts": starts().run(0)}, "leading axes"),
        ({"bugs": []}, "at least one"),
        ({"bugs": [CORRECT, CORRECT]}, "only once"),
        ({"bugs": [BUGS["transposed W"]]}, "not possible on layers .* transposed W"),
        ({"rate": 0.0}, "learning_rate"),
        ({"epochs": -1}, "epochs is -1"),
        ({"every": 0}, "every is 0"),
        ({"Y": Y[:2]}, "Y has shape"),
    ],
)
def test_errors(change, message):
    given = {"bugs": [CORRECT], "starts": starts(), "Y": Y, "rate": 0.5, "epochs": 1, "every": 1}
    bugs, begin, targets, rate, epochs, every = (given | change).values()
    with pytest.raises(ValueError, match=message):
        zoo.train(NET, bugs, begin, X, targets, rate, epochs, every)


def test_the_correct_program_learns_and_the_wrong_sign_does_not():
    trained = zoo.train(NET, POSSIBLE, starts(runs=5), X, Y, 0.5, 2000)
    assert (trained.loss["correct"][-1] < 0.1).sum() >= 4
    assert (trained.loss["update sign"][-1] > trained.loss["update sign"][0]).all()


def test_suspects():
    assert sorted(zoo.SUSPECTS) == list("ABCDEF")
    names = [suspect.bug.name for suspect in zoo.SUSPECTS.values()]
    assert len(set(names)) == 6
    begin = starts().run(0)
    for suspect in zoo.SUSPECTS.values():
        assert suspect.bug.name not in repr(suspect) and suspect.bug.slip not in repr(suspect)
        path = suspect.steps(NET, begin, X, Y, 0.5, 2)
        true = network.loss_and_gradient(NET, begin, X, Y)[1]
        right = np.allclose(suspect.gradient(NET, begin, X, Y).vector, true.vector, rtol=1e-9)
        assert right == (suspect.bug.gradient is None)
        assert len(path) == 3
        expected, _ = alone(suspect.bug, NET, begin, X, Y, 2)
        np.testing.assert_allclose(path[-1].vector, expected.vector, rtol=1e-12)


def test_a_path_keeps_its_start_even_where_the_program_moves_it():
    suspect = replace(zoo.SUSPECTS["A"], bug=BUGS["start moves along"])
    begin = starts().run(0)
    path = suspect.steps(NET, begin, X, Y, 0.5, 2)
    np.testing.assert_array_equal(path[0].vector, begin.vector)
    assert not np.array_equal(path[0].vector, path[1].vector)
