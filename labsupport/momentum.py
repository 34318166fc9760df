"""Step rules that remember: heavy ball, Nesterov, Adam. Taught in :ref:`ch-momentum`.

Their memory belongs to a training, so one rule serves any number of them. Each takes the steps of
its twin in ``torch.optim``, for one run or many, on the full batch or on mini-batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from labsupport import checks
from labsupport.checks import Array
from labsupport.rules import Memory, Number, Rule, per_run


def _share(value: float | Array, name: str) -> None:
    """Raise an error at what is not a share in [0, 1)."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} is {value!r}; expected a number in [0, 1), such as 0.9.")
    if not np.all((array >= 0) & (array < 1)):
        raise ValueError(f"{name} is {value!r}; expected a number in [0, 1), such as 0.9.")


def _own(kept: Array, gradient: Array) -> Array:
    """Give what a memory keeps of its gradients, if it is of this network and of these runs."""
    if kept.shape != gradient.shape:
        raise ValueError(
            f"the memory is of parameters {kept.shape}, the gradient of {gradient.shape}: it "
            "belongs to another training. Make a new one with rule.begin(vector)."
        )
    return kept


@dataclass(frozen=True)
class HeavyBall(Rule):
    """Steps along a velocity: v = momentum v + g, x = x - learning_rate v, with v = 0 at first.

    Attributes
    ----------
    learning_rate : float, or (runs,)
        Length of the step in units of the velocity.
    momentum : float, or (runs,)
        Share of the velocity that is kept, in [0, 1); 0 is gradient descent.

    Raises
    ------
    ValueError, TypeError
        A number outside its range.

    Notes
    -----
    Polyak (1964), in the form of ``torch.optim.SGD``.
    """

    coasts: ClassVar[bool] = True

    learning_rate: float | Array
    momentum: float | Array = 0.9

    def __post_init__(self) -> None:
        checks.positive(self.learning_rate, "learning_rate")
        _share(self.momentum, "momentum")

    def begin(self, vector: Array) -> Memory:
        """Remember the rate of each run, and a velocity of zero."""
        return {
            "step": per_run(self.learning_rate, vector, "learning_rate"),
            "keep": per_run(self.momentum, vector, "momentum")[..., None],
            "velocity": np.zeros_like(vector),
        }

    def propose(self, memory: Memory, gradient: Array) -> tuple[Number, Array]:
        """Add the gradient to what is kept of the velocity, and go along it."""
        velocity = _own(memory["velocity"], gradient)
        velocity *= memory["keep"]
        velocity += gradient
        return memory["step"], velocity


class Nesterov(HeavyBall):
    """Heavy ball that looks ahead: it steps along g + momentum v, with the new velocity v.

    Notes
    -----
    Nesterov (1983), in the form of ``torch.optim.SGD(nesterov=True)``: its x is the point ahead.
    """

    def propose(self, memory: Memory, gradient: Array) -> tuple[Number, Array]:
        """Go along the gradient and what will be kept of the velocity."""
        step, velocity = super().propose(memory, gradient)
        return step, gradient + memory["keep"] * velocity


@dataclass(frozen=True)
class Adam(Rule):
    """Steps along the mean of past gradients, each entry divided by its own usual size.

    Attributes
    ----------
    learning_rate : float, or (runs,)
        About how far an entry moves in a step.
    beta1, beta2 : float
        Share that is kept of the mean of the gradients and of the mean of their squares, in [0, 1).
    epsilon : float
        Added to the root of the mean square.
    correct : bool
        Divide both means by what their weights add up to, 1 - beta^t; without it they begin near 0.
    amsgrad : bool
        Divide by the largest mean square so far: Reddi, Kale and Kumar (2018).

    Raises
    ------
    ValueError, TypeError
        A number outside its range.

    Notes
    -----
    Kingma and Ba (2015), Algorithm 1; epsilon after the correction, as in ``torch.optim.Adam``.
    """

    coasts: ClassVar[bool] = True

    learning_rate: float | Array = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    correct: bool = True
    amsgrad: bool = False

    def __post_init__(self) -> None:
        checks.positive(self.learning_rate, "learning_rate")
        for name in ("beta1", "beta2", "epsilon"):
            if np.ndim(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one for all runs.")
        checks.positive(self.epsilon, "epsilon")
        _share(self.beta1, "beta1")
        _share(self.beta2, "beta2")

    def begin(self, vector: Array) -> Memory:
        """Remember the rate of each run, both means, and how many steps were taken."""
        means = {name: np.zeros_like(vector) for name in ("mean", "square", "largest")}
        return {"step": per_run(self.learning_rate, vector, "learning_rate"), "taken": 0, **means}

    def propose(self, memory: Memory, gradient: Array) -> tuple[Number, Array]:
        """Divide the mean of the gradients by the root of the mean of their squares."""
        mean, square = _own(memory["mean"], gradient), memory["square"]
        memory["taken"] += 1
        mean += (1 - self.beta1) * (gradient - mean)
        square *= self.beta2
        square += (1 - self.beta2) * gradient * gradient
        if self.amsgrad:
            square = np.maximum(memory["largest"], square, out=memory["largest"])
        first, second = 1.0, 1.0
        if self.correct:
            first, second = (1 - beta ** memory["taken"] for beta in (self.beta1, self.beta2))
        scale: Array = np.sqrt(square)
        scale /= second**0.5
        scale += self.epsilon
        return memory["step"], mean / (first * scale)
