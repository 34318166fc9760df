"""Tables that cells compute: HTML with real headers in a notebook and in the book, text elsewhere.

Jupyter Book does not turn a Markdown table that a cell displays into a table, hence this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, repr=False)
class Table:
    """A table; as the last line of a cell it is shown.

    Attributes
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences
        The cells, anything that prints; the first of each row is the header of that row.
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
            f'<tr><th scope="row">{escape(str(first))}</th>'
            + "".join(f"<td>{escape(str(cell))}</td>" for cell in rest)
            + "</tr>"
            for first, *rest in self.rows
        )
        caption = escape(self.caption)
        return (
            f'<div role="region" aria-label="{caption}" tabindex="0" style="overflow-x:auto">'
            '<table class="table dataframe"><caption style="caption-side:top;text-align:left">'
            f"{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )
