"""What every figure of the manual is drawn with: one palette, one style, written as SVG.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; lines differ by their
dashes as well. A page replaces them by its own, so that a drawing is read on light and on dark.
Chapters find all of it in `labsupport.figures`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from labsupport.checks import Array

BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072b2", "#d55e00", "#009e73", "#aa4499", "#222228"
# No grey, or a shade of grey in a plane would be taken for ink: "#222228" is as good as black.
PAPER = "#fefefe"  # what is hidden behind a box is hidden by the page's own ground
LINES = [
    (BLUE, "-"),
    (ORANGE, "--"),
    (GREEN, "-."),
    (PURPLE, ":"),
    (BLACK, (0, (5, 1, 1, 1, 1, 1))),
]
CLASSES = ((BLUE, "o", "class 0"), (ORANGE, "s", "class 1"))
PROBABILITY = LinearSegmentedColormap.from_list("probability", ["#7fb8d8", "#ffffff", "#eab08a"])

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": BLACK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": BLACK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.dpi": 200,  # of what is a picture inside the drawing
    "figure.facecolor": "none",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "lines.linewidth": 2,
    "patch.edgecolor": BLACK,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "figure",  # names inside the drawing are the same in every run
    "text.color": BLACK,
    "xtick.color": BLACK,
    "ytick.color": BLACK,
}
# What a page may draw in colours of its own: see _static/custom.css. Others stay as they are, and
# so do the samples, which have white edges: they must be seen on the shaded plane in the dark too.
COLOURS = {BLUE: "blue", ORANGE: "orange", GREEN: "green", PURPLE: "purple", BLACK: "ink"}
COLOURS |= {"#dddddd": "grid", "#666666": "grey", PAPER: "paper"}
ROOT = (
    '<svg class="lab-figure" '
    "font-family=\"'DejaVu Sans', sans-serif\" "
    'stroke-linejoin="round" stroke-linecap="butt" style="background: #fff"'
)


class _Drawing(Figure):
    """A figure that a notebook shows and stores as SVG, sharp and with text that is text."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data = {"image/svg+xml": svg(self), "text/plain": f"<Figure with {len(self.axes)} axes>"}
        display(data, raw=True)  # type: ignore[no-untyped-call]


def svg(figure: Figure) -> str:
    """Write a figure as SVG that is the same in every run, with colours that a page can replace.

    Where no page says otherwise, as in JupyterLab, it stands on white.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with plt.rc_context(STYLE):
        figure.savefig(file, format="svg", bbox_inches="tight", pad_inches=0.03, metadata=nothing)
    text = file.getvalue()
    text = ROOT + text.partition("<svg")[2].replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    text = re.sub(r" <defs>\s*<style.*?</defs>\s*|<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\n *", "\n", re.sub(r" ?\n(?=[CLMQz])", " ", text))
    text = re.sub(r'<g id="[^"]*"', "<g", text).replace("xlink:href", "href")
    text = re.sub(r"<[^>]*>", _rounded, text)
    text = re.sub(r"(?<=<text>)\s*(<tspan.*?)\s*(?=</text>)", _words, text, flags=re.DOTALL)
    return re.sub(r'style="[^"]*"', _style, text)


def _rounded(tag: re.Match[str]) -> str:
    """Keep hundredths of a point."""
    return re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0])


def _words(formula: re.Match[str]) -> str:
    """Put the letters of a formula, of which each has its place, together into words.

    Matplotlib writes all of one style first: Z and A of ``Z_1, A_1`` are neighbours there.
    """
    text = formula[1].replace("\N{NO-BREAK SPACE}", " ")
    letters = re.findall(r'<tspan x="(.*?)" y="(.*?)" style="(.*?)">(.*?)</tspan>', text)
    letters.sort(key=lambda letter: float(letter[0]))
    return "".join(
        f'<tspan x="{word[0][0]}" y="{y}" style="{style}">{"".join(c for *_, c in word)}</tspan>'
        for (y, style), group in groupby(letters, key=lambda letter: letter[1:3])
        for word in [list(group)]
    )


def _style(found: re.Match[str]) -> str:
    """Let the page choose colours and fonts."""
    style = re.sub(r"font-family: 'DejaVu Sans'(?:, sans-serif)?(?:; )?", "", found[0])
    if "stroke: #ffffff" in style or "background" in style:
        return style
    return re.sub("|".join(COLOURS), lambda m: f"var(--figure-{COLOURS[m[0]]}, {m[0]})", style)


@contextmanager
def canvas(
    columns: int = 1, width: float = 5, height: float = 3.3, rows: int = 1, **options: Any
) -> Iterator[tuple[Figure, Array]]:
    """Open a figure in the manual's style, for the drawings that only one chapter needs.

    Parameters
    ----------
    columns, rows : int
        Number of axes.
    width, height : float
        Size in inches. On a phone of 360 pixels, text of 10 points is read up to a width of 5.
    **options
        Passed on to ``plt.subplots``, as ``sharey=True``. What has thousands of points is drawn
        with ``rasterized=True``, as a picture inside the drawing.

    Yields
    ------
    figure, axes
        The axes as an array of shape (rows, columns). Show the figure after the block.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows,
            columns,
            figsize=(width, height),
            squeeze=False,
            FigureClass=_Drawing,
            **options,
        )
        plt.close(figure)
        yield figure, axes


def style(index: int) -> dict[str, Any]:
    """Give colour and dashes of the n-th line."""
    colour, dashes = LINES[index % len(LINES)]
    return {"color": colour, "linestyle": dashes}


def name_ends(axis: Axes, gap: float = 13) -> None:
    """Write the name of each line beside its right end, in its colour: no legend to look up.

    Parameters
    ----------
    axis : Axes
        With its limits and scales set, and with labels on its lines.
    gap : float
        Names that are nearer to each other, in points, are pushed apart.
    """
    lines = [line for line in axis.get_lines() if not str(line.get_label()).startswith("_")]
    ends = np.array([np.column_stack(line.get_data())[-1] for line in lines])
    order = np.argsort(ends[:, 1])
    lines, ends = [lines[k] for k in order], ends[order]
    heights = axis.transData.transform(ends)[:, 1] * 72 / STYLE["figure.dpi"]
    at = heights.copy()
    for _ in range(100):
        short = np.maximum(gap - np.diff(at), 0) / 2
        at[1:] += short
        at[:-1] -= short
    for line, end, up in zip(lines, ends, at - heights, strict=True):
        axis.annotate(
            str(line.get_label()),
            end,
            (6, up),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
        )
