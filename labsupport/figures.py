"""The figures of the manual, readable on a light and on a dark page.

Each function gives a matplotlib Figure; as the last line of a cell it is shown once, as SVG.
Number, caption and alternative text come from the cell's metadata. Palette, style and `canvas`, for
what only one chapter draws, come from `labsupport.drawing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from labsupport.checks import Array
from labsupport.drawing import (
    BLACK,
    BLUE,
    CLASSES,
    GREEN,
    LINES,
    ORANGE,
    PAPER,
    PROBABILITY,
    PURPLE,
    canvas,
    name_ends,
    style,
)
from labsupport.history import History
from labsupport.network import Network

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "LINES",
    "ORANGE",
    "PAPER",
    "PURPLE",
    "canvas",
    "decision_boundary",
    "loss_curve",
    "name_ends",
    "network_drawing",
    "plane",
    "probability",
    "scatter",
    "step_histogram",
    "style",
]


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
            shades = probability(axis, model, X, Y, margin)
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


def probability(
    axis: Axes, model: Callable[[Array], Array], X: Array, Y: Array, margin: float = 0.5
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
