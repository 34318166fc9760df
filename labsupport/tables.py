"""Tables that cells compute: HTML with real headers in a notebook and in the book, text elsewhere.

Jupyter Book does not turn a Markdown table that a cell displays into a table, hence this.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

WHOLE = "white-space:nowrap"


@dataclass(frozen=True, repr=False)
class Sketch:
    """A small picture of a loss curve for a cell of a `Table`, with the words that describe it.

    Both axes are bare: epochs from 0, and the loss on a logarithmic scale from 0.01 to 10. What is
    beyond runs along the edge. A screen reader hears the words alone.

    Attributes
    ----------
    words : str
        What is to be seen.
    curve, other : (epochs,)
        The losses of the run, and of one to compare it with: a thin line of dashes.
    """

    words: str
    curve: npt.ArrayLike
    other: npt.ArrayLike

    def __str__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        losses = [np.asarray(losses, dtype=float) for losses in (self.curve, self.other)]
        last = max(1, max(map(len, losses)) - 1)
        lines = (' stroke-width="2.5"', ' stroke-dasharray="3 2"')
        drawn = '<path d="M0,0V60H120"/>'
        for loss, line in zip(losses, lines, strict=True):
            x = 120 * np.arange(len(loss)) / last
            y = 20 - 20 * np.log10(np.clip(loss, 0.01, 10.0))
            points = " ".join(f"{a:.4g},{b:.3g}" for a, b in zip(x, y, strict=True))
            drawn += f'<polyline class="sketch" points="{points}"{line}/>'
        return (
            '<svg viewBox="-2 -2 124 64" width="124" height="64" aria-hidden="true" fill="none" '
            f'stroke="currentColor" style="display:block">{drawn}</svg>{escape(self.words)}'
        )


def _html(cell: object) -> str:
    if isinstance(cell, Sketch):
        return cell._repr_html_()
    # An interval stays whole: "(80-90 %)".
    return re.sub(r"\([\d.–-]+ %\)", rf'<span style="{WHOLE}">\g<0></span>', escape(str(cell)))


@dataclass(frozen=True, repr=False)
class Table:
    """A table; as the last line of a cell it is shown.

    Attributes
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences
        The cells, a `Sketch` or anything that prints; the first is the header of its row.
    caption : str
        What the table shows; read out first by a screen reader.

    Raises
    ------
    ValueError
        A row that is not as long as the header.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.header):
                raise ValueError(
                    f"row {number} has {len(row)} cells; expected {len(self.header)}, one for each "
                    f"of {', '.join(self.header)}."
                )

    def __repr__(self) -> str:
        cells = [list(self.header), *([str(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[k]) for row in cells) for k in range(len(self.header))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([self.caption, *lines])

    def _repr_html_(self) -> str:
        # The theme of the book knows "dataframe": any other table it puts on a light ground.
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.header)
        body = "".join(
            f'<tr><th scope="row">{_html(first)}</th>'
            + "".join(f"<td{_whole(cell)}>{_html(cell)}</td>" for cell in rest)
            + "</tr>"
            for first, *rest in self.rows
        )
        caption = escape(self.caption)
        return (
            f'<div role="region" aria-label="{caption}" tabindex="0" style="overflow-x:auto">'
            '<table class="table dataframe"><caption style="caption-side:top;text-align:left">'
            f"{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _whole(cell: object) -> str:
    """Keep a number on one line; a text may break, and so may a number before its interval."""
    text = str(cell)
    number = len(text) <= 16 and any(c.isdigit() for c in text) and "(" not in text
    return f' style="{WHOLE}"' if number else ""
