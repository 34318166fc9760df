"""Parameters, forward and backward: against PyTorch, one network or many, values by hand."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given

from labsupport import datasets, network, torch_twin
from labsupport.initialisers import INITIALISERS
from labsupport.network import Network, Parameters, initialise
from tests.cases import SOFTMAX, cases

NET = Network((2, 4, 1))


def distance(one, other):
    """Relative to the larger, absolute below 1."""
    return np.linalg.norm(one - other) / max(1.0, np.linalg.norm(one), np.linalg.norm(other))


def torch_loss(net, output, Y):
    if net.loss == "mse":  # PyTorch would also average over the outputs
        return ((output - Y) ** 2).sum() / len(Y)
    return torch_twin.LOSSES[net.loss](reduction="sum")(output, Y) / len(Y)


# Gradients


@given(cases())
def test_shapes(case):
    net, parameters, X, _ = case
    cache = network.forward(*case[:3])
    m, sizes = len(X), net.sizes
    assert [Z.shape for Z in cache.Z] == [(m, n) for n in sizes[1:]]
    assert [A.shape for A in cache.A] == [(m, n) for n in sizes]
    assert cache.A[0] is X
    assert cache.output is cache.A[-1]
    value, gradient = network.loss_and_gradient(*case)
    assert np.shape(value) == ()
    assert value == network.loss_value(*case)
    shapes = {name: t.shape for name, t in parameters.named().items()}
    assert {name: t.shape for name, t in gradient.named().items()} == shapes


@given(cases())
def test_loss_and_gradient_equal_autograd(case):
    net, parameters, X, Y = case
    value, gradient = network.loss_and_gradient(*case)
    twin = torch_twin.module(net, parameters)
    loss = torch_loss(net, twin(torch.tensor(X)), torch.tensor(Y))
    loss.backward()
    assert distance(value, loss.item()) <= 1e-12
    assert distance(gradient.vector, torch_twin.gradient_of(twin).vector) <= 1e-12


@given(cases(runs=True))
def test_many_runs_equal_single_networks(case):
    net, parameters, X, Y = case
    cache = network.forward(*case[:3])
    values, gradients = network.loss_and_gradient(*case)
    outputs = network.predict(net, parameters, X)
    shares = network.accuracy(net, parameters, X, Y)
    for k in range(parameters.runs[0]):
        alone = parameters.run(k)
        alone_cache = network.forward(net, alone, X)
        value, gradient = network.loss_and_gradient(net, alone, X, Y)
        both = zip([*cache.Z, *cache.A[1:]], [*alone_cache.Z, *alone_cache.A[1:]], strict=True)
        for many, one in both:
            assert distance(many[k], one) <= 1e-12
        assert distance(values[k], value) <= 1e-12
        assert distance(gradients.vector[k], gradient.vector) <= 1e-12
        assert distance(outputs[k], network.predict(net, alone, X)) <= 1e-12
        assert shares[k] == network.accuracy(net, alone, X, Y)


@given(cases(runs=True))
def test_backward_writes_where_it_is_told_and_changes_nothing_else(case):
    net, parameters, X, Y = case
    before = parameters.vector.copy(), X.copy(), Y.copy()
    cache = network.forward(net, parameters, X)
    fresh = network.backward(net, parameters, cache, Y)
    out = Parameters(net.sizes, np.full_like(parameters.vector, np.nan))
    assert network.backward(net, parameters, cache, Y, out=out) is out
    np.testing.assert_array_equal(out.vector, fresh.vector)
    for now, then in zip((parameters.vector, X, Y), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_worked_example():
    """2-2-1 on XOR with numbers that a person can follow; the digits were made by hand."""
    net = Network((2, 2, 1), "tanh", "identity", "bce_with_logits")
    start = Parameters.of([[1, -1], [1, 0.5]], [0, 0.5], [[1], [-0.5]], [0.25])
    X, Y = datasets.xor()
    cache = network.forward(net, start, X)
    value, gradient = network.loss_and_gradient(net, start, X, Y)
    after = Parameters(net.sizes, start.vector - 0.5 * gradient.vector)
    for ours, by_hand in (
        (cache.Z[0], [[0, 0.5], [1, 1], [1, -0.5], [2, 0]]),
        (cache.output[:, 0], [0.018941, 0.630797, 1.242653, 1.214028]),
        (value, 0.714249),
        (gradient.weights[0], [[-0.009898, -0.074358], [-0.022849, -0.078143]]),
        (gradient.biases[0], [[0.079819, -0.105743]]),
        (gradient.weights[1], [[0.077043], [0.018056]]),
        (gradient.biases[1], [[0.176110]]),
        (gradient.vector @ gradient.vector, 0.067085),
        (network.loss_value(net, after, X, Y), 0.683630),
    ):
        np.testing.assert_allclose(ours, by_hand, rtol=0, atol=6e-7)


@pytest.mark.parametrize("z", [40.0, 800.0])
def test_a_saturated_wrong_output_still_learns(z):
    """The g' of the sigmoid cancels against cross-entropy on paper, so 0/0 never shows up."""
    net = Network((1, 1))
    with np.errstate(all="raise", under="ignore"):
        _, gradient = network.loss_and_gradient(net, Parameters.of([[z]], [0]), [[1]], [[0]])
    np.testing.assert_array_equal(gradient.vector, [1, 1])


def test_float32_stays_float32():
    start = initialise(NET, np.random.default_rng(1)).astype(np.float32)
    X, Y = datasets.xor()
    value, gradient = network.loss_and_gradient(NET, start, X, Y)
    exact, _ = network.loss_and_gradient(NET, start.astype(float), X, Y)
    assert value.dtype == gradient.vector.dtype == np.float32
    assert network.predict(NET, start, X).dtype == np.float32
    assert value == pytest.approx(exact, rel=1e-6)


# Parameters


@given(cases(runs=True))
def test_tensors_look_into_the_vector(case):
    net, parameters = case[:2]
    tensors = [*parameters.weights, *parameters.biases]
    assert all(np.shares_memory(t, parameters.vector) for t in tensors)
    counts = [(n_in + 1) * n_out for n_in, n_out in zip(net.sizes, net.sizes[1:], strict=False)]
    assert sum(counts) == network.size(net.sizes) == parameters.vector.shape[-1]
    assert all(W.shape[:-2] == parameters.runs for W in parameters.weights)
    for number, tensor in enumerate(parameters):
        tensor[...] = number
    seen = np.concatenate([t.reshape(*parameters.runs, -1) for t in parameters], axis=-1)
    np.testing.assert_array_equal(parameters.vector, seen)
    parameters.vector[...] = -1
    assert all((t == -1).all() for t in tensors)


@given(cases(runs=True))
def test_interleaved_parameters_are_the_same_in_another_order(case):
    parameters, other = case.parameters, case.parameters.interleaved()
    np.testing.assert_array_equal(other.vector, parameters.vector)
    assert not np.shares_memory(other.vector, parameters.vector)
    assert other.vector.flags.f_contiguous
    assert other.copy().vector.flags.f_contiguous
    assert all(np.shares_memory(t, other.vector) for t in other)
    value, gradient = network.loss_and_gradient(*case)
    same_value, same_gradient = network.loss_and_gradient(case.net, other, case.X, case.Y)
    assert distance(value, same_value) <= 1e-12
    assert distance(gradient.vector, same_gradient.vector) <= 1e-12


@given(cases(runs=True))
def test_round_trips(case):
    parameters = case.parameters
    again, rounded = Parameters.of(*parameters), parameters.astype(np.float32)
    assert again.sizes == parameters.sizes
    np.testing.assert_array_equal(again.vector, parameters.vector)
    names = [f"{letter}{n}" for n in range(1, len(parameters.sizes)) for letter in "Wb"]
    assert list(parameters.named()) == names
    assert all(np.shares_memory(t, parameters.vector) for t in parameters.named().values())
    for other in (again, parameters.copy(), parameters.astype(float), parameters.run(0)):
        assert not np.shares_memory(other.vector, parameters.vector)
    assert parameters.run(-1).runs == ()
    np.testing.assert_array_equal(parameters.run(-1).vector, parameters.vector[-1])
    assert rounded.weights[0].dtype == np.float32
    np.testing.assert_array_equal(rounded.vector, parameters.vector.astype(np.float32))


def test_of_takes_flat_biases_and_whole_numbers():
    flat = Parameters.of([[1, 2], [3, 4]], [5, 6])
    rows = Parameters.of([[1, 2], [3, 4]], [[5, 6]])
    assert flat.vector.dtype == np.float64
    np.testing.assert_array_equal(flat.vector, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(rows.vector, flat.vector)
    assert rows.biases[0].shape == (1, 2)


@pytest.mark.parametrize("how", INITIALISERS)
@pytest.mark.parametrize("runs", [None, 1, 5])
def test_initialise(how, runs):
    drawn = initialise(NET, np.random.default_rng(3), how, runs)
    rng, axis = np.random.default_rng(3), () if runs is None else (runs,)
    layers = [*INITIALISERS[how](rng, 2, 4, axis), *INITIALISERS[how](rng, 4, 1, axis)]
    assert drawn.runs == axis
    for ours, theirs in zip(drawn, layers, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# Predictions


@given(cases())
def test_predict_gives_probabilities_also_from_logits(case):
    net, parameters, X, _ = case
    output = network.forward(net, parameters, X).output
    if net.loss == "bce_with_logits":
        output = 1 / (1 + np.exp(-output))
    if net.loss == SOFTMAX:
        output = np.exp(output) / np.exp(output).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(network.predict(net, parameters, X), output, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "X", "Y", "share"),
    [
        ("mse", [[0.1], [0.9], [0.4], [0.6]], [[0], [1], [0], [1]], 1),
        ("mse", [[0.1], [0.4], [0.6], [0.6]], [[0], [1], [0], [1]], 0.5),
        ("mse", np.full((4, 1), 0.5), [[0], [1], [0], [1]], 0),  # no decision is a miss
        ("mse", [[1, 0], [1, 1]], [[1, 0], [1, 0]], 0.5),  # it needs every output right
        (SOFTMAX, np.eye(3), np.eye(3), 1),
        (SOFTMAX, [[3, 1, 2], [3, 2, 1], [1, 2, 3]], np.eye(3), 2 / 3),
        (SOFTMAX, [[-2, -1, -3], [0, 0, -9], [1, 2, 3]], np.eye(3), 1 / 3),
        (SOFTMAX, np.zeros((3, 3)), np.eye(3), 0),
        (SOFTMAX, [[1, 0, 0]], [[0.4, 0.3, 0.3]], 1),  # soft targets
    ],
)
def test_accuracy_by_hand(loss, X, Y, share):
    n = np.shape(X)[1]
    net = Network((n, n), output="identity", loss=loss)
    one = Parameters.of(np.eye(n), np.zeros(n))
    both = Parameters.of([np.eye(n), np.eye(n)], np.zeros((2, n)))
    assert network.accuracy(net, one, X, Y) == share
    np.testing.assert_array_equal(network.accuracy(net, both, X, Y), [share, share])


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (2,)}, r"sizes is \(2,\): no layers; expected at least two widths"),
        ({"sizes": (2, 0, 1)}, "every layer needs at least one unit"),
        ({"sizes": (2, 4.0, 1)}, r"sizes is \(2, 4\.0, 1\); expected whole numbers"),
        ({"sizes": "241"}, "expected whole numbers"),
        ({"hidden": "swish"}, "unknown activation 'swish'; choose one of"),
        ({"output": "softmax"}, "unknown activation 'softmax'; choose one of"),
        ({"loss": "hinge"}, "unknown loss 'hinge'; choose one of"),
        ({"output": "tanh"}, r"'bce' cannot read the output of 'tanh'.*'sigmoid'"),
        ({"loss": "bce_with_logits"}, r"cannot read .*'sigmoid'.*output='identity'"),
        ({"loss": SOFTMAX, "output": "identity"}, r"'softmax_.*' needs an output for each class"),
    ],
)
def test_network_refuses(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Network(**{"sizes": (2, 4, 1), **options})
    assert Network([np.int64(2), 4, 1]) == Network((2, 4, 1))


ONES = np.ones


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([], "got 0 tensors; expected W1, b1, W2, b2"),
        ([ONES((2, 1))], "got 1 tensors; .*a bias for each weight"),
        ([ONES(2), ONES(1)], r"W1 has shape \(2,\); expected \(n_in, n_out\)"),
        ([ONES((2, 4)), ONES(3)], r"b1 has shape \(3,\); expected \(1, 4\)"),
        (
            [ONES((2, 4)), ONES(4), ONES((1, 4)), ONES(1)],
            r"W2 has shape \(1, 4\); expected \(4,\) and then n_out\. PyTorch keeps the transpose",
        ),
        ([ONES((3, 2, 1)), ONES((2, 1, 1))], r"b1 has shape \(2, 1, 1\); expected \(3, 1, 1\)"),
        ([np.full((2, 1), np.nan), ONES(1)], "W1 holds 2 NaN"),
        ([ONES((2, 1)), [np.inf]], "b1 holds 1 NaN or infinite"),
    ],
)
def test_parameters_of_refuses(tensors, message):
    with pytest.raises(ValueError, match=message):
        Parameters.of(*tensors)


def test_a_vector_of_another_length_or_of_whole_numbers():
    """Those would round the data to whole numbers, and nobody would notice."""
    with pytest.raises(ValueError, match=r"shape \(16,\); layers \(2, 4, 1\) have 17 parameters"):
        Parameters((2, 4, 1), np.zeros(16))
    with pytest.raises(TypeError, match=r"int64; expected .*astype\(float\)"):
        Parameters((2, 4, 1), np.arange(17))


@pytest.mark.parametrize(
    ("rng", "how", "runs", "message"),
    [
        (np.random.default_rng(1), "normal", 0, "runs is 0; expected at least 1"),
        (np.random.default_rng(1), "xavier", None, "unknown initialiser 'xavier'"),
        (7, "normal", None, r"rng is 7; expected a Generator: numpy\.random\.default_rng"),
        (np.random, "normal", None, r"expected a Generator: numpy\.random\.default_rng"),
    ],
)
def test_initialise_refuses(rng, how, runs, message):
    with pytest.raises((ValueError, TypeError), match=message):
        initialise(NET, rng, how, runs)


START = initialise(NET, np.random.default_rng(1))
BROKEN = Parameters(NET.sizes, np.where(np.arange(17) == 3, np.nan, 1.0))
CLASSES = Network((2, 2), output="identity", loss=SOFTMAX)
X, Y = datasets.xor()


@pytest.mark.parametrize(
    "call",
    [network.loss_value, network.loss_and_gradient, network.prepare],
    ids=lambda call: call.__name__,
)
@pytest.mark.parametrize(
    ("net", "parameters", "X", "Y", "message"),
    [
        (NET, START, ONES((4, 3)), Y, "X has shape (4, 3); expected (m, 2)"),
        (NET, START, X, ONES(4), "Y has shape (4,); expected (4, 1)"),
        (NET, START, np.nan * X, Y, "X holds 8 NaN or infinite of 8 values"),
        (NET, START, X, Y + np.inf, "Y holds 4 NaN or infinite of 4 values"),
        (NET, START, X, 2 * Y - 1, "Y reaches from -1 to 1; bce needs targets in [0, 1]"),
        (Network((2, 5, 1)), START, X, Y, "belong to layers (2, 4, 1); the network has (2, 5,"),
        (NET, BROKEN, X, Y, "parameters holds 1 NaN or infinite of 17"),
        (
            CLASSES,
            initialise(CLASSES, np.random.default_rng(1)),
            X,
            np.hstack([Y, Y]),
            "row 0 of Y adds up to 0; softmax_cross_entropy needs",
        ),
    ],
)
def test_data_and_parameters_that_do_not_fit_are_refused(call, net, parameters, X, Y, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(net, parameters, X, Y)


def test_predict_and_accuracy_refuse_bad_data():
    with pytest.raises(ValueError, match=r"X has shape \(2, 4\); expected \(m, 2\)"):
        network.predict(NET, START, X.T)
    with pytest.raises(ValueError, match=r"Y has shape \(4,\); expected \(4, 1\)"):
        network.accuracy(NET, START, X, Y.ravel())
