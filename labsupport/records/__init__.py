"""The five lab records that this manual grew out of: what each ran, what it printed, and a re-run.

Nobody is named. ``run("xor-relu")`` repeats a record from its own seed, ``run("xor-module",
rng=rng, runs=200)`` its experiment from other starts. :ref:`ch-records` looks at all five. Each is
a module of this folder; one that is put beside them is found.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from labsupport.checks import Array
from labsupport.records.record import Record, Rerun

__all__ = ["RECORDS", "Record", "Rerun", "facts", "names", "printed", "run"]

RECORDS: dict[str, Record] = {
    record.name: record
    for module in pkgutil.iter_modules(__path__)
    for record in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(record, Record)
}
"""All configurations; ``moons-fixed`` is the other half of ``moons-backtracking``."""


def names() -> tuple[str, ...]:
    """List the records."""
    return tuple(name for name, record in RECORDS.items() if record.facts)


def facts(name: str) -> Mapping[str, Any]:
    """Give what a record ran, printed and claimed, in its own words.

    Raises
    ------
    ValueError
        No record of that name.
    """
    if name not in names():
        raise ValueError(f"unknown record {name!r}; choose one of {', '.join(names())}.")
    return RECORDS[name].facts or {}


def printed(name: str) -> tuple[Array, Array]:
    """Give the epochs (k,) and the losses (k,) that a record printed, at its four decimals.

    Raises
    ------
    ValueError
        No record of that name, or one that printed no losses.
    """
    return _named(name).table()


def run(name: str, *, rng: np.random.Generator | None = None, runs: int | None = None) -> Rerun:
    """Run a record again.

    Parameters
    ----------
    name : str
        One of `RECORDS`.
    rng : numpy.random.Generator, optional
        Draws other starts, in float64, as the record drew its own. Without it, the run begins with
        the record's own weights, in its precision.
    runs : int, optional
        How many starts to draw; without it one, and no runs axis.

    Returns
    -------
    Rerun
        The training, and what it prints beside what the record printed.

    Raises
    ------
    ValueError
        No record of that name, or `rng` missing: the record set no seed, or `runs` is given.
    """
    return _named(name).run(rng, runs)


def _named(name: str) -> Record:
    if name not in RECORDS:
        raise ValueError(f"unknown record {name!r}; choose one of {', '.join(RECORDS)}.")
    return RECORDS[name]
