"""The self-checks: what they say, what they never do, and that they neither miss nor cry wolf."""

import itertools
import linecache
import re
import time
from fractions import Fraction
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from labsupport import feedback, network, torch_twin, zoo
from labsupport.activations import ACTIVATIONS, activation
from labsupport.bugs import BUGS, too_early
from labsupport.feedback import cases, patience
from labsupport.feedback.answers import call
from labsupport.feedback.judges import number
from labsupport.feedback.verdict import (
    Unreadable,
    is_open,
    right,
    together,
    unattempted,
    wrong,
)
from labsupport.lines import both
from labsupport.network import Network, Parameters
from scripts.refresh import execute
from tests.cases import LEGAL

CHAPTERS = sorted((Path(__file__).parent.parent / "chapters").glob("[0-9][0-9]-*.ipynb"))
LABEL = re.compile(r"^:label: (ex-[a-z0-9-]+)$", re.MULTILINE)


def random_spec(rng):
    """A network of random depth, activations and loss; its widths are for `draw` to choose."""
    loss, output = LEGAL[rng.integers(len(LEGAL))]
    hidden = list(ACTIVATIONS)[rng.integers(len(ACTIVATIONS))]
    return Network((2,) * int(rng.integers(2, 7)), hidden, output, loss)


# Honest implementations, none of them labsupport's


def forward_rows(net, parameters, X):
    Z, A = [], [X]
    for W, b, g in zip(parameters.weights, parameters.biases, net.activations, strict=True):
        Z.append(A[-1] @ W + b)
        A.append(g.value(Z[-1]))
    return Z, A


def output_delta(net, Z, A, Y):
    """By the loss on paper, or by dL/dA * g'."""
    if net.loss == "mse":
        return 2 * (A - Y) * activation(net.output).derivative(Z, A) / len(Y)
    if net.loss == "softmax_cross_entropy":
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        return (E / E.sum(axis=1, keepdims=True) - Y) / len(Y)
    return (1 / (1 + np.exp(-Z)) - Y) / len(Y)


def by_rows(net, parameters, X, Y):
    Z, A = forward_rows(net, parameters, X)
    D, gradient = output_delta(net, Z[-1], A[-1], Y), []
    for k in reversed(range(len(Z))):
        gradient = [A[k].T @ D, D.sum(axis=0), *gradient]
        if k:
            D = D @ parameters.weights[k].T * net.activations[k - 1].derivative(Z[k - 1], A[k])
    return gradient


def in_pairs(net, parameters, X, Y):
    gradient = by_rows(net, parameters, X, Y)
    return gradient[::2], gradient[1::2]


def in_dict(net, parameters, X, Y):
    names = cases.names(2 * len(net.activations))
    return dict(reversed(list(zip(names, by_rows(net, parameters, X, Y), strict=True))))


def in_columns(net, tensors, X, Y):
    return [t.T for t in by_rows(net, Parameters.of(*(t.T for t in tensors)), X.T, Y.T)]


def in_float32(net, parameters, X, Y):
    return by_rows(net, parameters.astype(np.float32), X.astype("f4"), Y.astype("f4"))


def by_autograd(net, parameters, X, Y):
    """PyTorch's own, and tensors come back."""
    twin = torch_twin.module(net, parameters)
    losses = {"mse": F.mse_loss, "softmax_cross_entropy": F.cross_entropy}
    losses["bce"] = F.binary_cross_entropy
    losses["bce_with_logits"] = F.binary_cross_entropy_with_logits
    summed = losses[net.loss](twin(torch.tensor(X)), torch.tensor(Y), reduction="sum")
    (summed / len(Y)).backward()
    return [torch.tensor(t) for t in torch_twin.gradient_of(twin)]


HONEST = [by_rows, in_pairs, in_dict, in_columns, in_float32]


def any_case(rng):
    """No selection at all: widths 1 to 9, 1 to 20 samples, soft targets, dead units and kinks."""
    net = random_spec(rng)
    sizes = [int(n) for n in rng.integers(1, 10, len(net.sizes))]
    sizes[-1] += net.loss_function.classes
    net = Network(tuple(sizes), net.hidden, net.output, net.loss)
    return cases.random_case(net, int(rng.integers(1, 21)), rng)


@pytest.mark.slow
def test_no_false_alarm_on_2000_networks():
    rng = np.random.default_rng(1)
    for n, honest in zip(range(2000), itertools.cycle(HONEST), strict=False):
        case = any_case(rng)
        said = feedback.gradient(
            "f", honest, case.network, cases=[case], columns=honest is in_columns
        )
        assert said.passed, (n, honest.__name__, case.network, said)


@pytest.mark.parametrize("honest", [*HONEST, by_autograd])
@pytest.mark.parametrize("loss, output", LEGAL)
def test_no_false_alarm_on_the_networks_that_feedback_draws(honest, loss, output):
    for depth, hidden in itertools.product((1, 2, 4), ACTIVATIONS):
        net = Network((2,) * (depth + 1), hidden, output, loss)
        said = feedback.gradient("f", honest, net, columns=honest is in_columns)
        assert said.passed, (net, said)


# The zoo


def said_of(bug, net, cases):
    def backward(net, p, X, Y):
        return bug.gradient(net, p, network.forward(net, p, X), Y)

    def train(net, p, X, Y, rate, epochs):
        memory = {}
        for _ in range(epochs):
            p = zoo.step(bug, net, p, X, Y, rate, memory)
        return p

    def arguments(case, rate, epochs):
        return case.network, case.parameters, case.X, case.Y, rate, epochs

    if bug.gradient:
        return feedback.gradient("f", backward, net, cases=cases)
    return feedback.training("f", train, net, arguments, cases=cases)


TWINS = [
    {"mask from output", "no hidden derivative"},  # of a ReLU, A >= 0 always
    {"update sign", "delta sign"},
    {"biases frozen", "bias no axis"},  # softmax without hidden layer: the deltas of a row sum to 0
]
"""Mistakes that give the very same numbers, on every network or on some: both are named."""


def names_in(said):
    first = said.lines[0]
    return {name for name, bug in BUGS.items() if bug.slip in first} if "likely" in first else set()


POOL, POOL_RNG = [], np.random.default_rng(2)


def pool():
    """Random networks, the same for every bug, drawn as they are asked for."""
    for n in itertools.count():
        if n == len(POOL):
            net = random_spec(POOL_RNG)
            POOL.append((net, cases.draw(net, POOL_RNG)))
        yield POOL[n]


def named_share(bug, count):
    """Share of networks on which the bug is named: alone, or beside its twin."""
    fitting = (
        (net, cs) for net, cs in pool() if any(bug.applies(c.network, c.samples) for c in cs)
    )
    found = [names_in(said_of(bug, *pair)) for pair in itertools.islice(fitting, count)]
    return sum(f == {bug.name} or (bug.name in f and f in TWINS) for f in found) / count


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_names_the_bug_on_200_networks(name):
    assert named_share(BUGS[name], 200) >= 0.99


@pytest.mark.parametrize("name", BUGS)
def test_names_the_bug(name):
    assert named_share(BUGS[name], 3) == 1


def test_no_two_bugs_have_slips_that_contain_each_other():
    """So that `names_in` cannot mistake one for the other."""
    slips = [bug.slip for bug in BUGS.values()]
    assert not [pair for pair in itertools.permutations(slips, 2) if pair[0] in pair[1]]


# The form of an error, where no bug of the zoo explains it


def tampered(change):
    """An honest backward pass with something done to each case's gradients."""
    return lambda net, p, X, Y: change([np.array(t) for t in by_rows(net, p, X, Y)], len(X))


def put(k, value):
    """Tamper with the tensor k alone: `value` of it and of the number of samples."""

    def change(gradient, m):
        gradient[k] = value(gradient[k], m)
        return gradient

    return change


NET = Network((2, 4, 1), "tanh", "sigmoid", "bce")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (put(2, lambda t, m: t * m), r"`dW2` is m times too large: the 1/m is missing\."),
        (put(2, lambda t, m: t / m), r"`dW2` is m times too small: there is a 1/m too many\."),
        (put(0, lambda t, m: t * -1), r"`dW1` has the wrong sign"),
        (
            put(0, lambda t, m: t * -m),
            r"m times too large, and the sign is wrong: the 1/m is missing",
        ),
        (put(3, lambda t, m: t * 3), r"`db2` is 3 times too large"),
        (put(3, lambda t, m: t * 0.25), r"`db2` is 4 times too small"),
        (put(1, lambda t, m: t * 0), r"`db1` is zero everywhere"),
        (put(1, lambda t, m: t * np.nan), r"`db1` has nan or infinity in it"),
        (put(0, lambda t, m: t.T), r"^Not yet\.\n  `dW1` is transposed\.$"),
        (put(0, lambda t, m: 5 * t.T), r"`dW1` has shape \(\d, \d\) where \(\d, \d\) is needed\."),
        (put(1, lambda t, m: np.ones(m)), r"`db1` .* each of the \d samples, not for each of .* u"),
        (put(1, lambda t, m: np.ones((m, t.size))), r"`db1` .* the sum over the \d samples is mis"),
        (put(1, lambda t, m: t.sum()), r"`db1` has shape \(\) where \(1, \d\) is needed"),
        (put(0, lambda t, m: t + 1e-6), r"`dW1` is right to \d digits, as with float32"),
        (put(0, lambda t, m: t * (1 + 1e-5)), r"`dW1` is right to 5 digits"),
        (put(0, lambda t, m: t + np.arange(t.size).reshape(t.shape)), r"`dW1` is off by .* %"),
        (lambda gradient, m: gradient[:3], r"gives dW1, db1, dW2; expected dW1, db1, dW2, db2"),
        (lambda gradient, m: gradient[0], r"gave a ndarray"),
        (lambda gradient, m: "dW1", r"gave a str"),
        (lambda gradient, m: (gradient[:1], gradient[1:]), r"lists of 1 and 3; expected 4 arrays"),
        (lambda gradient, m: ["a"] * 4, r"`f\(...\)\[0\]` is of type str; expected an array"),
        (lambda gradient, m: {"dW1": 2j}, r"`f\(...\)\[0\]` is of type complex"),
    ],
)
def test_describes_the_error(change, line):
    said = feedback.gradient("f", tampered(change), NET)
    assert said.status == "wrong"
    assert re.search(line, repr(said)), said


def test_a_gradient_that_should_be_zero():
    case = cases.draw(NET, np.random.default_rng(8))[0]
    fitted = cases.Case(case.network, case.parameters, case.X, case.cache.output)
    one = tampered(put(0, lambda t, m: t + 1))
    said = feedback.gradient("f", one, NET, cases=[fitted])
    assert "`dW1` is not zero, and should be" in repr(said)


def test_a_transpose_that_raises_is_named_all_the_same():
    def backward(net, p, X, Y):
        Z, A = forward_rows(net, p, X)
        D2 = output_delta(net, Z[-1], A[-1], Y)
        D1 = D2 @ p.weights[1] * (1 - A[1] ** 2)
        return [X.T @ D1, D1.sum(0), A[1].T @ D2, D2.sum(0)]

    said = feedback.gradient("f", backward, NET)
    assert BUGS["transposed W"].slip in said.lines[0]
    assert "D1 = D2 @ p.weights[1]" in said.lines[1] and "ValueError" in said.lines[1]
    assert "is a `.T` missing" in said.lines[2] and "tried on a network" in said.lines[3]


def test_a_slip_of_the_exercise_is_named_beside_the_zoo():
    odd = tampered(put(0, lambda t, m: t * 17))
    slips = {"seventeen": lambda case: odd(case.network, case.parameters, case.X, case.Y)}
    said = feedback.gradient("f", odd, NET, slips=slips)
    assert said.lines[0] == "The likely slip: seventeen."


def test_a_carried_value_is_seen_in_the_second_step():
    said = said_of(BUGS["stale cache"], NET, cases.draw(NET, np.random.default_rng(1)))
    assert "Step 2 is the first that is wrong" in repr(said)


# Order and form, before anything is said of values


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda g: [g[k] for k in (0, 2, 1, 3)], "`f` gives dW1, dW2, db1, db2; expected"),
        (lambda g: g[::-1], "`f` gives db2, dW2, db1, dW1; expected dW1, db1, dW2, db2, in this"),
        (lambda g: (g[::2] + g[1::2])[::-1], "`f` gives db2, db1, dW2, dW1; expected"),
        (lambda g: [*g, 0.7], "`f` gives dW1, db1, dW2, db2, something else; expected"),
        (lambda g: g[:2], "`f` gives dW1, db1; expected dW1, db1, dW2, db2, in this order"),
        (lambda g: [g[0], g[1], g[0], g[1]], "`f` gives dW1, db1, dW1, db1; expected"),
        (lambda g: (g, 0.7), "`f` gives something beside the 4 arrays"),
        (lambda g: (0.7, tuple(g)), "`f` gives something beside the 4 arrays"),
        (lambda g: (g, [0.7, 0.6]), "`f` gives lists of 4 and 2; expected 4 arrays"),
        (lambda g: {"dW1": g[0], "db1": g[1], "loss": 0.7}, "`f` gives `loss`; expected `dW1`"),
        (lambda g: [*g[:3], None], "`f(...)[3]` is None"),
        (lambda g: [torch.tensor(t).grad for t in g], "Is it the `.grad` of a tensor on which no"),
        (lambda g: [t.T for t in g], "`dW1`, `db1`, `dW2` are transposed."),
        (lambda g: [t.T for t in g[::-1]], "`f` gives db2, dW2, db1, dW1; expected dW1"),
        (lambda g: [g[0].T, *g[1:]], "`dW1` is transposed."),
        (lambda g: iter(g), "`f` gave a list_iterator; expected 4 arrays in order"),
    ],
)
def test_order_and_form_come_first(change, line):
    net = Network((2, 4, 1), "tanh", "sigmoid", "bce")
    said = feedback.gradient("f", tampered(lambda g, m: change(fit(g))), net, outputs=1)
    assert said.status == "wrong" and line in repr(said), said
    assert not re.search("times|%|sign|likely|Right already", repr(said))


def fit(gradient):
    """Biases as rows."""
    return [np.atleast_2d(t) for t in gradient]


def test_an_order_is_told_beside_a_slip():
    def change(gradient, m):
        return [m * gradient[k] for k in (0, 2, 1, 3)]

    said = feedback.gradient("f", tampered(change), NET)
    assert said.lines[0] == f"The likely slip: {BUGS['no mean'].slip}."
    assert "`f` gives dW1, dW2, db1, db2; expected" in said.lines[1]


def test_a_shape_is_told_as_the_student_sees_it():
    def flat(net, tensors, X, Y):
        return [
            t.sum(axis=1) if k % 2 == 0 else t for k, t in enumerate(in_columns(net, tensors, X, Y))
        ]

    (case, *_) = cases.draw(NET, np.random.default_rng(3))
    n_in, n_hidden, _ = case.network.sizes
    said = feedback.gradient("f", flat, NET, columns=True, cases=[case])
    assert f"`dW1` has shape ({n_hidden},) where ({n_hidden}, {n_in}) is needed." in said.lines


def test_a_single_precision_array_loosens_no_other():
    def change(gradient, m, k):
        gradient = [t.astype(np.float32) if j == k else t for j, t in enumerate(gradient)]
        return [t * (1 + 1e-5) for t in gradient]

    assert feedback.gradient("f", tampered(lambda g, m: [t.astype("f4") for t in g]), NET)
    for k in range(4):
        said = feedback.gradient("f", tampered(lambda g, m, k=k: change(g, m, k)), NET)
        others = [label for label in cases.names(4) if label != f"{cases.names(4)[k]}"]
        assert said.lines[0].startswith(", ".join(f"`{label}`" for label in others)), said
        assert "right to 5 digits" in said.lines[0]
        assert f"Right already: `{cases.names(4)[k]}`." in said.lines


# Two slips at once, and the update inside the gradient


def test_two_slips_at_once_are_named():
    broken = both(BUGS["delta sign"], BUGS["bias mean"])
    said = said_of(broken, NET, cases.draw(NET, np.random.default_rng(1)))
    assert said.lines[0] == f"The likely slips: {broken.slip}."


@pytest.mark.parametrize("rate", [0.01, 0.5, 3.0])
@pytest.mark.parametrize("depth", [2, 4])
def test_W_moved_too_early_inside_a_gradient_is_named(rate, depth):
    net = Network((2,) * (depth + 1), "tanh")
    drawn = cases.draw(net, np.random.default_rng(1))
    said = said_of(too_early(rate), net, drawn)
    assert said.lines[0] == f"The likely slip: {BUGS['update too early'].slip}."
    said = said_of(both(BUGS["no mean"], too_early(rate)), net, drawn)
    slips = f"{BUGS['no mean'].slip}; and {BUGS['update too early'].slip}"
    assert said.lines[0] == f"The likely slips: {slips}."


def test_of_two_slips_only_what_is_sure_is_named():
    """The two slips of a ReLU's mask give the same numbers: which of them it is nobody knows."""
    net = Network((2, 4, 3), "relu", "sigmoid", "bce")
    broken = both(BUGS["no mean"], BUGS["mask from output"])
    said = said_of(broken, net, cases.draw(net, np.random.default_rng(1)))
    assert said.lines[0] == f"The likely slip: {BUGS['no mean'].slip}; and one more."


@pytest.mark.parametrize(
    ("wrong_layers", "line"),
    [
        ([0, 1], "The last layer is wrong already: look at line 6, `D3`"),
        ([2, 3], "Layer 2 is wrong, what is behind it is right: look at line 8"),
        ([4, 5], "Layer 1 is wrong, what is behind it is right: look at line 8"),
        ([1], "`db3` is the first that is wrong: look at line 7"),
        ([4], "`dW1` is the first that is wrong: look at line 7"),
    ],
)
def test_says_from_which_line_on_it_is_wrong(wrong_layers, line):
    def change(gradient, m):
        first = [4, 5, 2, 3, 0, 1]
        for k in map(first.__getitem__, wrong_layers):
            gradient[k] = gradient[k] + np.arange(1, 1 + gradient[k].size).reshape(
                gradient[k].shape
            )
        return gradient

    net = Network((2, 2, 2, 2), "tanh")
    said = feedback.gradient("f", tampered(change), net)
    assert said.lines[-1].startswith(line), said


def test_of_single_numbers_no_ratio_is_told_that_is_none():
    inputs = [(k,) for k in (1, 2, 3)]
    said = feedback.function("f", lambda k: k**2, lambda k: 2 * k, inputs)
    assert "times" not in repr(said) and "samples" not in repr(said)
    assert "Try it with 1." in said.lines
    said = feedback.function("f", lambda k: 6 * k, lambda k: 2 * k, inputs)
    assert said.lines[0] == "`f` is 3 times too large."


def test_a_list_or_a_tuple_of_numbers_is_an_array():
    inputs = [(np.ones((2, 3)),), (np.ones((4, 1)),)]
    for read in (np.ndarray.tolist, lambda t: tuple(map(tuple, t.tolist())), np.matrix, np.float32):
        assert feedback.function("f", lambda t, read=read: read(2 * t), lambda t: 2 * t, inputs)
    said = feedback.function("f", lambda t: (2 * t, t), lambda t: 2 * t, inputs)
    assert said.lines == ("`f` gives f, something else; expected f, in this order.",)


def test_an_error_of_ours_is_raised_not_shown():
    inputs = [(1.0,), (2.0,)]
    with pytest.raises(ZeroDivisionError):
        feedback.function("f", lambda t: t, lambda t: 1 / 0, inputs)
    with pytest.raises(ZeroDivisionError):
        feedback.function("f", lambda t: t, lambda t: 2 * t, inputs, slips={"": lambda t: 1 / 0})
    with pytest.raises(ValueError):
        slips = {"two arrays where one is asked for": lambda t: (t, t)}
        feedback.function("f", lambda t: t, lambda t: 2 * t, inputs, slips=slips)
    with pytest.raises(ZeroDivisionError):
        feedback.gradient(
            "f", tampered(put(0, lambda t, m: t + 1)), NET, slips={"": lambda c: 1 / 0}
        )


# Nothing is changed, and nothing is endless


def test_a_result_may_be_overwritten_by_the_next_call():
    """As programs have it that save memory."""
    (case, *_) = cases.draw(NET, np.random.default_rng(1))
    buffer = case.parameters.copy()

    def train(net, p, X, Y, rate, epochs):
        buffer.vector[...] = p.vector
        for _ in range(epochs):
            gradient = network.backward(net, buffer, network.forward(net, buffer, X), Y)
            buffer.vector[...] -= rate * gradient.vector
        return buffer

    def arguments(case, rate, epochs):
        return case.network, case.parameters, case.X, case.Y, rate, epochs

    assert feedback.training("train", train, NET, arguments, cases=[case])


def changes_a_list(numbers, X):
    numbers.append(1.0)
    return X


def changes_in_a_tuple(pair, X):
    pair[1][0] += 1
    return X


def changes_and_gives_nothing(w, X):
    w.vector[0] += 1


def changes_a_tensor(w, t):
    t += 1
    return t


def changes_its_shape(w, X):
    X.shape = (-1,)
    return X


@pytest.mark.parametrize(
    ("function", "args", "name"),
    [
        (changes_a_list, ([1.0], np.ones(2)), "numbers"),
        (changes_in_a_tuple, ((1.0, np.ones(2)), np.ones(2)), "pair"),
        (changes_and_gives_nothing, (Parameters((1, 1), np.ones(2)), 1.0), "w"),
        (changes_a_tensor, (1.0, torch.ones(2, requires_grad=False)), "t"),
        (changes_its_shape, ({"a": 1}, np.ones((2, 2))), "X"),
        (np.ndarray.sort, (np.array([2.0, 1.0]),), "self"),
        (lambda *given: given[1].fill(0) or 1, (np.ones(1), np.ones(2)), "given"),
    ],
)
def test_a_function_that_changes_an_argument_is_told_which(function, args, name):
    said = problem(function, *args)
    assert said.lines[0] == f"`f` changes `{name}`, which it is given: work on a copy."
    assert len(said.lines) == 1 + (function in (changes_and_gives_nothing, np.ndarray.sort))


def test_a_network_that_computes_its_activations_is_not_changed():
    assert call("f", lambda net: len(net.activations), Network((2, 3, 1))) == 2


ENDLESS = """
def search(f, x):
    step = 1.0
    while f(x - step) > f(x) - 1:
        try:
            step = step * 1
        except Exception:
            pass
    return step
"""


def test_an_endless_loop_is_ended_and_its_line_is_told(monkeypatch):
    monkeypatch.setattr(patience, "SECONDS", 0.5)
    said = problem(in_a_cell(ENDLESS)["search"], lambda x: 0.0, 1.0)
    assert "`f` was still running after 0.5 seconds, and was ended, in line" in said.lines[0]
    assert re.search(r"`(while f|try|step|pass)", said.lines[0])
    calls = []

    def endless(*given):
        calls.append(given)
        while True:
            pass

    assert "still running" in repr(feedback.gradient("f", endless, NET))
    assert len(calls) == 1  # and not once a network


def test_an_exception_that_comes_too_late_hurts_nobody(monkeypatch):
    """Calls that end just when their time is over: either way, and nothing is raised afterwards."""
    monkeypatch.setattr(patience, "SECONDS", 0.01)

    def wait(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return seconds

    ended = 0
    for k in range(60):
        try:
            assert call("f", wait, 0.004 + 1e-3 * k)
        except Unreadable as error:
            ended += "still running" in repr(error.verdict)
    assert 0 < ended < 60
    sum(range(1_000_000))


def test_run_all_goes_on_in_a_notebook(tmp_path):
    cells = [
        "from labsupport import feedback\nfrom labsupport.feedback import patience",
        "patience.SECONDS = 0.5",
        "def expected_trials(growth, shrink):\n    while True:\n        growth = growth * 1",
        'feedback.check("ex-growth", expected_trials)',
        "1 + 1",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    assert execute(notebook, tmp_path) is None
    said = notebook.cells[3].outputs[0].data["text/plain"]
    assert re.search("ended, in line [23] of your cell: `(while True:|growth = growth)", said)
    assert notebook.cells[4].outputs[0].data["text/plain"] == "2"


# Networks that let nothing hide


def test_drawn_networks_differ_in_all_widths_and_the_last_is_square():
    for depth in (1, 2, 5):
        *others, last = cases.draw(Network((2,) * (depth + 1)), np.random.default_rng(4))
        for case in others:
            sizes = case.network.sizes
            assert all(a != b for a, b in itertools.pairwise(sizes))
            assert case.samples not in sizes
        assert len({c.samples for c in others}) == len(others) == 3
        assert {last.samples} == set(last.network.sizes)


@pytest.mark.parametrize("loss, output", LEGAL)
def test_drawn_networks_have_a_gradient_everywhere(loss, output):
    for hidden in ACTIVATIONS:
        for case in cases.draw(Network((2, 2, 2), hidden, output, loss), np.random.default_rng(5)):
            assert min(np.linalg.norm(t) for t in cases.expected(case)) > 1e-4


def test_no_informative_network_is_an_error_not_an_endless_loop(monkeypatch):
    monkeypatch.setattr(cases, "informative", lambda case: False)
    with pytest.raises(RuntimeError, match="no informative network"):
        cases.draw(NET, np.random.default_rng(6), count=1)


# Not attempted


def stub_with_docstring(x):
    """Do it."""


def stub_raise(x):
    raise NotImplementedError


def forgets_return(x):
    y = x + 1  # noqa: F841


STUBS = [lambda x: ..., lambda x: None, stub_with_docstring]


@pytest.mark.parametrize("answer", [..., None, {}, [], "", (..., ...), *STUBS])
def test_is_open(answer):
    assert is_open(answer)


@pytest.mark.parametrize("answer", [0, 0.0, False, np.zeros(3), {"a": 1}, forgets_return, np.sin])
def test_is_not_open(answer):
    assert not is_open(answer)


def problem(function, *args):
    with pytest.raises(Unreadable) as caught:
        call("f", function, *args)
    return caught.value.verdict


@pytest.mark.parametrize("function", [*STUBS, stub_raise])
def test_a_stub_is_not_attempted(function):
    assert problem(function, 1).status == "open"


def test_a_forgotten_return_is_wrong_not_open():
    said = problem(forgets_return, 1)
    assert said.status == "wrong" and "return" in repr(said)


def test_an_unknown_label_names_its_neighbours():
    with pytest.raises(ValueError, match="'ex-gues'; the nearest are ex-guess, ex-[a-z-]+, ex-"):
        feedback.check("ex-gues", 1)


@pytest.mark.parametrize("answers, context", [((), {}), ((1, 2), {"begin": 1}), ((1,), {"b": 1})])
def test_a_wrong_number_of_answers_says_what_is_asked_for(answers, context):
    asked = r'ex-constants .* write feedback.check\("ex-constants", trials_by_c, begin=begin\)\.$'
    with pytest.raises(TypeError, match=asked):
        feedback.check("ex-constants", *answers, **context)


# What is shown


def in_a_cell(source):
    """What a cell defines, its source known as Jupyter makes it known."""
    cell, space = "/tmp/cell.py", {}
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    exec(compile(source, cell, "exec"), space)
    return space


def test_the_exception_is_shown_with_the_students_line():
    f = in_a_cell("def f(x):\n    y = x + 1\n    return y @ x\n")["f"]
    said = repr(problem(f, 1.0))
    assert "TypeError" in said and "in line 3 of your cell: `return y @ x`" in said
    assert "No line of it was reached" in repr(problem(f))
    assert "expected a function" in repr(problem(3))


def test_interrupting_is_not_caught():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call("f", interrupt)


def test_text_and_html_say_the_same():
    said = wrong("`W1` < 3 & more", "second line")
    assert repr(said) == "Not yet.\n  `W1` < 3 & more\n  second line"
    html = said._repr_html_()
    assert "W1</code> &lt; 3 &amp; more" in html and "second line" in html
    assert "`" not in html and 'role="status"' in html
    assert set(re.findall('(?:color|background):([^;"]+)', html)) == {"inherit", "none"}


def test_only_a_right_verdict_is_true():
    assert right() and not wrong() and not unattempted("a")


def test_together_wrong_before_open_before_right():
    assert together(right("a"), unattempted("b"), wrong("c")).lines == ("c",)
    assert together(right("a"), unattempted("b")).status == "open"
    assert together(right("a"), right("b")).lines == ("a", "b")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (2.5, None),
        (np.array([[2.5]]), None),
        (np.float32(2.5), None),
        (torch.tensor(2.5, requires_grad=True), None),
        (-2.5, "wrong sign"),
        (250.0, "percentage"),
        (0.025, "share"),
        (5.0, "factor 2"),
        (2.5 / np.log(2), "in bits"),
        (2.51, "right to 2 digits; more are asked for"),
        (3.5, "three and a half"),
        (1.9, "too small"),
        (30.0, "more than ten times too large"),
        (-7.0, "should be positive"),
        ([1, 2], "shape (2,)"),
        (np.nan, "nan"),
        (Fraction(5, 2), None),
        ("2.0", "`x` is of type str; expected a number"),
        ([None, 2.0], "`x` is of type list"),
    ],
)
def test_number(answer, hint):
    said = number("x", answer, 2.5, {"three and a half": 3.5})
    assert said.passed == (hint is None)
    assert hint is None or hint in repr(said)
    assert "2.5" not in repr(said)  # what is right is never shown


@pytest.mark.parametrize("answer", [68, 17, 3400, 34.1])
def test_of_a_count_no_ratio_is_told(answer):
    (line,) = number("x", answer, 34).lines
    assert re.fullmatch(r"`x` is (more than ten times )?too (large|small)\.", line)


# The chapters


EXERCISES, FOUND = {}, []
"""Attempt and solution after the box of an exercise, by label; the labels, as found."""
for path in CHAPTERS:
    cells = []
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code" and cell.source.startswith(("# Your answer", "# Solution to")):
            cells.append(cell)
        for label in LABEL.findall(cell.source) if cell.cell_type == "markdown" else ():
            cells = EXERCISES[label] = []
            FOUND.append(label)


def test_every_exercise_has_a_check_and_every_check_an_exercise():
    assert sorted(FOUND) == sorted(feedback.CHECKS)


@pytest.mark.parametrize("label", EXERCISES)
def test_attempt_is_open_and_solution_passes(label):
    """The stored outputs are those of a run, and nbval repeats it."""
    attempt, solution = EXERCISES[label]
    assert attempt.source.splitlines()[-1].startswith(f'feedback.check("{label}", ')
    (output,) = attempt.outputs
    assert output.data["text/plain"].startswith("Not attempted yet.")
    assert 'role="status"' in output.data["text/html"]
    assert re.search(rf'assert .*feedback\.check\(\s*"{label}",[^)]*.*\)\.passed', solution.source)
