"""Gates, and what flows through them: values forward on the wires, slopes back.

`labsupport.widgets.circuit` draws it. Taught in :ref:`ch-pseudocode`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Kind(NamedTuple):
    """What a gate computes, and its own slopes; `rule` says in words what it does with one.

    `slopes` gives one for each wire that gets one back: a target gets none.
    """

    symbol: str
    rule: str
    value: Callable[..., float]
    slopes: Callable[..., tuple[float, ...]]


def _sigmoid(z: float) -> float:
    return (1 + math.tanh(z / 2)) / 2  # no exponential that could overflow


def _cross_entropy(p: float, y: float) -> float:
    if not (0 < p < 1 and 0 <= y <= 1):
        raise ValueError(
            f"cross-entropy was given p = {p} and y = {y}; expected p between 0 and 1, neither of "
            "them, and y from 0 to 1. A p of 0 or 1 comes from a large sum: take smaller weights."
        )
    return -y * math.log(p) - (1 - y) * math.log(1 - p)


KINDS = {
    "add": Kind(
        "+",
        "+ passes the slope on",
        lambda *given: math.fsum(given),
        lambda *given: (1.0,) * len(given),
    ),
    "multiply": Kind(
        "×",
        "× swaps its values",
        lambda a, b: a * b,
        lambda a, b: (b, a),
    ),
    "sigmoid": Kind(
        "σ",
        "σ scales by p (1 − p)",
        _sigmoid,
        lambda z: (_sigmoid(z) * _sigmoid(-z),),
    ),
    "tanh": Kind(
        "tanh",
        "tanh scales by 1 − a²",
        math.tanh,
        lambda z: (1 - math.tanh(z) ** 2,),
    ),
    "cross-entropy": Kind(
        "−ln",
        "−ln p scales by −1/p, and −ln (1 − p) by 1/(1 − p)",
        _cross_entropy,
        lambda p, y: ((1 - y) / (1 - p) - y / p,),
    ),
}


class Input(NamedTuple):
    """A wire that comes from outside: its value, and its column and row in the drawing."""

    value: float
    at: tuple[float, float]


class Gate(NamedTuple):
    """A gate: its kind, the wires it reads, its place, and the side on which its numbers stand."""

    kind: str
    reads: tuple[str, ...]
    at: tuple[float, float]
    side: str = "right"


@dataclass(frozen=True, repr=False)
class Gates:
    """Gates joined by wires.

    Attributes
    ----------
    name : str
        What it is a circuit of, for readers who hear the page.
    inputs : dict of str to Input
        By wire. A digit in a name is written as an index.
    gates : dict of str to Gate
        By the wire that each makes, in the order of computing; the last one makes the loss.

    Raises
    ------
    ValueError
        A kind of gate that there is none of, a wire that nothing has made, an input that is no
        finite number.
    """

    name: str
    inputs: Mapping[str, Input]
    gates: Mapping[str, Gate]

    def __post_init__(self) -> None:
        for wire, given in self.inputs.items():
            if not math.isfinite(given.value):
                raise ValueError(f"{wire} is {given.value}; expected a finite number.")
        made = list(self.inputs)
        for wire, gate in self.gates.items():
            if gate.kind not in KINDS:
                raise ValueError(
                    f"the gate of {wire} is of kind {gate.kind!r}; choose one of "
                    f"{', '.join(KINDS)}."
                )
            if unknown := [read for read in gate.reads if read not in made]:
                raise ValueError(
                    f"the gate of {wire} reads {', '.join(unknown)}; expected wires that come "
                    f"before it: {', '.join(made)}."
                )
            made.append(wire)

    @cached_property
    def values(self) -> dict[str, float]:
        """The value on each wire, forward."""
        return self._forward({wire: given.value for wire, given in self.inputs.items()})

    @cached_property
    def slopes(self) -> dict[str, float]:
        """How the loss moves with each wire, backward; paths that meet in a wire add."""
        found: dict[str, float] = {self.loss: 1.0}
        for wire, gate in reversed(list(self.gates.items())):
            for read, own in zip(gate.reads, self.own(gate), strict=False):
                found[read] = found.get(read, 0.0) + found[wire] * own
        return found

    @property
    def loss(self) -> str:
        """The last wire."""
        return list(self.gates)[-1]

    def nudge(self, wire: str, by: float) -> float:
        """Give the change of the loss when an input is moved.

        Parameters
        ----------
        wire : str
            An input that has a slope.
        by : float
            How far it is moved.

        Raises
        ------
        ValueError
            Another wire.
        """
        if wire not in self.nudgeable:
            raise ValueError(f"no input {wire!r} to nudge; choose one of {self.nudgeable}.")
        given = {name: value.value for name, value in self.inputs.items()}
        moved = self._forward(given | {wire: given[wire] + by})
        return moved[self.loss] - self.values[self.loss]

    @property
    def nudgeable(self) -> list[str]:
        """The inputs that have a slope."""
        return [wire for wire in self.inputs if wire in self.slopes]

    def _forward(self, values: dict[str, float]) -> dict[str, float]:
        for wire, gate in self.gates.items():
            values[wire] = KINDS[gate.kind].value(*(values[read] for read in gate.reads))
        return values

    def own(self, gate: Gate) -> tuple[float, ...]:
        """Give the slopes of a gate by what it reads."""
        return KINDS[gate.kind].slopes(*(self.values[read] for read in gate.reads))
