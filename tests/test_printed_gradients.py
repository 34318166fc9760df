"""Every backward pass that a chapter prints, taken from its notebook and checked; bugs are caught.

A chapter's imports, functions and classes are executed without its experiments. Each backward pass
then meets random data of unequal shapes, and the complex step of a loss written here. The same
happens to copies of it with one planted slip.
"""

import ast
from functools import cache
from pathlib import Path

import jupytext
import numpy as np
import pytest
import torch

from labsupport.gradcheck import relative_error
from labsupport.gradcheck.differences import complex_step

CHAPTERS = Path(__file__).parent.parent / "chapters"
KEEP = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
WANTED = 1e-9  # relative error in float64
SAMPLES, INPUTS, HIDDEN, OUTPUTS = 5, 3, 4, 2

SLIPS = [
    ("- Y)", "+ Y)"),
    ("(P - Y)", "(Y - P)"),
    ("(P - Y_t)", "(Y_t - P)"),
    (" / len(X)", ""),
    (" / len(X_t)", ""),
    (" / len(Y)", ""),
    (" / X.shape[1]", ""),
    (" / m", ""),
    ("2 * ", ""),
    (" * A1 * (1 - A1)", ""),
    (" * (1 - A1)", ""),
    (" * A[k] * (1 - A[k])", ""),
    ("1 - A1**2", "1 - A1"),
    ("1 - np.tanh(Z) ** 2", "1 - Z ** 2"),
    (" * A * (1 - A)", ""),
    (" * P * (1 - P)", ""),
    ("A1.T @ D2", "A1.T @ (2 * D2)"),
    ("X.T @ D1", "-X.T @ D1"),
    ("X_t.T @ D1", "-X_t.T @ D1"),
    ("A[k].T @ D", "A[0].T @ D"),
    ("@ W2.T", "@ np.abs(W2).T"),
    ("@ weights.W2.T", "@ np.abs(weights.W2).T"),
    ("D1.sum(axis=0, keepdims=True)", "D1[:1]"),
    ("D2.sum(axis=0, keepdims=True)", "D2.mean(axis=0, keepdims=True)"),
    ("D.sum(axis=0, keepdims=True)", "D[:1]"),
    ("D1.sum(0, keepdim=True)", "D1[:1]"),
    ("D2.sum(0, keepdim=True)", "D2[:1]"),
    ("D1.sum(axis=1, keepdims=True)", "D1[:, :1]"),
    ("A.T @ D", "A.T @ D / len(D)"),
]


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def identity(Z):
    return Z


def cross_entropy(P, Y):
    return -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / len(Y)


def squared_error(P, Y):
    return np.sum((P - Y) ** 2) / len(Y)


def cells(chapter):
    notebook = jupytext.read(CHAPTERS / f"{chapter}.md", fmt="md:myst")
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@cache
def definitions(chapter):
    """The source of each import, function and class of a chapter, in order, by name."""
    found = {}
    for cell in cells(chapter):
        for node in ast.parse(cell).body:
            if isinstance(node, KEEP):
                name = getattr(node, "name", f"import {len(found)}")
                if name not in found or "..." not in ast.get_source_segment(cell, node):
                    found[name] = ast.get_source_segment(cell, node)
    return found


def problem(seed, sizes):
    """Random W1, b1, W2, b2, ... and data; targets strictly between 0 and 1."""
    rng = np.random.default_rng(seed)
    tensors = []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        tensors += [rng.standard_normal((n_in, n_out)), rng.standard_normal((1, n_out))]
    shape = (SAMPLES, sizes[0]), (SAMPLES, sizes[-1])
    return tensors, rng.standard_normal(shape[0]), rng.uniform(0.1, 0.9, shape[1])


def outputs(tensors, X, hidden):
    """All activations, the last one a sigmoid."""
    A = [X]
    for k in range(0, len(tensors), 2):
        Z = A[-1] @ tensors[k] + tensors[k + 1]
        A.append(sigmoid(Z) if k == len(tensors) - 2 else hidden(Z))
    return A


def truth(tensors, X, Y, hidden, loss):
    found = []
    for k in range(len(tensors)):

        def f(value, k=k):
            return loss(outputs([*tensors[:k], value, *tensors[k + 1 :]], X, hidden)[-1], Y)

        found.append(complex_step(f, tensors[k]))
    return found


# How each printed backward pass is called: namespace -> (claimed, true), lists of arrays.


def two_layers(name, hidden):
    def run(space):
        tensors, X, Y = problem(1, (INPUTS, HIDDEN, OUTPUTS))
        _, A1, P = outputs(tensors, X, hidden)
        claimed = space[name](space["Weights"](*tensors), X, A1, P, Y)
        return claimed, truth(tensors, X, Y, hidden, cross_entropy)

    return run


def any_depth(space):
    tensors, X, Y = problem(2, (INPUTS, HIDDEN, 5, OUTPUTS))
    dW, db = space["backward_deep"](tensors[::2], outputs(tensors, X, sigmoid), Y)
    claimed = [g for pair in zip(dW, db, strict=True) for g in pair]
    return claimed, truth(tensors, X, Y, sigmoid, cross_entropy)


def raw_tensors(space):
    # The chapter takes torch's mean over all entries, which for one output is that over samples.
    tensors, X, Y = problem(3, (INPUTS, HIDDEN, 1))
    space |= {"X_t": torch.tensor(X), "Y_t": torch.tensor(Y)}
    _, claimed = space["backward_by_hand"]([torch.tensor(t) for t in tensors])
    return [g.numpy() for g in claimed], truth(tensors, X, Y, sigmoid, cross_entropy)


def delta(name, loss, of_output=False, activation=sigmoid):
    def run(space):
        rng = np.random.default_rng(4)
        Z, Y = rng.standard_normal((SAMPLES, 1)), rng.uniform(0.1, 0.9, (SAMPLES, 1))
        claimed = space[name](activation(Z) if of_output else Z, Y)
        return [claimed], [complex_step(lambda Z: loss(activation(Z), Y), Z)]

    return run


def four_equations(space):
    tensors, X, Y = problem(5, (INPUTS, HIDDEN, 5, OUTPUTS))
    from labsupport.network import Parameters

    claimed = space["backward"](space["Four"](), Parameters.of(*tensors), X, Y)
    return list(claimed), truth(tensors, X, Y, np.tanh, cross_entropy)


def in_columns(space):
    tensors, X, Y = problem(6, (INPUTS, HIDDEN, OUTPUTS))
    _, A1, P = outputs(tensors, X, np.tanh)
    claimed = space["solution_columns"](tensors[2].T, X.T, A1.T, P.T, Y.T)
    return [g.T for g in claimed], truth(tensors, X, Y, np.tanh, cross_entropy)


PRINTED = {
    ("03-numpy-backprop", "backward"): two_layers("backward", sigmoid),
    ("03-numpy-backprop", "backward_deep"): any_depth,
    ("03-numpy-backprop", "solution_backward"): two_layers("solution_backward", np.tanh),
    ("04-pytorch-equivalent", "backward_by_hand"): raw_tensors,
    ("02-pseudocode", "solution_mse_delta"): delta("solution_mse_delta", squared_error, True),
    ("06-losses", "delta_mse"): delta("delta_mse", squared_error),
    ("06-losses", "delta_cross_entropy"): delta("delta_cross_entropy", cross_entropy),
    ("07-four-equations", "Four"): four_equations,
    ("07-four-equations", "solution_columns"): in_columns,
}


def error_of(chapter, name, change=lambda source: source):
    """Largest relative error of a printed backward pass, after a change of its source."""
    sources = dict(definitions(chapter))
    sources[name] = change(sources[name])
    space = {}
    for source in sources.values():
        exec(source, space)
    claimed, true = PRINTED[chapter, name](space)
    return max(relative_error(c, t) for c, t in zip(claimed, true, strict=True))


@pytest.mark.parametrize(("chapter", "name"), PRINTED, ids=" ".join)
def test_a_printed_backward_pass_is_right(chapter, name):
    assert error_of(chapter, name) <= WANTED


def planted():
    for chapter, name in PRINTED:
        source = definitions(chapter)[name]
        for old, new in SLIPS:
            if old in source:
                yield chapter, name, old, new


@pytest.mark.parametrize(("chapter", "name", "old", "new"), list(planted()))
def test_a_planted_bug_is_caught(chapter, name, old, new):
    try:
        error = error_of(chapter, name, lambda source: source.replace(old, new))
    except (ValueError, RuntimeError, TypeError, NameError, FloatingPointError):
        return  # shapes that do not fit: caught as well
    assert not error <= WANTED


def test_every_printed_backward_pass_meets_bugs():
    met = [(chapter, name) for chapter, name, *_ in planted()]
    assert all(met.count(printed) >= 2 for printed in PRINTED)


def test_no_printed_backward_pass_is_left_out():
    """A function with a delta in its body, or called a delta or backward, is in the list above."""
    exempt = {
        ("06-losses", "solution_delta"),  # its own cell measures it, for tanh outputs
        ("07-four-equations", "backward"),  # runs with Four
        ("07-four-equations", "backward_columns"),  # an exercise, empty
        ("11-initialisation", "deltas_and_slopes"),  # compared with network.backward
        ("08-gradient-check", "backward"),  # the chapter that checks it in every way
    }
    found = set()
    for path in CHAPTERS.glob("[0-9]*.md"):
        for name, source in definitions(path.stem).items():
            broken = "broken" in name or "..." in source or name in {"delta_tanh", "mse_delta"}
            if ("backward" in name or "delta" in name) and not broken:
                found.add((path.stem, name))
    assert found - exempt <= set(PRINTED)
