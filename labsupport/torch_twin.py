"""The same network in PyTorch, :ref:`ch-pytorch`, and Armijo backtracking, :ref:`ch-backtracking`.

PyTorch keeps W as (n_out, n_in): the transpose is made here, once.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from labsupport.checks import Array
from labsupport.history import ADVICE, DescentWarning
from labsupport.network import Network, Parameters
from labsupport.rules import Armijo, Memory, Rule, Trial, settle

__all__ = [
    "ArmijoSGD",
    "as_tensor",
    "copy_into",
    "gradient_of",
    "loss",
    "module",
    "parameters_of",
]

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "mse": nn.MSELoss,
    "bce": nn.BCELoss,
    "bce_with_logits": nn.BCEWithLogitsLoss,
    "softmax_cross_entropy": nn.CrossEntropyLoss,
}


def module(net: Network, parameters: Parameters) -> nn.Sequential:
    """Build the network as an ``nn.Sequential`` with these weights, in their precision.

    Parameters
    ----------
    net : Network
        Its layers and activations.
    parameters : Parameters
        One network, float32 or float64.

    Returns
    -------
    nn.Sequential
        ``nn.Linear`` and activation in turn.

    Raises
    ------
    ValueError
        Parameters of other layers, or of many runs.
    """
    _check_single(net.sizes, parameters)
    layers: list[nn.Module] = []
    for n_in, n_out, g in zip(net.sizes, net.sizes[1:], net.activations, strict=False):
        linear = nn.utils.skip_init(nn.Linear, n_in, n_out)  # type: ignore[no-untyped-call]
        layers += [linear, getattr(nn, g.module)()]
    twin = nn.Sequential(*layers).to(torch.from_numpy(parameters.vector[:0]).dtype)
    copy_into(twin, parameters)
    return twin


def loss(net: Network) -> nn.Module:
    """Give PyTorch's module for the network's loss.

    Raises
    ------
    ValueError
        Mean squared error of several outputs: PyTorch averages over them, this manual adds.
    """
    if net.loss == "mse" and net.sizes[-1] > 1:
        raise ValueError("nn.MSELoss also averages over the outputs; write the sum out yourself.")
    return LOSSES[net.loss]()


def copy_into(twin: nn.Module, parameters: Parameters) -> None:
    """Copy the weights into the ``nn.Linear`` layers of a module, in order.

    Raises
    ------
    ValueError
        Layers of other widths.
    """
    linear = _linear_layers(twin)
    sizes = tuple([linear[0].in_features, *(layer.out_features for layer in linear)])
    _check_single(sizes, parameters)
    with torch.no_grad():
        for layer, W, b in zip(linear, parameters.weights, parameters.biases, strict=True):
            layer.weight.copy_(torch.from_numpy(W.T.copy()))
            layer.bias.copy_(torch.from_numpy(b[0].copy()))


def parameters_of(twin: nn.Module) -> Parameters:
    """Copy the weights of the ``nn.Linear`` layers of a module, in order, as `Parameters`.

    Raises
    ------
    ValueError
        No ``nn.Linear``, or one without bias.
    """
    return _collect(twin, lambda tensor: tensor)


def gradient_of(twin: nn.Module) -> Parameters:
    """Copy the gradients that ``backward()`` left in a module.

    Raises
    ------
    ValueError
        No gradient there yet.
    """

    def gradient(tensor: Tensor) -> Tensor:
        if tensor.grad is None:
            raise ValueError("a parameter has no gradient; call loss.backward() first.")
        return tensor.grad

    return _collect(twin, gradient)


def _collect(twin: nn.Module, pick: Callable[[Tensor], Tensor]) -> Parameters:
    tensors: list[Array] = []
    for layer in _linear_layers(twin):
        W, b = (pick(tensor).detach().cpu().numpy() for tensor in (layer.weight, layer.bias))
        tensors += [W.T, b]
    return Parameters.of(*tensors)


def _linear_layers(twin: nn.Module) -> list[nn.Linear]:
    linear = [layer for layer in twin.modules() if isinstance(layer, nn.Linear)]
    if not linear or any(layer.bias is None for layer in linear):
        raise ValueError("expected a module of nn.Linear layers, each with a bias.")
    return linear


def _check_single(sizes: tuple[int, ...], parameters: Parameters) -> None:
    if parameters.runs or parameters.sizes != sizes:
        raise ValueError(
            f"the parameters have layers {parameters.sizes} and runs {parameters.runs}; expected "
            f"{sizes} and one run. Pick one with parameters.run(0)."
        )


def as_tensor(values: Array, dtype: torch.dtype = torch.float64) -> Tensor:
    """Copy an array into a tensor of the given precision."""
    return torch.tensor(np.asarray(values), dtype=dtype)


class ArmijoSGD(torch.optim.Optimizer):
    """Gradient descent whose step a rule finds: the same rule that `labsupport.descent` asks.

    Parameters
    ----------
    params : iterable of Tensor
        What to train, with one step. There is no learning rate to schedule.
    rule : Rule
        By default `Armijo()`.

    Attributes
    ----------
    last_step : float
        Step accepted last; 0 when the search gave up or the gradient was zero.
    forwards, backwards, trials : int
        Passes and trials in all so far. The first step costs one more forward pass, which checks
        that the closure gives the same loss twice.

    Notes
    -----
    ``step(closure)`` follows ``torch.optim.LBFGS``: the closure clears the gradients, computes the
    loss, calls ``backward()`` and returns the loss. A trial needs no gradient: a closure that calls
    ``backward()`` only ``if loss.requires_grad`` saves that pass. With mini-batches, make a closure
    for each: the search compares losses on the same samples. Taught in :ref:`ch-backtracking`.
    """

    def __init__(self, params: Iterable[Tensor], rule: Rule | None = None) -> None:
        super().__init__(params, {})
        self.rule, self._saves_backward = rule or Armijo(), True
        self.memory: Memory = {}
        self.last_step, self.forwards, self.backwards, self.trials = 0.0, 0, 0, 0

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:  # type: ignore[override]
        """Find a step along the rule's direction and move there; give the loss before it.

        Raises
        ------
        TypeError, ValueError
            No closure, a loss or a gradient that is not finite, or a closure that gives two losses
            for the same parameters. They are then as before; also if the search gives up, with a
            `DescentWarning`.
        """
        if closure is None:
            raise TypeError("step() needs a closure: it must evaluate the loss at every trial.")
        loss = self._backward(closure)
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        if not params:
            raise ValueError("no parameter has a gradient after the closure; call loss.backward().")
        kept, start = [p.grad for p in params], [p.clone() for p in params]
        flat, before = torch.cat([g.ravel() for g in kept]), _number(loss)
        squared, gradient = torch.dot(flat, flat).item(), flat.cpu().numpy()
        if not math.isfinite(squared):
            raise ValueError("the gradient is not finite; the parameters are as before the step.")
        self.memory = self.memory or self.rule.begin(gradient)
        first, direction = self.rule.propose(self.memory, gradient)
        along: list[Any] = kept
        slope: float | None = squared
        if direction is not gradient:
            parts = np.split(direction, np.cumsum([p.numel() for p in params])[:-1])
            along = [p.new_tensor(d).view_as(p) for d, p in zip(parts, params, strict=True)]
            slope = None

        def move(step: float) -> None:
            for p, x, d in zip(params, start, along, strict=True):
                torch.add(x, d, alpha=-step, out=p)

        def look(step: Any) -> Any:
            move(float(step))
            return self._loss(closure)

        trial = Trial(before, gradient, direction, float(first) * (squared > 0), look, slope)
        try:
            for p in params:
                p.grad = None  # or the closure's zero_grad might write into it
            if self.trials == 0 and trial.moving:
                _require_same(before, look(0.0), gradient.dtype)
            if trial.moving:
                settle(self.rule, self.memory, trial)
            self.trials += int(trial.trials)
            if trial.trials and not trial.moving:
                _require_same(before, trial.loss, gradient.dtype)
                message = f"search gave up at loss {before:.6g}: {ADVICE['search gave up']}."
                warnings.warn(message, DescentWarning, stacklevel=4)
            if not trial.looked:
                move(float(trial.step))
        except BaseException:
            move(0.0)
            raise
        finally:
            for p, g in zip(params, kept, strict=True):
                p.grad = g
        self.last_step = float(trial.step)
        return loss

    def _backward(self, closure: Callable[[], Tensor]) -> Tensor:
        self.forwards, self.backwards = self.forwards + 1, self.backwards + 1
        with torch.enable_grad():
            return closure()

    def _loss(self, closure: Callable[[], Tensor]) -> float:
        """Evaluate the loss, without its gradient where the closure allows that."""
        if self._saves_backward:
            self.forwards += 1
            try:
                return closure().item()
            except RuntimeError as error:
                if "does not require grad" not in str(error):
                    raise
                self._saves_backward = False
        return self._backward(closure).item()


def _number(loss: Tensor) -> float:
    """Give the closure's loss as a number, checked."""
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise TypeError(f"the closure gave {loss!r}; expected the loss, a tensor of one number.")
    value = loss.item()
    if not math.isfinite(value):
        raise ValueError(f"the loss is {value}; expected a finite number before the step.")
    return value


def _require_same(before: float, again: float, dtype: np.dtype[Any]) -> None:
    """Complain when the same parameters have given two losses."""
    if not abs(again - before) <= 16 * np.finfo(dtype).eps * max(1.0, abs(before)):
        raise ValueError(
            f"the closure gave the losses {before:.9g} and {again:.9g} for the same parameters; a "
            "search needs one function. Switch dropout off with model.eval(), and use the same "
            "mini-batch in every call of one closure."
        )
