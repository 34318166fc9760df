"""Where training starts: how the weights and biases of a layer are drawn. See :ref:`ch-init`.

A new one is an entry of `INITIALISERS` and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from labsupport.checks import Array


@dataclass(frozen=True)
class Initialiser:
    """How weights are drawn: from what distribution, and how widely.

    Attributes
    ----------
    kind : str
        ``normal``, with mean 0; ``uniform``, within a bound on both sides of 0; or ``constant``.
    gain : float
        Standard deviation and bound are the root of gain / fan; a constant is gain / fan itself.
    fan : str
        1 (``one``), the layer's inputs (``in``), or inputs and outputs together (``both``).
    biases : bool
        Whether biases are drawn as well; else they are 0.
    """

    kind: Literal["normal", "uniform", "constant"]
    gain: float
    fan: Literal["one", "in", "both"] = "one"
    biases: bool = False

    def scale(self, n_in: int, n_out: int) -> float:
        """Give the standard deviation, the bound, or the constant, for a layer of these widths."""
        share = self.gain / {"one": 1, "in": n_in, "both": n_in + n_out}[self.fan]
        return share if self.kind == "constant" else float(np.sqrt(share))

    def __call__(
        self, rng: np.random.Generator, n_in: int, n_out: int, runs: tuple[int, ...] = ()
    ) -> tuple[Array, Array]:
        """Draw W (..., n_in, n_out) and b (..., 1, n_out), in float64."""
        scale = self.scale(n_in, n_out)

        def draw(*shape: int) -> Array:
            if self.kind == "normal":
                return scale * rng.standard_normal((*runs, *shape))
            if self.kind == "uniform":
                return rng.uniform(-scale, scale, (*runs, *shape))
            return np.full((*runs, *shape), scale)

        W = draw(n_in, n_out)
        return W, draw(1, n_out) if self.biases else np.zeros((*runs, 1, n_out))


INITIALISERS = {
    "normal": Initialiser("normal", 1.0),
    "zeros": Initialiser("constant", 0.0),
    "constant": Initialiser("constant", 1.0, "in"),
    "pytorch": Initialiser("uniform", 1.0, "in", biases=True),
    "glorot": Initialiser("uniform", 6.0, "both"),
    "he": Initialiser("normal", 2.0, "in"),
}
"""By name: N(0, 1), as most lab records do; all zero, so that hidden units stay copies of each
other; each weight 1/n_in, so that units that agree are passed on in their size; the default of
``nn.Linear``, whose variance is a sixth of He's; Glorot and Bengio (2010); He et al. (2015)."""


def initialiser(name: str) -> Initialiser:
    """Look an initialiser up by name.

    Raises
    ------
    ValueError
        A name that is not among `INITIALISERS`.
    """
    if name not in INITIALISERS:
        raise ValueError(f"unknown initialiser {name!r}; choose one of {', '.join(INITIALISERS)}.")
    return INITIALISERS[name]
