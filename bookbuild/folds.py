"""Names for what is folded: each says what it opens, and no two figures of a page share one.

What only someone at work can use, the verdict on an answer that nobody has given, is left out.
"""

from __future__ import annotations

from lxml import html

OPEN = "Not attempted yet."  # labsupport.feedback says so of an answer that is still `...`


def name_folds(page: html.HtmlElement) -> None:
    """Replace "code cell source" in the controls of folded code by what the code is for."""
    for fold in page.cssselect(".cell > details.hide"):
        for title in fold.cssselect("summary .admonition-title"):
            show, _, what = (title.text or "").partition(" ")
            if what == "code cell source":
                title.text = f"{show} {purpose(fold.getparent())}"


def purpose(cell: html.HtmlElement) -> str:
    """Say what the code of a cell is for."""
    if numbers := cell.cssselect(".cell_output .caption-number"):
        return f"the code of figure {numbers[0].text_content().split()[-1]}"
    if cell.cssselect(".cell_output table"):
        return "the code of the table"
    if cell.cssselect(".cell_output ul, .cell_output > p"):
        return "the code of these sentences"
    code = cell.cssselect(".cell_input pre")[0].text_content()
    return "the check" if "assert " in code else "the code"


def leave_out_open_verdicts(page: html.HtmlElement) -> None:
    """Leave out the outputs of attempts: nobody can make one in a page."""
    for output in page.cssselect(".cell_output:has([role='status'])"):
        if output.text_content().strip().startswith(OPEN):
            output.drop_tree()
