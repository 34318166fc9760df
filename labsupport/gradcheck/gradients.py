"""Whole gradients: checked by differences, by autograd, by a complex step, by what a step used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from labsupport import checks
from labsupport.checks import Array
from labsupport.gradcheck import differences
from labsupport.gradcheck import tensors as named
from labsupport.gradcheck.agreement import Entry, GradientCheck, compare_arrays
from labsupport.gradcheck.differences import Taylor, central_difference

Loss = Callable[[Any], Any]


def check(loss: Loss, tensors: Any, gradients: Any, tolerance: float = 1e-7) -> GradientCheck:
    """Compare gradients with central differences, tensor by tensor.

    Parameters
    ----------
    loss : callable
        Takes what `tensors` is, gives one number.
    tensors, gradients : dict or NamedTuple of arrays
        Where, and what is claimed there; the same names and shapes in both.
    tolerance : float
        Largest relative error that passes; 1e-7 is good for float64 away from kinks. float32 is
        too coarse for it: check in float64, or allow 1e-2.

    Returns
    -------
    GradientCheck
        The relative error of each tensor, and whether the comparison shows anything: 0 against 0
        does not pass, and a kink of the loss is told from a wrong gradient.

    Raises
    ------
    ValueError, TypeError
        Names or shapes that differ, or numbers that are not finite.
    """
    here = named.by_name(tensors, "tensor")
    claimed = named.same_names(here, gradients, "tensor", "gradient")
    at = named.replacing(loss, tensors)

    def along(name: str, x: Array) -> float:
        return float(at({name: x}))

    value = float(at({}))
    size = max(1.0, abs(value))
    noise = {n: 4 * float(np.finfo(x.dtype).eps) ** (2 / 3) * size for n, x in here.items()}
    measured = {n: central_difference(partial(along, n), x) for n, x in here.items()}
    found = compare_arrays(claimed, measured, tolerance, noise)
    kinks, wrong = {}, []
    for n in found.wrong:
        off = _off(claimed[n], measured[n], tolerance, noise[n])
        bent = [i for i in off if _kink(partial(along, n), here[n], i, claimed[n][i], noise[n])]
        if bent:
            kinks[n] = bent
        if len(bent) < max(1, len(off)):
            wrong.append(n)
    vacuous = _reasons(found.vacuous, here, value)
    return replace(found, wrong=tuple(wrong), kinks=kinks, vacuous=vacuous)


def _off(claimed: Array, measured: Array, tolerance: float, noise: float) -> list[Entry]:
    """Entries that differ by more than their share of the tolerance."""
    norms = float(np.linalg.norm(claimed) + np.linalg.norm(measured))
    allowed = max(noise, tolerance * norms / claimed.size**0.5)
    return [tuple(map(int, i)) for i in np.argwhere(~(np.abs(claimed - measured) <= allowed))]


def _kink(f: Callable[[Array], float], x: Array, at: Entry, claimed: float, noise: float) -> bool:
    """Whether a kink explains an entry that differs: in a smooth loss the jump falls with h.

    With a kink beside x, but within h of it, only the central difference is off: the claim must
    then be the slope that the narrow step sees.
    """
    h = float(np.finfo(x.dtype).eps) ** (1 / 3) * max(1.0, abs(float(x[at])))
    wide, narrow = (differences.one_sided(f, x, at, step) for step in (h, h / 100))
    jump = abs(wide[1] - wide[0])
    kept = max(abs(narrow[1] - narrow[0]), abs(sum(narrow) - sum(wide)) / 2)
    slack = 100 * noise + 1e-3 * jump
    between = min(narrow) - slack <= claimed <= max(narrow) + slack
    return between and kept > max(100 * noise, jump / 10)


def _reasons(vacuous: dict[str, str], here: Mapping[str, Array], loss: float) -> dict[str, str]:
    """Say what a vacuous comparison comes from, where loss and tensors tell it."""
    everything = "zero gradient" in vacuous.values()
    if everything and abs(loss) <= np.finfo(float).eps:
        return dict.fromkeys(vacuous, "prediction equals target")
    if not any(x.any() for x in here.values()):
        return dict.fromkeys(vacuous, "zero initialisation")
    return vacuous


def compare(gradients: Any, reference: Any, tolerance: float = 1e-10) -> GradientCheck:
    """Compare gradients with others: from `autograd`, `complex_step`, another program.

    Parameters
    ----------
    gradients, reference : dict or NamedTuple of arrays
        What is claimed, and what it should be; the same names and shapes in both.
    tolerance : float
        Largest relative error that passes.

    Returns
    -------
    GradientCheck
        As from `check`, but a kink cannot be told from a bug here.

    Raises
    ------
    ValueError, TypeError
        Names or shapes that differ, or numbers that are not finite.
    """
    expected = named.by_name(reference, "reference")
    claimed = named.same_names(expected, gradients, "reference", "gradient")
    largest = max(float(np.abs(g).max(initial=0)) for g in expected.values())
    noise = {n: 64 * float(np.finfo(g.dtype).eps) * largest for n, g in expected.items()}
    return compare_arrays(claimed, expected, tolerance, noise)


def autograd(loss: Loss, tensors: Any) -> dict[str, Array]:
    """Compute the gradient by PyTorch's autograd, for `compare`.

    Parameters
    ----------
    loss : callable
        Written in PyTorch: takes what `tensors` is, gives one number.
    tensors : dict or NamedTuple of PyTorch tensors
        Where; copies are used, so their own ``.grad`` stays as it is.

    Returns
    -------
    dict of Array
        By name; 0 for a tensor that the loss does not use.

    Raises
    ------
    TypeError
        Tensors that are not PyTorch's.
    """
    leaves = {}
    for name, value in named.mapping(tensors, "tensor").items():
        if not named.is_torch(value):
            raise TypeError(
                f"tensor {name} is a {type(value).__name__}; expected a PyTorch tensor. "
                "Use torch.tensor(array)."
            )
        leaves[name] = value.detach().clone().requires_grad_()
    loss(named.container(tensors, leaves)).backward()
    grads = {n: t.new_zeros(t.shape) if t.grad is None else t.grad for n, t in leaves.items()}
    return named.by_name(grads, "gradient")


def complex_step(loss: Loss, tensors: Any, h: float = 1e-20) -> dict[str, Array]:
    """Compute the gradient by `differences.complex_step`, exact to rounding, for `compare`.

    Parameters
    ----------
    loss : callable
        Takes what `tensors` is, of complex arrays, gives one complex number.
    tensors : dict or NamedTuple of NumPy arrays
        Where.
    h : float
        Step.

    Returns
    -------
    dict of Array
        By name.

    Raises
    ------
    ValueError, TypeError
        As `differences.complex_step`.
    """
    at = named.replacing(loss, tensors)

    def along(name: str, x: Array) -> Any:
        return at({name: x})

    here = named.by_name(tensors, "tensor")
    return {n: differences.complex_step(partial(along, n), x, h) for n, x in here.items()}


def taylor(
    loss: Loss,
    tensors: Any,
    gradients: Any,
    rng: np.random.Generator,
    steps: npt.ArrayLike = differences.TAYLOR_STEPS,
) -> Taylor:
    """Run `differences.taylor` along one random direction through all tensors at once.

    Parameters
    ----------
    loss, tensors, gradients
        As in `check`.
    rng : numpy.random.Generator
        Draws the direction, of length 1.
    steps : array_like
        How far to go, from large to small.

    Returns
    -------
    Taylor
        The remainders and their order. It takes a handful of evaluations where `check` takes 2P.

    Raises
    ------
    ValueError, TypeError
        As `check` and `differences.taylor`.
    """
    here = named.by_name(tensors, "tensor")
    claimed = named.same_names(here, gradients, "tensor", "gradient")
    at = named.replacing(loss, tensors)
    ends = np.cumsum([x.size for x in here.values()])[:-1]

    def along(vector: Array) -> float:
        parts = zip(here.items(), np.split(vector, ends), strict=True)
        return float(at({name: part.reshape(x.shape) for (name, x), part in parts}))

    x, g = (np.concatenate([t.ravel() for t in d.values()]) for d in (here, claimed))
    direction = rng.standard_normal(x.shape)
    return differences.taylor(along, x, g, direction / np.linalg.norm(direction), steps)


def implied_gradient(before: Any, after: Any, learning_rate: float) -> dict[str, Array]:
    """Compute (P_old - P_new) / learning_rate: the gradient that a training step really used.

    Parameters
    ----------
    before, after : dict or NamedTuple of arrays
        The tensors before and after the step; `before` must be a copy if the step works in place.
    learning_rate : float
        Of the step.

    Returns
    -------
    dict of Array
        By name. Hand it to `check` together with `before`. Taught in :ref:`ch-bugs`.

    Raises
    ------
    ValueError, TypeError
        Names that differ, numbers that are not finite, or a learning rate that is not above 0.
    """
    checks.positive(learning_rate, "learning_rate")
    old = named.by_name(before, "tensor")
    new = named.same_names(old, after, "tensor", "tensor after the step")
    return {name: (old[name] - new[name]) / learning_rate for name in old}


def check_steps(
    loss: Loss,
    step: Callable[[Any], Any],
    tensors: Any,
    learning_rate: float,
    steps: int = 2,
    tolerance: float = 1e-7,
) -> list[GradientCheck]:
    """Check the implied gradient of whole training steps, each at the place where it starts.

    Parameters
    ----------
    loss, tensors, tolerance
        As in `check`.
    step : callable
        Takes what `tensors` is and gives the tensors after one step of plain gradient descent, or
        changes them in place and gives None.
    learning_rate : float
        Of the step.
    steps : int
        How many to check. What a program carries over by mistake (gradients that were not cleared,
        an old cache) shows in the second.

    Returns
    -------
    list of GradientCheck
        One a step, up to the first that does not pass. Taught in :ref:`ch-bugs`.

    Raises
    ------
    ValueError, TypeError
        As `check` and `implied_gradient`.
    """
    results: list[GradientCheck] = []
    for _ in range(steps):
        before = named.copy(tensors)
        after = step(tensors)
        tensors = tensors if after is None else after
        implied = implied_gradient(before, tensors, learning_rate)
        results.append(check(loss, before, implied, tolerance))
        if not results[-1].passed:
            break
    return results
