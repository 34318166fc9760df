"""Answers judged that need no program: one number, and words that belong to letters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labsupport.feedback.answers import one_number, table
from labsupport.feedback.verdict import Verdict, is_open, reading, right, unattempted, wrong


def close(one: float, other: float, rtol: float, atol: float = 0.0) -> bool:
    """Whether two numbers agree within atol + rtol times the other."""
    return abs(one - other) <= atol + rtol * abs(other)


RATIOS = {
    100.0: "it is 100 times too large: is it a percentage where a share is asked for?",
    0.01: "it is 100 times too small: is it a share where a percentage is asked for?",
    1 / np.log(2): "it is too large by 1/ln 2: is it in bits? Take the natural logarithm.",
    1 / np.log(10): "it is too small by ln 10: is it a logarithm to base 10? Take the natural one.",
    2.0: "it is twice too large: look for a factor 2.",
    0.5: "it is half of what it should be: look for a factor 2.",
}
"""Ratio of a wrong number to the right one, and what it may come from; not asked of counts."""


@reading
def number(
    name: str,
    answer: object,
    expected: float,
    slips: Mapping[str, float] | None = None,
    *,
    rtol: float = 1e-3,
    atol: float = 0.0,
    praise: str = "",
) -> Verdict:
    """Judge one number.

    Parameters
    ----------
    name : str
        What the exercise calls it.
    answer : object
        The student's: a Python number, or an array or tensor of one entry.
    expected : float
        The right one. It is never shown.
    slips : dict of str to float, optional
        A hint, and the number that this slip leads to.
    rtol, atol : float
        How far from `expected` is still right.
    praise : str
        What to say when it is right; by default that the answer is right.

    Returns
    -------
    Verdict
        The likely slip, or else in which direction the answer is off.
    """
    if is_open(answer):
        return unattempted(name)
    value = one_number(name, answer)
    if close(value, expected, rtol, atol):
        return right(praise or f"`{name}` is right.")
    for hint, slipped in (slips or {}).items():
        if close(value, slipped, min(rtol, 1e-2), min(atol, 1e-2 * abs(expected))):
            return wrong(f"`{name}`: {hint}.")
    if close(value, -expected, min(rtol, 1e-3)):
        return wrong(f"`{name}`: it has the wrong sign.")
    if not float(expected).is_integer():
        for ratio, hint in RATIOS.items():
            if close(value, ratio * expected, min(rtol, 1e-3)):
                return wrong(f"`{name}`: {hint}")
        if close(value, expected, 1e-2):
            digits = int(0.01 - np.log10(abs(value / expected - 1)))
            return wrong(f"`{name}` is right to {digits} digits; more are asked for.")
    if np.sign(value) != np.sign(expected) and expected != 0:
        return wrong(f"`{name}` should be {'positive' if expected > 0 else 'negative'}.")
    size = "large" if abs(value) > abs(expected) else "small"
    far = abs(value) > 10 * abs(expected) or 10 * abs(value) < abs(expected)
    return wrong(f"`{name}` is {'more than ten times ' if far else ''}too {size}.")


def matched(
    name: str, answer: object, answers: Mapping[str, str], hints: Mapping[str, str], praise: str
) -> Verdict:
    """Judge which word belongs to each letter.

    Parameters
    ----------
    name : str
        What the exercise calls it.
    answer : object
        The student's: a dictionary of letter to word.
    answers : dict of str to str
        The right one.
    hints : dict of str to str
        By word, how one finds where it belongs; its keys are all words that may be chosen.
    praise : str
        What to say when it is right.

    Returns
    -------
    Verdict
        For each letter with a wrong word, how its own is found.

    Raises
    ------
    Unreadable
        No dictionary, or one with other letters.
    """
    given = table(name, answer, tuple(answers))
    if any(word is ... for word in given.values()):
        return unattempted(name)
    for word in given.values():
        if not isinstance(word, str) or word not in hints:
            return wrong(f"`{name}`: {word!r} is none of {', '.join(hints)}.")
    off = [letter for letter, word in answers.items() if given[letter] != word]
    lines = (f"`{letter}` is not {given[letter]}: {hints[answers[letter]]}." for letter in off)
    return wrong(*lines) if off else right(praise)
