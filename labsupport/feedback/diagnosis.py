"""Try a student's function on random networks and say which mistake is in it.

A backward pass, a whole training loop, or any function of arrays. If it is wrong, every bug of
`labsupport.bugs` is made on the very same networks, then every two at once: what gives the same
numbers is the slip. If nothing does, what is certain says where to look.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, combinations, islice, pairwise
from typing import Any, TypeAlias

import numpy as np

from labsupport import bugs, network
from labsupport.checks import Array
from labsupport.feedback import mistakes
from labsupport.feedback.answers import call
from labsupport.feedback.cases import Case, draw, expected, names, several, tensors
from labsupport.feedback.mistakes import Trial, facts, likely, misplaced, right_ones
from labsupport.feedback.verdict import (
    Endless,
    Unreadable,
    Verdict,
    reading,
    right,
    wrong,
)
from labsupport.lines import CORRECT, AtUpdate, Bug, both, update_line
from labsupport.network import Network, Parameters

RATE, STEPS = 0.02, 3
"""Learning rate and number of steps with which a training loop is tried."""

Way: TypeAlias = Callable[[Case, float], Iterator[Parameters]]
"""Steps from a case with a learning rate: the parameters after the first, the second, ..."""

Slips: TypeAlias = Iterable[tuple[str, Callable[[int], Iterable[Array]]]]
"""A hint, and the arrays that its slip gives in trial k."""


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
    cases = cases or draw(net, np.random.default_rng(len(net.sizes)), outputs=outputs)
    arguments = arguments or (_columns if columns else _rows)
    labels = names(2 * len(net.activations))

    def turned(tensors: Iterable[Any]) -> list[Array]:
        return [np.asarray(t).T if columns else np.asarray(t) for t in tensors]

    trials, tried, stopped, problems = [], [], [], []
    for case in cases:
        want = turned(expected(case))
        try:
            value = call(name, student, *arguments(case.copy()))
            trials.append(Trial(tensors(name, value, want), want, case.samples, int(columns)))
            tried.append(case)
        except Endless:
            raise
        except Unreadable as error:
            stopped.append(case)
            problems.append(_on(case, error.verdict))
    if not trials:
        return problems[0]
    if form := misplaced(name, trials, labels):
        return wrong(*form)
    if not problems and all(right_ones(trials)):
        return right(f"`{name}` is right on {len(trials)} random cases of different shapes.")
    caches = [case.cache for case in tried]

    def broken(bug: Bug, k: int) -> list[Array]:
        case = tried[k]
        assert bug.gradient
        return turned(bug.gradient(case.network, case.parameters, caches[k], case.Y))

    def slipped(slip: Callable[[Case], Any], k: int) -> list[Array]:
        given = trials[k]._replace(got=turned(slip(tried[k])))
        return [given.pair(j)[0] for j in range(len(labels))]

    own = [(hint, partial(slipped, slip)) for hint, slip in (slips or {}).items()]
    zoo = [bug for bug in _possible(tried) if bug.gradient]
    more = partial(_too_early, broken)
    slip, form = _explained(name, trials, labels, own, zoo, broken, more, stopped)
    if problems:
        return wrong(*slip, *form, *problems[0].lines)
    return _said((slip, form), facts(trials, labels), _where(right_ones(trials), labels))


def _rows(case: Case) -> tuple[Any, ...]:
    return case.network, case.parameters, case.X, case.Y


def _columns(case: Case) -> tuple[Any, ...]:
    return case.network, [t.T for t in case.parameters], case.X.T, case.Y.T


def _on(case: Case, said: Verdict) -> Verdict:
    """Add what a function that stopped was tried on."""
    widths = "-".join(map(str, case.network.sizes))
    tried = f"It was tried on a network {widths} with {case.samples} samples."
    return wrong(*said.lines, tried) if " stopped with " in said.lines[0] else said


def _possible(cases: Sequence[Case]) -> list[Bug]:
    """Give the bugs that some of the cases let happen."""
    tried = [(case.network, case.samples) for case in cases]
    return [bug for bug in bugs.BUGS.values() if any(bug.applies(*case) for case in tried)]


def _pairs(zoo: Sequence[Bug]) -> Iterator[Bug]:
    """Make every two bugs at once, in both orders if they are in the same line."""
    for one, other in combinations(zoo, 2):
        yield both(one, other)
        if one.lines.keys() & other.lines.keys():
            yield both(other, one)


def _too_early(
    broken: Callable[[Bug, int], list[Array]], trials: Sequence[Trial], zoo: Iterable[Bug]
) -> Iterator[Bug]:
    """Move W before line 8 uses it, beside each bug, by the learning rate that fits best."""
    k = len(trials[0].want) - 4  # dW of the last layer but one, which depends on it linearly
    for bug in zoo if k >= 0 else ():
        still, moved = (broken(both(bug, bugs.too_early(rate)), 0)[k] for rate in (0.0, 1.0))
        got, slope = trials[0].got[k], moved - still
        if got.shape == slope.shape and slope.any():
            early = bugs.too_early(float(np.vdot(got - still, slope) / np.vdot(slope, slope)))
            yield both(bug, early) if bug.lines else early


def _explained(
    name: str,
    trials: list[Trial],
    labels: Sequence[str],
    own: Slips,
    zoo: Sequence[Bug],
    broken: Callable[[Bug, int], Iterable[Array]],
    more: Callable[[Sequence[Trial], Iterable[Bug]], Iterable[Bug]] = lambda trials, zoo: (),
    stopped: Sequence[Case] = (),
) -> tuple[list[str], list[str]]:
    """Name slips of the exercise, or bugs, that give the very numbers; say what form these need.

    `broken` is what a bug gives in a trial; `more` fits bugs to the trials, beside each of these. A
    bug that is possible in a case in which the function stopped is not the one.
    """

    def of(found: Iterable[Bug]) -> Slips:
        could = (b for b in found if not any(b.applies(c.network, c.samples) for c in stopped))
        return ((bug.slip, partial(broken, bug)) for bug in could)

    ways = list(mistakes.arrangements(name, trials, labels))
    for text, arranged in ways:
        one = of(chain(zoo, more(arranged, [CORRECT])))
        if hints := list(likely(arranged, own)) or list(likely(arranged, one)):
            return [f"The likely slip: {'; or '.join(hints[:2])}."], text
    for text, arranged in ways:
        two = of(chain(_pairs(zoo), more(arranged, zoo)))
        pairs = [hint.split("; and ") for hint in likely(arranged, two)]
        sure = [slip for slip in pairs[0] if all(slip in pair for pair in pairs)] if pairs else []
        if sure:
            ending = f"s: {'; and '.join(sure)}" if sure[1:] else f": {sure[0]}; and one more"
            return [f"The likely slip{ending}."], text
    return [], []


def _said(named: tuple[list[str], list[str]], found: Sequence[str], try_it: str) -> Verdict:
    """Say beside slips and form what is certain, and if no slip is named what to try."""
    slips, form = named
    of_form = [line for line in found if " shape " in line or line.startswith("Right already")]
    if form or slips:
        return wrong(*slips, *(form or of_form))
    clear = any(" shape " in line or " digits" in line for line in found)
    return wrong(*found, *([] if clear else [try_it]))


def _where(good: Sequence[bool], labels: Sequence[str]) -> str:
    """Say from which line of the algorithm on a backward pass is wrong, and what to try."""
    last = max((k for k, fine in enumerate(good) if not fine), default=0)
    layer, layers = last // 2 + 1, len(labels) // 2
    first = [labels[k] for k in (2 * layer - 2, 2 * layer - 1) if not good[k]]
    if len(first) == 1:
        text = f"`{first[0]}` is the first that is wrong: look at line 7, where it is made"
    elif layer == layers:
        text = f"The last layer is wrong already: look at line 6, `D{layer}`, then at line 7"
    else:
        made = f"which makes `D{layer}` of `D{layer + 1}`"
        text = f"Layer {layer} is wrong, what is behind it is right: look at line 8, {made}"
    return f"{text}. Try it with a single sample, by hand."


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
    cases = cases or draw(net, np.random.default_rng(len(net.sizes)))
    labels = [label[1:] for label in names(2 * len(net.activations))]
    ends, trials = [], []
    for case in cases:
        start = list(case.parameters)
        path, right_path = [start], [start, *_path(reference or _descend, case)]
        for epochs in range(1, STEPS + 1):
            mine = case.copy()
            try:
                value = call(name, student, *arguments(mine, RATE, epochs))
            except Unreadable as error:
                if np.array_equal(mine.parameters.vector, case.parameters.vector):
                    raise
                slip = bugs.BUGS["start moves along"].slip
                return wrong(f"The likely slip: {slip}.", *error.verdict.lines)
            path.append(tensors(name, value, start))
        ends += [Trial(*pair, case.samples) for pair in zip(path[1:], right_path[1:], strict=True)]
        if all(len(end) == len(start) for end in path):
            trials.append(Trial(list(_implied(path)), list(_implied(right_path)), case.samples))
    if form := misplaced(name, ends, labels):
        return wrong(*form)
    good = right_ones(trials)
    if all(good):
        return right(f"`{name}` takes the right steps on {len(cases)} random networks.")

    def taken(way: Way, k: int) -> Iterator[Array]:
        return _implied(chain([list(cases[k].parameters)], _path(way, cases[k])))

    def broken(bug: Bug, k: int) -> Iterator[Array]:
        return taken(partial(_descend, bug=bug), k)

    plain = any(likely(trials, [("", partial(broken, CORRECT))]))
    own = [(hint, partial(taken, way)) for hint, way in (slips or {}).items()]
    zoo = [] if plain else _possible(cases)
    lines, _ = _explained(name, trials, labels * STEPS, own, zoo, broken)
    step = good.index(False) // len(labels)
    part = slice(step * len(labels), (step + 1) * len(labels))
    at_step = [t._replace(got=t.got[part], want=t.want[part]) for t in trials]
    first = f"Step {step + 1} is the first that is wrong"
    lines.append(f"{first}: what does it carry from the steps before?" if step else f"{first}.")
    named = [f"the step of {label}" for label in labels]
    return wrong(*lines, *facts(at_step, named))


def _descend(case: Case, rate: float, bug: Bug = CORRECT) -> Iterator[Parameters]:
    """Step on and on, with a bug in every step."""
    parameters, memory = case.parameters.copy(), dict[str, Any]()
    while True:
        cache = network.forward(case.network, parameters, case.X)
        given = (case.network, parameters, cache, case.Y)
        gradient = (bug.gradient or network.backward)(*given)
        step = AtUpdate(*given, gradient, rate, memory)
        parameters = (bug.update or update_line)(step)
        yield parameters.copy()


def _path(way: Way, case: Case) -> Iterator[list[Array]]:
    return (list(parameters) for parameters in islice(way(case.copy(), RATE), STEPS))


def _implied(path: Iterable[Sequence[Array]]) -> Iterator[Array]:
    """Give the gradients that steps imply, read no further than they are asked."""
    for old, new in pairwise(path):
        for before, after in zip(old, new, strict=True):
            end, _ = Trial([after], [before], 0).pair(0)
            alike = end.shape == before.shape
            yield ((before - end) / RATE).astype(end.dtype) if alike else after


@reading
def function(
    name: str,
    student: Any,
    reference: Callable[..., Any],
    inputs: Sequence[tuple[Any, ...]],
    *,
    slips: Mapping[str, Callable[..., Any]] | None = None,
    labels: Sequence[str] | None = None,
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
    """
    labels, trials = labels or [name], []
    for given in inputs:
        want = _results(reference(*given))
        value = call(name, student, *(copy.deepcopy(a) for a in given))
        trials.append(Trial(several(name, value, want), want, _rows_of([*want, *given])))
    if form := misplaced(name, trials, labels):
        return wrong(*form)
    if all(right_ones(trials)):
        return right(f"`{name}` is right on {len(trials)} random cases of different shapes.")

    def slipped(slip: Callable[..., Any], k: int) -> list[Array]:
        return _results(slip(*inputs[k]))

    own = [(hint, partial(slipped, slip)) for hint, slip in (slips or {}).items()]
    found = _explained(name, trials, labels, own, [], lambda bug, k: [])
    bad = [a for a, t in zip(inputs, trials, strict=True) if not all(right_ones([t]))]
    small = (
        ", ".join(map(str, bad[0]))
        if bad and isinstance(bad[0][0], int | float)
        else "one row, by hand"
    )
    return _said(found, facts(trials, labels), f"Try it with {small}.")


def _rows_of(values: Sequence[Any]) -> int:
    """Give the number of rows of the first matrix."""
    return next((len(v) for v in values if getattr(v, "ndim", 0) == 2), 1)


def _results(value: Any) -> list[Array]:
    """Give what a function of ours gave, one array or a tuple of them."""
    return [np.asarray(v) for v in (value if isinstance(value, tuple) else (value,))]
