"""A thousand networks 2-4-1 on XOR at once, against one by one and against compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.one_network import RATE, XOR, in_pytorch, ours
from benchmarks.table import Size, row, turns
from labsupport import datasets, descent
from labsupport.checks import Array
from labsupport.network import Parameters, initialise

RUNS = 1000


def starts(runs: int = RUNS) -> Parameters:
    return initialise(XOR, np.random.default_rng(7), runs=runs)


def at_once(start: Parameters, epochs: int) -> Array:
    """All runs, the loss of every epoch recorded: (epochs, runs)."""
    data = datasets.xor()
    return descent.train(XOR, start, *data, descent.Fixed(RATE), epochs).history.loss[:-1]


@row("PyTorch eager, a network and epoch, one by one", f"labsupport, {RUNS} at once", at_least=500)
def one_by_one_in_pytorch(size: Size) -> Array:
    start = starts()
    np.testing.assert_allclose(at_once(starts(1), 50)[:, 0], in_pytorch(50), rtol=1e-10)
    ratios = turns(lambda: in_pytorch(size.epochs), lambda: at_once(start, size.epochs), size)
    return ratios * RUNS


@row("labsupport, a network and epoch, one by one", f"labsupport, {RUNS} at once")
def one_by_one(size: Size) -> Array:
    start = starts()
    return turns(lambda: ours(size.epochs), lambda: at_once(start, size.epochs), size) * RUNS


def jax_scan(start: Parameters, epochs: int, dtype: npt.DTypeLike) -> Callable[[], Any]:
    """Compile all epochs of all runs into one call; give the call, which gives the losses."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)  # else float64 is silently float32
    X, Y = (jnp.asarray(array, dtype) for array in datasets.xor())
    tensors = [jnp.asarray(t, dtype) for t in start]

    def loss(p: list[Any]) -> Any:
        W1, b1, W2, b2 = p
        P = jax.nn.sigmoid(jax.nn.sigmoid(X @ W1 + b1) @ W2 + b2)
        return -jnp.mean(Y * jnp.log(P) + (1 - Y) * jnp.log1p(-P))

    def step(p: list[Any], _: None) -> tuple[list[Any], Any]:
        value, gradient = jax.value_and_grad(loss)(p)
        return [w - RATE * g for w, g in zip(p, gradient, strict=True)], value

    def train(p: list[Any]) -> tuple[Any, Any]:
        return jax.lax.scan(step, p, None, length=epochs)

    compiled = jax.jit(jax.vmap(train))
    return lambda: np.asarray(jax.block_until_ready(compiled(tensors))[1]).T


def against_jax(size: Size, dtype: npt.DTypeLike) -> Array:
    start = starts().astype(dtype)
    theirs = jax_scan(start, size.epochs, dtype)
    close = 1e-10 if np.dtype(dtype) == np.float64 else 1e-3
    np.testing.assert_allclose(at_once(start, size.epochs), theirs(), rtol=close)
    return turns(lambda: at_once(start, size.epochs), theirs, size)


@row(f"{RUNS} networks at once, float64", "JAX, jit of vmap and scan", at_most=3)
def jax_float64(size: Size) -> Array:
    return against_jax(size, np.float64)


@row(f"{RUNS} networks at once, float32", "JAX, jit of vmap and scan", at_most=3)
def jax_float32(size: Size) -> Array:
    return against_jax(size, np.float32)
