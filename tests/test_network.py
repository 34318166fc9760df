"""Parameters, forward and backward: against differences, against PyTorch, one network or many."""

import re

import numpy as np
import pytest
import torch
from cases import KINKED, SOFTMAX, cases
from hypothesis import assume, given
from hypothesis import strategies as st

from labsupport import datasets, gradcheck, network, torch_twin
from labsupport.initialisers import INITIALISERS
from labsupport.network import Network, Parameters, initialise

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
    assert {k: t.shape for k, t in gradient.named().items()} == {
        k: t.shape for k, t in parameters.named().items()
    }


@given(cases(runs=True))
def test_shapes_with_runs(case):
    net, parameters, X, _ = case
    cache = network.forward(*case[:3])
    assert [Z.shape for Z in cache.Z] == [(*parameters.runs, len(X), n) for n in net.sizes[1:]]
    value, gradient = network.loss_and_gradient(*case)
    assert value.shape == gradient.runs == parameters.runs


@given(cases(samples=6, widths=6))
def test_gradient_equals_the_central_difference(case):
    net, parameters, X, Y = case
    cache = network.forward(*case[:3])
    for Z, g in zip(cache.Z, net.activations, strict=True):
        assume(g.name not in KINKED or abs(Z).min() > 2e-3)  # no kink within reach of a difference
    value, gradient = network.loss_and_gradient(*case)

    def loss(vector):
        return float(network.loss_value(net, Parameters(net.sizes, vector), X, Y))

    numeric = gradcheck.central_difference(loss, parameters.vector)
    error = np.linalg.norm(gradient.vector - numeric)
    assert error <= 1e-7 * np.linalg.norm(numeric) + 1e-8 * (1 + value)


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
def test_the_gradient_is_the_mean_of_those_of_single_samples(case):
    """So 1/m enters exactly once."""
    net, parameters, X, Y = case
    _, whole = network.loss_and_gradient(*case)
    parts = [network.loss_and_gradient(net, parameters, X[[i]], Y[[i]])[1] for i in range(len(X))]
    assert distance(whole.vector, np.mean([part.vector for part in parts], axis=0)) <= 1e-12


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
    close = {"rtol": 0, "atol": 6e-7}
    np.testing.assert_allclose(cache.Z[0], [[0, 0.5], [1, 1], [1, -0.5], [2, 0]], **close)
    np.testing.assert_allclose(
        cache.output[:, 0], [0.018941, 0.630797, 1.242653, 1.214028], **close
    )
    np.testing.assert_allclose(value, 0.714249, **close)
    dW1, db1, dW2, db2 = gradient
    np.testing.assert_allclose(dW1, [[-0.009898, -0.074358], [-0.022849, -0.078143]], **close)
    np.testing.assert_allclose(db1, [[0.079819, -0.105743]], **close)
    np.testing.assert_allclose(dW2, [[0.077043], [0.018056]], **close)
    np.testing.assert_allclose(db2, [[0.176110]], **close)
    np.testing.assert_allclose(gradient.vector @ gradient.vector, 0.067085, **close)
    after = Parameters(net.sizes, start.vector - 0.5 * gradient.vector)
    np.testing.assert_allclose(network.loss_value(net, after, X, Y), 0.683630, **close)


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
    parameters = case.parameters
    tensors = [*parameters.weights, *parameters.biases]
    assert all(np.shares_memory(t, parameters.vector) for t in tensors)
    assert sum(t.size for t in tensors) == parameters.vector.size
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
    again = Parameters.of(*parameters)
    assert again.sizes == parameters.sizes
    np.testing.assert_array_equal(again.vector, parameters.vector)
    names = [f"{letter}{n}" for n in range(1, len(parameters.sizes)) for letter in "Wb"]
    assert list(parameters.named()) == names
    assert all(np.shares_memory(t, parameters.vector) for t in parameters.named().values())
    for other in (again, parameters.copy(), parameters.astype(float), parameters.run(0)):
        assert not np.shares_memory(other.vector, parameters.vector)
    single = parameters.run(-1)
    assert single.runs == ()
    np.testing.assert_array_equal(single.vector, parameters.vector[-1])
    rounded = parameters.astype(np.float32)
    assert rounded.vector.dtype == rounded.weights[0].dtype == np.float32
    np.testing.assert_array_equal(rounded.vector, parameters.vector.astype(np.float32))


def test_of_takes_flat_biases_and_whole_numbers():
    flat = Parameters.of([[1, 2], [3, 4]], [5, 6])
    rows = Parameters.of([[1, 2], [3, 4]], [[5, 6]])
    assert flat.vector.dtype == np.float64
    np.testing.assert_array_equal(flat.vector, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(rows.vector, flat.vector)
    assert rows.biases[0].shape == (1, 2)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_size_counts_weights_and_biases(sizes):
    layers = list(zip(sizes, sizes[1:], strict=False))
    assert network.size(tuple(sizes)) == sum(a * b for a, b in layers) + sum(sizes[1:])


@pytest.mark.parametrize("how", INITIALISERS)
@pytest.mark.parametrize("runs", [None, 1, 5])
def test_initialise(how, runs):
    drawn, again = (initialise(NET, np.random.default_rng(3), how, runs) for _ in range(2))
    assert drawn.runs == (() if runs is None else (runs,))
    assert drawn.sizes == NET.sizes
    assert drawn.vector.dtype == np.float64
    np.testing.assert_array_equal(drawn.vector, again.vector)
    rng, axis = np.random.default_rng(3), drawn.runs
    W1, b1 = INITIALISERS[how](rng, 2, 4, axis)
    W2, b2 = INITIALISERS[how](rng, 4, 1, axis)
    for ours, theirs in zip(drawn, (W1, b1, W2, b2), strict=True):
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


def test_accuracy_by_hand():
    net = Network((1, 1), output="identity", loss="mse")
    identity = Parameters.of([[1]], [0])
    Y = [[0], [1], [0], [1]]
    assert network.accuracy(net, identity, [[0.1], [0.9], [0.4], [0.6]], Y) == 1
    assert network.accuracy(net, identity, [[0.1], [0.4], [0.6], [0.6]], Y) == 0.5
    assert network.accuracy(net, identity, np.full((4, 1), 0.5), Y) == 0  # no decision is a miss


def test_accuracy_needs_every_output_right():
    net = Network((2, 2), output="identity", loss="mse")
    both = Parameters.of(np.eye(2), [0, 0])
    assert network.accuracy(net, both, [[1, 0], [1, 1]], [[1, 0], [1, 0]]) == 0.5


def test_accuracy_of_classes_takes_the_largest():
    net = Network((3, 3), output="identity", loss=SOFTMAX)
    identity = Parameters.of(np.eye(3), np.zeros(3))
    Y = np.eye(3)
    assert network.accuracy(net, identity, Y, Y) == 1
    assert network.accuracy(net, identity, [[3, 1, 2], [3, 2, 1], [1, 2, 3]], Y) == 2 / 3
    assert network.accuracy(net, identity, [[-2, -1, -3], [0, 0, -9], [1, 2, 3]], Y) == 1 / 3
    assert network.accuracy(net, identity, np.zeros((3, 3)), Y) == 0  # no decision is a miss
    assert network.accuracy(net, identity, [[1, 0, 0]], [[0.4, 0.3, 0.3]]) == 1  # soft targets
    many = Parameters.of([np.eye(3), -np.eye(3)], np.zeros((2, 3)))
    np.testing.assert_array_equal(network.accuracy(net, many, Y, Y), [1, 0])


# Bad input


@pytest.mark.parametrize(
    ("error", "options", "message"),
    [
        (ValueError, {"sizes": ()}, r"sizes is \(\): no layers; expected at least two widths"),
        (ValueError, {"sizes": (2,)}, "no layers; expected at least two widths"),
        (ValueError, {"sizes": (2, 0, 1)}, "every layer needs at least one unit"),
        (ValueError, {"sizes": (2, -4, 1)}, "every layer needs at least one unit"),
        (TypeError, {"sizes": (2, 4.0, 1)}, r"sizes is \(2, 4\.0, 1\); expected whole numbers"),
        (TypeError, {"sizes": "241"}, "expected whole numbers"),
        (ValueError, {"hidden": "swish"}, "unknown activation 'swish'; choose one of"),
        (ValueError, {"output": "softmax"}, "unknown activation 'softmax'; choose one of"),
        (ValueError, {"loss": "hinge"}, "unknown loss 'hinge'; choose one of"),
        (ValueError, {"output": "tanh"}, r"'bce' cannot read the output of 'tanh'.*'sigmoid'"),
        (ValueError, {"loss": "bce_with_logits"}, r"cannot read .*'sigmoid'.*output='identity'"),
        (ValueError, {"loss": SOFTMAX}, r"cannot read .*'sigmoid'.*output='identity'"),
        (
            ValueError,
            {"loss": SOFTMAX, "output": "identity"},
            r"sizes is \(2, 4, 1\); the loss 'softmax_.*' needs an output for each class",
        ),
    ],
)
def test_network_refuses(error, options, message):
    with pytest.raises(error, match=message):
        Network(**{"sizes": (2, 4, 1), **options})


def test_network_keeps_its_sizes_as_whole_numbers():
    net = Network([np.int64(2), 4, 1])
    assert net.sizes == (2, 4, 1)
    assert net == Network((2, 4, 1))
    assert [g.name for g in Network((2, 3, 3, 1), "tanh").activations] == ["tanh"] * 2 + ["sigmoid"]


@pytest.mark.parametrize(
    ("error", "tensors", "message"),
    [
        (ValueError, [], "got 0 tensors; expected W1, b1, W2, b2"),
        (ValueError, [np.ones((2, 1))], "got 1 tensors; .*a bias for each weight"),
        (ValueError, [np.ones(2), np.ones(1)], r"W1 has shape \(2,\); expected \(n_in, n_out\)"),
        (ValueError, [np.ones((2, 4)), np.ones(3)], r"b1 has shape \(3,\); expected \(1, 4\)"),
        (
            ValueError,
            [np.ones((2, 4)), np.ones(4), np.ones((1, 4)), np.ones(1)],
            r"W2 has shape \(1, 4\); expected \(4,\) and then n_out\. PyTorch keeps the transpose",
        ),
        (
            ValueError,
            [np.ones((3, 2, 1)), np.ones((2, 1, 1))],
            r"b1 has shape \(2, 1, 1\); expected \(3, 1, 1\)",
        ),
        (ValueError, [np.full((2, 1), np.nan), np.ones(1)], "W1 holds 2 NaN"),
        (ValueError, [np.ones((2, 1)), [np.inf]], "b1 holds 1 NaN or infinite"),
        (TypeError, [[["a"]], [0]], "W1 has type .*expected real numbers"),
    ],
)
def test_parameters_of_refuses(error, tensors, message):
    with pytest.raises(error, match=message):
        Parameters.of(*tensors)


def test_a_vector_of_another_length():
    with pytest.raises(ValueError, match=r"shape \(16,\); layers \(2, 4, 1\) have 17 parameters"):
        Parameters((2, 4, 1), np.zeros(16))


def test_a_vector_of_whole_numbers():
    """It would round the data to whole numbers, and nobody would notice."""
    with pytest.raises(TypeError, match=r"int64; expected .*astype\(float\)"):
        Parameters((2, 4, 1), np.arange(17))


@pytest.mark.parametrize("runs", [0, -1])
def test_initialise_refuses_no_runs(runs):
    with pytest.raises(ValueError, match=f"runs is {runs}; expected at least 1"):
        initialise(NET, np.random.default_rng(1), runs=runs)


@pytest.mark.parametrize("rng", [None, 7, np.random])
def test_initialise_needs_a_generator(rng):
    with pytest.raises(TypeError, match=r"expected a Generator: numpy\.random\.default_rng"):
        initialise(NET, rng)


def test_initialise_refuses_an_unknown_initialiser():
    with pytest.raises(ValueError, match="unknown initialiser 'xavier'"):
        initialise(NET, np.random.default_rng(1), "xavier")


CALLS = {
    "loss_value": network.loss_value,
    "loss_and_gradient": network.loss_and_gradient,
    "accuracy": network.accuracy,
    "prepare": network.prepare,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("X", "Y", "message"),
    [
        (np.ones((4, 3)), np.ones((4, 1)), "X has shape (4, 3); expected (m, 2)"),
        (np.ones((4, 2)), np.ones(4), "Y has shape (4,); expected (4, 1)"),
        (np.full((4, 2), np.nan), np.ones((4, 1)), "X holds 8 NaN or infinite of 8 values"),
        (np.ones((4, 2)), np.full((4, 1), np.inf), "Y holds 4 NaN or infinite of 4 values"),
    ],
)
def test_bad_data_is_refused(call, X, Y, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(NET, initialise(NET, np.random.default_rng(1)), X, Y)


@pytest.mark.parametrize("call", [network.loss_value, network.loss_and_gradient, network.prepare])
def test_labels_and_foreign_parameters_are_refused(call):
    X, Y = datasets.xor()
    start = initialise(NET, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"Y reaches from -1 to 1; bce needs targets in \[0, 1\]"):
        call(NET, start, X, 2 * Y - 1)
    with pytest.raises(ValueError, match=r"belong to layers \(2, 4, 1\); the network has \(2, 5,"):
        call(Network((2, 5, 1)), start, X, Y)
    classes = Network((2, 2), output="identity", loss=SOFTMAX)
    with pytest.raises(ValueError, match="row 0 of Y adds up to 0; softmax_cross_entropy needs"):
        call(classes, initialise(classes, np.random.default_rng(1)), X, np.hstack([Y, Y]))
    start.vector[3] = np.nan
    with pytest.raises(ValueError, match="parameters holds 1 NaN or infinite of 17"):
        call(NET, start, X, Y)


def test_predict_refuses_bad_inputs():
    start = initialise(NET, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"X has shape \(2, 4\); expected \(m, 2\)"):
        network.predict(NET, start, np.ones((2, 4)))
    with pytest.raises(ValueError, match="X holds 1 NaN"):
        network.predict(NET, start, [[0, np.nan]])
