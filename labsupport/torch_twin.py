"""The same network in PyTorch, and Armijo backtracking as one of its optimisers.

Taught in chapters 4 and 5. PyTorch keeps W as (n_out, n_in): the transpose is made here, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from labsupport import arrays
from labsupport.network import Network, Parameters

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
}
LOSSES: dict[str, Callable[[], nn.Module]] = {
    "mse": nn.MSELoss,
    "bce": nn.BCELoss,
    "bce_with_logits": nn.BCEWithLogitsLoss,
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
    hidden, output = ACTIVATIONS[net.hidden], ACTIVATIONS[net.output]
    layers: list[nn.Module] = []
    for n_in, n_out in zip(net.sizes, net.sizes[1:], strict=False):
        linear = nn.utils.skip_init(nn.Linear, n_in, n_out)  # type: ignore[no-untyped-call]
        layers += [linear, hidden()]
    layers[-1] = output()
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
    tensors: list[arrays.Array] = []
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


class ArmijoSGD(torch.optim.Optimizer):
    """Gradient descent whose step is found by Armijo backtracking.

    Parameters
    ----------
    params : iterable of Tensor
        One group: the search decides one step for all of them.
    first, shrink, c, warm, growth, smallest
        As in `labsupport.descent.Armijo`.

    Attributes
    ----------
    last_step : float
        Step accepted last; 0 when the search gave up or the gradient was zero.
    forwards, backwards, trials : int
        Passes and trials in all so far.

    Raises
    ------
    ValueError
        A number outside its range, or several parameter groups.

    Notes
    -----
    ``step(closure)`` follows ``torch.optim.LBFGS``: the closure clears the gradients, computes the
    loss, calls ``backward()`` and returns the loss. A trial needs no gradient, so trials run under
    ``torch.no_grad()``. A closure that calls ``backward()`` only ``if loss.requires_grad`` saves
    that pass; one that always calls it works too, and pays for it.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        first: float = 1.0,
        shrink: float = 0.5,
        c: float = 1e-4,
        warm: bool = False,
        growth: float = 2.0,
        smallest: float = 1e-10,
    ) -> None:
        arrays.positive(first, "first")
        arrays.positive(shrink, "shrink", below=1)
        arrays.positive(c, "c", below=1)
        arrays.positive(smallest, "smallest")
        if first < smallest:
            raise ValueError(f"first is {first!r}; expected at least smallest, {smallest:g}.")
        if not 1 <= growth < math.inf:
            raise ValueError(f"growth is {growth}; expected a finite number of at least 1.")
        options = {"first": first, "shrink": shrink, "c": c}
        super().__init__(params, {**options, "warm": warm, "growth": growth, "smallest": smallest})
        self.last_step = 0.0
        self.forwards = self.backwards = self.trials = 0
        self._next = first
        self._saves_backward = True

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Accept the first group, and no other."""
        if self.param_groups:
            raise ValueError(
                "got several parameter groups; expected one, because one search decides the step "
                "of all parameters."
            )
        super().add_param_group(param_group)

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
            No closure, a loss that is not one finite number, or no gradient.
        """
        if closure is None:
            raise TypeError("step() needs a closure: it must evaluate the loss at every trial.")
        with torch.enable_grad():
            loss = closure()
        self.forwards += 1
        self.backwards += 1
        before = self._number(loss)
        group = self.param_groups[0]
        params = [p for p in group["params"] if p.grad is not None]
        if not params:
            raise ValueError("no parameter has a gradient after the closure; call loss.backward().")
        gradients = [p.grad for p in params]
        squared = sum(float(torch.vdot(g.ravel(), g.ravel())) for g in gradients)
        if not math.isfinite(squared):
            raise ValueError("the gradient is not finite; the parameters are as before the step.")
        start = [p.clone() for p in params]
        self.last_step = 0.0
        try:
            for p in params:
                p.grad = None
            if squared > 0:
                self.last_step = self._search(closure, params, start, gradients, before, squared)
        except BaseException:
            self._move(params, start, gradients, 0.0)
            raise
        finally:
            for p, g in zip(params, gradients, strict=True):
                p.grad = g
        if group["warm"] and self.last_step:
            self._next = group["growth"] * self.last_step
        return loss

    def _search(
        self,
        closure: Callable[[], Tensor],
        params: list[Tensor],
        start: list[Tensor],
        gradients: list[Any],
        before: float,
        squared: float,
    ) -> float:
        """Shrink the step until the loss has fallen enough; 0 and the old parameters otherwise."""
        group = self.param_groups[0]
        alpha = float(self._next if group["warm"] else group["first"])
        while alpha >= group["smallest"]:
            self._move(params, start, gradients, alpha)
            self.trials += 1
            if float(self._trial(closure)) <= before - group["c"] * alpha * squared:
                return alpha
            alpha *= group["shrink"]
        self._move(params, start, gradients, 0.0)
        return 0.0

    @staticmethod
    def _move(
        params: list[Tensor], start: list[Tensor], gradients: list[Any], alpha: float
    ) -> None:
        for p, x, g in zip(params, start, gradients, strict=True):
            torch.add(x, g, alpha=-alpha, out=p)

    def _trial(self, closure: Callable[[], Tensor]) -> Tensor:
        """Evaluate the loss, without its gradient where the closure allows that."""
        self.forwards += 1
        if self._saves_backward:
            try:
                return closure()
            except RuntimeError as error:
                if "does not require grad" not in str(error):
                    raise
                self._saves_backward = False
                self.forwards += 1  # that pass is lost
        self.backwards += 1
        with torch.enable_grad():
            return closure()

    @staticmethod
    def _number(loss: Tensor) -> float:
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise TypeError(
                f"the closure gave {loss!r}; expected the loss, a tensor of one number."
            )
        value = float(loss)
        if not math.isfinite(value):
            raise ValueError(f"the loss is {value}; expected a finite number before the step.")
        return value


def as_tensor(values: arrays.Array, dtype: torch.dtype = torch.float64) -> Tensor:
    """Copy an array into a tensor of the given precision."""
    return torch.tensor(np.asarray(values), dtype=dtype)
