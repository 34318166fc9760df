"""A network as a circuit of small gates: values go forward on its wires, slopes come back.

`gates` computes both, gate by gate; a `Circuit` writes a drawing with all numbers and a list of all
steps: that is what a page without scripts shows, and what is printed. ``circuit.js`` shows one step
at a time and lets a reader nudge an input; in JupyterLab it comes along with the cell. Used in
:ref:`ch-pseudocode`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from labsupport.widgets import scripts
from labsupport.widgets.gates import KINDS, Gate, Gates, Input

FILES = ("circuit.css", "circuit.js")
LEFT, TOP, COLUMN, ROW, RADIUS, BOX = 36, 32, 70, 84, 16, (60, 56)  # of the drawing, in its units
SLOPE_COLOUR = "#c25400"  # on white and on black, where no style sheet says better


class Circuit(Gates):
    """Gates that are shown as a drawing and a list of steps, as the last line of a cell."""

    def __repr__(self) -> str:
        return "\n".join((self.name, *(f"{n}. {s.text}" for n, s in enumerate(self._steps(), 1))))

    def _repr_html_(self) -> str:
        name = escape(self.name, quote=True)
        items = "".join(
            f'<li value="{n}" data-gate="{s.gate}" data-shows="{" ".join(s.shows)}">'
            f"{escape(s.text)}</li>\n"
            for n, s in enumerate(self._steps(), start=1)
        )
        given = {
            "inputs": {wire: float(given.value) for wire, given in self.inputs.items()},
            "gates": [[wire, gate.kind, gate.reads] for wire, gate in self.gates.items()],
            # Rounded, because the last bits of a logarithm depend on the machine.
            "slopes": {wire: round(self.slopes[wire], 9) for wire in self.nudgeable},
        }
        return (
            f'<section class="circuit" aria-label="{name}">\n<div class="circuit-drawing">\n'
            f"{self._drawing()}\n"
            '<p class="circuit-legend">On each wire: its name, its value (forward, downwards), and '
            f'after <span class="circuit-slope">↑</span> the slope of the loss by it (backward, '
            "upwards).</p></div>\n"
            f'<ol class="circuit-steps">\n{items}</ol>\n'
            f'<script type="application/json">{scripts.as_json(given)}</script>\n'
            f"{scripts.inline(*FILES) if scripts.live() else ''}</section>"
        )

    def _steps(self) -> list[Step]:
        inputs = ", ".join(f"{_shown(w)} = {number(i.value)}" for w, i in self.inputs.items())
        steps = [Step(f"Given: {inputs}.", "", tuple(f"value-{w}" for w in self.inputs))]
        for wire, gate in self.gates.items():
            steps.append(Step(f"Forward: {self._formula(wire, gate)}.", wire, (f"value-{wire}",)))
        loss = f"Backward: the slope of {_shown(self.loss)} by itself is 1."
        steps.append(Step(loss, "", (f"slope-{self.loss}",)))
        waiting = {
            read: [wire for wire, gate in self.gates.items() if read in gate.reads]
            for read in self.slopes
        }
        for wire, gate in reversed(list(self.gates.items())):
            parts, done = [], []
            for read, own in zip(gate.reads, self.own(gate), strict=False):
                slope, part = self.slopes[wire], f"{_shown(read)} gets "
                if gate.kind != "add":
                    part += f"{number(slope)} × {number(own)} = "
                parts.append(part + number(slope * own))
                waiting[read].remove(wire)
                if not waiting[read]:
                    done.append(f"slope-{read}")
                    if sum(read in other.reads for other in self.gates.values()) > 1:
                        parts[-1] += f"; its paths add up to {number(self.slopes[read])}"
            text = f"Backward: {KINDS[gate.kind].rule}: {', '.join(parts)}."
            steps.append(Step(text, wire, tuple(done)))
        return steps

    def _formula(self, wire: str, gate: Gate) -> str:
        given = [number(self.values[read]) for read in gate.reads]
        names, result = [_shown(read) for read in gate.reads], number(self.values[wire])
        if gate.kind == "cross-entropy":
            text = f"the loss of {names[0]} = {given[0]} when {names[1]} = {given[1]}"
        elif len(given) == 1:
            text = f"{gate.kind}({names[0]}) = {gate.kind}({given[0]})"
        else:
            sign = f" {KINDS[gate.kind].symbol} "
            text = f"{sign.join(names)} = {sign.join(given)}"
        made = _shown(wire)
        return f"{text} = {result}" if made in text else f"{made} = {text} = {result}"

    def _drawing(self) -> str:
        places = {wire: _place(given.at) for wire, given in self.inputs.items()}
        places |= {wire: _place(gate.at) for wire, gate in self.gates.items()}
        width = max(x for x, _ in places.values()) + LEFT
        height = max(y for _, y in places.values()) + TOP
        wires = "".join(
            self._line(places[read], places[wire], read in self.inputs)
            for wire, gate in self.gates.items()
            for read in gate.reads
        )
        boxes = "".join(self._box(wire, places[wire]) for wire in self.inputs)
        gates = "".join(self._gate(wire, gate, places[wire]) for wire, gate in self.gates.items())
        label = f"{escape(self.name, quote=True)}: the list of steps has all of its numbers"
        return (
            f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
            f'aria-label="{label}" fill="currentColor" font-size="13" '
            'font-family="Arial, Liberation Sans, Helvetica, sans-serif">'
            f"{wires}{boxes}{gates}</svg>"
        )

    @staticmethod
    def _line(start: tuple[float, float], end: tuple[float, float], from_box: bool) -> str:
        """Draw a wire, from the edge of a box or a circle to the edge of a circle."""
        (x0, y0), (x1, y1) = start, end
        if from_box:
            y0 += BOX[1] / 2
        length = math.hypot(x1 - x0, y1 - y0)
        along = (x1 - x0) / length, (y1 - y0) / length
        if not from_box:
            x0, y0 = x0 + RADIUS * along[0], y0 + RADIUS * along[1]
        x1, y1 = x1 - RADIUS * along[0], y1 - RADIUS * along[1]
        return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="currentColor"/>'

    def _box(self, wire: str, at: tuple[float, float]) -> str:
        (x, y), (width, height) = at, BOX
        return (
            f'<g><rect class="circuit-box" x="{x - width / 2:g}" y="{y - height / 2:g}" '
            f'width="{width}" height="{height}" rx="6" fill="none" stroke="currentColor"/>'
            f"{self._label(wire, x, y, 'middle')}</g>"
        )

    def _gate(self, wire: str, gate: Gate, at: tuple[float, float]) -> str:
        (x, y), symbol = at, KINDS[gate.kind].symbol
        aside, anchor = (22, "start") if gate.side == "right" else (-22, "end")
        size = 18 if len(symbol) == 1 else 12
        return (
            f'<g><circle class="circuit-gate" data-gate="{wire}" cx="{x:g}" cy="{y:g}" '
            f'r="{RADIUS}" fill="none" stroke="currentColor"/>'
            f'<text x="{x:g}" y="{y + size / 3:g}" text-anchor="middle" font-size="{size}">'
            f"{symbol}</text>{self._label(wire, x + aside, y, anchor)}</g>"
        )

    def _label(self, wire: str, x: float, y: float, anchor: str) -> str:
        """Write name, value and slope below each other."""
        rows = [(f'class="circuit-name" y="{y - 9:g}" font-style="italic"', _shown(wire))]
        value = number(self.values[wire])
        rows.append(
            (f'class="circuit-value" data-part="value-{wire}" y="{y + 6:g}"', value),
        )
        if wire in self.slopes:
            slope = f"↑{number(self.slopes[wire])}"
            part = f'data-part="slope-{wire}" y="{y + 21:g}" fill="{SLOPE_COLOUR}"'
            rows.append((f'class="circuit-slope" {part}', slope))
        return "".join(
            f'<text x="{x:g}" text-anchor="{anchor}" {rest}>{text}</text>' for rest, text in rows
        )


class Step(NamedTuple):
    """A step of the list: its sentence, the gate at work, and the numbers that it adds."""

    text: str
    gate: str
    shows: tuple[str, ...]


def neuron(x: Sequence[float], w: Sequence[float], b: float, y: float) -> Circuit:
    """Give the circuit of one neuron: a weighted sum, a sigmoid, the cross-entropy.

    Parameters
    ----------
    x, w : two numbers each
        Inputs and weights.
    b, y : float
        Bias and target.

    Raises
    ------
    ValueError
        Not two inputs and two weights.
    """
    if len(x) != 2 or len(w) != 2:
        raise ValueError(f"{len(x)} inputs and {len(w)} weights; expected two of each.")
    return Circuit(
        "One neuron, as a circuit",
        {
            "x1": Input(x[0], (0, 0)),
            "w1": Input(w[0], (1, 0)),
            "x2": Input(x[1], (2.2, 0)),
            "w2": Input(w[1], (3.2, 0)),
            "b": Input(b, (4, 1)),
            "y": Input(y, (3.3, 3)),
        },
        {
            "x1w1": Gate("multiply", ("x1", "w1"), (0.8, 1), "left"),
            "x2w2": Gate("multiply", ("x2", "w2"), (2.4, 1)),
            "z": Gate("add", ("x1w1", "x2w2", "b"), (1.6, 2), "left"),
            "p": Gate("sigmoid", ("z",), (1.6, 3)),
            "J": Gate("cross-entropy", ("p", "y"), (1.6, 4), "left"),
        },
    )


def hidden_layer(x: float, w: Sequence[float], b: Sequence[float], y: float) -> Circuit:
    """Give the circuit of one input, two hidden units with tanh, and a sigmoid output.

    Parameters
    ----------
    x : float
        The input, which both hidden units read.
    w : four numbers
        Two weights into the hidden units, then two out of them.
    b : three numbers
        Biases of the hidden units, then of the output.
    y : float
        Target.

    Raises
    ------
    ValueError
        Not four weights and three biases.
    """
    if len(w) != 4 or len(b) != 3:
        raise ValueError(f"{len(w)} weights and {len(b)} biases; expected four and three.")
    return Circuit(
        "Two hidden units, as a circuit",
        {
            "w1": Input(w[0], (1, 0)),
            "x": Input(x, (2, 0)),
            "w2": Input(w[1], (3, 0)),
            "b1": Input(b[0], (0, 1)),
            "b2": Input(b[1], (4, 1)),
            "w3": Input(w[2], (0, 3)),
            "w4": Input(w[3], (4, 3)),
            "b3": Input(b[2], (2, 4)),
            "y": Input(y, (3.7, 6)),
        },
        {
            "w1x": Gate("multiply", ("w1", "x"), (0.9, 1)),
            "w2x": Gate("multiply", ("x", "w2"), (3.1, 1), "left"),
            "z1": Gate("add", ("w1x", "b1"), (0.9, 2)),
            "z2": Gate("add", ("w2x", "b2"), (3.1, 2), "left"),
            "a1": Gate("tanh", ("z1",), (0.9, 3)),
            "a2": Gate("tanh", ("z2",), (3.1, 3), "left"),
            "a1w3": Gate("multiply", ("a1", "w3"), (0.9, 4), "left"),
            "a2w4": Gate("multiply", ("a2", "w4"), (3.1, 4)),
            "z3": Gate("add", ("a1w3", "a2w4", "b3"), (2, 5), "left"),
            "p": Gate("sigmoid", ("z3",), (2, 6)),
            "J": Gate("cross-entropy", ("p", "y"), (2, 7), "left"),
        },
    )


def number(value: float) -> str:
    """Write a number to at most four decimals, with a true minus sign."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def _shown(wire: str) -> str:
    """Write the digits of a name as an index."""
    return wire.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _place(at: tuple[float, float]) -> tuple[float, float]:
    column, row = at
    return LEFT + COLUMN * column, TOP + ROW * row
