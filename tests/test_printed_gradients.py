"""Every backward pass that a chapter prints, taken from its notebook and checked; bugs are caught.

A chapter's imports, functions and classes are executed without its experiments. Each backward pass
then meets random data of unequal shapes, and the complex step of a loss written here. The same
happens to copies of it with one planted slip.
"""

import ast
import re
from functools import cache

import numpy as np
import pytest
import torch

from labsupport.gradcheck import relative_error
from labsupport.gradcheck.differences import complex_step
from labsupport.network import Parameters
from tests.cases import CHAPTERS, code_cells

KEEP = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
WANTED = 1e-9  # relative error in float64
SAMPLES, INPUTS, HIDDEN, OUTPUTS = 5, 3, 4, 2

SLIPS = [  # a pattern, and what is written in its place
    (r"- (Y\w*)\)", r"+ \1)"),
    (r"\((P) - (Y\w*)\)", r"(\2 - \1)"),
    (r" / (len\(\w+\)|X\.shape\[1\]|m\b)", ""),
    (r"2 \* ", ""),
    (r" \* \(1 - A1\)", ""),
    (r" \* (A\w*(\[k\])?|P) \* \(1 - \1\)", ""),
    (r"1 - A1\*\*2", "1 - A1"),
    (r"1 - np\.tanh\(Z\) \*\* 2", "1 - Z ** 2"),
    (r"A1\.T @ D2", "A1.T @ (2 * D2)"),
    (r"(X\w*)\.T @ D1", r"-\1.T @ D1"),
    (r"slopes\(A\[k\], D\)", "slopes(A[0], D)"),
    (r"@ (\w+\.)?W2\.T", r"@ np.abs(\1W2).T"),
    (r"(D1?)\.sum\((axis=)?0, keepdims?=True\)", r"\1[:1]"),
    (r"D2\.sum\(0, keepdim=True\)", "D2[:1]"),
    (r"D1\.sum\(axis=1, keepdims=True\)", "D1[:, :1]"),
    (r"A\.T @ D\b", "A.T @ D / len(D)"),
    (r"slopes\.get\(part, 0\.0\) \+ ", ""),
    (r"slopes\[value\] \* own", "slopes[value]"),
]


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def cross_entropy(P, Y):
    return -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / len(Y)


def squared_error(P, Y):
    return np.sum((P - Y) ** 2) / len(Y)


@cache
def definitions(chapter):
    """The source of each import, function and class of a chapter, in order, by name."""
    found = {}
    for cell in code_cells(chapter):
        for node in ast.parse(cell.source).body:
            source = ast.get_source_segment(cell.source, node)
            if isinstance(node, KEEP) or " = namedtuple(" in source:
                name = getattr(node, "name", f"import {len(found)}")
                if name not in found or "..." not in source:
                    found[name] = source
    return found


def problem(seed, *sizes):
    """Random W1, b1, W2, b2, ... and data; targets strictly between 0 and 1."""
    rng = np.random.default_rng(seed)
    tensors = []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        tensors += [rng.standard_normal((n_in, n_out)), rng.standard_normal((1, n_out))]
    X = rng.standard_normal((SAMPLES, sizes[0]))
    return tensors, X, rng.uniform(0.1, 0.9, (SAMPLES, sizes[-1]))


def outputs(tensors, X, hidden):
    """All activations, the last one a sigmoid."""
    A = [X]
    for k in range(0, len(tensors), 2):
        Z = A[-1] @ tensors[k] + tensors[k + 1]
        A.append(sigmoid(Z) if k == len(tensors) - 2 else hidden(Z))
    return A


def truth(tensors, X, Y, hidden):
    """The gradients of the mean cross-entropy, by the complex step."""

    def loss(k):
        return lambda t: cross_entropy(
            outputs([*tensors[:k], t, *tensors[k + 1 :]], X, hidden)[-1], Y
        )

    return [complex_step(loss(k), tensor) for k, tensor in enumerate(tensors)]


# How each printed backward pass is called: namespace -> (claimed, true), lists of arrays.


def two_layers(name, hidden):
    def run(space):
        tensors, X, Y = problem(1, INPUTS, HIDDEN, OUTPUTS)
        _, A1, P = outputs(tensors, X, hidden)
        claimed = space[name](space["Weights"](*tensors), X, A1, P, Y)
        return claimed, truth(tensors, X, Y, hidden)

    return run


def any_depth(space):
    tensors, X, Y = problem(2, INPUTS, HIDDEN, 5, OUTPUTS)
    dW, db = space["backward_deep"](tensors[::2], outputs(tensors, X, sigmoid), Y)
    claimed = [g for pair in zip(dW, db, strict=True) for g in pair]
    return claimed, truth(tensors, X, Y, sigmoid)


def raw_tensors(space):
    # The chapter takes torch's mean over all entries, which for one output is that over samples.
    tensors, X, Y = problem(3, INPUTS, HIDDEN, 1)
    space |= {"X_t": torch.tensor(X), "Y_t": torch.tensor(Y)}
    _, claimed = space["backward_by_hand"](*(torch.tensor(t) for t in tensors))
    return [g.numpy() for g in claimed], truth(tensors, X, Y, sigmoid)


def delta(name, loss, of_output=False):
    def run(space):
        rng = np.random.default_rng(4)
        Z, Y = rng.standard_normal((SAMPLES, 1)), rng.uniform(0.1, 0.9, (SAMPLES, 1))
        claimed = space[name](sigmoid(Z) if of_output else Z, Y)
        return [claimed], [complex_step(lambda Z: loss(sigmoid(Z), Y), Z)]

    return run


def line_eight(space):
    (W1, b1, W2, b2), X, Y = problem(7, INPUTS, HIDDEN, OUTPUTS)
    Z1 = X @ W1 + b1

    def loss(Z1):
        return cross_entropy(sigmoid(np.tanh(Z1) @ W2 + b2), Y)

    D2 = (sigmoid(np.tanh(Z1) @ W2 + b2) - Y) / SAMPLES
    claimed = space["solution_hidden_delta"](D2, W2, np.tanh(Z1))
    return [claimed], [complex_step(loss, Z1)]


def four_equations(space):
    tensors, X, Y = problem(5, INPUTS, HIDDEN, 5, OUTPUTS)
    claimed = space["backward"](space["Four"](), Parameters.of(*tensors), X, Y)
    return list(claimed), truth(tensors, X, Y, np.tanh)


def in_columns(space):
    tensors, X, Y = problem(6, INPUTS, HIDDEN, OUTPUTS)
    _, A1, P = outputs(tensors, X, np.tanh)
    claimed = space["solution_columns"](tensors[2].T, X.T, A1.T, P.T, Y.T)
    return [g.T for g in claimed], truth(tensors, X, Y, np.tanh)


def tape_of_numbers(space):
    """A value used three times, in sums and products; complex numbers step through them too."""
    rng = np.random.default_rng(8)
    given = rng.standard_normal(2)

    def program(x, y):
        return (x * x * y + y) * x + y * y

    numbers = [space["Number"](value) for value in given]
    space["backward"](program(*numbers))
    return [np.array([n.grad for n in numbers])], [complex_step(lambda t: program(*t), given)]


PRINTED = {
    ("03-numpy-backprop", "backward"): two_layers("backward", sigmoid),
    ("03-numpy-backprop", "slopes"): two_layers("backward", sigmoid),  # which calls it
    ("03-numpy-backprop", "backward_deep"): any_depth,
    ("03-numpy-backprop", "solution_backward"): two_layers("solution_backward", np.tanh),
    ("04-pytorch-equivalent", "backward_by_hand"): raw_tensors,
    ("02-pseudocode", "solution_hidden_delta"): line_eight,
    ("02-pseudocode", "solution_mse_delta"): delta("solution_mse_delta", squared_error, True),
    ("06-losses", "delta_mse"): delta("delta_mse", squared_error),
    ("06-losses", "delta_cross_entropy"): delta("delta_cross_entropy", cross_entropy),
    ("07-four-equations", "Four"): four_equations,
    ("07-four-equations", "solution_columns"): in_columns,
    ("08-autograd", "backward"): tape_of_numbers,
}


def error_of(chapter, name, old="", new=""):
    """Largest relative error of a printed backward pass, after a change of its source."""
    sources, space = dict(definitions(chapter)), {}
    if old:
        sources[name] = re.sub(old, new, sources[name])
    for source in sources.values():
        exec(source, space)
    claimed, true = PRINTED[chapter, name](space)
    return max(relative_error(c, t) for c, t in zip(claimed, true, strict=True))


@pytest.mark.parametrize(("chapter", "name"), PRINTED)
def test_a_printed_backward_pass_is_right_and_planted_bugs_are_caught(chapter, name):
    assert error_of(chapter, name) <= WANTED
    planted = [slip for slip in SLIPS if re.search(slip[0], definitions(chapter)[name])]
    assert len(planted) >= 2
    for old, new in planted:
        try:
            error = error_of(chapter, name, old, new)
        except (ValueError, RuntimeError, TypeError, FloatingPointError):
            continue  # shapes that do not fit: caught as well
        assert not error <= WANTED, (old, new)


def test_every_slip_is_planted_somewhere():
    sources = [definitions(chapter)[name] for chapter, name in PRINTED]
    assert [old for old, _ in SLIPS if not any(re.search(old, s) for s in sources)] == []


def test_no_printed_backward_pass_is_left_out():
    """A function with a delta in its body, or called a delta or backward, is in the list above."""
    exempt = {
        ("06-losses", "solution_delta"),  # its own cell measures it, for tanh outputs
        ("07-four-equations", "backward"),  # runs with Four
        ("07-four-equations", "backward_columns"),  # an exercise, empty
        ("12-initialisation", "deltas_and_slopes"),  # compared with network.backward
        ("16-many-classes", "delta"),  # the next cell measures it and asserts the error
        ("16-many-classes", "solution_delta"),  # its check measures it, at several temperatures
        ("09-gradient-check", "backward"),  # the chapter that checks it in every way
    }
    found = set()
    for path in CHAPTERS.glob("[0-9]*.md"):
        for name, source in definitions(path.stem).items():
            broken = "broken" in name or "..." in source or name in {"delta_tanh", "mse_delta"}
            if ("backward" in name or "delta" in name) and not broken:
                found.add((path.stem, name))
    assert found - exempt <= set(PRINTED)
