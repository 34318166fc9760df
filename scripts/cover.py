"""Draw what moves on the cover: a network learning XOR, and a ball that rolls down its loss.

`python -m scripts.cover` trains the network and writes `_static/cover.svg`. The drawing moves by
CSS of its own, needs no script, and rests on its last frame where motion is not wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from contourpy import contour_generator
from matplotlib.colors import to_hex

from labsupport import datasets, descent, network
from labsupport.drawing import BLUE, ORANGE, PROBABILITY
from labsupport.network import Network, Parameters

FILE = Path(__file__).parent.parent / "_static" / "cover.svg"
FRAMES, SECONDS, REST = 22, 8, 0.35  # REST: the share of the time that the last frame stays
SIDE, DEEP, GRID = 240, 70, 25  # the square plane, the strip for the loss below, points a side
HEAD = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE + DEEP}" \
class="cover-film" role="img" aria-label="A network learns XOR: a plane, at first of one pale \
colour, bends into a band of one class between two corners of the other, while a ball rolls down \
the curve of the loss.">"""


def train() -> tuple[Network, list[Parameters], np.ndarray]:
    """Give the network, its parameters at each frame, and the losses there."""
    net, (X, Y) = Network((2, 4, 1), hidden="tanh"), datasets.xor()
    at, seen = network.initialise(net, np.random.default_rng(4)), []
    epochs = np.unique(np.geomspace(1, 400, FRAMES - 1).round().astype(int))
    for before, epoch in zip([0, *epochs], [*epochs, epochs[-1]], strict=True):
        seen.append(at)
        at = descent.train(net, at, X, Y, descent.Fixed(0.5), epoch - before).parameters
    return net, seen, np.array([network.loss_and_gradient(net, p, X, Y)[0] for p in seen])


def bands(net: Network, parameters: Parameters) -> str:
    """Draw where the probability of class 1 lies above each of the levels."""
    u = np.linspace(-0.5, 1.5, GRID)
    points = np.stack(np.meshgrid(u, u[::-1]), axis=-1).reshape(-1, 2)
    P = network.predict(net, parameters, points).reshape(GRID, GRID)
    scale = np.linspace(0, SIDE, GRID)
    filled = contour_generator(scale, scale, P, fill_type="OuterOffset").filled
    drawn = []
    for level in np.linspace(0, 0.875, 8):
        corners, offsets = filled(level, np.inf)
        path = "".join(
            outline(ring)
            for polygon, cuts in zip(corners, offsets, strict=True)
            for ring in np.split(polygon, cuts[1:-1])
        )
        if path:
            drawn.append(f'<path fill="{to_hex(PROBABILITY(level / 0.875))}" d="{path}"/>')
    return "".join(drawn)


def outline(ring: np.ndarray) -> str:
    """Write a closed line in whole units, each corner from the one before; none in a straight."""
    corners = [tuple(map(int, point)) for point in np.rint(ring[:-1])]
    steps: list[tuple[int, int]] = []
    for (a, b), (c, d) in pairwise(corners):
        dx, dy = c - a, d - b
        if steps and steps[-1][0] * dy == steps[-1][1] * dx:
            dx, dy = dx + steps[-1][0], dy + steps[-1][1]
            steps.pop()
        if dx or dy:
            steps.append((dx, dy))
    moves = " ".join(f"{dx} {dy}" for dx, dy in steps).replace(" -", "-")
    return f"M{corners[0][0]} {corners[0][1]}l{moves}z"


def write() -> str:
    """Give the whole drawing as text."""
    net, seen, losses = train()
    times = np.linspace(0, 100 * (1 - REST), len(seen))
    frames, moves = [], []
    for k, (parameters, time) in enumerate(zip(seen, times, strict=True)):
        hidden = f"0%,{times[max(k - 1, 0)]:.1f}%{{opacity:0}}"
        moves.append(f"@keyframes cover-{k}{{{hidden}{time:.1f}%{{opacity:1}}}}")
        frames.append(f'<g style="animation-name:cover-{k}">{bands(net, parameters)}</g>')
    x = np.linspace(10, SIDE - 10, len(seen))
    y = SIDE + 10 + (DEEP - 18) * (1 - losses / losses.max())
    places = [f"{a:.0f}px,{b:.0f}px" for a, b in zip(x, y, strict=True)]
    stops = zip([*times, 100], [*places, places[-1]], strict=True)
    rolls = "".join(f"{time:.1f}%{{transform:translate({place})}}" for time, place in stops)
    line = " ".join(places).replace("px", "")
    moves.append(
        f"@keyframes cover-ball{{{rolls}}}.cover-film *{{animation:{SECONDS}s linear infinite}}"
    )
    rest = f"animation-name:cover-ball;transform:translate({places[-1]})"
    parts = [
        *(HEAD, f"<style>{''.join(moves)}</style>", *frames, *spots()),
        f'<polyline points="{line}" fill="none" stroke="#808080" stroke-width="2"/>',
        f'<circle r="6" fill="{ORANGE}" style="{rest}"/>',
    ]
    return "\n".join([*parts, "</svg>\n"])


def spots() -> Iterator[str]:
    """Draw the four samples, as in every figure of the manual."""
    X, Y = datasets.xor()
    for (a, b), target in zip(SIDE * (0.25 + abs(X - (0, 1)) / 2), Y[:, 0], strict=True):
        if target:
            size = f'x="{a - 7:.0f}" y="{b - 7:.0f}" width="14" height="14"'
            yield f'<rect {size} fill="{ORANGE}" stroke="white"/>'
        else:
            yield f'<circle cx="{a:.0f}" cy="{b:.0f}" r="8" fill="{BLUE}" stroke="white"/>'


if __name__ == "__main__":
    FILE.write_text(write(), encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size / 1000:.0f} kB")
