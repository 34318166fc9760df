"""What a reader expects, asked before the experiment and shown again beside what was measured.

In a notebook the answers stand in the cell. In the built page ``prediction.js`` makes a field of
each question; what is written there stays in that browser. Without the script the questions are
plain text, and on paper each has a line to write on. Every chapter opens with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from types import EllipsisType


class Prediction:
    """Questions, and what the reader answers before the experiment.

    Parameters
    ----------
    **questions : (str, object)
        A short name for each, then the question in plain words and the answer: ``...`` until the
        reader writes a number or a few words instead.

    Raises
    ------
    TypeError
        A question that is not a pair of words and an answer.
    """

    def __init__(self, **questions: tuple[str, object]) -> None:
        for name, pair in questions.items():
            if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
                raise TypeError(
                    f"{name} is {pair!r}; expected the question and your answer, as in "
                    f'{name}=("the loss at the end", 0.5).'
                )
        self.questions = questions

    def __repr__(self) -> str:
        rows = (f"{words}: {_said(answer)}" for words, answer in self.questions.values())
        return "\n".join(("Your prediction", *rows))

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<li data-key="{escape(name)}">{escape(words)}<span>{_answer(answer)}</span></li>'
            for name, (words, answer) in self.questions.items()
        )
        return f'<section class="prediction" aria-label="Your prediction"><ul>{rows}</ul></section>'

    def beside(self, **measured: object) -> Comparison:
        """Put what was measured, a number or words for each question, beside the answers.

        Raises
        ------
        ValueError
            Other names than those of the questions.
        """
        if measured.keys() != self.questions.keys():
            raise ValueError(
                f"measured: {', '.join(measured) or 'nothing'}; expected one value for each of "
                f"{', '.join(self.questions)}."
            )
        return Comparison(self, measured)


@dataclass(frozen=True, repr=False)
class Comparison:
    """A table: each question, what the reader said, what was measured."""

    prediction: Prediction
    measured: dict[str, object]

    def __repr__(self) -> str:
        return "\n".join(
            f"{words}: you said {_said(answer)}, measured {self.measured[name]}"
            for name, (words, answer) in self.prediction.questions.items()
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr data-key="{escape(name)}"><th scope="row">{escape(words)}</th>'
            f"<td{_none(answer)}>{escape(_said(answer))}</td>"
            f"<td>{escape(str(self.measured[name]))}</td></tr>"
            for name, (words, answer) in self.prediction.questions.items()
        )
        head = "".join(f'<th scope="col">{t}</th>' for t in ("question", "you said", "measured"))
        return (
            '<table class="prediction-beside"><thead><tr>'
            f"{head}</tr></thead><tbody>{rows}</tbody></table>"
        )


def _said(answer: object) -> str:
    return "nothing yet" if isinstance(answer, EllipsisType) else str(answer)


def _none(answer: object) -> str:
    return ' class="prediction-none"' if isinstance(answer, EllipsisType) else ""


def _answer(answer: object) -> str:
    return "" if isinstance(answer, EllipsisType) else f": {escape(str(answer))}"
