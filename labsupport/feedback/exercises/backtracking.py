"""Self-checks of :ref:`ch-backtracking`: backtracking."""

from __future__ import annotations

import numpy as np

from labsupport import datasets, descent
from labsupport.feedback.verdict import Judge, Verdict, number, right, table, together
from labsupport.history import History
from labsupport.network import Network, Parameters

NET = Network((2, 16, 1), hidden="relu", output="identity", loss="bce_with_logits")
CONSTANTS = (1e-4, 0.1, 0.3, 0.5)


def _search(begin: Parameters, first: float, c: float, warm: bool = False) -> History:
    data, rule = datasets.moons(), descent.Armijo(first=first, c=c, warm=warm)
    run = descent.train(NET, begin, data.X_train, data.Y_train, rule, 300, progress=False)
    return run.history


def constants(trials_by_c: object, *, begin: Parameters) -> Verdict:
    """Judge the mean number of trials for four constants c, from `begin`, ex-constants."""
    verdicts = []
    for c, answer in sorted(table("trials_by_c", trials_by_c, CONSTANTS).items()):
        name = f"trials_by_c[{c:g}]"
        trials = _search(begin, 16.0, c).trials
        mean = float(np.nanmean(trials))
        verdict = number(name, answer, mean, atol=0.15)
        if verdict.status == "wrong":
            slips = {
                "that is the sum over all epochs; a mean is asked for": float(np.nansum(trials)),
                "that is the largest number; a mean is asked for": float(np.nanmax(trials)),
                "that is the median; a mean is asked for": float(np.nanmedian(trials)),
                "that is without the accepted trial; it counts too": mean - 1,
                "that is from a first trial of 1; 16 is asked for": float(
                    np.nanmean(_search(begin, 1.0, c).trials)
                ),
                "that is with a warm start": float(
                    np.nanmean(_search(begin, 16.0, c, warm=True).trials)
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
    "ex-constants": constants,
    "ex-quadratic": quadratic,
    "ex-give-up": give_up,
}
