"""Every mistake is real: it differs from the correct gradient or update wherever it applies."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

from labsupport import lines, network
from labsupport.bugs import BUGS, too_early
from labsupport.lines import CORRECT, AtUpdate, backward, update_line
from labsupport.network import Network
from tests.cases import cases

GRADIENT = [name for name, bug in BUGS.items() if bug.gradient]
UPDATE = [name for name, bug in BUGS.items() if bug.update]
LATE = {"stale cache", "zero grad forgotten"}  # seen in the second step only
RATE = 0.05

# On these networks each mistake applies, with five samples.
HOMES = [
    Network((3, 5, 5, 2)),
    Network((3, 4, 4, 3, 2), "tanh", "sigmoid", "mse"),
    Network((3, 4, 2), "relu", "identity", "bce_with_logits"),
    Network((3, 4, 2), "tanh", "identity", "softmax_cross_entropy"),
]


def a_case(net, m=5, runs=3, seed=1):
    rng = np.random.default_rng(seed)
    parameters = network.initialise(net, rng, "pytorch", runs=runs)
    Y = rng.random((m, net.sizes[-1]))
    return net, parameters, rng.normal(size=(m, net.sizes[0])), Y / Y.sum(axis=1, keepdims=True)


def at_home(name):
    return a_case(next(net for net in HOMES if BUGS[name].applies(net, 5)))


def both(name, net, parameters, X, Y):
    """The broken gradient and the correct one."""
    given = (net, parameters, network.forward(net, parameters, X), Y)
    return BUGS[name].gradient(*given), network.backward(*given)


def distance(one, other):
    scale = np.linalg.norm(one) + np.linalg.norm(other)
    return np.linalg.norm(one - other) / scale if scale else 0.0


def worst(one, other):
    """The largest relative difference of a tensor, over the tensors."""
    return max(distance(a, b) for a, b in zip(one, other, strict=True))


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


def test_a_mistake_has_a_name_a_slip_and_a_line():
    assert len({bug.slip for bug in BUGS.values()}) == len(BUGS) == len(GRADIENT) + len(UPDATE)
    assert "correct" not in BUGS
    for name, bug in BUGS.items():
        assert bug.name == name
        assert bug.slip[0].islower() or bug.slip.startswith(("dW", "W in"))
        assert not bug.slip.endswith(".") and "; and " not in bug.slip
        assert f"line {bug.line}" in bug.slip or name in LATE, name


@given(cases(runs=True))
def test_without_a_mistake_it_is_the_correct_gradient(case):
    given = (*case[:2], network.forward(*case[:3]), case.Y)
    expected = network.backward(*given).vector
    np.testing.assert_array_equal(CORRECT.gradient(*given).vector, expected)
    out = case.parameters.copy()
    assert backward(*given, out=out) is out
    for found in (out, backward(*given)):
        np.testing.assert_allclose(found.vector, expected, rtol=1e-12, atol=1e-15)


@settings(max_examples=30)
@given(cases(runs=True, smooth=True))
def test_without_a_mistake_the_implied_gradient_is_right(case):
    implied, true = two_steps(CORRECT, *case)
    assert all(distance(a, b) < 1e-9 for a, b in zip(implied, true, strict=True))


# Elsewhere these belong to another loss or activation, and mean nothing.
MEANINGLESS = {
    *("cross entropy delta", "no factor 2", "MSE delta", "no output derivative", "overwritten A"),
    *("derivative of A", "derivative of Z", "other derivative", "mask from output"),
}


@settings(max_examples=300)
@given(cases(runs=True, smooth=True))
def test_a_broken_gradient_is_wrong_where_it_applies_and_nowhere_else(case):
    for name in GRADIENT:
        if BUGS[name].applies(case.net, len(case.X)):
            assert worst(*both(name, *case)) > 1e-8, name
        elif name not in MEANINGLESS:
            assert worst(*both(name, *case)) < 1e-9, name


@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
def test_a_broken_gradient_is_wrong_with_kinks(hidden):
    """Twenty samples reach both sides of every kink, so that nothing hides."""
    for loss, output in (("bce", "sigmoid"), ("mse", "sigmoid"), ("mse", "leaky_relu")):
        case = a_case(Network((3, 6, 6, 4), hidden, output, loss), 4, runs=20)
        for name in GRADIENT:
            assert not BUGS[name].applies(case[0], 4) or worst(*both(name, *case)) > 1e-3, name


def twins(one, other, net, m):
    """Whether two mistakes have the same effect on this network with m samples."""
    scale = {  # of the whole gradient
        "no mean": m,
        "mean over outputs": 1 / net.sizes[-1],
        "no factor 2": 1 / 2,
        "delta sign": -1,
        "mean twice": 1 / m,
    }
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


@settings(max_examples=50)
@given(cases(runs=True, smooth=True))
def test_two_mistakes_at_once_are_one_after_the_other(case):
    """Factors multiply, a line that is broken twice is broken in both ways."""
    net, parameters, X, Y = case
    given = (net, parameters, network.forward(net, parameters, X), Y)
    true, factor = (
        network.backward(*given),
        {"no mean": len(X), "delta sign": -1, "mean twice": 1 / len(X)},
    )
    for one, other in permutations(factor, 2):
        found = lines.both(BUGS[one], BUGS[other]).gradient(*given)
        assert distance(found.vector, factor[one] * factor[other] * true.vector) < 1e-9
    for one in (name for name in GRADIENT if BUGS[name].applies(net, len(X))):
        found = lines.both(BUGS[one], BUGS["delta sign"])
        assert distance(found.gradient(*given).vector, -BUGS[one].gradient(*given).vector) < 1e-9
        assert found.slip == f"{BUGS[one].slip}; and {BUGS['delta sign'].slip}"
    square = a_case(Network((3, 4, 4)))
    given = (square[0], square[1], network.forward(*square[:3]), square[3])
    late = lines.both(BUGS["transposed W"], BUGS["no hidden derivative"]).gradient(*given)
    D1 = network.output_delta(square[0], given[2], square[3]) @ square[1].weights[1]
    np.testing.assert_allclose(late.weights[0], square[2].T @ D1)


def test_two_mistakes_of_the_update_are_one_after_the_other():
    net, parameters, X, Y = a_case(HOMES[0])
    cache = network.forward(net, parameters, X)
    given = net, parameters, cache, Y, network.backward(net, parameters, cache, Y), RATE
    moved = lines.both(BUGS["update sign"], BUGS["rate twice"]).update(AtUpdate(*given, {}))
    np.testing.assert_allclose(moved.vector, parameters.vector + RATE**2 * given[4].vector)
    moved = lines.both(BUGS["biases frozen"], BUGS["update sign"]).update(AtUpdate(*given, {}))
    for k, b in enumerate(moved.biases):
        np.testing.assert_array_equal(b, parameters.biases[k])
        np.testing.assert_allclose(
            moved.weights[k], parameters.weights[k] + RATE * given[4].weights[k]
        )


def test_W_moved_too_early_is_a_change_of_line_8():
    net, parameters, X, Y = a_case(Network((3, 4, 2)), runs=None)
    cache = network.forward(net, parameters, X)
    D2 = network.output_delta(net, cache, Y)
    W2 = parameters.weights[1] - 0.7 * cache.A[1].T @ D2
    D1 = (D2 @ W2.T) * cache.A[1] * (1 - cache.A[1])
    found = too_early(0.7).gradient(net, parameters, cache, Y)
    np.testing.assert_allclose(found.weights[0], X.T @ D1)
    early = BUGS["update too early"].update(
        AtUpdate(net, parameters, cache, Y, network.backward(net, parameters, cache, Y), 0.7, {})
    )
    np.testing.assert_allclose(early.vector, parameters.vector - 0.7 * found.vector)


@pytest.mark.parametrize(
    ("rate", "one", "other"),
    [(RATE, "delta sign", "update sign"), (1 / 5, "mean twice", "rate twice")],
)
def test_the_twins_of_the_update(rate, one, other):
    """Of programs that are seen through their steps only."""
    first, second = (two_steps(BUGS[name], *a_case(HOMES[0]), rate)[0] for name in (one, other))
    assert distance(np.array(first), np.array(second)) < 1e-12


@settings(max_examples=150)
@given(cases(runs=True, smooth=True, samples=8))
def test_a_broken_update_is_wrong_wherever_it_applies(case):
    for name in UPDATE:
        if BUGS[name].applies(case.net, len(case.X)):
            implied, true = two_steps(BUGS[name], *case)
            first, second = (distance(a, b) for a, b in zip(implied, true, strict=True))
            assert (first < 1e-9) == (name in LATE), name
            assert max(first, second) > 1e-9, name


@pytest.mark.parametrize("name", BUGS)
def test_runs_are_independent(name):
    net, parameters, X, Y = at_home(name)
    together, _ = two_steps(BUGS[name], net, parameters, X, Y)
    assert together[0].shape == parameters.vector.shape
    for k in range(3):
        alone, _ = two_steps(BUGS[name], net, parameters.run(k), X, Y)
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[k], b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", BUGS)
def test_nothing_is_changed_that_was_handed_over(name):
    """But for the one mistake that is just this."""
    bug, (net, parameters, X, Y) = BUGS[name], at_home(name)
    kept, cache = parameters.copy(), network.forward(net, parameters, X)
    before = [t.copy() for t in (*cache.Z, *cache.A)]
    gradient, moves = network.backward(net, parameters, cache, Y), name == "start moves along"
    if bug.gradient:
        bug.gradient(net, parameters, cache, Y)
    else:
        new = bug.update(AtUpdate(net, parameters, cache, Y, gradient, RATE, {}))
        assert np.shares_memory(new.vector, parameters.vector) == moves
    assert np.array_equal(kept.vector, parameters.vector) == (not moves)
    for a, b in zip(before, (*cache.Z, *cache.A), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "net", "m", "possible"),
    [
        ("MSE delta", Network((2, 4, 1), loss="mse"), 4, False),
        ("cross entropy delta", Network((2, 4, 1), output="tanh", loss="mse"), 4, False),
        ("no output derivative", Network((2, 4, 1), output="identity", loss="mse"), 4, False),
        ("no factor 2", Network((2, 4, 1)), 4, False),
        ("mask from output", Network((2, 4, 1), "leaky_relu"), 5, False),
        ("mask from output", Network((2, 4, 1), "relu"), 5, True),
        ("derivative of Z", Network((2, 4, 1), "relu"), 5, False),
        ("update too early", Network((2, 1)), 5, False),
        ("first layer frozen", Network((2, 1)), 5, False),
    ],
)
def test_where_mistakes_are_possible(name, net, m, possible):
    assert BUGS[name].applies(net, m) == possible


def test_the_published_mask_is_always_one():
    """numpy-tutorials: the derivative of the ReLU is taken from its output, with >=."""
    case = a_case(Network((3, 6, 2), "relu"))
    cache = network.forward(*case[:3])
    assert (cache.A[1] >= 0).all() and not (cache.Z[0] >= 0).all()
    wrong, right = both("mask from output", *case)
    assert distance(wrong.weights[0], right.weights[0]) > 0.1
    np.testing.assert_array_equal(wrong.weights[1], right.weights[1])
    assert worst(wrong, both("no hidden derivative", *case)[0]) < 1e-12
    case[1].biases[0][...] = 20.0  # where all units are on, nobody sees it
    assert worst(*both("mask from output", *case)) < 1e-12


def test_zero_grad_forgotten_is_momentum_one():
    (first, second), (one, two) = two_steps(BUGS["zero grad forgotten"], *a_case(HOMES[0]))
    np.testing.assert_allclose(first, one, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(second, one + two, rtol=1e-9, atol=1e-12)
