"""A tape in sixty lines. The lesson of :ref:`ch-autograd`."""

from typing import Any

import numpy as np

from labsupport.activations import activation
from labsupport.checks import Array
from labsupport.losses import loss


class Value:
    """An array that knows what made it, and how slopes go back."""

    def __init__(self, data: Any, made_of: Any = (), back: Any = None):
        self.data: Array = np.asarray(data, dtype=float)
        self.grad: Array = np.zeros_like(self.data)
        self.depth = max((p.depth + 1 for p in made_of), default=0)
        self.made_of = made_of
        self.back = back or (lambda d: ())  # nothing to send

    def __add__(self, other: Any) -> "Value":
        parts, a, b = self.beside(other)
        return Value(a + b, parts, lambda d: (d, d))

    def __mul__(self, other: Any) -> "Value":
        parts, a, b = self.beside(other)
        return Value(a * b, parts, lambda d: (d * b, d * a))

    def __matmul__(self, other: Any) -> "Value":
        parts, a, b = self.beside(other)
        return Value(a @ b, parts, lambda d: (d @ b.T, a.T @ d))

    def beside(self, other: Any) -> Any:
        """Give both as values, and their arrays."""
        other = other if isinstance(other, Value) else Value(other)
        return (self, other), self.data, other.data

    def activate(self, name: str) -> "Value":
        """Apply sigmoid, tanh, relu, ... to each entry."""
        g, Z = activation(name), self.data
        A = g.value(Z)
        own = g.derivative(Z, A)
        return Value(A, (self,), lambda d: (d * own,))

    def loss(self, Y: Array, name: str) -> "Value":
        """Compare with targets: mse, bce, bce_with_logits, ..."""
        L, A = loss(name), self.data
        J, own = L.value(A, Y), L.gradient(A, Y)
        return Value(J, (self,), lambda d: (d * own,))

    def tape(self) -> "list[Value]":
        """Give this value and all it was made of, deepest first."""
        found, todo = {self: 0}, [self]
        for v in todo:  # which grows
            new = {p: 0 for p in v.made_of if p not in found}
            found |= new
            todo += new
        return sorted(found, key=lambda v: -v.depth)

    def backward(self) -> None:
        """Add to each grad on the tape the slope of this value."""
        slopes = {self: np.ones_like(self.data)}
        for v in self.tape():
            slope = slopes.pop(v)
            v.grad = v.grad + slope
            for p, share in zip(v.made_of, v.back(slope), strict=True):
                own = unstretch(share, p.data.shape)
                slopes[p] = slopes.get(p, 0.0) + own


def unstretch(slope: Array, shape: tuple[int, ...]) -> Array:
    """Add a slope up over the axes that stretched an operand."""
    slope = slope.sum(axis=tuple(range(slope.ndim - len(shape))))
    ones = tuple(k for k, n in enumerate(shape) if n == 1)
    return np.asarray(slope.sum(axis=ones, keepdims=True))
