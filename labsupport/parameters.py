"""The weights and biases of a network, or of many: one vector, and the matrices that look into it.

`labsupport.network` uses them under the same names. :ref:`ch-numpy` begins with the matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from labsupport import checks
from labsupport.checks import Array


def size(sizes: tuple[int, ...]) -> int:
    """Count the parameters P of a network with layers of these widths."""
    return sum((n_in + 1) * n_out for n_in, n_out in zip(sizes, sizes[1:], strict=False))


@dataclass(frozen=True, eq=False)
class Parameters:
    """All weights and biases, as one vector and as the matrices that look into it.

    Attributes
    ----------
    sizes : tuple of int
        Width of each layer, inputs first.
    vector : Array
        (P,), or (runs, P): W1, b1, W2, b2, ... one after the other. A descent step is one line
        on it.
    weights, biases : tuple of Array
        Views into `vector`: W_l (..., n_in, n_out) and b_l (..., 1, n_out). To change one is to
        change the other.

    Raises
    ------
    ValueError, TypeError
        A vector whose last axis is not P, or of whole numbers.
    """

    sizes: tuple[int, ...]
    vector: Array
    weights: tuple[Array, ...] = field(init=False, repr=False)
    biases: tuple[Array, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count, runs = size(self.sizes), self.vector.shape[:-1]
        if self.vector.shape[-1:] != (count,):
            raise ValueError(
                f"the vector has shape {self.vector.shape}; layers {self.sizes} have {count} "
                f"parameters, so expected ({count},) or (runs, {count})."
            )
        if self.vector.dtype.kind not in "fc":
            raise TypeError(
                f"the vector has type {self.vector.dtype}; expected floating point. "
                "Use vector.astype(float)."
            )
        weights, biases, at = [], [], 0
        for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False):
            middle, end = at + n_in * n_out, at + (n_in + 1) * n_out
            weights.append(self.vector[..., at:middle].reshape(*runs, n_in, n_out))
            biases.append(self.vector[..., middle:end].reshape(*runs, 1, n_out))
            at = end
        object.__setattr__(self, "weights", tuple(weights))
        object.__setattr__(self, "biases", tuple(biases))

    @classmethod
    def of(cls, *tensors: npt.ArrayLike) -> Parameters:
        """Collect W1, b1, W2, b2, ... into parameters; a copy is made.

        Raises
        ------
        ValueError, TypeError
            No tensors, a bias missing, or shapes that do not follow from one layer to the next.
        """
        if not tensors or len(tensors) % 2:
            raise ValueError(
                f"got {len(tensors)} tensors; expected W1, b1, W2, b2, ... a bias for each weight."
            )
        given = [checks.finite(t, f"{'Wb'[i % 2]}{i // 2 + 1}") for i, t in enumerate(tensors)]
        if given[0].ndim < 2:
            raise ValueError(f"W1 has shape {given[0].shape}; expected (n_in, n_out).")
        runs = given[0].shape[:-2]
        sizes = [given[0].shape[-2]]
        for layer, (W, b) in enumerate(zip(given[::2], given[1::2], strict=True), start=1):
            if W.ndim < 2 or W.shape[:-1] != (*runs, sizes[-1]):
                raise ValueError(
                    f"W{layer} has shape {W.shape}; expected {(*runs, sizes[-1])} and then n_out. "
                    "PyTorch keeps the transpose of W."
                )
            sizes.append(W.shape[-1])
            if b.shape not in ((*runs, sizes[-1]), (*runs, 1, sizes[-1])):
                raise ValueError(f"b{layer} has shape {b.shape}; expected {(*runs, 1, sizes[-1])}.")
        return cls(tuple(sizes), np.concatenate([t.reshape(*runs, -1) for t in given], axis=-1))

    @property
    def runs(self) -> tuple[int, ...]:
        """Shape of the leading axes: () for one network, (r,) for r of them."""
        return self.vector.shape[:-1]

    def named(self) -> dict[str, Array]:
        """Give the tensors by name: ``{"W1": ..., "b1": ..., "W2": ...}``, views all."""
        pairs = enumerate(zip(self.weights, self.biases, strict=True), start=1)
        return {
            f"{letter}{n}": t for n, pair in pairs for letter, t in zip("Wb", pair, strict=True)
        }

    def run(self, index: int) -> Parameters:
        """Copy one network out of many."""
        return Parameters(self.sizes, self.vector[index].copy())

    def copy(self) -> Parameters:
        """Give a copy that shares nothing with this one."""
        return Parameters(self.sizes, self.vector.copy(order="K"))

    def interleaved(self) -> Parameters:
        """Give a copy in which the same entry of all runs lies side by side in memory.

        Nothing but speed changes: with hundreds of small networks an operation is then a few long
        loops over the runs instead of many short ones over a matrix. `product` knows both.
        """
        return Parameters(self.sizes, self.vector.copy(order="F"))

    def astype(self, dtype: npt.DTypeLike) -> Parameters:
        """Give a copy in another precision."""
        return Parameters(self.sizes, self.vector.astype(dtype))

    def __iter__(self) -> Iterator[Array]:
        """Unpack as ``W1, b1, W2, b2 = parameters``."""
        return iter(self.named().values())
