"""The proof of a gradient: it must pass what is right, and fail what is wrong."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labsupport import datasets, gradcheck, network
from labsupport.network import Network, Parameters, initialise
from tests.cases import cases, loss_of

X, Y = datasets.xor()
NET = Network((2, 4, 1), "tanh")
START = initialise(NET, np.random.default_rng(4))
loss = loss_of(NET, X, Y)


def gradient_of(net, parameters, X=X, Y=Y):
    return network.loss_and_gradient(net, parameters, X, Y)[1].named()


GRADIENT = gradient_of(NET, START)
ZEROS = {name: np.zeros_like(g) for name, g in GRADIENT.items()}


class Four(NamedTuple):
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


# Relative error


@pytest.mark.parametrize(
    ("one", "other", "error"),
    [
        ([1, 2], [1, 2], 0),
        ([1, 2], [-1, -2], 1),
        ([1, 2], [0, 0], 1),
        ([0, 0], [0, 0], 0),
        ([[3, 0], [0, 4]], [[3, 0], [0, 0]], 0.5),
    ],
)
def test_relative_error(one, other, error):
    assert gradcheck.relative_error(one, other) == error == gradcheck.relative_error(other, one)
    with pytest.raises(ValueError, match=r"shapes .* and \(1, 1, 1\) differ"):
        gradcheck.relative_error(one, np.ones((1, 1, 1)))


# The check


def test_a_right_gradient_passes():
    before = START.vector.copy()
    result = gradcheck.check(loss, START.named(), GRADIENT)
    assert result.passed
    assert list(result.errors) == ["W1", "b1", "W2", "b2"]
    assert 0 < result.worst == max(result.errors.values()) < 1e-8
    assert str(result).splitlines() == [
        *(f"{name}: equal" for name in GRADIENT),
        "gradient check passed at tolerance 1e-07",
    ]
    np.testing.assert_array_equal(START.vector, before)
    named = gradcheck.check(lambda t: loss(t._asdict()), Four(*START), Four(**GRADIENT))
    assert named.errors == result.errors


@pytest.mark.parametrize("name", GRADIENT)
@pytest.mark.parametrize("factor", [1 + 1e-6, 0.25, -1, 0])
def test_a_wrong_tensor_fails_and_is_named(name, factor):
    result = gradcheck.check(loss, START.named(), {**GRADIENT, name: factor * GRADIENT[name]})
    assert not result.passed and result.wrong == (name,)
    assert [n for n, error in result.errors.items() if error > result.tolerance] == [name]
    assert result.worst == pytest.approx(abs(factor - 1) / (abs(factor) + 1), rel=0.01)
    assert f"{name}: relative error" in str(result)
    assert "gradient check FAILED" in str(result)


def test_a_loss_of_nan_never_passes():
    zeros = {"a": np.zeros(1), "b": np.zeros(1)}
    result = gradcheck.check(lambda t: 0.0 if t["b"][0] == 0 else np.nan, zeros, zeros)
    assert not result.passed
    assert np.isnan(result.worst)
    assert "b: relative error nan" in str(result)


@pytest.mark.parametrize(
    ("tensors", "gradients", "message"),
    [
        ({"W": [1.0]}, {"dW": [1.0]}, "tensors are W but gradients are dW; .*W1 here"),
        ({"W": [1.0]}, {"W": [1.0, 2.0]}, "shapes .* differ"),
        ({"W": [1.0]}, {"W": [np.nan]}, "gradient W holds 1 NaN"),
        ({"W": [np.inf]}, {"W": [1.0]}, "tensor W holds 1 NaN or infinite"),
        ({}, {}, "tensors is a dict; expected a dict or a NamedTuple"),
        (START, START, r"tensors is a Parameters; .*Parameters have \.named\(\)"),
        ({"W": ["a"]}, {"W": [1.0]}, "tensor W has type .*expected real numbers"),
    ],
)
def test_bad_input(tensors, gradients, message):
    with pytest.raises((ValueError, TypeError), match=message):
        gradcheck.check(lambda t: 0.0, tensors, gradients)


@settings(max_examples=60)
@given(cases(widths=5, samples=8))
def test_no_false_alarm(case):
    """Biases are random, so that a kink within a step of the start is next to impossible."""
    net, parameters, *data = case
    result = gradcheck.check(loss_of(net, *data), parameters.named(), gradient_of(*case))
    assert result.status in ("passed", "vacuous"), str(result)


@settings(max_examples=60)
@given(cases(widths=5, samples=8), st.sampled_from([-1, 0, 0.5, 4]), st.data())
def test_no_bug_passes(case, factor, data):
    net, parameters, X, Y = case
    claimed = gradient_of(*case)
    name = data.draw(st.sampled_from(list(claimed)))
    assume(np.abs(claimed[name]).max() > 1e-6)
    claimed[name] = factor * claimed[name]
    result = gradcheck.check(loss_of(net, X, Y), parameters.named(), claimed)
    assert result.status == "failed"
    assert result.wrong == (name,)


# Vacuous checks


@pytest.mark.parametrize(
    ("output", "loss", "reason"),
    [("identity", "mse", "prediction equals target"), ("sigmoid", "bce", "zero gradient")],
)
def test_a_start_that_already_fits(output, loss, reason):
    """With soft targets the loss is not 0, only its gradient."""
    net = Network((2, 4, 1), "tanh", output, loss)
    of = loss_of(net, X, network.predict(net, START, X))
    result = gradcheck.check(of, START.named(), ZEROS)
    assert result.status == "vacuous" and not result.passed
    assert result.vacuous == dict.fromkeys(GRADIENT, reason)
    assert str(result).startswith(f"W1: shows nothing, {reason}\nb1: shows nothing")
    assert gradcheck.check(of, START.named(), GRADIENT).status == "failed"


@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "relu"])
def test_zero_initialisation(hidden):
    net, zero = Network((2, 4, 1), hidden), Parameters((2, 4, 1), np.zeros(17))
    result = gradcheck.check(loss_of(net, X, Y), zero.named(), gradient_of(net, zero))
    assert result.status == "vacuous"
    assert set(result.vacuous.values()) == {"zero initialisation"}


def test_a_tensor_with_no_non_zero_entry():
    """W2 is 0, so nothing comes back to the hidden layer."""
    start = START.copy()
    start.weights[1][...] = 0
    claimed = gradient_of(NET, start)
    result = gradcheck.check(loss, start.named(), claimed)
    assert result.vacuous["W1"] == result.vacuous["b1"] == "zero tensor"
    assert result.status == "vacuous"
    failed = gradcheck.check(loss, start.named(), {**claimed, "W1": np.full((2, 4), 1e-3)})
    assert failed.wrong == ("W1",)


def test_a_loss_that_happens_to_be_0_is_no_reason():
    result = gradcheck.check(lambda t: t["a"][0], {"a": [0.0], "b": [1.0]}, {"a": [1], "b": [0]})
    assert result.vacuous == {"b": "zero tensor"}


RELU = Network((2, 4, 1), "relu", "identity", "bce_with_logits")


def relu_start(seed, biases):
    """Start alive in every unit."""
    rng = np.random.default_rng(seed)
    start = initialise(RELU, rng)
    start.weights[0][...] = np.abs(start.weights[0]) * [[1, 1, -1, 1], [-1, 1, 1, 1]]
    for b in start.biases:
        b[...] = biases * (0.1 + rng.random(b.shape))
    return start


def test_a_dead_unit_is_named():
    start, of = relu_start(1, biases=1), loss_of(RELU, X, Y)
    assert gradcheck.check(of, start.named(), gradient_of(RELU, start)).passed
    start.biases[0][0, 2] = -10
    claimed = gradient_of(RELU, start)
    result = gradcheck.check(of, start.named(), claimed)
    assert result.vacuous == {"W1[:, 2]": "dead unit", "b1[:, 2]": "dead unit"}
    assert result.status == "vacuous"
    assert "0 on both sides: W1[:, 2], b1[:, 2]" in str(result)
    claimed["W1"][0, 2] = 1e-3
    assert gradcheck.check(of, start.named(), claimed).wrong == ("W1",)


def test_float32_is_too_coarse_for_the_default_and_says_so():
    start = START.astype(np.float32)
    claimed = gradient_of(NET, start)
    result = gradcheck.check(loss, start.named(), claimed)
    assert set(result.vacuous.values()) == {"lost in rounding"}
    assert gradcheck.check(loss, start.named(), claimed, tolerance=1e-2).passed
    claimed["W1"] = 1.1 * claimed["W1"]
    assert gradcheck.check(loss, start.named(), claimed, tolerance=1e-2).wrong == ("W1",)


# Kinks


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
def test_zero_biases_put_xor_on_the_kinks(seed, hidden):
    net, start = Network(RELU.sizes, hidden, RELU.output, RELU.loss), relu_start(seed, 0)
    of, claimed = loss_of(net, X, Y), gradient_of(net, start)
    result = gradcheck.check(of, start.named(), claimed)
    assert result.status == "kink" and not result.passed
    assert result.kinks == {"b1": [(0, j) for j in range(4)]}
    assert "b1: relative error" in str(result)
    assert "a kink at b1[0, 0], b1[0, 1], b1[0, 2], b1[0, 3]" in str(result)
    assert gradcheck.check(of, start.named(), {**claimed, "W1": 2 * claimed["W1"]}).wrong == ("W1",)
    outside = {**claimed, "b1": claimed["b1"] - 5 * start.weights[1].T}
    assert gradcheck.check(of, start.named(), outside).wrong == ("b1",)


def bowl(curvature):
    return lambda x: 0.5 * curvature * x[0] ** 2 + np.sin(x[0])


def corner(x):
    return abs(x[0]) + (x[1:] ** 2).sum()


@pytest.mark.parametrize(
    ("f", "at", "claim", "status"),
    [
        *((corner, [0.0], [claim], "kink") for claim in (-1, -0.5, 1)),  # between the two slopes
        *((corner, [0.0], [claim], "failed") for claim in (-1.1, 1.1, -100)),  # outside of them
        # Beside a kink that lies within the step, so that the central difference is off.
        *((corner, [at], [np.sign(at)], "kink") for at in (1e-6, -3e-6, 1e-9)),
        *((corner, [at], [-np.sign(at)], "failed") for at in (1e-6, -3e-6, 1e-9)),
        # However strong the curvature, the one-sided slopes meet: a bend is no kink.
        *((bowl(c), [1.0], [1.000001 * (c + np.cos(1))], "failed") for c in (1, 1e5)),
        (lambda x: 0.5 * x[0] ** 2, [0.0], [1e-8], "failed"),
        # A bug beside a kink is a bug, also if it is many small slips.
        (corner, [0.0, 1.0], [1.0, 2.0], "kink"),
        (corner, [0.0, 1.0], [1.0, 2.1], "failed"),
        (corner, np.eye(401)[0] * -1 + 1, np.r_[1.0, np.full(400, 2 + 6e-7)], "failed"),
        # A difference that rounding explains is no failure.
        (lambda x: 1e-6 * x[0] ** 2 + 1, [1.0], [2.00001e-6], "vacuous"),
        (lambda x: x[0] ** 2 + 1, [1.0], [2.00001], "failed"),
    ],
)
def test_a_kink_a_bend_and_rounding_are_told_apart(f, at, claim, status):
    result = gradcheck.check(lambda t: f(t["x"]), {"x": at}, {"x": claim})
    assert result.status == status
    assert result.vacuous == ({"x": "lost in rounding"} if status == "vacuous" else {})
    assert result.wrong == (("x",) if status == "failed" else ())
    if status == "kink":
        assert result.kinks == {"x": [(0,)]}


# PyTorch


class Pair(NamedTuple):
    W: torch.Tensor
    b: torch.Tensor


def torch_loss(tensors):
    named = tensors._asdict() if isinstance(tensors, tuple) else tensors
    A = torch.tanh(torch.tensor(X) @ named["W"] + named["b"])
    return ((A - torch.tensor(Y)) ** 2).mean()


def torch_pair():
    W, b = torch.randn(2, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1)), 0.3
    return Pair(W.requires_grad_(), torch.tensor([b], dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("kind", [lambda pair: pair, lambda pair: pair._asdict()])
def test_it_takes_tensors_of_pytorch(kind):
    pair = torch_pair()
    ours = gradcheck.autograd(torch_loss, kind(pair))
    assert pair.W.grad is None  # it leaves the tensors alone
    torch_loss(pair).backward()
    gradients = Pair(pair.W.grad, pair.b.grad)
    for name, g in gradients._asdict().items():
        np.testing.assert_array_equal(ours[name], g.numpy())
    assert gradcheck.check(torch_loss, kind(pair), kind(gradients)).passed
    wrong = gradients._replace(b=2 * gradients.b)
    assert gradcheck.check(torch_loss, kind(pair), kind(wrong)).wrong == ("b",)


def test_autograd_of_an_unused_tensor_is_0_and_of_no_tensor_is_refused():
    at = {**torch_pair()._asdict(), "spare": torch.ones(3)}
    np.testing.assert_array_equal(gradcheck.autograd(torch_loss, at)["spare"], np.zeros(3))
    with pytest.raises(TypeError, match=r"tensor W is a ndarray; .*torch\.tensor\(array\)"):
        gradcheck.autograd(torch_loss, {"W": np.ones((2, 1))})


# Other measures


@settings(max_examples=60)
@given(cases(widths=5, samples=8).filter(lambda c: c.net.loss in ("bce", "mse")))
def test_complex_step_is_exact(case):
    def complex_loss(tensors):
        vector = np.concatenate([t.ravel() for t in tensors.values()])
        output = network.forward(case.net, Parameters(case.net.sizes, vector), case.X).output
        return case.net.loss_function.value(output, case.Y)

    exact = gradcheck.complex_step(complex_loss, case.parameters.named())
    for name, g in gradient_of(*case).items():
        np.testing.assert_allclose(g, exact[name], rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(cases(widths=5, samples=8, smooth=True), st.integers(0, 2**32 - 1))
def test_taylor_order_is_2(case, seed):
    net, parameters, *data = case
    rng = np.random.default_rng(seed)
    result = gradcheck.taylor(loss_of(net, *data), parameters.named(), gradient_of(*case), rng)
    assert result.order == pytest.approx(2, abs=0.25, nan_ok=True)


def test_taylor_finds_each_wrong_tensor():
    def taylor(claimed):
        return gradcheck.taylor(loss, START.named(), claimed, np.random.default_rng(1))

    assert taylor(GRADIENT).passed
    for name in GRADIENT:
        result = taylor({**GRADIENT, name: 1.001 * GRADIENT[name]})
        assert result.order == pytest.approx(1, abs=0.3)
        assert not result.passed


def test_compare():
    assert gradcheck.compare(GRADIENT, Four(**GRADIENT)).passed
    result = gradcheck.compare({**GRADIENT, "b1": 1.001 * GRADIENT["b1"]}, GRADIENT)
    assert result.wrong == ("b1",)
    assert gradcheck.compare(ZEROS, ZEROS).vacuous == dict.fromkeys(ZEROS, "zero gradient")
    almost = {**GRADIENT, "b2": np.full((1, 1), 1e-18)}
    assert gradcheck.compare(almost, {**GRADIENT, "b2": np.zeros((1, 1))}).status == "vacuous"
    with pytest.raises(ValueError, match="references are W but gradients are V"):
        gradcheck.compare({"V": [1.0]}, {"W": [1.0]})


# Whole steps

RATE = 0.5


def gradient_at(tensors):
    return gradient_of(NET, Parameters.of(*tensors.values()))


def plain_step(tensors):
    return {name: tensors[name] - RATE * g for name, g in gradient_at(tensors).items()}


def in_place_step(tensors):
    for name, g in gradient_at(tensors).items():
        tensors[name] -= RATE * g


@pytest.mark.parametrize("step", [plain_step, in_place_step])
def test_a_right_step_passes(step):
    results = gradcheck.check_steps(loss, step, START.copy().named(), RATE, steps=3)
    assert [r.status for r in results] == ["passed"] * 3


def test_implied_gradient():
    after = plain_step(START.named())
    implied = gradcheck.implied_gradient(START.named(), after, RATE)
    for name, g in GRADIENT.items():
        np.testing.assert_allclose(implied[name], g, rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match="tensors are .* but tensor after the steps are W"):
        gradcheck.implied_gradient(START.named(), {"W": [1.0]}, RATE)
    with pytest.raises(ValueError, match="learning_rate is 0"):
        gradcheck.implied_gradient(START.named(), after, 0)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda old, new: {**new, "b1": old["b1"]}, ("b1",)),  # a bias never updated
        (lambda old, new: old, ("W1", "b1", "W2", "b2")),  # nothing updated
        (lambda old, new: {n: 2 * old[n] - new[n] for n in old}, ("W1", "b1", "W2", "b2")),
    ],
)
def test_a_wrong_update_fails(change, wrong):
    (result,) = gradcheck.check_steps(
        loss, lambda old: change(old, plain_step(old)), START.named(), RATE
    )
    assert result.wrong == wrong


@pytest.mark.parametrize(("clears", "last"), [(True, "passed"), (False, "failed")])
def test_the_steps_of_an_optimiser(clears, last):
    """Gradients that are not cleared show in the second step."""
    pair = torch_pair()
    sgd = torch.optim.SGD(pair, lr=RATE)

    def step(tensors):
        if clears:
            sgd.zero_grad()
        torch_loss(tensors).backward()
        sgd.step()

    results = gradcheck.check_steps(torch_loss, step, pair, RATE)
    assert [r.status for r in results] == ["passed", last]
