"""Two gradients side by side: how far apart, and whether that shows anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from labsupport.checks import Array

Entry = tuple[int, ...]


def relative_error(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Compute ||one - other|| / (||one|| + ||other||): 0 when equal, 1 when opposed or one is 0.

    Returns 0 when both are exactly zero: nothing differs, and nothing has been shown either.

    Raises
    ------
    ValueError
        Shapes that differ.
    """
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if a.shape != b.shape:
        raise ValueError(
            f"shapes {a.shape} and {b.shape} differ; a gradient has its tensor's shape."
        )
    scale = np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / scale) if scale else 0.0


@dataclass(frozen=True)
class GradientCheck:
    """What a comparison found.

    Attributes
    ----------
    errors : dict
        Relative error of each tensor, by name.
    tolerance : float
        What counts as equal.
    wrong : tuple of str
        Tensors that differ, and no kink explains it.
    kinks : dict
        By tensor, the entries that differ because the loss has a kink there: its slope from the
        left is not that from the right, and the claim is one of them or lies between.
    vacuous : dict
        Why nothing is shown, by the name of a tensor or of a part of one: ``prediction equals
        target``, ``zero initialisation``, ``zero gradient``, ``zero tensor``, ``dead unit``,
        ``lost in rounding``.
    """

    errors: dict[str, float]
    tolerance: float
    wrong: tuple[str, ...] = ()
    kinks: dict[str, list[Entry]] = field(default_factory=dict)
    vacuous: dict[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The largest relative error; nan if there is one."""
        return float(np.max(list(self.errors.values())))

    @property
    def status(self) -> str:
        """The first of ``failed``, ``vacuous``, ``kink``, ``passed`` that applies."""
        if self.wrong:
            return "failed"
        return "vacuous" if self.vacuous else "kink" if self.kinks else "passed"

    @property
    def passed(self) -> bool:
        """Whether the gradient passes: equal in every tensor, and not by comparing 0 with 0."""
        return self.status == "passed"

    def __str__(self) -> str:
        lines = []
        for name, error in self.errors.items():
            if name in self.vacuous:
                lines.append(f"{name}: shows nothing, {self.vacuous[name]}")
                continue
            differs = name in self.wrong or name in self.kinks
            line = f"{name}: {f'relative error {error:.2g}' if differs else 'equal'}"
            if name in self.kinks:
                line += f", a kink at {', '.join(part(name, at) for at in self.kinks[name])}"
            lines.append(line)
        if units := [name for name in self.vacuous if name not in self.errors]:
            lines.append(f"0 on both sides: {', '.join(units)}")
        reasons = ", ".join(dict.fromkeys(self.vacuous.values()))
        verdict = {
            "passed": f"passed at tolerance {self.tolerance:g}",
            "failed": f"FAILED at tolerance {self.tolerance:g}",
            "vacuous": f"VACUOUS: {reasons}. Check from another start or other data",
            "kink": "UNDECIDED: a kink. Move off it by small random biases",
        }
        return "\n".join([*lines, f"gradient check {verdict[self.status]}"])


def compare_arrays(
    claimed: Mapping[str, Array],
    expected: Mapping[str, Array],
    tolerance: float,
    noise: Mapping[str, float],
) -> GradientCheck:
    """Compare gradients by name; `gradcheck.compare` is the same for anything.

    Parameters
    ----------
    claimed, expected : dict of Array
        The same names in both.
    tolerance : float
        Largest relative error that counts as equal.
    noise : dict of float
        What rounding alone can make of an entry that is 0. A tensor, or a unit's part of it, that
        is not above it on either side shows nothing; nor does one that differs by no more.

    Returns
    -------
    GradientCheck
        Without kinks, which two gradients cannot show.

    Raises
    ------
    ValueError
        Shapes that differ.
    """
    errors, wrong, vacuous = {}, [], {}
    for name, c in claimed.items():
        e = expected[name]
        errors[name] = relative_error(c, e)
        silent = (np.abs(c) <= noise[name]) & (np.abs(e) <= noise[name])
        if silent.all():
            vacuous[name] = "zero tensor"
        elif (np.abs(c - e) <= noise[name]).all() and errors[name] > tolerance:
            vacuous[name] = "lost in rounding"
        elif not errors[name] <= tolerance:
            wrong.append(name)
        else:  # the last axis counts the units
            units = silent.all(axis=tuple(range(c.ndim - 1))) if c.ndim else silent
            dead = [(*[None] * (c.ndim - 1), int(j)) for j in np.flatnonzero(units)]
            vacuous |= {part(name, at): "dead unit" for at in dead}
    if all(vacuous.get(name) == "zero tensor" for name in claimed):
        vacuous = dict.fromkeys(claimed, "zero gradient")
    return GradientCheck(errors, tolerance, tuple(wrong), {}, vacuous)


def part(name: str, at: tuple[int | None, ...]) -> str:
    """Name a part of a tensor as NumPy would index it, None standing for a whole axis."""
    return f"{name}[{', '.join(':' if i is None else str(i) for i in at)}]"
