"""A tape: what `backward()` does, in sixty lines. The lesson of :ref:`ch-autograd`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from labsupport.activations import activation
from labsupport.checks import Array
from labsupport.losses import loss


class Value:
    """An array that remembers what it was made of, and how a slope goes back there."""

    def __init__(
        self, data: Any, made_of: Any = (), back: Callable[..., Any] = lambda d: (), by: str = ""
    ):
        self.data: Array = np.asarray(data, dtype=float)
        self.grad: Array = np.zeros_like(self.data)
        self.made_of, self.back, self.by = made_of, back, by
        self.depth: int = 1 + max((part.depth for part in made_of), default=-1)

    def __add__(self, other: Any) -> "Value":
        other = as_value(other)
        return Value(self.data + other.data, (self, other), lambda d: (d, d), "+")

    def __mul__(self, other: Any) -> "Value":
        other = as_value(other)
        a, b = self.data, other.data
        return Value(a * b, (self, other), lambda d: (d * b, d * a), "*")

    def __matmul__(self, other: Any) -> "Value":
        other = as_value(other)
        a, b = self.data, other.data
        return Value(a @ b, (self, other), lambda d: (d @ b.T, a.T @ d), "@")

    def activate(self, name: str) -> "Value":
        """Apply sigmoid, tanh, relu, ... to each entry."""
        g, Z = activation(name), self.data
        A = g.value(Z)
        return Value(A, (self,), lambda d: (d * g.derivative(Z, A),), name)

    def loss(self, Y: Array, name: str) -> "Value":
        """Compare outputs with targets: mse, bce, bce_with_logits, ..."""
        L, A = loss(name), self.data
        return Value(L.value(A, Y), (self,), lambda d: (d * L.gradient(A, Y),), name)

    def tape(self) -> "list[Value]":
        """Give this value, all that it was made of, what that was made of, ...: deepest first."""
        found, todo = {id(self): self}, [self]
        while todo:
            new = {id(part): part for part in todo.pop().made_of if id(part) not in found}
            found |= new
            todo += new.values()
        return sorted(found.values(), key=lambda value: -value.depth)

    def backward(self) -> None:
        """Add to each grad on the tape how much this value gains where that one grows."""
        slopes = {id(self): np.ones_like(self.data)}
        for value in self.tape():
            slope = slopes.pop(id(value))
            value.grad = value.grad + slope
            for part, share in zip(value.made_of, value.back(slope), strict=True):
                slopes[id(part)] = slopes.get(id(part), 0.0) + unstretch(share, part.data.shape)


def as_value(data: Any) -> Value:
    """Take a number or an array as a value of its own."""
    return data if isinstance(data, Value) else Value(data)


def unstretch(slope: Array, shape: tuple[int, ...]) -> Array:
    """Add a slope up over the axes along which an operand of this shape was stretched."""
    slope = slope.sum(axis=tuple(range(slope.ndim - len(shape))))
    added: Array = slope.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)
    return added
