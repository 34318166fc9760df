"""The self-checks: what they say, what they never do, and that they neither miss nor cry wolf."""

import inspect
import itertools
import linecache
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest
import torch

from labsupport import feedback, network
from labsupport.activations import ACTIVATIONS, activation
from labsupport.bugs import BUGS, AtUpdate
from labsupport.feedback import cases, diagnosis
from labsupport.feedback.verdict import call, is_open, number, right, together, unattempted, wrong
from labsupport.network import Network
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


def by_einsum(net, parameters, X, Y):
    Z, A = forward_rows(net, parameters, X)
    D, dW, db = output_delta(net, Z[-1], A[-1], Y), [], []
    for k in reversed(range(len(Z))):
        dW.insert(0, np.einsum("si,sj->ij", A[k], D))
        db.insert(0, np.einsum("sj->j", D)[None])
        if k:
            slope = net.activations[k - 1].derivative(Z[k - 1], A[k])
            D = np.einsum("sj,ij,si->si", D, parameters.weights[k], slope)
    return dW, db


def by_loops(net, parameters, X, Y):
    total = {name: np.zeros_like(t) for name, t in parameters.named().items()}
    for x, y in zip(X, Y, strict=True):
        Z, A = forward_rows(net, parameters, x[None])
        D = output_delta(net, Z[-1], A[-1], y[None])
        for k in reversed(range(len(Z))):
            total[f"W{k + 1}"] += np.outer(A[k][0], D[0]) / len(X)
            total[f"b{k + 1}"] += D / len(X)
            if k:
                D = D @ parameters.weights[k].T * net.activations[k - 1].derivative(Z[k - 1], A[k])
    return dict(reversed(total.items()))


def by_columns(net, tensors, X, Y):
    weights, biases = tensors[::2], tensors[1::2]
    Z, A = [], [X]
    for W, b, g in zip(weights, biases, net.activations, strict=True):
        Z.append(W @ A[-1] + b)
        A.append(g.value(Z[-1]))
    D, gradient = output_delta(net, Z[-1].T, A[-1].T, Y.T).T, []
    for k in reversed(range(len(Z))):
        gradient = [D @ A[k].T, D.sum(axis=1, keepdims=True), *gradient]
        if k:
            D = weights[k].T @ D * net.activations[k - 1].derivative(Z[k - 1], A[k])
    return gradient


def in_float32(net, parameters, X, Y):
    return by_rows(net, parameters.astype(np.float32), X.astype("f4"), Y.astype("f4"))


def by_autograd(net, parameters, X, Y):
    """PyTorch's own: tensors come back, and they carry no graph."""
    tensors = [torch.tensor(t, requires_grad=True) for t in parameters]
    named = {"identity": lambda Z: Z, "leaky_relu": torch.nn.functional.leaky_relu}
    A = torch.tensor(X)
    for W, b, g in zip(tensors[::2], tensors[1::2], net.activations, strict=True):
        A = named.get(g.name, getattr(torch, g.name, None))(A @ W + b)
    losses = {
        "mse": lambda A, Y: ((A - Y) ** 2).sum() / len(Y),
        "bce": lambda A, Y: (
            torch.nn.functional.binary_cross_entropy(A, Y, reduction="sum") / len(Y)
        ),
        "bce_with_logits": lambda A, Y: (
            torch.nn.functional.binary_cross_entropy_with_logits(A, Y, reduction="sum") / len(Y)
        ),
        "softmax_cross_entropy": torch.nn.functional.cross_entropy,
    }
    losses[net.loss](A, torch.tensor(Y)).backward()
    return [t.grad for t in tensors]


HONEST = [by_rows, by_einsum, by_loops, by_columns, in_float32]


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
            "f", honest, case.network, cases=[case], columns=honest is by_columns
        )
        assert said.passed, (n, honest.__name__, case.network, said)


@pytest.mark.parametrize("honest", [*HONEST, by_autograd])
@pytest.mark.parametrize("loss, output", LEGAL)
def test_no_false_alarm_on_the_networks_that_feedback_draws(honest, loss, output):
    for depth, hidden in itertools.product((1, 2, 4), ACTIVATIONS):
        net = Network((2,) * (depth + 1), hidden, output, loss)
        said = feedback.gradient("f", honest, net, columns=honest is by_columns)
        assert said.passed, (net, said)


# The zoo


def broken_backward(bug):
    return lambda net, p, X, Y: bug.gradient(net, p, network.forward(net, p, X), Y)


def broken_training(bug):
    def train(net, p, X, Y, rate, epochs):
        memory = {}
        for _ in range(epochs):
            cache = network.forward(net, p, X)
            gradient = network.backward(net, p, cache, Y)
            p = bug.update(AtUpdate(net, p, cache, Y, gradient, rate, memory))
        return p

    return train


def said_of(bug, net, cases):
    if bug.gradient:
        return feedback.gradient("f", broken_backward(bug), net, cases=cases)
    return feedback.training(
        "f",
        broken_training(bug),
        net,
        lambda c, rate, epochs: (c.network, c.parameters, c.X, c.Y, rate, epochs),
        cases=cases,
    )


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


def scale(k, factor):
    def change(gradient, m):
        gradient[k] = gradient[k] * factor(m)
        return gradient

    return change


def put(k, value):
    def change(gradient, m):
        gradient[k] = value(gradient[k], m)
        return gradient

    return change


NET = Network((2, 4, 1), "tanh", "sigmoid", "bce")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (scale(2, lambda m: m), r"`dW2` is .* times too large on .* and .*: the 1/m is missing"),
        (scale(2, lambda m: 1 / m), r"`dW2` is .* times too small on .*: there is a 1/m too many"),
        (scale(0, lambda m: -1), r"`dW1` has the wrong sign"),
        (scale(0, lambda m: -m), r"the 1/m is missing, and the sign is wrong"),
        (scale(3, lambda m: 3), r"`db2` is 3 times too large"),
        (scale(3, lambda m: 0.25), r"`db2` is 4 times too small"),
        (scale(1, lambda m: 0), r"`db1` is zero everywhere"),
        (scale(1, lambda m: np.nan), r"`db1` holds nan or infinity"),
        (put(0, lambda t, m: t.T), r"`dW1` has shape .* it is transposed"),
        (put(1, lambda t, m: np.ones(m)), r"`db1` .* over the units, not over the \d samples"),
        (put(1, lambda t, m: np.ones((m, t.size))), r"`db1` .* the sum over the \d samples is mis"),
        (put(1, lambda t, m: t.sum()), r"`db1` .* it is one sum over everything"),
        (put(0, lambda t, m: t + 1e-5), r"`dW1` is right to \d digits only: float32"),
        (put(0, lambda t, m: t + np.arange(t.size).reshape(t.shape)), r"`dW1` is off by .* %"),
        (lambda gradient, m: gradient[:3], r"gives 3 arrays; expected 4: dW1, db1, dW2, db2"),
        (lambda gradient, m: gradient[0], r"gave a ndarray"),
        (lambda gradient, m: ["a"] * 4, r"expected arrays of real numbers"),
    ],
)
def test_describes_the_error(change, line):
    said = feedback.gradient("f", tampered(change), NET)
    assert said.status == "wrong"
    assert re.search(line, repr(said)), said
    assert "Right already" in repr(said) or "arrays" in repr(said) or "gave" in repr(said)


def test_a_gradient_that_should_be_zero():
    case = cases.draw(NET, np.random.default_rng(8))[0]
    fitted = cases.Case(case.network, case.parameters, case.X, case.cache.output)
    one = tampered(put(0, lambda t, m: t + 1))
    assert "`dW1` is not zero, and should be" in repr(
        feedback.gradient("f", one, NET, cases=[fitted])
    )


def test_never_says_where_all_is_right():
    assert feedback.gradient("f", tampered(lambda gradient, m: gradient), NET).passed


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
    odd = tampered(scale(0, lambda m: 17))
    said = feedback.gradient("f", odd, NET, slips={"seventeen": lambda c: odd(*diagnosis._rows(c))})
    assert said.lines[0] == "The likely slip: seventeen."


def test_changing_the_arguments_is_noticed():
    def update_inside(net, p, X, Y):
        gradient = by_rows(net, p, X, Y)
        p.weights[0][...] -= 0.1 * gradient[0]
        return gradient

    assert "changes the parameters it is given" in repr(feedback.gradient("f", update_inside, NET))


def test_a_carried_value_is_seen_in_the_second_step():
    said = said_of(BUGS["stale cache"], NET, cases.draw(NET, np.random.default_rng(1)))
    assert "The first step is right, step 2 is not" in repr(said)


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


def stub(x): ...


def stub_with_docstring(x):
    """Do it."""


def stub_pass(x):
    pass


def stub_return(x):
    return ...


def stub_raise(x):
    raise NotImplementedError


def forgets_return(x):
    y = x + 1  # noqa: F841


STUBS = [stub, stub_with_docstring, stub_pass, stub_return, lambda x: None]


@pytest.mark.parametrize("answer", [..., None, {}, [], "", (..., ...), *STUBS])
def test_is_open(answer):
    assert is_open(answer)


@pytest.mark.parametrize("answer", [0, 0.0, False, np.zeros(3), {"a": 1}, forgets_return, np.sin])
def test_is_not_open(answer):
    assert not is_open(answer)


@pytest.mark.parametrize("function", [*STUBS, stub_raise])
def test_a_stub_is_not_attempted(function):
    assert call("f", function, 1).problem.status == "open"


def test_a_forgotten_return_is_wrong_not_open():
    said = call("f", forgets_return, 1).problem
    assert said.status == "wrong" and "return" in repr(said)


@pytest.mark.parametrize("label", feedback.CHECKS)
def test_every_exercise_can_be_open(label):

    parameters = inspect.signature(feedback.CHECKS[label]).parameters
    context = {"begin": None} if "begin" in parameters else {}
    said = feedback.check(label, *[...] * (len(parameters) - len(context)), **context)
    assert said.status == "open"
    assert all(f"`{name}`" in repr(said) for name in parameters if name not in context)


@pytest.mark.parametrize("label", feedback.CHECKS)
@pytest.mark.parametrize("answer", ["text", object(), -1, [[[1]]], {"a": "b"}, np.sin, stub_raise])
def test_no_answer_stops_run_all(label, answer):

    parameters = inspect.signature(feedback.CHECKS[label]).parameters
    context = {"begin": None} if "begin" in parameters else {}
    said = feedback.check(label, *[answer] * (len(parameters) - len(context)), **context)
    assert isinstance(said, feedback.Verdict)


def test_an_unknown_label_and_a_missing_answer_are_errors():
    with pytest.raises(ValueError, match="ex-guess"):
        feedback.check("ex-gues", 1)
    with pytest.raises(TypeError):
        feedback.check("ex-guess")


# What is shown


def test_the_exception_is_shown_with_the_students_line():
    source = "def f(x):\n    y = x + 1\n    return y @ x\n"
    cell = "/tmp/cell.py"

    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    namespace = {}
    exec(compile(source, cell, "exec"), namespace)
    said = repr(call("f", namespace["f"], 1.0).problem)
    assert "TypeError" in said and "in line 3 of your cell: `return y @ x`" in said
    assert "No line of it was reached" in repr(call("f", namespace["f"]).problem)
    assert "expected a function" in repr(call("f", 3).problem)


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
    assert "<script" not in html and "`" not in html


def test_html_is_readable_on_any_background_and_announced():
    html = right("`a`")._repr_html_()
    assert 'role="status"' in html
    assert set(re.findall('(?:color|background):([^;"]+)', html)) == {"inherit", "none"}


def test_together_wrong_before_open_before_right():
    assert together(right("a"), unattempted("b"), wrong("c")).lines == ("c",)
    assert together(right("a"), unattempted("b")).status == "open"
    assert together(right("a"), right("b")).lines == ("a", "b")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (2.0, None),
        (np.array([[2.0]]), None),
        (torch.tensor(2.0, requires_grad=True), None),
        (-2.0, "wrong sign"),
        (200.0, "percentage"),
        (0.02, "share"),
        (4.0, "factor 2"),
        (2 / np.log(2), "base 2"),
        (3.5, "three and a half"),
        (1.9, "too small"),
        (30.0, "more than ten times too large"),
        (-7.0, "should be positive"),
        ([1, 2], "shape (2,)"),
        (np.nan, "nan"),
        ("two", "expected a number"),
    ],
)
def test_number(answer, hint):
    said = number("x", answer, 2.0, {"three and a half": 3.5})
    assert said.passed == (hint is None)
    assert hint is None or hint in repr(said)
    assert "2.0" not in repr(said)


# The chapters


def exercise_cells(notebook):
    """Pairs of label and the code cells between this exercise's box and the next."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (labels := LABEL.findall(cell.source)):
            label = labels[-1]
            found[label] = []
        elif cell.cell_type == "code" and found:
            found[label].append(cell)
    return found


EXERCISES = {
    (path.stem, label): cells
    for path in CHAPTERS
    for label, cells in exercise_cells(jupytext.read(path)).items()
}


def test_every_exercise_has_a_check_and_every_check_an_exercise():
    labels = [label for _, label in EXERCISES]
    assert sorted(labels) == sorted(set(labels))
    assert set(labels) <= set(feedback.CHECKS)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e[1])
def test_attempt_is_open_and_solution_passes(exercise):
    """The stored outputs are those of a run, and nbval repeats it."""
    label = exercise[1]
    attempt, solution = EXERCISES[exercise][0], EXERCISES[exercise][-1]
    assert attempt.source.splitlines()[-1].startswith(f'feedback.check("{label}", ')
    (output,) = attempt.outputs
    assert output.data["text/plain"].startswith("Not attempted yet.")
    assert 'role="status"' in output.data["text/html"]
    assert re.search(rf'assert .*feedback\.check\(\s*"{label}",[^)]*.*\)\.passed', solution.source)
