"""What a student hands in, read: a function called, a number, an array, a table, a set.

What a student's function raises, and what cannot be read, is `Unreadable`, with a verdict on it.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Mapping
from inspect import signature
from traceback import walk_tb
from typing import Any

import numpy as np

from labsupport.checks import Array
from labsupport.feedback import patience
from labsupport.feedback.verdict import Endless, Unreadable, is_open, unattempted, wrong


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
