"""The figures of the manual: one palette, one style, readable on a light and on a dark page.

Each function gives a matplotlib Figure; as the last line of a cell it is shown once, as SVG.
Number, caption and alternative text come from the cell's metadata. Colours are those of Okabe and
Ito, which colour-blind readers can tell apart; lines differ by their dashes as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby, product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullFormatter

from labsupport.checks import Array
from labsupport.history import History
from labsupport.network import Network

BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072b2", "#d55e00", "#009e73", "#aa4499", "#222222"
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
    """Put the letters of a formula, of which each has its place, together into words."""
    text = formula[1].replace("\N{NO-BREAK SPACE}", " ")
    letters = re.findall(r'<tspan x="(.*?)" y="(.*?)" style="(.*?)">(.*?)</tspan>', text)
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


def loss_curve(
    curves: Mapping[str, History | tuple[Array, Array]],
    against: str = "epoch",
    levels: Mapping[str, float] | None = None,
    log: bool = False,
    ylabel: str = "loss",
) -> Figure:
    """Draw loss curves, each with a label.

    Parameters
    ----------
    curves : mapping of str to History, or to (x, loss)
        The first run of a history with runs is not picked out: every run is drawn.
    against : str
        ``epoch``, or ``passes``: cost in forward passes, a backward pass counted as two.
    levels : mapping of str to float, optional
        Horizontal lines to compare with, such as ``{"chance, ln 2": 0.693}``.
    log : bool
        Logarithmic vertical axis.
    ylabel : str
        Name of the loss and its unit, as in "cross-entropy (nats)".

    Returns
    -------
    Figure
        One axis.
    """
    with canvas() as (figure, axes):
        axis: Axes = axes[0, 0]
        for index, (label, curve) in enumerate(curves.items()):
            x, y = (getattr(curve, against), curve.loss) if isinstance(curve, History) else curve
            lines = axis.plot(x, y, **style(index))
            lines[0].set_label(label)
        for label, level in (levels or {}).items():
            axis.axhline(level, color="#666666", linewidth=1, linestyle=(0, (4, 3)))
            axis.annotate(
                label,
                (1, level),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 3),
                textcoords="offset points",
                ha="right",
                color="#666666",
            )
        axis.set(
            xlabel="passes (forward 1, backward 2)" if against == "passes" else "epoch",
            ylabel=ylabel,
        )
        if log:
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
        else:
            axis.set_ylim(bottom=0)
        if len(curves) > 1:
            axis.legend()
    return figure


def decision_boundary(
    models: Mapping[str, Callable[[Array], Array]], X: Array, Y: Array, margin: float = 0.5
) -> Figure:
    """Draw the probability of class 1 over the plane, the line where it is 0.5, and the data.

    Parameters
    ----------
    models : mapping of str to callable
        A panel for each: title, and a function from points (k, 2) to probabilities (k, 1).
    X, Y : (m, 2), (m, 1)
        Data to show.
    margin : float
        How far the plane reaches beyond the data.

    Returns
    -------
    Figure
        A panel a model; blue circles are class 0, orange squares class 1.
    """
    columns = min(2, len(models))
    rows = -(-len(models) // columns)
    width, height = (5, 2.5 * rows + 1.3) if columns > 1 else (4.6, 3.6)
    with canvas(columns, width, height, rows, sharey=True) as (figure, axes):
        for axis, (title, model) in zip(axes.flat, models.items(), strict=False):
            shades = _plane(axis, model, X, Y, margin)
            axis.set(xlabel="$x_1$", title=title if columns > 1 else "")
        for axis in axes[:, 0]:
            axis.set_ylabel("$x_2$")
        for axis in axes.flat[len(models) :]:
            axis.set_axis_off()
        names = axes[0, 0].get_legend_handles_labels()
        figure.legend(*names, loc="outside lower center", ncols=2)
        bar: dict[str, Any] = {"location": "top", "aspect": 40} if columns > 1 else {}
        label: dict[str, Any] = {
            "label": "probability of class 1",
            "ticks": [0, 0.5, 1],
            "shrink": 0.75,
        }
        figure.colorbar(shades, ax=list(axes.flat), **(bar | label))
    return figure


def plane(axis: Axes, u: Array, v: Array, P: Array) -> ContourSet:
    """Shade the probability P over the grid (u, v), with a line where it is 0.5.

    White is 0.5 on a light and on a dark page.
    """
    shades = axis.contourf(u, v, P, levels=np.linspace(0, 1, 12), cmap=PROBABILITY)
    shades.set_rasterized(True)
    if P.min() < 0.499 and P.max() > 0.501:  # else the line would be rounding noise
        axis.contour(u, v, P, levels=[0.5], colors="black", linewidths=1.5)
    axis.grid(False)
    return shades


def _plane(
    axis: Axes, model: Callable[[Array], Array], X: Array, Y: Array, margin: float
) -> ContourSet:
    """Shade the plane by the probability of class 1, with the line at 0.5 and the data."""
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    u, v = np.meshgrid(np.linspace(low[0], high[0], 160), np.linspace(low[1], high[1], 160))
    P = np.asarray(model(np.column_stack([u.ravel(), v.ravel()]))).reshape(u.shape)
    shades = plane(axis, u, v, P)
    scatter(axis, X, Y)
    axis.set(aspect="equal")
    if len(X) < 10:  # the corners of a square
        axis.set(xticks=np.unique(X[:, 0]), yticks=np.unique(X[:, 1]))
    return shades


FRAME = (5.0, 2.6)
"""Width and height of a film's frame, in inches."""


def film(
    frames: Mapping[int, Callable[[Array], Array]],
    losses: Array,
    X: Array,
    Y: Array,
    columns: int = 3,
) -> Figure:
    """Draw the boundary at some epochs, each beside the loss curve with a dot: a film in one image.

    In the built page ``film.js`` shows one frame at a time, with a slider, if the metadata of the
    cell say so: ``image: {classes: film film-3x5}`` for three columns and five rows. On paper, in
    JupyterLab and without scripts all frames are seen at once.

    Parameters
    ----------
    frames : mapping of int to callable
        For each epoch, in order, the function from points (k, 2) to probabilities (k, 1).
    losses : (epochs,)
        The loss at every epoch, those of the frames included.
    X, Y : (m, 2), (m, 1)
        Data to show.
    columns : int
        Frames beside each other.

    Returns
    -------
    Figure
        Two axes a frame, row by row. Every frame takes the same room.

    Raises
    ------
    ValueError
        Frames that do not fill their rows, or an epoch without a loss.
    """
    rows, left_over = divmod(len(frames), columns)
    if left_over or not rows:
        raise ValueError(f"{len(frames)} frames; expected some full rows of {columns}.")
    if max(frames) >= len(losses):
        raise ValueError(
            f"a frame of epoch {max(frames)}; there are losses of {len(losses)} epochs."
        )
    shown, inches = losses[: max(frames) + 1], np.array([columns, rows]) * FRAME
    own = {"figure.constrained_layout.use": False, "figure.dpi": 120, "font.size": 14}
    with plt.rc_context(STYLE | own | {"figure.facecolor": "white"}):
        figure = plt.figure(figsize=tuple(inches))
        plt.close(figure)
        # A notebook cuts an image off behind the last thing drawn and adds an edge of 0.1 inches.
        room = Rectangle(tuple(0.1 / inches), *(1 - 0.2 / inches), fill=False, linewidth=0)
        figure.add_artist(room)
        for k, (epoch, model) in enumerate(frames.items()):
            corner = np.array([k % columns, rows - 1 - k // columns]) * FRAME
            plane, curve = (
                figure.add_axes((*((corner + at) / inches), *((wide, 1.6) / inches)))
                for at, wide in (((0.62, 0.65), 1.6), ((3.1, 0.65), 1.65))
            )
            _plane(plane, model, X, Y, 0.5)
            plane.set(xlabel="$x_1$", ylabel="$x_2$", xticks=(0, 1), yticks=(0, 1))
            curve.plot(shown, color="#888888", lw=1)
            curve.plot(losses[: epoch + 1], color=BLUE)
            curve.plot([epoch], losses[epoch], "o", color=ORANGE, ms=10, clip_on=False)
            curve.set(xlabel="epoch", ylabel="loss", ylim=(0, 1.05 * shown.max()))
            curve.locator_params(axis="x", nbins=2)
            x, y = (corner + (FRAME[0] / 2, 2.4)) / inches
            title = f"epoch {epoch}: loss {losses[epoch]:.3f}"
            figure.text(x, y, title, ha="center", va="center")
    return figure


def scatter(axis: Axes, X: Array, Y: Array) -> None:
    """Draw the samples of both classes, as in every figure of the manual."""
    size, edge = (60, 1.0) if len(X) < 10 else (14, 0.4)
    for k, (colour, marker, label) in enumerate(CLASSES):
        rows = Y[:, 0] == k
        axis.scatter(
            X[rows, 0],
            X[rows, 1],
            s=size,
            c=colour,
            marker=marker,
            label=label,
            edgecolors="white",
            linewidths=edge,
            zorder=3,
        )


def step_histogram(histories: Mapping[str, History]) -> Figure:
    """Count how often each step was accepted, a panel for each history.

    Parameters
    ----------
    histories : mapping of str to History
        Title, and a history of one run recorded at every epoch.

    Returns
    -------
    Figure
        Bars over the step, which is drawn on a scale of powers of two.

    Raises
    ------
    ValueError
        No step accepted in any of them.
    """
    panels = len(histories)
    steps = {title: h.step[h.step > 0] for title, h in histories.items()}
    if not any(s.size for s in steps.values()):
        raise ValueError("no step was accepted in any of the histories; there is nothing to count.")
    powers = {title: np.round(np.log2(s), 6) for title, s in steps.items()}
    every = np.unique(np.concatenate(list(powers.values())))
    low, high = np.floor(every.min()), np.ceil(every.max())
    ticks = np.arange(low, high + 1, max(1, np.ceil((high - low) / 6)))
    height = 3 if panels == 1 else 1.9 * panels
    with canvas(1, 4.6, height, rows=panels, sharex=True) as (figure, axes):
        for axis, (title, power) in zip(axes[:, 0], powers.items(), strict=True):
            values, counts = np.unique(power, return_counts=True)
            axis.bar(values, counts, width=0.8, color=BLUE)
            axis.set(title=title if panels > 1 else "", xlim=(low - 1, high + 1))
            axis.set_xticks(ticks, [f"{2.0**t:g}" for t in ticks])
            axis.set_ylabel("epochs")
        axes[-1, 0].set_xlabel("accepted step")
    return figure


def network_drawing(net: Network) -> Figure:
    """Draw the units as circles and the weights as lines: inputs at the left, output at the right.

    Above stand the letters of the book: what the layers hold, and between them what leads from one
    to the next.

    Raises
    ------
    ValueError
        A layer of more than 16 units.
    """
    if max(net.sizes) > 16:
        raise ValueError(f"layers {net.sizes} are too wide to draw; expected at most 16 units.")
    last, top = len(net.sizes) - 1, (max(net.sizes) - 1) / 2 + 0.9
    spots = [
        [(float(layer), (n - 1) / 2 - unit) for unit in range(n)]
        for layer, n in enumerate(net.sizes)
    ]
    with canvas(1, 5, 0.75 * max(net.sizes) + 1.2) as (figure, axes):
        axis: Axes = axes[0, 0]
        for left, right in zip(spots, spots[1:], strict=False):
            for (x0, y0), (x1, y1) in product(left, right):
                axis.plot([x0, x1], [y0, y1], color="#888888", linewidth=1.2, zorder=1)
        for layer, units in enumerate(spots):
            letter = "x" if layer == 0 else ("p" if layer == last else "a")
            for unit, (x, y) in enumerate(units):
                axis.scatter([x], [y], 600, PAPER, edgecolors=BLACK, linewidths=1.5, zorder=2)
                name = f"${letter}$" if len(units) == 1 else f"${letter}_{{{unit + 1}}}$"
                axis.text(x, y, name, ha="center", va="center", zorder=3)
            held = f"$Z_{layer}$, " + ("$P$" if layer == last else f"$A_{layer}$")
            axis.text(layer, top, held if layer else "$X$", ha="center", size=13)
            if layer:
                way = f"$W_{layer}$, $b_{layer}$"
                axis.text(layer - 0.5, top, way, ha="center", size=13, color=BLUE)
        axis.set_axis_off()
        axis.margins(0.12)
    return figure
