"""Try a student's function on random networks and say which mistake is in it.

A backward pass, a whole training loop, or any function of arrays. If it is wrong, every bug of
`labsupport.bugs` is made on the very same networks: the one that gives the same numbers is the
slip. If none does, the form of the error says where to look.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice, pairwise
from typing import Any, TypeAlias

import numpy as np

from labsupport import bugs, network
from labsupport.checks import Array
from labsupport.feedback.cases import Case, draw, expected, names, tensors
from labsupport.feedback.mistakes import TOLERANCE, TOLERANCE_32, Found, judge, likely
from labsupport.feedback.verdict import Unreadable, Verdict, array, call, reading, right, wrong
from labsupport.network import Network, Parameters

RATE, STEPS = 0.02, 3
"""Learning rate and number of steps with which a training loop is tried."""

Way: TypeAlias = Callable[[Case, float], Iterator[Parameters]]
"""Steps from a case with a learning rate: the parameters after the first, the second, ..."""


@reading
def gradient(
    name: str,
    student: Any,
    net: Network,
    arguments: Callable[[Case], tuple[Any, ...]] | None = None,
    *,
    cases: Sequence[Case] | None = None,
    outputs: int | None = None,
    columns: bool = False,
    slips: Mapping[str, Callable[[Case], Any]] | None = None,
) -> Verdict:
    """Judge a backward pass.

    Parameters
    ----------
    name : str
        What the exercise calls it.
    student : object
        The student's function. It gives dW1, db1, dW2, ...: as Parameters, a NamedTuple, a dict, a
        list, or a pair (all dW, all db); NumPy or torch, any precision.
    net : Network
        Depth, activations and loss; the widths are drawn.
    arguments : callable, optional
        What the function is called with in a case; ``(network, parameters, X, Y)`` without it.
    cases : list of Case, optional
        The cases; `draw` makes them without it.
    outputs : int, optional
        Width of the output, if the exercise fixes it.
    columns : bool
        Samples are columns: X, Y and all tensors are transposed on the way in and out. The second
        of the default arguments is then a list W1, b1, W2, ...
    slips : dict of str to callable, optional
        More slips, by hint: the gradients that a case gives with them, samples as rows.

    Returns
    -------
    Verdict
        Right, or the likely slip, the tensors that are wrong and how far; the student's own line if
        it raised.
    """
    rng = np.random.default_rng(len(net.sizes))
    cases = cases or draw(net, rng, outputs=outputs)
    arguments = arguments or (_columns if columns else _rows)
    got, problems = [], []
    for case in cases:
        mine = case.copy()
        try:
            given = tensors(name, call(name, student, *arguments(mine)))
            if moved := _changed(name, mine, case):
                raise Unreadable(wrong(*moved))
        except Unreadable as error:
            problem = error.verdict
            widths = "-".join(map(str, case.network.sizes))
            tried_on = f"It was tried on a network {widths} with {case.samples} samples."
            lines = problem.lines if problem.status == "open" else (*problem.lines, tried_on)
            problems.append(Verdict(problem.status, lines))
        else:
            got.append((case, [t.T if columns else t for t in given]))
    if not got:
        return problems[0]
    tried = [case for case, _ in got]
    want = [expected(case) for case in tried]
    found = [_fit(g, w) for (_, g), w in zip(got, want, strict=True)]
    tolerance = precision(found, tried)
    verdict = judge(name, found, want, [c.samples for c in tried], names(len(want[0])), tolerance)
    if verdict and not problems:
        return verdict
    more = {hint: partial(_slipped, slip, tried) for hint, slip in (slips or {}).items()}
    shown = problems[0].lines if problems else verdict.lines
    return wrong(*likely(found, want, more | zoo(tried), tolerance), *shown)


def _slipped(slip: Callable[[Case], Any], cases: Sequence[Case], k: int) -> list[Array]:
    return _fit(tensors("slip", slip(cases[k])), cases[k].parameters.named().values())


def _rows(case: Case) -> tuple[Any, ...]:
    return case.network, case.parameters, case.X, case.Y


def _columns(case: Case) -> tuple[Any, ...]:
    return case.network, [t.T for t in case.parameters], case.X.T, case.Y.T


def _changed(name: str, after: Case, before: Case) -> list[str]:
    """Notice a function that overwrites what it is given, in a sentence; none if it does not."""
    for what, one, other in (
        ("the parameters", after.parameters.vector, before.parameters.vector),
        ("X", after.X, before.X),
        ("Y", after.Y, before.Y),
    ):
        if not np.array_equal(one, other):
            return [f"`{name}` changes {what} it is given, in place: make new arrays instead."]
    return []


def _fit(got: Sequence[Array], want: Iterable[Array]) -> list[Array]:
    """Let a bias of shape (n,) count as (1, n)."""
    pairs = zip(got, want, strict=False)
    fitted = [
        g.reshape(1, -1) if g.ndim < 2 and (w.shape[0] == 1 or g.size == w.size) else g
        for g, w in pairs
    ]
    return [*fitted, *got[len(fitted) :]]


def precision(found: Found, cases: Sequence[Case]) -> float:
    """Choose the tolerance by the coarsest precision that is involved."""
    types = [t.dtype for tensors_ in found for t in tensors_]
    types += [case.parameters.vector.dtype for case in cases]
    return TOLERANCE_32 if np.dtype(np.float32) in types else TOLERANCE


def zoo(cases: Sequence[Case]) -> dict[str, Callable[[int], Iterable[Array]]]:
    """Give what the gradient would be in case k, by the slip, for each bug that is possible."""

    def broken(bug: bugs.Bug, k: int) -> Iterable[Array]:
        case = cases[k]
        assert bug.gradient
        return bug.gradient(case.network, case.parameters, case.cache, case.Y)

    return {bug.slip: partial(broken, bug) for bug in possible(cases) if bug.gradient}


def possible(cases: Sequence[Case]) -> list[bugs.Bug]:
    """Give the bugs that some of the cases let happen."""
    tried = [(case.network, case.samples) for case in cases]
    return [bug for bug in bugs.BUGS.values() if any(bug.applies(*case) for case in tried)]


@reading
def training(
    name: str,
    student: Any,
    net: Network,
    arguments: Callable[[Case, float, int], tuple[Any, ...]],
    *,
    cases: Sequence[Case] | None = None,
    reference: Way | None = None,
    slips: Mapping[str, Way] | None = None,
) -> Verdict:
    """Judge a training loop by the gradient that its steps imply: (P_old - P_new) / rate.

    Parameters
    ----------
    name, student, net, cases
        As for `gradient`.
    arguments : callable
        What the function is called with: ``arguments(case, learning_rate, epochs)``.
    reference : Way, optional
        The steps as they should be; gradient descent without it.
    slips : dict of str to Way, optional
        More slips, by hint.

    Returns
    -------
    Verdict
        Right, or the likely slip, the first wrong step and its tensors.
    """
    rng = np.random.default_rng(len(net.sizes))
    cases = cases or draw(net, rng)
    got: list[list[Array]] = []
    moved: list[str] = []
    for case in cases:
        path = [list(case.parameters)]
        for epochs in range(1, STEPS + 1):
            mine = case.copy()
            given = tensors(name, call(name, student, *arguments(mine, RATE, epochs)))
            moved = moved or _changed(name, mine, case)
            if len(given) != len(path[0]):
                labels = ", ".join(label[1:] for label in names(len(path[0])))
                return wrong(f"`{name}` gives {len(given)} arrays; expected {labels}.")
            path.append(_fit(given, path[0]))
        got.append(list(_implied(path)))
    want = [list(_steps(reference or _descend, case)) for case in cases]
    tolerance = precision(got, cases)
    verdict = _judge_steps(name, got, want, cases, tolerance)
    if verdict:
        slip = bugs.BUGS["start moves along"].slip
        return wrong(f"The likely slip: {slip}.", *moved) if moved else verdict
    ways: dict[str, Way] = {b.slip: partial(_descend, bug=b) for b in possible(cases)}
    known = {
        hint: lambda k, way=way: _steps(way, cases[k])
        for hint, way in (ways | dict(slips or {})).items()
    }
    return wrong(*likely(got, want, known, tolerance), *verdict.lines, *moved)


def _descend(case: Case, rate: float, bug: bugs.Bug = bugs.CORRECT) -> Iterator[Parameters]:
    """Step on and on, with a bug in every step."""
    parameters, memory = case.parameters.copy(), dict[str, Any]()
    while True:
        cache = network.forward(case.network, parameters, case.X)
        given = (case.network, parameters, cache, case.Y)
        gradient = (bug.gradient or network.backward)(*given)
        step = bugs.AtUpdate(*given, gradient, rate, memory)
        parameters = (bug.update or bugs.update_line)(step)
        yield parameters.copy()


def _steps(way: Way, case: Case) -> Iterator[Array]:
    """Give the gradients that the steps of a case imply, read no further than they are asked."""
    path = (list(parameters) for parameters in islice(way(case.copy(), RATE), STEPS))
    return _implied(chain([list(case.parameters)], path))


def _implied(path: Iterable[Sequence[Array]]) -> Iterator[Array]:
    for old, new in pairwise(path):
        for before, after in zip(old, new, strict=True):
            yield (before - after) / RATE if before.shape == after.shape else after


def _judge_steps(
    name: str, got: Found, want: Found, cases: Sequence[Case], tolerance: float
) -> Verdict:
    """Judge step after step, and stop at the first that is wrong."""
    count = 2 * len(cases[0].parameters.weights)
    labels = [f"the step of {label[1:]}" for label in names(count)]
    for step in range(STEPS):
        part = slice(count * step, count * (step + 1))
        first, second = ([case[part] for case in found] for found in (got, want))
        verdict = judge(name, first, second, [c.samples for c in cases], labels, tolerance)
        if verdict:
            continue
        if step == 0:
            return wrong("The first step is wrong already.", *verdict.lines)
        kept = "something is kept from step to step that should be made anew"
        return wrong(f"The first step is right, step {step + 1} is not: {kept}.", *verdict.lines)
    return right(f"`{name}` takes the right steps on {len(cases)} random networks.")


@reading
def function(
    name: str,
    student: Any,
    reference: Callable[..., Any],
    inputs: Sequence[tuple[Any, ...]],
    *,
    slips: Mapping[str, Callable[..., Any]] | None = None,
    labels: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
) -> Verdict:
    """Judge a function of arrays by what it gives on several inputs.

    Parameters
    ----------
    name, student
        As for `gradient`.
    reference : callable
        The right function; it gives an array or a number, or a tuple of them.
    inputs : list of tuple
        Arguments of each call. The rows of the first matrix that is right are the samples.
    slips : dict of str to callable, optional
        Wrong functions, by hint.
    labels : list of str, optional
        What to call the results; by default the function's name.
    tolerance : float
        Largest relative error that is right.
    """
    labels, got = labels or [name], []
    for given in inputs:
        value = call(name, student, *(copy.deepcopy(a) for a in given))
        got.append(_several(name, value, len(labels)))
    want = [_several(name, reference(*given), len(labels)) for given in inputs]
    got = [
        [_like(*pair) for pair in zip(g, w, strict=False)] for g, w in zip(got, want, strict=True)
    ]
    samples = [_rows_of([*w, *given]) for w, given in zip(want, inputs, strict=True)]
    verdict = judge(name, got, want, samples, labels, tolerance)
    if verdict:
        return verdict
    known = {
        hint: lambda k, wrong_one=f: _several(name, wrong_one(*inputs[k]), len(labels))
        for hint, f in (slips or {}).items()
    }
    return wrong(*likely(got, want, known, tolerance), *verdict.lines)


def _rows_of(values: Sequence[Any]) -> int:
    """Give the number of rows of the first matrix."""
    return next((len(v) for v in values if getattr(v, "ndim", 0) == 2), 1)


def _several(name: str, value: Any, count: int) -> list[Array]:
    """Read what a function gave: a tuple of arrays, a list of them where it gives several, or one.

    A list in place of one array is that array.
    """
    several = isinstance(value, tuple) or (isinstance(value, list) and count > 1)
    return [array(name, v) for v in (value if several else (value,))]


def _like(got: Array, want: Array) -> Array:
    """Let a number be an array of one entry."""
    return got.reshape(want.shape) if got.size == want.size == 1 else got
