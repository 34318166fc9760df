"""A film: the frames are one image, of which the built page shows one frame at a time.

No object with a script in it, as the other widgets are: `film.js` finds the image by its class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from labsupport import figures
from labsupport.checks import Array
from labsupport.drawing import STYLE

FRAME = (5.0, 2.6)
"""Width and height of a film's frame, in inches."""


def strip(
    frames: Mapping[int, Callable[[Array], Array]],
    losses: Array,
    X: Array,
    Y: Array,
    columns: int = 3,
) -> Figure:
    """Draw the boundary at some epochs, each beside the loss curve with a dot: a film in one image.

    In the built page `film.js` shows one frame at a time, with a slider, if the metadata of the
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
            figures.probability(plane, model, X, Y)
            plane.set(xlabel="$x_1$", ylabel="$x_2$", xticks=(0, 1), yticks=(0, 1))
            curve.plot(shown, color="#888888", lw=1)
            curve.plot(losses[: epoch + 1], color=figures.BLUE)
            curve.plot([epoch], losses[epoch], "o", color=figures.ORANGE, ms=10, clip_on=False)
            curve.set(xlabel="epoch", ylabel="loss", ylim=(0, 1.05 * shown.max()))
            curve.locator_params(axis="x", nbins=2)
            x, y = (corner + (FRAME[0] / 2, 2.4)) / inches
            title = f"epoch {epoch}: loss {losses[epoch]:.3f}"
            figure.text(x, y, title, ha="center", va="center")
    return figure
