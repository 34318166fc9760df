"""The proof of a gradient: it must pass what is right, and fail what is wrong."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from cases import cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labsupport import datasets, gradcheck, network
from labsupport.network import Network, Parameters, initialise

X, Y = datasets.xor()
NET = Network((2, 4, 1), "tanh")
START = initialise(NET, np.random.default_rng(4))


def loss(tensors):
    return network.loss_value(NET, Parameters.of(*tensors.values()), X, Y)


GRADIENT = network.loss_and_gradient(NET, START, X, Y)[1].named()


# Central difference


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3)])
def test_central_difference_of_a_cubic(shape):
    x = np.random.default_rng(1).normal(size=shape)
    before = x.copy()
    slope = gradcheck.central_difference(lambda x: float((x**3).sum()), x)
    assert slope.shape == shape
    np.testing.assert_allclose(slope, 3 * x**2, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(x, before)


def test_it_is_exact_for_a_quadratic_whatever_the_step():
    for h in (0.5, 2.0):
        assert gradcheck.central_difference(lambda x: float(x @ x), [3.0], h=h) == 6


def test_its_error_falls_with_the_square_of_the_step():
    errors = [
        abs(gradcheck.central_difference(lambda x: float(np.exp(x)), 0.0, h=h) - 1)
        for h in (1e-2, 1e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-4), (np.float64, 1e-9)])
@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [(np.exp, 0, 1), (np.exp, 1, np.e), (lambda x: 300 * np.sin(x / 300), 1000, np.cos(10 / 3))],
    ids=["exp at 0", "exp at 1", "sine at 1000"],
)
def test_the_default_step_suits_the_precision_and_the_place(dtype, tolerance, f, x, slope):
    """With the step of float64 in float32, or that of 0 at 1000, the error is above 1e-3."""
    ours = gradcheck.central_difference(f, np.array(x, dtype=dtype))
    assert ours.dtype == dtype
    assert ours == pytest.approx(slope, rel=tolerance)


def test_it_takes_two_evaluations_an_entry():
    calls = []
    gradcheck.central_difference(lambda x: calls.append(1) or 0.0, np.ones((2, 3)))
    assert len(calls) == 12


@pytest.mark.parametrize("h", [0, -1e-5, np.nan, np.inf])
def test_a_bad_step_is_refused(h):
    with pytest.raises(ValueError, match="h is .*; expected a finite number above 0"):
        gradcheck.central_difference(lambda x: 0.0, [1.0], h=h)


def test_a_step_too_small_to_change_x_is_refused():
    with pytest.raises(ValueError, match="h is 1e-20, too small to change x = 1 in float64"):
        gradcheck.central_difference(lambda x: 0.0, [0.0, 1.0], h=1e-20)


def test_a_place_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="x holds 1 NaN"):
        gradcheck.central_difference(lambda x: 0.0, [1.0, np.nan])


# Relative error


@pytest.mark.parametrize(
    ("one", "other", "error"),
    [
        ([1, 2], [1, 2], 0),
        ([1, 2], [-1, -2], 1),
        ([1, 2], [0, 0], 1),
        ([0, 0], [0, 0], 0),
        ([3.0], [1.0], 0.5),
        ([[3, 0], [0, 4]], [[3, 0], [0, 0]], 0.5),
    ],
)
def test_relative_error(one, other, error):
    assert gradcheck.relative_error(one, other) == error == gradcheck.relative_error(other, one)


def test_relative_error_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"shapes \(4, 1\) and \(4,\) differ"):
        gradcheck.relative_error(np.ones((4, 1)), np.ones(4))


# The check


class Four(NamedTuple):
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


def test_a_right_gradient_passes():
    result = gradcheck.check(loss, START.named(), GRADIENT)
    assert result.passed
    assert list(result.errors) == ["W1", "b1", "W2", "b2"]
    assert 0 < result.worst == max(result.errors.values()) < 1e-8
    assert str(result).splitlines() == [
        *(f"{name}: equal" for name in GRADIENT),
        "gradient check passed at tolerance 1e-07",
    ]


def test_it_takes_a_named_tuple_too():
    result = gradcheck.check(lambda t: loss(t._asdict()), Four(*START), Four(**GRADIENT))
    assert result.errors == gradcheck.check(loss, START.named(), GRADIENT).errors


@pytest.mark.parametrize("name", GRADIENT)
@pytest.mark.parametrize("factor", [1 + 1e-6, 0.25, 4, -1, 0])
def test_a_wrong_tensor_fails_and_is_named(name, factor):
    result = gradcheck.check(loss, START.named(), {**GRADIENT, name: factor * GRADIENT[name]})
    assert not result.passed
    assert [n for n, error in result.errors.items() if error > result.tolerance] == [name]
    assert result.worst == pytest.approx(abs(factor - 1) / (abs(factor) + 1), rel=0.01)
    assert f"{name}: relative error" in str(result)
    assert "gradient check FAILED" in str(result)


def test_the_tolerance_decides():
    wrong = {**GRADIENT, "W1": 1.002 * GRADIENT["W1"]}
    assert gradcheck.check(loss, START.named(), wrong, tolerance=1e-2).passed
    assert not gradcheck.check(loss, START.named(), wrong, tolerance=1e-4).passed


def test_it_changes_nothing():
    before = START.vector.copy()
    gradcheck.check(loss, START.named(), GRADIENT)
    np.testing.assert_array_equal(START.vector, before)


def test_a_loss_of_nan_never_passes():
    def only_first(tensors):
        return 0.0 if tensors["b"][0] == 0 else np.nan

    zeros = {"a": np.zeros(1), "b": np.zeros(1)}
    result = gradcheck.check(only_first, zeros, zeros)
    assert not result.passed
    assert np.isnan(result.worst)
    assert "b: relative error nan" in str(result)


@pytest.mark.parametrize(
    ("error", "tensors", "gradients", "message"),
    [
        (ValueError, {"W": [1.0]}, {"dW": [1.0]}, "tensors are W but gradients are dW; .*W1 here"),
        (ValueError, {"W": [1.0]}, {"W": [1.0, 2.0]}, "shapes .* differ"),
        (ValueError, {"W": [1.0]}, {"W": [np.nan]}, "gradient W holds 1 NaN"),
        (ValueError, {"W": [np.inf]}, {"W": [1.0]}, "tensor W holds 1 NaN or infinite"),
        (TypeError, {}, {}, "tensors is a dict; expected a dict or a NamedTuple"),
        (TypeError, [1.0], [1.0], r"tensors is a list; .*Parameters have \.named\(\)"),
        (TypeError, START, START, r"tensors is a Parameters; .*Parameters have \.named\(\)"),
        (TypeError, {"W": ["a"]}, {"W": [1.0]}, "tensor W has type .*expected real numbers"),
    ],
)
def test_bad_input(error, tensors, gradients, message):
    with pytest.raises(error, match=message):
        gradcheck.check(lambda t: 0.0, tensors, gradients)


def case_loss(case):
    def loss_of(tensors):
        return network.loss_value(case.net, Parameters.of(*tensors.values()), case.X, case.Y)

    return loss_of


def right_gradient(case):
    return network.loss_and_gradient(*case)[1].named()


@settings(deadline=None, max_examples=60)
@given(cases(widths=5, samples=8))
def test_no_false_alarm(case):
    """Biases are random, so that a kink within a step of the start is next to impossible."""
    result = gradcheck.check(case_loss(case), case.parameters.named(), right_gradient(case))
    assert result.status in ("passed", "vacuous"), str(result)


@settings(deadline=None, max_examples=60)
@given(cases(widths=5, samples=8), st.sampled_from([-1, 0, 0.5, 4]), st.data())
def test_no_bug_passes(case, factor, data):
    claimed = right_gradient(case)
    name = data.draw(st.sampled_from(list(claimed)))
    assume(np.abs(claimed[name]).max() > 1e-6)
    claimed[name] = factor * claimed[name]
    result = gradcheck.check(case_loss(case), case.parameters.named(), claimed)
    assert result.status == "failed"
    assert result.wrong == (name,)
    assert "gradient check FAILED" in str(result)


def test_the_overall_error_is_that_of_one_long_vector():
    wrong = {**GRADIENT, "b2": 2 * GRADIENT["b2"]}
    result = gradcheck.check(loss, START.named(), wrong)
    one, other = (np.concatenate([t.ravel() for t in g.values()]) for g in (wrong, GRADIENT))
    assert result.overall == pytest.approx(gradcheck.relative_error(one, other), rel=1e-5)
    assert result.overall < result.worst


# Vacuous checks


def test_prediction_equal_to_target():
    net = Network((2, 4, 1), "tanh", "identity", "mse")
    Y_same = network.predict(net, START, X)

    def squares(tensors):
        return network.loss_value(net, Parameters.of(*tensors.values()), X, Y_same)

    zeros = {name: np.zeros_like(g) for name, g in GRADIENT.items()}
    result = gradcheck.check(squares, START.named(), zeros)
    assert result.status == "vacuous"
    assert not result.passed
    assert result.vacuous == dict.fromkeys(GRADIENT, "prediction equals target")
    assert str(result).startswith("W1: shows nothing, prediction equals target\nb1: shows nothing")
    assert gradcheck.check(squares, START.named(), GRADIENT).status == "failed"


def test_zero_gradient_of_soft_targets():
    soft = network.predict(NET, START, X)

    def cross_entropy(tensors):
        return network.loss_value(NET, Parameters.of(*tensors.values()), X, soft)

    zeros = {name: np.zeros_like(g) for name, g in GRADIENT.items()}
    result = gradcheck.check(cross_entropy, START.named(), zeros)
    assert result.vacuous == dict.fromkeys(GRADIENT, "zero gradient")


@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "relu"])
def test_zero_initialisation(hidden):
    net, zero = Network((2, 4, 1), hidden), Parameters((2, 4, 1), np.zeros(17))

    def of(tensors):
        return network.loss_value(net, Parameters.of(*tensors.values()), X, Y)

    result = gradcheck.check(
        of, zero.named(), network.loss_and_gradient(net, zero, X, Y)[1].named()
    )
    assert result.status == "vacuous"
    assert set(result.vacuous.values()) == {"zero initialisation"}


def test_a_tensor_with_no_non_zero_entry():
    """W2 is 0, so nothing comes back to the hidden layer."""
    start = START.copy()
    start.weights[1][...] = 0
    claimed = network.loss_and_gradient(NET, start, X, Y)[1].named()
    result = gradcheck.check(loss, start.named(), claimed)
    assert result.vacuous["W1"] == result.vacuous["b1"] == "zero tensor"
    assert result.status == "vacuous"
    failed = gradcheck.check(loss, start.named(), {**claimed, "W1": np.full((2, 4), 1e-3)})
    assert failed.wrong == ("W1",)


def test_a_loss_that_happens_to_be_0_is_no_reason():
    result = gradcheck.check(lambda t: t["a"][0], {"a": [0.0], "b": [1.0]}, {"a": [1], "b": [0]})
    assert result.vacuous == {"b": "zero tensor"}


RELU = Network((2, 4, 1), "relu", "identity", "bce_with_logits")


def relu_loss(tensors):
    return network.loss_value(RELU, Parameters.of(*tensors.values()), X, Y)


def relu_start(seed, biases):
    """Start alive in every unit."""
    rng = np.random.default_rng(seed)
    start = initialise(RELU, rng)
    start.weights[0][...] = np.abs(start.weights[0]) * [[1, 1, -1, 1], [-1, 1, 1, 1]]
    for b in start.biases:
        b[...] = biases * (0.1 + rng.random(b.shape))
    return start, network.loss_and_gradient(RELU, start, X, Y)[1].named()


def test_a_dead_unit_is_named():
    start, alive = relu_start(1, biases=1)
    assert gradcheck.check(relu_loss, start.named(), alive).passed
    start.biases[0][0, 2] = -10
    claimed = network.loss_and_gradient(RELU, start, X, Y)[1].named()
    result = gradcheck.check(relu_loss, start.named(), claimed)
    assert result.vacuous == {"W1[:, 2]": "dead unit", "b1[:, 2]": "dead unit"}
    assert result.status == "vacuous"
    assert "0 on both sides: W1[:, 2], b1[:, 2]" in str(result)
    claimed["W1"][0, 2] = 1e-3
    assert gradcheck.check(relu_loss, start.named(), claimed).wrong == ("W1",)


def test_a_gradient_lost_in_rounding_is_no_failure():
    tiny = gradcheck.check(lambda t: 1e-6 * t["x"][0] ** 2 + 1, {"x": [1.0]}, {"x": [2.00001e-6]})
    assert tiny.vacuous == {"x": "lost in rounding"}
    seen = gradcheck.check(lambda t: t["x"][0] ** 2 + 1, {"x": [1.0]}, {"x": [2.00001]})
    assert seen.status == "failed"


def test_float32_is_too_coarse_for_the_default_and_says_so():
    start = START.astype(np.float32)
    claimed = network.loss_and_gradient(NET, start, X, Y)[1].named()
    result = gradcheck.check(loss, start.named(), claimed)
    assert set(result.vacuous.values()) == {"lost in rounding"}
    assert gradcheck.check(loss, start.named(), claimed, tolerance=1e-2).passed
    claimed["W1"] = 1.1 * claimed["W1"]
    assert gradcheck.check(loss, start.named(), claimed, tolerance=1e-2).wrong == ("W1",)


# Kinks


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
def test_zero_biases_put_xor_on_the_kinks(seed, hidden):
    net, (start, _) = Network(RELU.sizes, hidden, RELU.output, RELU.loss), relu_start(seed, 0)

    def of(tensors):
        return network.loss_value(net, Parameters.of(*tensors.values()), X, Y)

    claimed = network.loss_and_gradient(net, start, X, Y)[1].named()
    result = gradcheck.check(of, start.named(), claimed)
    assert result.status == "kink"
    assert not result.passed
    assert result.kinks == {"b1": [(0, j) for j in range(4)]}
    assert "b1: relative error" in str(result)
    assert "a kink at b1[0, 0], b1[0, 1], b1[0, 2], b1[0, 3]" in str(result)
    assert gradcheck.check(of, start.named(), {**claimed, "W1": 2 * claimed["W1"]}).wrong == ("W1",)
    outside = {**claimed, "b1": claimed["b1"] - 5 * start.weights[1].T}
    assert gradcheck.check(of, start.named(), outside).wrong == ("b1",)


@pytest.mark.parametrize("claim", [-1, -0.5, 0.5, 1])
def test_between_the_one_sided_slopes_it_is_a_kink(claim):
    result = gradcheck.check(lambda t: abs(t["x"][0]), {"x": [0.0]}, {"x": [float(claim)]})
    assert result.status == "kink"
    assert result.kinks == {"x": [(0,)]}


@pytest.mark.parametrize("place", [1e-6, -3e-6, 1e-9])
def test_beside_a_kink_only_the_one_slope_is_right(place):
    """The kink lies within the step, so that the central difference is off."""
    right, at = np.sign(place), {"x": [place]}
    assert gradcheck.check(lambda t: abs(t["x"][0]), at, {"x": [right]}).status == "kink"
    assert gradcheck.check(lambda t: abs(t["x"][0]), at, {"x": [-right]}).status == "failed"


@pytest.mark.parametrize("claim", [-1.1, 1.1, 3, -100])
def test_outside_of_them_it_is_a_bug(claim):
    result = gradcheck.check(lambda t: abs(t["x"][0]), {"x": [0.0]}, {"x": [float(claim)]})
    assert result.status == "failed"


@pytest.mark.parametrize("curvature", [1, 1e3, 1e5])
@pytest.mark.parametrize("slip", [1e-6, 1e-3, 1])
def test_a_bend_is_no_kink(curvature, slip):
    """However strong the curvature, the one-sided slopes meet."""

    def bowl(t):
        return 0.5 * curvature * t["x"][0] ** 2 + np.sin(t["x"][0])

    claim = {"x": [(curvature * 1.0 + np.cos(1.0)) * (1 + slip)]}
    assert gradcheck.check(bowl, {"x": [1.0]}, claim).status == "failed"


def test_a_claim_within_the_bend_of_a_minimum_is_no_kink():
    result = gradcheck.check(lambda t: 0.5 * t["x"][0] ** 2, {"x": [0.0]}, {"x": [1e-8]})
    assert result.status == "failed"


def test_a_bug_beside_a_kink_is_a_bug():
    def f(t):
        return abs(t["x"][0]) + t["x"][1] ** 2

    at = {"x": [0.0, 1.0]}
    assert gradcheck.check(f, at, {"x": [1.0, 2.0]}).status == "kink"
    result = gradcheck.check(f, at, {"x": [1.0, 2.1]})
    assert result.wrong == ("x",)
    assert result.kinks == {"x": [(0,)]}
    assert "FAILED" in str(result)


def test_many_small_slips_beside_a_kink_are_a_bug():
    at, claim = {"x": np.r_[0.0, np.ones(400)]}, np.r_[1.0, np.full(400, 2 + 6e-7)]
    result = gradcheck.check(lambda t: abs(t["x"][0]) + (t["x"][1:] ** 2).sum(), at, {"x": claim})
    assert result.status == "failed"


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
    torch_loss(pair).backward()
    gradients = Pair(pair.W.grad, pair.b.grad)
    assert gradcheck.check(torch_loss, kind(pair), kind(gradients)).passed
    wrong = gradients._replace(b=2 * gradients.b)
    assert gradcheck.check(torch_loss, kind(pair), kind(wrong)).wrong == ("b",)


def test_it_takes_a_module():
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    module = module.double()

    def of(parameters):
        out = torch.func.functional_call(module, parameters, (torch.tensor(X),))
        return torch.nn.functional.mse_loss(out, torch.tensor(Y))

    at = dict(module.named_parameters())
    of(at).backward()
    assert gradcheck.check(of, at, {name: p.grad for name, p in at.items()}).passed


def test_autograd_is_that_of_pytorch_and_leaves_the_tensors_alone():
    pair = torch_pair()
    ours = gradcheck.autograd(torch_loss, pair)
    assert pair.W.grad is None
    torch_loss(pair).backward()
    np.testing.assert_array_equal(ours["W"], pair.W.grad.numpy())
    np.testing.assert_array_equal(ours["b"], pair.b.grad.numpy())


def test_autograd_of_an_unused_tensor_is_0():
    at = {**torch_pair()._asdict(), "spare": torch.ones(3)}
    np.testing.assert_array_equal(gradcheck.autograd(torch_loss, at)["spare"], np.zeros(3))


def test_autograd_wants_tensors_of_pytorch():
    with pytest.raises(TypeError, match=r"tensor W is a ndarray; .*torch\.tensor\(array\)"):
        gradcheck.autograd(torch_loss, {"W": np.ones((2, 1))})


# Other measures


@settings(deadline=None, max_examples=60)
@given(cases(widths=5, samples=8).filter(lambda c: c.net.loss in ("bce", "mse")))
def test_complex_step_is_exact(case):
    def complex_loss(tensors):
        vector = np.concatenate([t.ravel() for t in tensors.values()])
        parameters = Parameters(case.net.sizes, vector)
        output = network.forward(case.net, parameters, case.X).output
        return case.net.loss_function.value(output, case.Y)

    exact = gradcheck.complex_step(complex_loss, case.parameters.named())
    for name, g in right_gradient(case).items():
        np.testing.assert_allclose(g, exact[name], rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(cases(widths=5, samples=8, smooth=True), st.integers(0, 2**32 - 1))
def test_taylor_order_is_2(case, seed):
    result = gradcheck.taylor(
        case_loss(case),
        case.parameters.named(),
        right_gradient(case),
        np.random.default_rng(seed),
    )
    assert np.isnan(result.order) or result.order == pytest.approx(2, abs=0.25)


def test_taylor_finds_each_wrong_tensor():
    assert gradcheck.taylor(loss, START.named(), GRADIENT, np.random.default_rng(1)).passed
    for name in GRADIENT:
        wrong = {**GRADIENT, name: 1.001 * GRADIENT[name]}
        result = gradcheck.taylor(loss, START.named(), wrong, np.random.default_rng(1))
        assert result.order == pytest.approx(1, abs=0.3)
        assert not result.passed


def test_compare():
    assert gradcheck.compare(GRADIENT, Four(**GRADIENT)).passed
    result = gradcheck.compare({**GRADIENT, "b1": 1.001 * GRADIENT["b1"]}, GRADIENT)
    assert result.wrong == ("b1",)
    zeros = {name: np.zeros_like(g) for name, g in GRADIENT.items()}
    assert gradcheck.compare(zeros, zeros).vacuous == dict.fromkeys(zeros, "zero gradient")
    almost = {**GRADIENT, "b2": np.full((1, 1), 1e-18)}
    assert gradcheck.compare(almost, {**GRADIENT, "b2": np.zeros((1, 1))}).status == "vacuous"
    with pytest.raises(ValueError, match="references are W but gradients are V"):
        gradcheck.compare({"V": [1.0]}, {"W": [1.0]})


# Whole steps

RATE = 0.5


def gradient_at(tensors):
    return network.loss_and_gradient(NET, Parameters.of(*tensors.values()), X, Y)[1].named()


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


def test_gradients_that_are_not_cleared_show_in_the_second_step():
    total = {}

    def forgetful(tensors):
        for name, g in gradient_at(tensors).items():
            total[name] = total.get(name, 0) + g
        return {name: tensors[name] - RATE * total[name] for name in tensors}

    results = gradcheck.check_steps(loss, forgetful, START.named(), RATE)
    assert [r.status for r in results] == ["passed", "failed"]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda old, new: {**new, "b1": old["b1"]}, ("b1",)),
        (lambda old, new: old, ("W1", "b1", "W2", "b2")),
        (lambda old, new: {n: 2 * old[n] - new[n] for n in old}, ("W1", "b1", "W2", "b2")),
    ],
    ids=["a bias never updated", "nothing updated", "uphill"],
)
def test_a_wrong_update_fails(change, wrong):
    (result,) = gradcheck.check_steps(
        loss, lambda old: change(old, plain_step(old)), START.named(), RATE
    )
    assert result.wrong == wrong


def test_the_steps_of_an_optimiser():
    pair = torch_pair()
    for accumulate, expected in ((False, ["passed"] * 2), (True, ["passed", "failed"])):
        sgd = torch.optim.SGD(pair, lr=RATE)
        sgd.zero_grad()

        def step(tensors, accumulate=accumulate, sgd=sgd):
            if not accumulate:
                sgd.zero_grad()
            torch_loss(tensors).backward()
            sgd.step()

        results = gradcheck.check_steps(torch_loss, step, pair, RATE)
        assert [r.status for r in results] == expected
