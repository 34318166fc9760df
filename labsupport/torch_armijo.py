"""Armijo backtracking as an optimiser of PyTorch. Taught in chapter 5."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from labsupport import arrays
from labsupport.history import DescentWarning

SEARCH = ("first", "shrink", "c", "warm", "growth", "smallest", "slack")
"""What belongs to the search and is the same for all parameter groups."""


class _Group(dict[str, Any]):
    """A parameter group; it says why there is no learning rate to schedule."""

    def __missing__(self, key: str) -> Any:
        if key == "lr":
            raise ValueError(
                "ArmijoSGD has no learning rate: it searches its step in every epoch. Leave the "
                "learning-rate scheduler away, or take torch.optim.SGD."
            )
        raise KeyError(key)


class ArmijoSGD(torch.optim.Optimizer):
    """Gradient descent whose step is found by Armijo backtracking.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Parameters, or parameter groups. One search decides the step of all groups; a group may
        have its own ``scale``, by which its gradient is multiplied in the direction (default 1).
    first, shrink, c, warm, growth, smallest, slack
        As in `labsupport.descent.Armijo`.

    Attributes
    ----------
    last_step : float
        Step accepted last; 0 when the search gave up or the gradient was zero.
    forwards, backwards, trials : int
        Passes and trials in all so far. The first step costs one more forward pass, which checks
        that the closure gives the same loss twice.

    Raises
    ------
    ValueError, TypeError
        A number outside its range, or a search option that differs between groups.

    Notes
    -----
    ``step(closure)`` follows ``torch.optim.LBFGS``: the closure clears the gradients, computes the
    loss, calls ``backward()`` and returns the loss. A trial needs no gradient, so trials run under
    ``torch.no_grad()``. A closure that calls ``backward()`` only ``if loss.requires_grad`` saves
    that pass; one that always calls it works too, and pays for it. With mini-batches, make a
    closure for each batch: the search compares losses on the same samples.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        first: float = 1.0,
        shrink: float = 0.5,
        c: float = 1e-4,
        warm: bool = False,
        growth: float = 2.0,
        smallest: float = 1e-10,
        slack: float = 4.0,
    ) -> None:
        arrays.positive(first, "first")
        arrays.positive(shrink, "shrink", below=1)
        arrays.positive(c, "c", below=1)
        arrays.positive(smallest, "smallest")
        if first < smallest:
            raise ValueError(f"first is {first!r}; expected at least smallest, {smallest:g}.")
        if not 1 <= growth < math.inf:
            raise ValueError(f"growth is {growth}; expected a finite number of at least 1.")
        if not 0 <= slack < math.inf:
            raise ValueError(f"slack is {slack}; expected a finite number of at least 0.")
        values = (first, shrink, c, warm, growth, smallest, slack)
        super().__init__(params, {**dict(zip(SEARCH, values, strict=True)), "scale": 1.0})
        self._saves_backward = True

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; its ``scale`` is its own, the search is common to all."""
        different = [
            key for key in SEARCH if param_group.get(key, self.defaults[key]) != self.defaults[key]
        ]
        if different:
            raise ValueError(
                f"a parameter group sets {', '.join(different)}; one search decides the step of "
                "all groups. Set it for the optimiser; a group may have its own scale."
            )
        arrays.positive(param_group.get("scale", 1.0), "scale")
        super().add_param_group(_Group(param_group))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a saved search, its next first trial and its counts."""
        super().load_state_dict(state_dict)
        self.param_groups = [_Group(group) for group in self.param_groups]

    @property
    def _memory(self) -> dict[str, Any]:
        """What survives in ``state_dict``, kept with the first parameter, as ``LBFGS`` does."""
        memory: dict[str, Any] = self.state[self.param_groups[0]["params"][0]]
        if not memory:
            memory.update(next=self.param_groups[0]["first"], last_step=0.0)
            memory.update(forwards=0, backwards=0, trials=0)
        return memory

    @property
    def last_step(self) -> float:
        """Step accepted last."""
        return float(self._memory["last_step"])

    @property
    def forwards(self) -> int:
        """Forward passes so far."""
        return int(self._memory["forwards"])

    @property
    def backwards(self) -> int:
        """Backward passes so far."""
        return int(self._memory["backwards"])

    @property
    def trials(self) -> int:
        """Trials so far."""
        return int(self._memory["trials"])

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:  # type: ignore[override]
        """Search along the negative gradient and move there.

        Parameters
        ----------
        closure : callable
            Clears the gradients, computes the loss, calls ``backward()``, returns the loss.

        Returns
        -------
        Tensor
            The loss before the step.

        Raises
        ------
        TypeError, ValueError
            No closure, a loss that is not one finite number, no gradient, one that is not finite,
            or a closure that gives two losses for the same parameters. The parameters are then as
            before the step.

        Warns
        -----
        DescentWarning
            No step down to the smallest trial lowered the loss enough; the parameters stay.
        """
        if closure is None:
            raise TypeError("step() needs a closure: it must evaluate the loss at every trial.")
        with torch.enable_grad():
            loss = closure()
        memory = self._memory
        memory["forwards"] += 1
        memory["backwards"] += 1
        before = _number(loss)
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        if not params:
            raise ValueError("no parameter has a gradient after the closure; call loss.backward().")
        gradients = [p.grad for p in params]
        direction = gradients
        if any(group["scale"] != 1 for group in self.param_groups):
            scales = [
                g["scale"] for g in self.param_groups for p in g["params"] if p.grad is not None
            ]
            direction = list(torch._foreach_mul(gradients, scales))
        flat = torch.cat([g.ravel() for g in gradients])
        along = flat if direction is gradients else torch.cat([d.ravel() for d in direction])
        squared = float(torch.dot(flat, along))
        if not math.isfinite(squared):
            raise ValueError("the gradient is not finite; the parameters are as before the step.")
        start = [p.clone() for p in params]
        memory["last_step"] = 0.0
        try:
            for p in params:
                p.grad = None
            if squared > 0:
                if memory["trials"] == 0:
                    self._check_repeats(closure, before, memory)
                memory["last_step"] = self._search(
                    closure, params, start, direction, before, squared, memory
                )
        except BaseException:
            torch._foreach_copy_(params, start)
            raise
        finally:
            for p, g in zip(params, gradients, strict=True):
                p.grad = g
        if memory["last_step"]:
            memory["next"] = self.param_groups[0]["growth"] * memory["last_step"]
        return loss

    def _search(
        self,
        closure: Callable[[], Tensor],
        params: list[Tensor],
        start: list[Tensor],
        direction: list[Any],
        before: float,
        squared: float,
        memory: dict[str, Any],
    ) -> float:
        """Shrink the step until the loss has fallen enough; 0 and the old parameters otherwise."""
        group = self.param_groups[0]
        alpha = float(memory["next"] if group["warm"] else group["first"])
        allowed = before + group["slack"] * torch.finfo(params[0].dtype).eps * abs(before)
        while alpha >= group["smallest"]:
            for p, x, d in zip(params, start, direction, strict=True):
                torch.add(x, d, alpha=-alpha, out=p)
            memory["trials"] += 1
            if float(self._trial(closure, memory)) <= allowed - group["c"] * alpha * squared:
                return alpha
            alpha *= group["shrink"]
        torch._foreach_copy_(params, start)
        self._check_repeats(closure, before, memory)
        warnings.warn(
            f"search gave up at loss {before:.6g}: no step down to {group['smallest']:g} lowered "
            "it enough; the parameters are as before. Check the gradient, or the loss is as low "
            "as this precision can see.",
            DescentWarning,
            stacklevel=5,
        )
        return 0.0

    def _check_repeats(
        self, closure: Callable[[], Tensor], before: float, memory: dict[str, Any]
    ) -> None:
        """Evaluate the loss once more where it is known, and complain when it is another."""
        again = float(self._trial(closure, memory))
        eps = torch.finfo(self.param_groups[0]["params"][0].dtype).eps
        if not abs(again - before) <= 16 * eps * max(1.0, abs(before)):
            raise ValueError(
                f"the closure gave the losses {before:.9g} and {again:.9g} for the same "
                "parameters; a search needs one function. Switch dropout off with model.eval(), "
                "and use the same mini-batch in every call of one closure."
            )

    def _trial(self, closure: Callable[[], Tensor], memory: dict[str, Any]) -> Tensor:
        """Evaluate the loss, without its gradient where the closure allows that."""
        memory["forwards"] += 1
        if self._saves_backward:
            try:
                return closure()
            except RuntimeError as error:
                if "does not require grad" not in str(error):
                    raise
                self._saves_backward = False
                memory["forwards"] += 1  # that pass is lost
        memory["backwards"] += 1
        with torch.enable_grad():
            return closure()


def _number(loss: Tensor) -> float:
    """Give the closure's loss as a number, checked."""
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise TypeError(f"the closure gave {loss!r}; expected the loss, a tensor of one number.")
    value = float(loss)
    if not math.isfinite(value):
        raise ValueError(f"the loss is {value}; expected a finite number before the step.")
    return value
