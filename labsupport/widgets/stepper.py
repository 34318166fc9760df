"""A worked example as steps to go through: one forward and one backward pass, entry by entry.

:ref:`ch-four-equations` computes every quantity, line by line, and hands it over here by name;
nothing is computed anew. The result is plain HTML, an ordered list of all steps with their tables:
that is what JupyterLab and a browser without scripts show. In the book, ``_static/stepper.js`` adds
"previous" and "next" and shows one step at a time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from labsupport.checks import Array

NEEDED = "X Y W1 b1 W2 b2 Z1 A1 Z2 P losses J D2 dW2 db2 D1 dW1 db1".split()
"""Names of :ref:`ch-pseudocode` (`losses` has a row a sample, J is their mean); all are needed."""

AFTER = "W1 b1 W2 b2 J".split()
"""Those that are shown again after the step."""

SIDE_BY_SIDE = "display:inline-table;margin:0.2em 1.2em 0.6em 0;vertical-align:top"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes
    ----------
    title : str
        What is done.
    formula : str
        The equation; ``D_1`` and ``W^T`` become index and exponent.
    entry : str
        The same for one entry, in numbers.
    given, found : dict of str to Array
        Quantities that are read, and those that the step makes.
    """

    title: str
    formula: str
    entry: str
    given: Mapping[str, Array]
    found: Mapping[str, Array]


@dataclass(frozen=True, repr=False)
class Stepper:
    """Steps in their order, shown as HTML where that is possible.

    Attributes
    ----------
    name : str
        What the steps belong to, for readers who hear the page.
    steps : tuple of Step
        At least one.
    """

    name: str
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        texts = (s.title + (s.formula and f": {s.formula}") for s in self.steps)
        lines = (f"{n}. {text}" for n, text in enumerate(texts, start=1))
        return "\n".join((self.name, *lines))

    def _repr_html_(self) -> str:
        items = "\n".join(_item(n, step) for n, step in enumerate(self.steps, start=1))
        name = escape(self.name, quote=True)
        return f'<section class="stepper" aria-label="{name}"><ol>\n{items}\n</ol></section>'


def numbers(values: Array | float) -> list[str]:
    """Write numbers to six decimals, or to as few as two if no more are needed by any of them.

    Parameters
    ----------
    values : array_like
        Of any shape; NaN and infinity have no place in a worked example.

    Returns
    -------
    list of str
        In reading order, all with the same count of decimals and a true minus sign.

    Raises
    ------
    ValueError
        A number that is not finite.
    """
    flat = np.round(np.asarray(values, dtype=float).ravel(), 6) + 0.0  # -0.0 becomes 0.0
    if not np.isfinite(flat).all():
        raise ValueError(f"{flat} holds nan or infinity; expected finite numbers.")
    decimals = next((d for d in (0, 1, 2) if np.array_equal(flat, np.round(flat, d))), 6)
    return [f"{x:.{decimals}f}".replace("-", "−") for x in flat]


def worked_example(
    before: Mapping[str, Array], after: Mapping[str, Array], learning_rate: float
) -> Stepper:
    """Write the steps of one descent step of a network 2-2-1, with tanh and logits.

    Parameters
    ----------
    before : dict of str to Array
        All quantities of `NEEDED` by name: X (m, 2), Z1 (m, 2), W1 (2, 2), b1 (1, 2), P (m, 1),
        J one number, and so on. There may be others.
    after : dict of str to Array
        Those of `AFTER`, after the step.
    learning_rate : float
        Length of the step.

    Returns
    -------
    Stepper
        Eleven steps. What is written out follows the last sample and the first hidden unit.

    Raises
    ------
    ValueError
        A quantity that is missing.
    """
    for what, values, needed in (("before", before, NEEDED), ("after", after, AFTER)):
        if missing := [name for name in needed if name not in values]:
            raise ValueError(f"{what} lacks {', '.join(missing)}; expected {', '.join(needed)}.")
    v = {name: np.asarray(before[name], dtype=float) for name in NEEDED}
    s, m = len(v["X"]) - 1, len(v["X"])  # s: the sample that is followed
    x, z1, a1, z2, p = v["X"][s], v["Z1"][s], v["A1"][s], v["Z2"][s, 0], v["P"][s, 0]
    y, d1, d2, w1 = v["Y"][s, 0], v["D1"][s], v["D2"][s, 0], v["W1"][:, 0]
    n = _one
    plus_b1, plus_b2 = f" + {n(v['b1'][0, 0])}", f" + {n(v['b2'][0, 0])}"
    moved = {name: np.asarray(after[name], dtype=float) for name in AFTER}
    chance = n(p) if y else f"1 − {n(p)}"

    def step(title: str, formula: str, entry: str, given: str, found: str) -> Step:
        read, made = ({k: v[k] for k in names.split()} for names in (given, found))
        return Step(title, formula, entry, read, made)

    return Stepper(
        "The worked example, step by step",
        (
            step("The batch and the parameters", "", "", "X Y W1 b1 W2 b2", ""),
            step(
                "Weighted sum of the hidden layer",
                "Z_1 = X W_1 + b_1",
                f"{_products(x, w1)}{plus_b1} = {n(z1[0])}",
                "X W1 b1",
                "Z1",
            ),
            step("Activation", "A_1 = tanh(Z_1)", f"tanh({n(z1[0])}) = {n(a1[0])}", "Z1", "A1"),
            step(
                "Weighted sum of the output",
                "Z_2 = A_1 W_2 + b_2",
                f"{_products(a1, v['W2'][:, 0])}{plus_b2} = {n(z2)}",
                "A1 W2 b2",
                "Z2",
            ),
            step(
                "Probability of class 1",
                "P = 1 / (1 + exp(−Z_2))",
                f"1 / (1 + exp(−{n(z2)})) = {n(p)}",
                "Z2",
                "P",
            ),
            step(
                "Loss of each sample, and their mean J",
                "−ln P where Y = 1, −ln(1 − P) where Y = 0",
                f"−ln({chance}) = {n(v['losses'][s, 0])}; "
                f"({' + '.join(numbers(v['losses']))}) / {m} = {n(v['J'])}",
                "P Y",
                "losses J",
            ),
            step(
                "First equation: output delta",
                f"D_2 = (P − Y) / {m}",
                f"({n(p)} − {n(y)}) / {m} = {n(d2)}",
                "P Y",
                "D2",
            ),
            step(
                "Third and fourth equation: gradients of the output layer",
                "db_2 = sum of the rows of D_2, dW_2 = A_1^T D_2",
                f"{_products(v['A1'][:, 0], v['D2'][:, 0])} = {n(v['dW2'][0, 0])}",
                "A1 D2",
                "dW2 db2",
            ),
            step(
                "Second equation: hidden delta",
                "D_1 = (D_2 W_2^T) ∘ (1 − A_1 ∘ A_1)",
                f"{n(d2)} × {n(v['W2'][0, 0])} × (1 − {n(a1[0])} × {n(a1[0])}) = {n(d1[0])}",
                "D2 W2 A1",
                "D1",
            ),
            step(
                "Third and fourth equation: gradients of the hidden layer",
                "db_1 = sum of the rows of D_1, dW_1 = X^T D_1",
                f"{_products(v['X'][:, 0], v['D1'][:, 0])} = {n(v['dW1'][0, 0])}",
                "X D1",
                "dW1 db1",
            ),
            Step(
                "One step downhill, and the loss after it",
                f"W ← W − {learning_rate:g} dW, b ← b − {learning_rate:g} db",
                f"{n(w1[0])} − {learning_rate:g} × {n(v['dW1'][0, 0])} = {n(moved['W1'][0, 0])}",
                {k: v[k] for k in ("dW1", "db1", "dW2", "db2", "J")},
                moved,
            ),
        ),
    )


def _one(value: Array | float) -> str:
    return numbers(value)[0]


def _products(left: Array, right: Array) -> str:
    """Write a sum of products, such as 1 × 1 + 1 × −0.5."""
    return " + ".join(f"{_one(a)} × {_one(b)}" for a, b in zip(left, right, strict=True))


def _markup(text: str) -> str:
    """Escape a text and raise or lower what stands behind ^ and _."""
    return re.sub(r"\^(\w)", r"<sup>\1</sup>", re.sub(r"_(\w)", r"<sub>\1</sub>", escape(text)))


def _symbol(name: str) -> str:
    return _markup(re.sub(r"(\d)$", r"_\1", name))


def _item(number: int, step: Step) -> str:
    parts = [f'<li class="stepper-step" value="{number}">']
    parts.append(f'<p class="stepper-title"><strong>{escape(step.title)}</strong></p>')
    if step.formula:
        parts.append(f'<p class="stepper-formula">{_markup(step.formula)}</p>')
    if step.entry:
        parts.append(f'<p class="stepper-entry">In numbers: {escape(step.entry)}</p>')
    parts += [_table(name, values, "given") for name, values in step.given.items()]
    parts += [_table(name, values, "found") for name, values in step.found.items()]
    return "\n".join([*parts, "</li>"])


def _headers(name: str, shape: tuple[int, ...]) -> tuple[str, Sequence[str], Sequence[str]]:
    """Give the corner, the row headers and the column headers of a table."""
    letter, (rows, columns) = name.lstrip("d")[0], shape
    count = [str(n) for n in range(1, max(shape) + 1)]
    if letter == "W":
        return "from", count[:rows], [f"to {n}" for n in count[:columns]]
    if letter == "J":
        return "", ["mean"], ["loss"]
    unit = {"X": "input", "Y": "target", "l": "loss"}.get(letter, "unit")
    heads = [unit] if columns == 1 and unit != "unit" else [f"{unit} {n}" for n in count[:columns]]
    return ("", ["bias"], heads) if letter == "b" else ("sample", count[:rows], heads)


def _table(name: str, values: Array, role: str) -> str:
    matrix = np.atleast_2d(values)
    corner, rows, columns = _headers(name, matrix.shape)
    head = f'<th scope="col">{corner}</th>' if corner else "<td></td>"
    head += "".join(f'<th scope="col">{column}</th>' for column in columns)
    cells = iter(numbers(matrix))
    body = "".join(
        f'<tr><th scope="row">{row}</th>{"".join(f"<td>{next(cells)}</td>" for _ in columns)}</tr>'
        for row in rows
    )
    return (
        f'<table class="stepper-{role}" style="{SIDE_BY_SIDE}">'
        f"<caption>{_symbol(name)}{' (new)' if role == 'found' else ''}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
