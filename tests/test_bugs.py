"""Every mistake is real: it differs from the correct gradient or update wherever it applies."""

import numpy as np
import pytest
from hypothesis import given, settings

from labsupport import network
from labsupport.bugs import BUGS, CORRECT, AtUpdate, backward, update_line
from labsupport.network import Network
from tests.cases import cases

GRADIENT = [name for name, bug in BUGS.items() if bug.gradient]
UPDATE = [name for name, bug in BUGS.items() if bug.update]
RATE = 0.05

# On these networks each mistake applies, with five samples.
HOMES = [
    Network((3, 5, 5, 2)),
    Network((3, 4, 4, 3, 2), "tanh", "sigmoid", "mse"),
    Network((3, 4, 2), "relu", "identity", "bce_with_logits"),
    Network((3, 4, 2), "tanh", "identity", "softmax_cross_entropy"),
]


def home(name, m=5):
    return next(net for net in HOMES if BUGS[name].applies(net, m))


def a_case(net, m=5, runs=3, seed=1):
    rng = np.random.default_rng(seed)
    parameters = network.initialise(net, rng, "pytorch", runs=runs)
    Y = rng.random((m, net.sizes[-1]))
    return parameters, rng.normal(size=(m, net.sizes[0])), Y / Y.sum(axis=1, keepdims=True)


def both(name, net, parameters, X, Y):
    """The broken gradient and the correct one."""
    cache = network.forward(net, parameters, X)
    given = (net, parameters, cache, Y)
    return BUGS[name].gradient(*given), network.backward(*given)


def distance(one, other):
    scale = np.linalg.norm(one) + np.linalg.norm(other)
    return np.linalg.norm(one - other) / scale if scale else 0.0


def two_steps(bug, net, parameters, X, Y, rate=RATE):
    """The gradients that two steps imply, and the correct ones where they start."""
    here, memory, implied, true = parameters.copy(), {}, [], []
    for _ in range(2):
        cache = network.forward(net, here, X)
        gradient = (bug.gradient or network.backward)(net, here, cache, Y)
        true.append(network.backward(net, here, cache, Y).vector)
        new = (bug.update or update_line)(AtUpdate(net, here, cache, Y, gradient, rate, memory))
        implied.append((here.vector - new.vector) / rate)
        here = new.copy()
    return implied, true


def test_the_zoo_has_its_inmates():
    assert len(BUGS) == 31 and len(GRADIENT) == 22 and len(UPDATE) == 9
    assert all(name == bug.name for name, bug in BUGS.items())
    assert len({bug.slip for bug in BUGS.values()}) == len(BUGS)
    assert not set(GRADIENT) & set(UPDATE)
    assert "correct" not in BUGS


@pytest.mark.parametrize("name", BUGS)
def test_a_slip_is_a_clause_and_names_its_line(name):
    slip, line = BUGS[name].slip, BUGS[name].line
    assert slip[0].islower() or slip.startswith(("dW", "W in"))
    assert not slip.endswith(".")
    assert line in {3, 6, 7, 8, 9}
    assert f"line {line}" in slip or name in ("stale cache", "zero grad forgotten")


@given(cases(runs=True))
def test_without_a_mistake_it_is_the_correct_gradient(case):
    cache = network.forward(case.net, case.parameters, case.X)
    given = (case.net, case.parameters, cache, case.Y)
    expected = network.backward(*given).vector
    np.testing.assert_allclose(backward(*given).vector, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(CORRECT.gradient(*given).vector, expected)
    out = case.parameters.copy()
    assert backward(*given, out=out) is out
    np.testing.assert_allclose(out.vector, expected, rtol=1e-12, atol=1e-15)


def worst(one, other):
    """The largest relative difference of a tensor, over the tensors."""
    return max(distance(a, b) for a, b in zip(one, other, strict=True))


@settings(max_examples=300)
@given(cases(runs=True, smooth=True))
def test_a_broken_gradient_is_wrong_wherever_it_applies(case):
    m = len(case.X)
    for name in GRADIENT:
        if BUGS[name].applies(case.net, m):
            assert worst(*both(name, *case)) > 1e-8, name


@settings(max_examples=300)
@given(cases(runs=True, smooth=True))
def test_where_it_does_not_apply_it_changes_nothing_or_has_no_meaning(case):
    """Then the line is right all the same, or belongs to another loss or activation."""
    m = len(case.X)
    meaningless = {"cross entropy delta", "no factor 2", "MSE delta", "no output derivative"}
    meaningless |= {"derivative of A", "derivative of Z", "other derivative", "mask from output"}
    meaningless |= {"overwritten A"}
    for name in set(GRADIENT) - meaningless:
        if not BUGS[name].applies(case.net, m):
            assert worst(*both(name, *case)) < 1e-9, name


@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
@pytest.mark.parametrize("name", GRADIENT)
def test_a_broken_gradient_is_wrong_with_kinks(name, hidden):
    """Twenty samples reach both sides of every kink, so that nothing hides."""
    for loss, output in (("bce", "sigmoid"), ("mse", "sigmoid"), ("mse", "leaky_relu")):
        net, m = Network((3, 6, 6, 4), hidden, output, loss), 4
        if BUGS[name].applies(net, m):
            case = a_case(net, m, runs=20)
            assert worst(*both(name, net, *case)) > 1e-3


@pytest.mark.parametrize("name", ["no hidden derivative", "mask from output", "Z for A"])
def test_relu_units_that_are_all_on_hide_these(name):
    net = Network((3, 5, 2), "relu")
    parameters, X, Y = a_case(net)
    parameters.biases[0][...] = 20.0
    assert worst(*both(name, net, parameters, X, Y)) < 1e-12
    assert worst(*both(name, net, *a_case(net))) > 1e-3


def scales(net, m):
    """Mistakes that multiply the whole gradient, and by what."""
    return {
        "no mean": m,
        "mean over outputs": 1 / net.sizes[-1],
        "no factor 2": 1 / 2,
        "delta sign": -1,
        "mean twice": 1 / m,
    }


def twins(one, other, net, m):
    """Whether two mistakes have the same effect on this network with m samples."""
    scale = scales(net, m)
    if one in scale and other in scale:
        return scale[one] == scale[other]
    if {one, other} == {"no hidden derivative", "mask from output"}:
        return True  # the mask is always 1
    if {one, other} == {"transposed W", "reshaped W"}:
        layers = zip(net.sizes[1:], net.sizes[2:], strict=False)
        return all(a == b or min(a, b) == 1 for a, b in layers)
    return False


@settings(max_examples=150)
@given(cases(smooth=True))
def test_two_mistakes_differ_unless_they_are_twins(case):
    m = len(case.X)
    here = [name for name in GRADIENT if BUGS[name].applies(case.net, m)]
    broken = {name: both(name, *case)[0] for name in here}
    for i, one in enumerate(here):
        for other in here[:i]:
            same = worst(broken[one], broken[other]) < 1e-9
            assert same == twins(one, other, case.net, m), (one, other)


@pytest.mark.parametrize(
    ("one", "other", "net", "m"),
    [
        ("no hidden derivative", "mask from output", Network((3, 5, 2), "relu"), 6),
        ("transposed W", "reshaped W", Network((3, 4, 4, 1)), 6),
        ("mean twice", "mean over outputs", Network((3, 4, 5)), 5),
        ("mean twice", "no factor 2", Network((3, 4, 1), "tanh", "sigmoid", "mse"), 2),
        ("mean over outputs", "no factor 2", Network((3, 4, 2), "tanh", "sigmoid", "mse"), 5),
    ],
)
def test_twins(one, other, net, m):
    """On these networks nobody can tell the two apart; a self-check must name both, or neither."""
    case = a_case(net, m)
    first, second = (both(name, net, *case)[0] for name in (one, other))
    assert twins(one, other, net, m)
    assert worst(first, second) < 1e-12


def test_the_twins_of_the_update():
    """Of programs that are seen through their steps only."""
    net, m = HOMES[0], 5
    case = a_case(net, m)
    for rate, one, other in (
        (RATE, "delta sign", "update sign"),
        (1 / m, "mean twice", "rate twice"),
    ):
        first, second = (two_steps(BUGS[name], net, *case, rate)[0] for name in (one, other))
        assert distance(np.array(first), np.array(second)) < 1e-12


LATE = {"stale cache", "zero grad forgotten"}


@settings(max_examples=150)
@given(cases(runs=True, smooth=True, samples=8))
def test_a_broken_update_is_wrong_wherever_it_applies(case):
    for name in UPDATE:
        bug = BUGS[name]
        if bug.applies(case.net, len(case.X)):
            implied, true = two_steps(bug, *case)
            first, second = (distance(a, b) for a, b in zip(implied, true, strict=True))
            assert (first < 1e-9) == (name in LATE), name
            assert max(first, second) > 1e-9, name


@settings(max_examples=30)
@given(cases(runs=True, smooth=True))
def test_without_a_mistake_the_implied_gradient_is_right(case):
    implied, true = two_steps(CORRECT, *case)
    assert all(distance(a, b) < 1e-9 for a, b in zip(implied, true, strict=True))


@pytest.mark.parametrize("name", GRADIENT)
def test_runs_are_independent(name):
    net = home(name)
    parameters, X, Y = a_case(net)
    together, _ = both(name, net, parameters, X, Y)
    assert together.vector.shape == parameters.vector.shape
    for k in range(3):
        alone, _ = both(name, net, parameters.run(k), X, Y)
        np.testing.assert_allclose(together.vector[k], alone.vector, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", UPDATE)
def test_runs_are_independent_in_the_update(name):
    net = home(name)
    parameters, X, Y = a_case(net)
    together, _ = two_steps(BUGS[name], net, parameters, X, Y)
    for k in range(3):
        alone, _ = two_steps(BUGS[name], net, parameters.run(k), X, Y)
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[k], b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", BUGS)
def test_nothing_is_changed_that_was_handed_over(name):
    bug, net = BUGS[name], home(name)
    parameters, X, Y = a_case(net)
    kept, cache = parameters.copy(), network.forward(net, parameters, X)
    before = [t.copy() for t in (*cache.Z, *cache.A)]
    gradient = network.backward(net, parameters, cache, Y)
    if bug.gradient:
        bug.gradient(net, parameters, cache, Y)
    else:
        new = bug.update(AtUpdate(net, parameters, cache, Y, gradient, RATE, {}))
        shared = np.shares_memory(new.vector, parameters.vector)
        assert shared == (name == "start moves along")
    moved = not np.array_equal(kept.vector, parameters.vector)
    assert moved == (name == "start moves along")
    for a, b in zip(before, (*cache.Z, *cache.A), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "net", "m", "possible"),
    [
        ("no mean", Network((2, 1)), 1, False),
        ("no mean", Network((2, 1)), 2, True),
        ("mean over outputs", Network((2, 4, 1)), 4, False),
        ("MSE delta", Network((2, 4, 1), loss="mse"), 4, False),
        ("cross entropy delta", Network((2, 4, 1), output="tanh", loss="mse"), 4, False),
        ("no output derivative", Network((2, 4, 1), output="identity", loss="mse"), 4, False),
        ("no factor 2", Network((2, 4, 1)), 4, False),
        ("bias wrong axis", Network((2, 4, 1)), 4, True),
        ("bias wrong axis", Network((2, 4, 1)), 5, False),
        ("bias no axis", Network((2, 1, 1)), 5, False),
        ("Z for A", Network((2, 4, 1), "identity"), 5, False),
        ("transposed dW", Network((2, 2, 1)), 5, True),
        ("transposed dW", Network((1, 1, 2)), 5, False),
        ("transposed W", Network((2, 2, 1)), 5, False),
        ("transposed W", Network((3, 2, 2)), 5, True),
        ("reshaped W", Network((2, 4, 1)), 5, False),
        ("reshaped W", Network((2, 4, 3)), 5, True),
        ("mask from output", Network((2, 4, 1), "leaky_relu"), 5, False),
        ("mask from output", Network((2, 4, 1), "relu"), 5, True),
        ("derivative of Z", Network((2, 4, 1), "relu"), 5, False),
        ("no hidden derivative", Network((2, 1)), 5, False),
        ("update too early", Network((2, 1)), 5, False),
        ("first layer frozen", Network((2, 1)), 5, False),
    ],
)
def test_where_mistakes_are_possible(name, net, m, possible):
    assert BUGS[name].applies(net, m) == possible


def test_the_published_mask_is_always_one():
    """numpy-tutorials: the derivative of the ReLU is taken from its output, with >=."""
    net = Network((3, 6, 2), "relu")
    parameters, X, Y = a_case(net)
    cache = network.forward(net, parameters, X)
    assert (cache.A[1] >= 0).all() and not (cache.Z[0] >= 0).all()
    wrong, right = both("mask from output", net, parameters, X, Y)
    assert distance(wrong.weights[0], right.weights[0]) > 0.1
    np.testing.assert_array_equal(wrong.weights[1], right.weights[1])


def test_zero_grad_forgotten_is_momentum_one():
    net = HOMES[0]
    parameters, X, Y = a_case(net)
    (first, second), (one, two) = two_steps(BUGS["zero grad forgotten"], net, parameters, X, Y)
    np.testing.assert_allclose(first, one, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(second, one + two, rtol=1e-9, atol=1e-12)
