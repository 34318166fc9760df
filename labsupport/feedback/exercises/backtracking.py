"""Self-checks of :ref:`ch-backtracking`: backtracking, and a search along any direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from labsupport import datasets, descent, network
from labsupport.checks import Array
from labsupport.feedback.answers import array, call, one_number, table
from labsupport.feedback.judges import close, number
from labsupport.feedback.verdict import Judge, Unreadable, Verdict, right, together, wrong
from labsupport.history import History
from labsupport.network import Network, Parameters

NET = Network((2, 16, 1), hidden="relu", output="identity", loss="bce_with_logits")
CONSTANTS = (1e-4, 0.1, 0.3, 0.5)
LOSSES = 10_000
"""So many losses may one search ask for; more of them have no end."""


class Problem(NamedTuple):
    """One search to make, by the arguments of the exercise."""

    what: str
    f: Callable[[Array], float]
    x: Array
    g: Array
    d: Array
    first: float = 1.0
    shrink: float = 0.5
    c: float = 0.1
    smallest: float = 1e-8

    @property
    def slope(self) -> float:
        """How fast f rises along d."""
        return float(self.g @ self.d)

    def __str__(self) -> str:
        constants = ("first", "shrink", "c", "smallest")
        given = ", ".join(f"{name} = {getattr(self, name):g}" for name in constants)
        return f"{self.what}, {given}"


class Found(NamedTuple):
    """What a search gives: the new x, the step, and the number of trials."""

    x: Array
    step: float
    trials: float

    def agrees(self, other: Found) -> bool:
        """Whether the two are the same but for rounding."""
        same = close(self.step, other.step, 1e-9) and self.trials == other.trials
        return same and np.allclose(self.x, other.x, rtol=1e-9, atol=1e-12)


@cache
def problems() -> tuple[Problem, ...]:
    """On which a search is tried; two go uphill: over a ridge, and where it must give up."""
    curvature, corner = np.array([1.0, 10.0]), np.array([10.0, 1.0])
    data = datasets.moons()
    begin = network.initialise(NET, np.random.default_rng(5), "pytorch").vector

    def bowl(x: Array) -> float:
        return float(0.5 * (curvature * x) @ x)

    def moons(x: Array) -> float:
        here = Parameters(NET.sizes, x)
        return float(network.loss_value(NET, here, data.X_train, data.Y_train))

    def gradient(x: Array) -> Array:
        here = Parameters(NET.sizes, x)
        return network.loss_and_gradient(NET, here, data.X_train, data.Y_train)[1].vector

    def barrier(x: Array) -> float:
        return float(np.sum(x - np.log(x)))

    def steep(x: Array) -> float:
        return float(np.sum(np.exp(x * x)))

    def waves(x: Array) -> float:
        return float(np.sum(np.sin(x)))

    g, g0 = curvature * corner, gradient(begin)
    later = begin - 4.0 * g0
    g1, inside, outside = gradient(later), np.array([3.0, 0.4]), np.array([2.0, -1.5])
    g2, g3 = 1 - 1 / inside, 2 * outside * np.exp(outside**2)
    foot = np.array([0.5, 1.0])
    g4 = np.cos(foot)
    return (
        Problem("a quadratic, d = -g", bowl, corner, g, -g),
        Problem("a quadratic, d = -x", bowl, corner, g, -corner),
        Problem("a quadratic, d = -x", bowl, corner, g, -corner, 1.9999),
        Problem("a quadratic, d aslant", bowl, corner, g, np.array([-9.0, -1.0]), 8.0, 0.7, 0.3),
        Problem("the moons, d = -g", moons, begin, g0, -g0, 64.0),
        Problem("the moons, d = -(g + 0.9 v)", moons, later, g1, -(g1 + 0.9 * g0), 32.0, 0.8, 0.5),
        Problem("a function that is nan far away", barrier, inside, g2, -4 * g2, 4.0, 0.6, 0.01),
        Problem("a function that is infinite far away", steep, outside, g3, -g3, 1.0, 0.25, 0.2),
        Problem("waves, uphill over a ridge, d = g", waves, foot, g4, g4, 8.0, 0.5, 0.5),
        Problem("a quadratic uphill, d = g", bowl, corner, g, g, 1.0, 0.5, 0.1, 2.0**-10),
    )


def _search(
    p: Problem,
    last: float,
    *,
    early: bool = False,
    previous: bool = False,
    at_x: bool = False,
    nan: bool = False,
    before: bool = False,
    moves: bool = False,
    steps: bool = False,
    counted: int = 0,
    unmade: int = 0,
    carried: bool = False,
    way: Callable[[Problem], Array] = lambda p: p.d,
    promise: Callable[[Problem, float], float] = lambda p, alpha: p.c * alpha * p.slope,
    fixed: Mapping[str, float] | None = None,
) -> Found:
    """Search as it should be, or with the slips of `SLIPS`; the search before found `last`."""
    p = p._replace(**(fixed or {}))  # type: ignore[arg-type]
    first = last if carried and last else p.first
    known, alpha, trials = p.f(p.x), first * (p.shrink if early else 1.0), 0
    while alpha >= p.smallest and trials < LOSSES:
        there, trials = p.x + alpha * way(p), trials + 1
        loss = p.f(p.x if at_x else there)
        if loss <= known + promise(p, alpha) or (nan and np.isnan(loss)):
            x = p.x + alpha / p.shrink * way(p) if before else there
            return Found(x, alpha, trials + counted)
        known, alpha = loss if previous else known, p.shrink * alpha
    alpha = alpha / p.shrink
    x = p.x + alpha * way(p) if moves else p.x
    return Found(x, alpha if steps else 0.0, trials + counted + unmade)


SLIPS: dict[str, dict[str, Any]] = {
    "it shrinks before it tests: the first trial is `first` itself": {"early": True},
    "it compares with the trial before: each trial is compared with f(x)": {"previous": True},
    "it takes the loss at x where that of the trial belongs": {"at_x": True},
    "it accepts nan: ask whether a trial is good, for `nan > ...` is false": {"nan": True},
    "the new x is that of the trial before the accepted one": {"before": True},
    "it moves although it gave up: then the new x is x": {"moves": True},
    "it gives a step although it gave up: then the step is 0.0": {"steps": True},
    "it counts one trial too few: the first counts, and so does the accepted one": {"counted": -1},
    "it counts one trial too many": {"counted": 1},
    "when it gives up, it counts a trial that it did not make": {"unmade": 1},
    "the slope has the wrong sign: g @ d is negative downhill, so it is added": {
        "promise": lambda p, alpha: -p.c * alpha * p.slope
    },
    "the slope keeps its sign: uphill g @ d is positive, so no abs": {
        "promise": lambda p, alpha: -p.c * alpha * abs(p.slope)
    },
    "the slope along d is g @ d, not -g @ g": {
        "promise": lambda p, alpha: -p.c * alpha * float(p.g @ p.g)
    },
    "the slope along d is g @ d, not -d @ d": {
        "promise": lambda p, alpha: -p.c * alpha * float(p.d @ p.d)
    },
    "c is missing: it asks for the whole promise": {"promise": lambda p, alpha: alpha * p.slope},
    "the promise is missing: it takes any loss that is not higher": {
        "promise": lambda p, alpha: 0.0
    },
    "the step is missing in the promise": {"promise": lambda p, alpha: p.c * p.slope},
    "it goes along -g: the new x is x + step * d": {"way": lambda p: -p.g},
    "it goes along -d: the new x is x + step * d": {"way": lambda p: -p.d},
    "the step is carried over from the search before: begin at `first`": {"carried": True},
    "it begins at 1, whatever `first` is": {"fixed": {"first": 1.0}},
    "it halves, whatever `shrink` is": {"fixed": {"shrink": 0.5}},
    "its c is 1e-4, whatever `c` is": {"fixed": {"c": 1e-4}},
    "it gives up below 1e-10, whatever `smallest` is": {"fixed": {"smallest": 1e-10}},
    "it never gives up: `smallest` is not used": {"fixed": {"smallest": 0.0}},
}
"""A hint, and what it changes in `_search`."""


def _searches(**slips: Any) -> Iterator[Found]:
    """Search all problems, one after the other, with these slips."""
    last = 0.0
    for problem in problems():
        found = _search(problem, last, **slips)
        last = found.step
        yield found


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """Join two slips; None where they exclude each other."""
    fixed = [slip.get("fixed", {}) for slip in (one, other)]
    if (one.keys() & other.keys()) - {"fixed"} or fixed[0].keys() & fixed[1].keys():
        return None
    return one | other | {"fixed": fixed[0] | fixed[1]}


def _named(got: list[Found]) -> list[str]:
    """Give the one slip, or else the two, with which a search of ours gives these very numbers."""

    def gives(slips: dict[str, Any]) -> bool:
        return all(g.agrees(ours) for g, ours in zip(got, _searches(**slips), strict=True))

    if alone := [hint for hint, slip in SLIPS.items() if gives(slip)]:
        return alone[:1]
    for pair in combinations(SLIPS, 2):
        slips = _both(*(SLIPS[hint] for hint in pair))
        if slips and gives(slips):
            return list(pair)
    return []


def search(search: Any) -> Verdict:
    """Judge a line search along any direction, ex-search."""
    got, asked = [], 0
    for problem in problems():
        found, losses = _tried(search, problem)
        got.append(found)
        asked += losses
    want = list(_searches())
    off = [k for k, found in enumerate(got) if not found.agrees(want[k])]
    if not off:
        enough = int(sum(found.trials + 1 for found in want))
        more = f"It asked for {asked} losses where {enough} are enough: keep f(x)."
        praise = f"`search` finds x, step and trials on all of {len(got)} problems."
        return right(praise, *([more] if asked > enough else []))
    lines = [f"On {problems()[off[0]]}: {_differs(problems()[off[0]], got[off[0]])}."]
    if hints := _named(got):
        count = "this slip" if len(hints) == 1 else "these two slips"
        told = "; and ".join(hints)
        lines.insert(0, f"A search of ours with {count} gives your very numbers: {told}.")
    return wrong(*lines)


def _tried(search: Any, p: Problem) -> tuple[Found, int]:
    """Let a student's search solve a problem; count the losses that it asked for."""
    losses = 0

    def f(x: Array) -> float:
        nonlocal losses
        losses += 1
        if losses > LOSSES:
            raise RuntimeError(f"after {LOSSES} losses there is no end. Does the step shrink?")
        return p.f(x)

    given = [array.copy() for array in (p.x, p.g, p.d)]
    try:
        value = call("search", search, f, *given, p.first, p.shrink, p.c, p.smallest)
        if not isinstance(value, tuple | list) or len(value) != 3:
            expected = "expected three: new x, step, trials"
            raise Unreadable(wrong(f"`search` gives a {type(value).__name__}; {expected}."))
        x = array("search(...)[0]", value[0])
        if x.shape != p.x.shape:
            text = f"The new x has shape {x.shape}, and x has {p.x.shape}: give x, step, trials."
            raise Unreadable(wrong(text))
        found = Found(x.astype(float), *(one_number("search(...)", v) for v in value[1:]))
    except Unreadable as error:
        said = error.verdict
        place = () if said.status == "open" else (f"It was tried on {p}.",)
        raise Unreadable(Verdict(said.status, (*said.lines, *place))) from error
    return found, losses


def _differs(p: Problem, got: Found) -> str:
    """Say what is wrong with a search, without the right one."""
    want, s = _search(p, 0.0), got.step
    if not close(s, want.step, 1e-9):
        if want.step == 0:
            return f"no trial passes, and so the step is 0.0; yours is {s:g}"
        if s == 0:
            return "`search` gives up, but a trial passes"
        made = np.log(s / p.first) / np.log(p.shrink) if s > 0 else 0.5
        if made < -1e-6 or abs(made - round(made)) > 1e-6:
            return f"a step of {s:g} is none of the trials: `first`, `shrink * first` and so on"
        if s > want.step:
            return f"a step of {s:g} is too long: it fails the condition"
        return f"a step of {s:g} is too short: a longer trial passes already"
    if not np.allclose(got.x, want.x, rtol=1e-9, atol=1e-12):
        return "the step is right, but the new x is not x + step * d"
    size = "many" if got.trials > want.trials else "few"
    return f"x and the step are right; {got.trials:g} trials are too {size}"


def _run(begin: Parameters, first: float, c: float, warm: bool = False) -> History:
    data, rule = datasets.moons(), descent.Armijo(first=first, c=c, warm=warm)
    run = descent.train(NET, begin, data.X_train, data.Y_train, rule, 300, progress=False)
    return run.history


def constants(trials_by_c: object, *, begin: Parameters) -> Verdict:
    """Judge the mean number of trials for four constants c, from `begin`, ex-constants."""
    verdicts = []
    for c, answer in sorted(table("trials_by_c", trials_by_c, CONSTANTS).items()):
        name = f"trials_by_c[{c:g}]"
        trials = _run(begin, 16.0, c).trials
        mean = float(np.nanmean(trials))
        verdict = number(name, answer, mean, atol=0.15)
        if verdict.status == "wrong":
            slips = {
                "that is the sum over all epochs; a mean is asked for": float(np.nansum(trials)),
                "that is the largest number; a mean is asked for": float(np.nanmax(trials)),
                "that is the median; a mean is asked for": float(np.nanmedian(trials)),
                "that is without the accepted trial; it counts too": mean - 1,
                "that is from a first trial of 1; 16 is asked for": float(
                    np.nanmean(_run(begin, 1.0, c).trials)
                ),
                "that is with a warm start": float(
                    np.nanmean(_run(begin, 16.0, c, warm=True).trials)
                ),
            }
            verdict = number(name, answer, mean, slips, atol=0.15)
        verdicts.append(verdict)
    joint = together(*verdicts)
    return right("The four means are right.") if joint else joint


def _descend(c: float, first: float = 1.0, shrink: float = 0.5) -> list[float]:
    """Accepted steps of 50 updates on the quadratic of the exercise."""
    curvature, x, steps = np.array([1.0, 10.0]), np.array([10.0, 1.0]), []
    for _ in range(50):
        g, alpha = curvature * x, first
        while (curvature * (x - alpha * g)) @ (x - alpha * g) / 2 > (curvature * x) @ x / 2 - (
            c * alpha * (g @ g)
        ):
            alpha *= shrink
        x = x - alpha * g
        steps.append(alpha)
    return steps


def quadratic(smallest_step: object) -> Verdict:
    """Judge the smallest accepted step on a quadratic, ex-quadratic."""
    steps = _descend(0.5)
    slips = {
        "that is with c = 1e-4, the default; here c is 0.5": min(_descend(1e-4)),
        "that is the bound of the theory; asked for is what the search accepted": 0.05,
        "that is the largest accepted step": max(steps),
        "that is the step accepted last; take the smallest of the 50": steps[-1],
        "that is the step accepted first; take the smallest of the 50": steps[0],
        "that is the mean of the steps; take the smallest": float(np.mean(steps)),
        "that is 1/L; asked for is what the search accepted": 0.1,
    }
    return number("smallest_step", smallest_step, min(steps), slips)


def give_up(trials_until_end: object) -> Verdict:
    """Judge after how many trials a search uphill gives up, ex-give-up."""
    alpha, trials = 1.0, 0
    while alpha >= 1e-10:
        trials, alpha = trials + 1, alpha / 2
    slips = {
        "one is missing: the first trial, of 1, counts too": trials - 1.0,
        "that is one too many: the step below 1e-10 is not tried any more": trials + 1.0,
        "that is the step it returns, not the number of trials": 0.0,
        "a trial is half as long as the one before, not a tenth": 10.0,
        "a trial is half as long as the one before, not one tenth": 11.0,
        "uphill no trial passes: it goes on to the smallest step": 1.0,
    }
    return number("trials_until_end", trials_until_end, trials, slips, rtol=1e-9)


CHECKS: dict[str, Judge] = {
    "ex-search": search,
    "ex-constants": constants,
    "ex-quadratic": quadratic,
    "ex-give-up": give_up,
}
