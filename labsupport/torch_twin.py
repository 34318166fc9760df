"""The same network in PyTorch. Taught in chapter 4; `ArmijoSGD`, from `torch_armijo`, in chapter 5.

PyTorch keeps W as (n_out, n_in): the transpose is made here, once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from labsupport import arrays
from labsupport.network import Network, Parameters
from labsupport.torch_armijo import ArmijoSGD

__all__ = [
    "ArmijoSGD",
    "as_tensor",
    "copy_into",
    "gradient_of",
    "loss",
    "module",
    "parameters_of",
]

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


def as_tensor(values: arrays.Array, dtype: torch.dtype = torch.float64) -> Tensor:
    """Copy an array into a tensor of the given precision."""
    return torch.tensor(np.asarray(values), dtype=dtype)
