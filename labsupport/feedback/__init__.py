"""Self-checks of the exercises: what is wrong, and which slip is likely, never the answer.

``feedback.check("ex-tanh", forward_tanh, backward_tanh)`` is the last line of an exercise's cell.
Whatever a student wrote, it raises nothing; a call of it is ended after ten seconds. An error of
ours is raised. For your own code, outside the exercises, there are `gradient`, `training` and
`function`.
"""

from __future__ import annotations

import inspect
import pkgutil
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import numpy as np

from labsupport.feedback import exercises
from labsupport.feedback.diagnosis import function, gradient, training
from labsupport.feedback.verdict import Judge, Verdict, is_open, reading, unattempted

__all__ = ["CHECKS", "Verdict", "check", "function", "gradient", "training"]

CHECKS: dict[str, Judge] = {
    label: judge
    for module in pkgutil.iter_modules(exercises.__path__)
    for label, judge in import_module(f"{exercises.__name__}.{module.name}").CHECKS.items()
}
"""The self-check of each exercise, by the label of its box."""


def check(label: str, *answers: Any, **context: Any) -> Verdict:
    """Judge the answers to an exercise.

    Parameters
    ----------
    label : str
        Label of the exercise, such as ``ex-tanh``.
    *answers : object
        What the student wrote, in the order in which the exercise asks for it.
    **context : object
        What the chapter made and the check needs, by name.

    Returns
    -------
    Verdict
        Shown as the value of the cell. An answer still at `...` is open, not wrong.

    Raises
    ------
    ValueError
        No exercise has this label.
    TypeError
        Too many answers or too few; the message says what is asked for, in order.
    """
    if label not in CHECKS:
        near = ", ".join(get_close_matches(label, CHECKS, cutoff=0))
        raise ValueError(f"no exercise is labelled {label!r}; the nearest are {near}.")
    judge = CHECKS[label]
    parameters = inspect.signature(judge).parameters.values()
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    made = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if len(answers) != len(names) or sorted(context) != sorted(made):
        asked = ", ".join([f'"{label}"', *names, *(f"{name}={name}" for name in made)])
        given = ", ".join([f"{len(answers)} answers", *context])
        raise TypeError(f"{label} was given {given}; write feedback.check({asked}).")
    if all(map(is_open, answers)):
        return unattempted(*names)
    with np.errstate(all="ignore"):
        return reading(judge)(*answers, **context)
