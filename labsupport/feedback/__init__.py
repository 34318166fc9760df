"""Self-checks of the exercises: what is wrong, and which slip is likely, never the answer.

``feedback.check("ex-tanh", forward_tanh, backward_tanh)`` is the last line of an exercise's cell.
It raises nothing on what a student wrote. For your own code, outside the exercises, there are
`gradient`, `training` and `function`.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import numpy as np

from labsupport.feedback import exercises
from labsupport.feedback.diagnosis import function, gradient, training
from labsupport.feedback.verdict import Check, Verdict, is_open, unattempted, wrong

__all__ = ["CHECKS", "Verdict", "check", "function", "gradient", "training"]

CHECKS: dict[str, Check] = {
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
        Too many answers or too few.
    """
    if label not in CHECKS:
        raise ValueError(f"no exercise is labelled {label!r}; choose one of {', '.join(CHECKS)}.")
    judge = CHECKS[label]
    given = inspect.signature(judge).bind(*answers, **context).arguments
    names = [name for name in given if name not in context]
    if all(is_open(given[name]) for name in names):
        return unattempted(*names)
    try:
        with np.errstate(all="ignore"):
            return judge(*answers, **context)
    except Exception as error:  # whatever a student hands over, "Run all" goes on
        text = f"{type(error).__name__}: {error}".replace("`", "'")
        return wrong(f"The answer cannot be read: {text}. Compare its form with the exercise.")
