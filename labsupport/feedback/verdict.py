"""What a self-check says about an answer, and how it is shown. Used by every chapter's exercises.

A verdict is right, wrong, or open (not attempted yet). JupyterLab shows it as a box, everything
else as text. What a student's function raises, and what cannot be read of an answer, is Unreadable:
`reading` makes it a verdict, so that "Run all" never stops at an exercise. All else that is raised
here is an error of ours, and is not caught.
"""

from __future__ import annotations

import dis
import linecache
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from html import escape
from inspect import signature
from traceback import walk_tb
from types import CodeType, FunctionType
from typing import Any, Literal, ParamSpec, TypeAlias

import numpy as np

from labsupport.checks import Array
from labsupport.feedback import patience

HEADS = {"right": "Right.", "wrong": "Not yet.", "open": "Not attempted yet."}
BOX = "border-left:0.3em solid #808080;padding:0.1em 0.9em;margin:0.4em 0"
CODE = "color:inherit;background:none;border:0;padding:0"


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a self-check found.

    Attributes
    ----------
    status : str
        ``right``, ``wrong`` or ``open``.
    lines : tuple of str
        Sentences; code in them stands between backticks.
    """

    status: Literal["right", "wrong", "open"]
    lines: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == "right"

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return "\n  ".join((HEADS[self.status], *self.lines))

    def _repr_html_(self) -> str:
        rows = (
            re.sub("`(.+?)`", rf'<code style="{CODE}">\1</code>', escape(s)) for s in self.lines
        )
        body = "".join(f'<p style="margin:0.2em 0">{row}</p>' for row in rows)
        head = f'<p style="margin:0.2em 0"><strong>{HEADS[self.status]}</strong></p>'
        return f'<div role="status" style="{BOX}">{head}{body}</div>'


def right(*lines: str) -> Verdict:
    """The answer is right."""
    return Verdict("right", lines)


def wrong(*lines: str) -> Verdict:
    """The answer is wrong; the lines say where, and which slip it looks like."""
    return Verdict("wrong", lines)


def unattempted(*names: str) -> Verdict:
    """Nothing has been tried yet."""
    named = ", ".join(f"`{name}`" for name in names)
    return Verdict("open", (f"Write {named} in place of the `...` and run the cell again.",))


def together(*verdicts: Verdict) -> Verdict:
    """Join the verdicts on the answers of one exercise: wrong before open before right."""
    for status in ("wrong", "open"):
        if some := [v for v in verdicts if v.status == status]:
            return Verdict(status, tuple(line for v in some for line in v.lines))
    return right(*(line for v in verdicts for line in v.lines))


class Unreadable(Exception):
    """An answer with which nothing can be done; the verdict says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict


class Endless(Unreadable):
    """A function that was ended because it took too long; not worth a second call."""


Judge: TypeAlias = Callable[..., Verdict]
"""Takes the student's answers, gives a verdict."""

_Given = ParamSpec("_Given")


def reading(judge: Callable[_Given, Verdict]) -> Callable[_Given, Verdict]:
    """Decorate a judge: of an answer that it could not read it gives the verdict on that."""

    @wraps(judge)
    def reader(*args: _Given.args, **kwargs: _Given.kwargs) -> Verdict:
        try:
            return judge(*args, **kwargs)
        except Unreadable as error:
            return error.verdict

    return reader


def is_open(answer: object) -> bool:
    """Whether an answer was left as it stood: `...`, None, an empty collection, an empty body."""
    if answer is None or answer is ...:
        return True
    if isinstance(answer, tuple | list | dict | set | str):
        return not answer or (isinstance(answer, tuple | list) and any(a is ... for a in answer))
    return isinstance(answer, FunctionType) and _is_empty(answer.__code__)


@cache
def _is_empty(code: CodeType) -> bool:
    """Whether a function does nothing but return None or `...`."""
    allowed = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    steps = list(dis.get_instructions(code))
    values = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(step.opname in allowed for step in steps) and all(
        value is None or value is ... for value in values
    )


def call(name: str, function: Any, *args: Any) -> Any:
    """Call a student's function, and give what it gave.

    Parameters
    ----------
    name : str
        What the exercise calls it.
    function : object
        The student's answer.
    *args
        Handed on.

    Raises
    ------
    Unreadable
        It is no function, is not written yet, returned nothing, changed what it was given, or
        raised: then the verdict shows the line that the exception came from.
    Endless
        It was still running after `patience.SECONDS`.
    """
    if is_open(function):
        raise Unreadable(unattempted(name))
    if not callable(function):
        raise Unreadable(wrong(f"`{name}` is of type {_kind(function)}; expected a function."))
    given = _named(function, args)
    before = {key: _state(a) for key, a in given.items()}
    try:
        with np.errstate(all="ignore"):
            value = patience.within_limit(function, *args)
    except NotImplementedError:
        value = ...
    except patience.TooLong as error:
        ended = f"`{name}` was still running after {patience.SECONDS:g} seconds, and was ended"
        ask = "Look at the condition of its loop: which value in it should change, and does it?"
        raise Endless(wrong(f"{ended}{_where(error, function)}", ask)) from error
    except Exception as error:
        shapes = re.search("matmul|broadcast|aligned|shapes|size of tensor", str(error))
        more = ["Write the shapes beside that line: is a `.T` missing?"] if shapes else []
        text = f"{type(error).__name__}: {error}".replace("`", "'")
        said = wrong(f"`{name}` stopped with {text}{_where(error, function)}", *more)
        raise Unreadable(said) from error
    if value is ...:
        raise Unreadable(unattempted(name))
    changed = ", ".join(f"`{key}`" for key, a in given.items() if _state(a) != before[key])
    lines = [f"`{name}` changes {changed}, which it is given: work on a copy."] if changed else []
    if value is None:
        lines.append(f"`{name}` gives None: its last line is not a `return`.")
    if lines:
        raise Unreadable(wrong(*lines))
    return value


def _named(function: Callable[..., Any], args: tuple[Any, ...]) -> Mapping[str, Any]:
    """Give the arguments by the names that the function has for them."""
    try:
        return signature(function).bind(*args).arguments
    except (TypeError, ValueError):  # no signature, or one that does not fit
        return {f"argument {k}": a for k, a in enumerate(args, start=1)}


def _state(value: Any) -> Any:
    """Copy what a function can change in an argument: the numbers, wherever they are in it."""
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        numbers = np.asarray(value.detach() if hasattr(value, "detach") else value)
        return numbers.shape, numbers.dtype, numbers.tobytes()
    if isinstance(value, list | tuple):
        return [_state(part) for part in value]
    if isinstance(value, Mapping):
        return {key: _state(part) for key, part in value.items()}
    if type(value).__module__.startswith("labsupport."):  # parameters, a value on a tape
        own = getattr(value, "__dataclass_fields__", None) or vars(value)
        return [_state(getattr(value, key)) for key in own]
    return value if isinstance(value, int | float | str) else None


def _where(error: BaseException, function: Any) -> str:
    """Tell the last line of the student's own cell that an error passed."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [n for frame, n in walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    if not lines or file is None:
        return ". No line of it was reached: compare its arguments with the exercise."
    source = linecache.getline(file, lines[-1]).strip()
    return f", in line {lines[-1]} of your cell" + (f": `{source}`" if source else ".")


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


def array(
    name: str, answer: object, kinds: str = "fiu", expected: str = "an array of numbers"
) -> Array:
    """Read an array out of an answer: of one of these kinds of NumPy's types.

    Raises
    ------
    Unreadable
        Text, a None among the numbers, rows of different lengths, any other object.
    """
    try:
        found = np.asarray(answer.detach() if hasattr(answer, "detach") else answer).copy()
        if found.dtype == object and all(hasattr(entry, "__float__") for entry in found.flat):
            found = found.astype(float)  # fractions
    except Exception:  # rows of different lengths, or an object that only looks like an array
        found = np.array(None)
    if found.dtype.kind not in kinds:
        rows = ", its rows of one length" if isinstance(answer, list | tuple) else ""
        raise Unreadable(wrong(f"`{name}` is of type {_kind(answer)}; expected {expected}{rows}."))
    return found


def _kind(answer: object) -> str:
    values = f" of {answer.dtype}" if isinstance(answer, np.ndarray) else ""
    return f"{type(answer).__name__}{values}"


def one_number(name: str, answer: object) -> float:
    """Read one finite number out of an answer.

    Raises
    ------
    Unreadable
        It is no number, several, nan or infinite.
    """
    found = array(name, answer, expected="a number")
    if found.size != 1:
        raise Unreadable(wrong(f"`{name}` has shape {found.shape}; expected one number."))
    value = float(found.reshape(()))
    if not np.isfinite(value):
        hint = "look for 0/0, a log(0) or a mean over a nan (`np.nanmean`)"
        raise Unreadable(wrong(f"`{name}` is {value}: {hint}."))
    return value


def table(name: str, answer: object, keys: tuple[Any, ...]) -> dict[Any, object]:
    """Read a dictionary with these keys out of an answer.

    Raises
    ------
    Unreadable
        Something else, or other keys.
    """
    if not isinstance(answer, dict) or set(answer) != set(keys):
        raise Unreadable(wrong(f"`{name}` should be a dictionary with the keys {keys}."))
    return answer


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


def members(name: str, answer: object, kind: type, expected: str) -> set[Any]:
    """Read a set out of an answer: of any collection, of one member alone, of names with commas.

    Raises
    ------
    Unreadable
        Something that holds other things than members of this kind.
    """
    if isinstance(answer, str):
        answer = [part.strip() for part in answer.split(",")]
    try:
        found = {answer} if isinstance(answer, kind) else set(answer)  # type: ignore[call-overload]
    except Exception:  # nothing to go through, or members that no set can hold
        found = {None}
    if not all(isinstance(member, kind) for member in found):
        raise Unreadable(wrong(f"`{name}` is of type {_kind(answer)}; expected {expected}."))
    return found
