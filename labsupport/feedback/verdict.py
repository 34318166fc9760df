"""What a self-check says about an answer, and how it is shown. Used by every chapter's exercises.

A verdict is right, wrong, or open (not attempted yet). JupyterLab shows it as a box, everything
else as text. What cannot be read of an answer is Unreadable: `reading` makes it a verdict, so that
"Run all" never stops at an exercise. All else that is raised is our error, and is not caught.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from html import escape
from types import CodeType, FunctionType
from typing import Literal, ParamSpec, TypeAlias

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
