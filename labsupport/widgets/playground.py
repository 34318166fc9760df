"""The playground: a small network to train in the page, by mouse or by keyboard.

A `Playground` as the last line of a cell writes its data, its starts and its constants, and the
parameters it starts from as a table. In the built page ``_static/playground.js`` draws it and
trains; in JupyterLab the scripts come with the cell. The numbers are no second truth: a browser
test compares them with `labsupport.descent`, and `Playground.train` makes the same run in Python.
Used in the page of the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import numpy as np

from labsupport import datasets, descent, records
from labsupport.activations import SLOPE
from labsupport.checks import Array
from labsupport.initialisers import INITIALISERS, Initialiser
from labsupport.network import Network, Parameters
from labsupport.tables import Table
from labsupport.widgets import scripts

FILES = ("playground.css", "playground-core.js", "playground-drawing.js", "playground.js")
UNITS = (1, 8)
LIMITS = {"rate": (1e-4, 1e4), "seed": (0, 2**32 - 1), "epoch": (0, 100_000)}

Uniform = Callable[[], float]
"""A source of numbers in [0, 1)."""


def generator(seed: int) -> Uniform:
    """Give a source of uniform numbers that gives the same ones in Python and in the page.

    Parameters
    ----------
    seed : int
        A whole number from 0 to 2**32 - 1.

    Notes
    -----
    Mulberry32 by Tommy Ettinger: 32 bits of state, enough for a start, too few for statistics.
    NumPy's generators would need 64-bit whole numbers, which browsers do not have.
    """
    mask, state = 0xFFFFFFFF, seed

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (state | 1)) & mask
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & mask)) & mask
        return (t ^ (t >> 14)) / 2**32

    return uniform


def _bell(uniform: Uniform) -> float:
    """Twelve uniform numbers less six: close to N(0, 1), and exact, unlike a logarithm."""
    return sum(uniform() for _ in range(12)) - 6


def _draw(how: Initialiser, uniform: Uniform, n_in: int, n_out: int) -> float:
    """One weight, by the recipe of an initialiser."""
    scale = how.scale(n_in, n_out)
    if how.kind == "constant":
        return scale
    return scale * (_bell(uniform) if how.kind == "normal" else 2 * uniform() - 1)


def _worked_example() -> Parameters:
    """The start that :ref:`ch-four-equations` works through by hand."""
    return Parameters((2, 2, 1), np.array([1, -1, 1, 0.5, 0, 0.5, 1, -0.5, 0.25]))


class Named(NamedTuple):
    """A start with a name: where its parameters come from, and the settings that go with it."""

    make: Callable[[], Parameters]
    settings: dict[str, Any]


NAMED = {
    "xor-relu": Named(
        records.RECORDS["xor-relu"].start,
        {"hidden": (3,), "activation": "relu", "loss": "bce", "rate": 0.1},
    ),
    "worked-example": Named(_worked_example, {"hidden": (2,)}),
}


def _moons() -> tuple[Array, Array]:
    """The training part of the moons, to six decimals: these are the same on every machine."""
    data = datasets.moons()
    return np.round(data.X_train, 6), data.Y_train


DATA: dict[str, Callable[[], tuple[Array, Array]]] = {"xor": datasets.xor, "moons": _moons}
CHOICES = {
    "data": tuple(DATA),
    "activation": ("sigmoid", "tanh", "relu", "leaky_relu"),
    "loss": ("bce_with_logits", "bce", "mse"),
    "rule": ("fixed", "backtracking", "warm"),
    "start": (*INITIALISERS, *NAMED),
}


@dataclass(frozen=True, repr=False)
class Playground:
    """A situation of the playground; as the last line of a cell it is shown.

    Attributes
    ----------
    data : str
        ``xor``, or ``moons``: the training part of the moons of :ref:`ch-backtracking`, to six
        decimals.
    hidden : tuple of int
        Units of each hidden layer: one layer or two, of 1 to 8 units.
    activation : str
        Of the hidden layers: ``sigmoid, tanh, relu, leaky_relu``.
    loss : str
        ``bce_with_logits``; or ``bce`` or ``mse`` on a sigmoid output.
    rule : str
        ``fixed``; ``backtracking`` with Armijo's condition; or ``warm``, the same from twice the
        step accepted last.
    rate : float
        The fixed step, or the first trial; from 0.0001 to 10000.
    start : str
        How parameters are drawn, by the name of an initialiser; or a start with a name,
        ``xor-relu`` (a lab record) or ``worked-example`` (:ref:`ch-four-equations`). See `named`.
    seed : int
        Which parameters are drawn; from 0 to 2**32 - 1.
    epoch : int
        Epochs to train before it is shown, at most 100000.

    Raises
    ------
    ValueError, TypeError
        A choice that there is none of, or a number out of its range.
    """

    data: str = "xor"
    hidden: tuple[int, ...] = (4,)
    activation: str = "tanh"
    loss: str = "bce_with_logits"
    rule: str = "fixed"
    rate: float = 0.5
    start: str = "normal"
    seed: int = 1
    epoch: int = 0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise ValueError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
        object.__setattr__(self, "hidden", tuple(int(n) for n in self.hidden))
        least, most = UNITS
        if not 1 <= len(self.hidden) <= 2 or not all(least <= n <= most for n in self.hidden):
            raise ValueError(
                f"hidden is {self.hidden}; expected one or two layers of {least} to {most} units."
            )
        for name, (low, high) in LIMITS.items():
            value, kind = getattr(self, name), float if name == "rate" else int
            if kind(value) != value or not low <= value <= high:
                number = "number" if kind is float else "whole number"
                raise ValueError(f"{name} is {value!r}; expected a {number} from {low} to {high}.")
            object.__setattr__(self, name, kind(value))
        if self.start in NAMED and self.hidden != NAMED[self.start].settings["hidden"]:
            raise ValueError(
                f"hidden is {self.hidden}; the start {self.start!r} has the hidden layers "
                f"{NAMED[self.start].settings['hidden']}. Use named({self.start!r})."
            )

    @property
    def network(self) -> Network:
        """The network, without its parameters."""
        output = "identity" if self.loss == "bce_with_logits" else "sigmoid"
        return Network((2, *self.hidden, 1), self.activation, output, self.loss)

    @property
    def step_rule(self) -> descent.Fixed | descent.Armijo:
        """How long a step is."""
        if self.rule == "fixed":
            return descent.Fixed(self.rate)
        return descent.Armijo(self.rate, warm=self.rule == "warm")

    def samples(self) -> tuple[Array, Array]:
        """Give the data, X (m, 2) and Y (m, 1)."""
        return DATA[self.data]()

    def parameters(self) -> Parameters:
        """Give the parameters before the first step: the very ones that the page starts from."""
        if self.start in NAMED:
            return NAMED[self.start].make()
        uniform, sizes = generator(self.seed), self.network.sizes
        how, vector = INITIALISERS[self.start], list[float]()
        for n_in, n_out in zip(sizes, sizes[1:], strict=False):
            vector += [_draw(how, uniform, n_in, n_out) for _ in range(n_in * n_out)]
            biases = n_out if how.biases else 0
            vector += [_draw(how, uniform, n_in, n_out) for _ in range(biases)]
            vector += [0.0] * (n_out - biases)
        return Parameters(sizes, np.array(vector))

    def train(self, epochs: int | None = None) -> descent.Training:
        """Make the run of the page with `labsupport.descent`, to `epoch` or to another epoch."""
        epochs = self.epoch if epochs is None else epochs
        return descent.train(
            self.network, self.parameters(), *self.samples(), self.step_rule, epochs
        )

    @property
    def fragment(self) -> str:
        """The end of the address that opens this situation, as ``#playground?data=xor&seed=7``.

        It names the data, and the settings that are not the usual ones: those of `Playground`, or,
        for a start with a name, those that go with it.
        """
        usual = asdict(named(self.start) if self.start in NAMED else Playground())
        usual |= {"start": Playground.start, "data": ""}
        changed = {k: _text(v) for k, v in asdict(self).items() if v != usual[k]}
        return f"#playground?{urlencode(changed)}"

    def __repr__(self) -> str:
        return f"<Playground {self.fragment}>"

    def _repr_html_(self) -> str:
        """Write the data for the script, and what is seen without it."""
        live = scripts.live()
        tensors = self.parameters().named().items()
        table = Table(
            ("tensor", "shape", "values"),
            [(name, _shape(t), _values(t)) for name, t in tensors],
            f"The parameters that the network {'-'.join(map(str, self.network.sizes))} starts from",
        )
        return (
            '<div class="playground" id="playground">\n<div class="playground-still">\n'
            "<p>Here stands a network that you can train. It needs scripts: in the book, allow "
            "them; in JupyterLab, run this cell.</p>\n"
            f"{table._repr_html_()}\n</div>\n"
            f'<script type="application/json">{scripts.as_json(self._given(live))}</script>\n'
            f"{scripts.inline(*FILES) if live else ''}</div>"
        )

    def _given(self, live: bool) -> dict[str, Any]:
        """All that the script gets from Python, so that it need not know it too."""
        armijo, samples = descent.Armijo(), {k: make() for k, make in DATA.items()}
        return {
            "live": live,
            "situation": asdict(self),
            "usual": asdict(Playground()),
            "choices": CHOICES,
            "limits": LIMITS,
            "units": UNITS,
            "starts": {name: asdict(how) for name, how in INITIALISERS.items()},
            "named": {
                name: {"settings": it.settings, "vector": it.make().vector.tolist()}
                for name, it in NAMED.items()
            },
            "data": {k: {"X": X.tolist(), "Y": Y.tolist()} for k, (X, Y) in samples.items()},
            "slope": SLOPE,
            "armijo": {f: getattr(armijo, f) for f in "c shrink growth smallest slack".split()},
        }


def named(start: str, **changes: Any) -> Playground:
    """Give a start with a name, and the settings that go with it.

    Parameters
    ----------
    start : str
        ``xor-relu`` or ``worked-example``.
    **changes
        Settings to change, as for `Playground`.

    Raises
    ------
    ValueError
        No start of that name, or a setting that does not fit.
    """
    if start not in NAMED:
        raise ValueError(f"unknown start {start!r}; choose one of {', '.join(NAMED)}.")
    return Playground(**(NAMED[start].settings | {"start": start} | changes))


def read(address: str) -> Playground:
    """Give the situation of an address, as copied from the page.

    Parameters
    ----------
    address : str
        An address, or its end, such as ``#playground?start=xor-relu``.

    Raises
    ------
    ValueError
        A setting that there is none of, or one out of its range.
    """
    asked = dict(parse_qsl(address.partition("#")[2].partition("?")[2], strict_parsing=False))
    if unknown := set(asked) - {f.name for f in fields(Playground)}:
        raise ValueError(f"the address sets {', '.join(sorted(unknown))}; there is no such thing.")
    known: dict[str, Callable[[str], Any]] = {"rate": float, "seed": int, "epoch": int}
    known["hidden"] = lambda text: tuple(int(n) for n in text.split("-"))
    settings: dict[str, Any] = {}
    for key, text in asked.items():
        try:
            settings[key] = known.get(key, str)(text)
        except ValueError:
            raise ValueError(f"the address sets {key}={text}; expected numbers there.") from None
    base = named(settings["start"]) if settings.get("start") in NAMED else Playground()
    return replace(base, **settings)


def _text(value: Any) -> str:
    """Write a setting as it stands in an address: 8-8, xor, 0.5, 64."""
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return str(value).removesuffix(".0")


def _shape(tensor: Array) -> str:
    return "×".join(map(str, tensor.shape))


def _values(tensor: Array) -> str:
    return "; ".join(" ".join(f"{v:.4f}".replace("-", "−") for v in row) for row in tensor)


__all__ = ["Playground", "generator", "named", "read"]
