"""The five lab records that this manual grew out of: what each ran and what it printed.

Nobody is named. Chapters 4 and 5 run three of them again.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from labsupport.arrays import Array


@cache
def _all() -> dict[str, dict[str, Any]]:
    text = files("labsupport").joinpath("records.json").read_text(encoding="utf-8")
    records: dict[str, dict[str, Any]] = json.loads(text)
    return records


def names() -> tuple[str, ...]:
    """List the records."""
    return tuple(_all())


def facts(name: str) -> dict[str, Any]:
    """Give what a record ran, printed and claimed, in its own words.

    Raises
    ------
    ValueError
        No record of that name.
    """
    if name not in _all():
        raise ValueError(f"unknown record {name!r}; choose one of {', '.join(names())}.")
    return _all()[name]


def printed(name: str) -> tuple[Array, Array]:
    """Give the epochs (k,) and the losses (k,) that a record printed, at its four decimals.

    Raises
    ------
    ValueError
        No record of that name, or one that printed no losses.
    """
    if "printed" not in facts(name):
        raise ValueError(f"the record {name!r} printed no losses; see facts({name!r}).")
    table = np.array(facts(name)["printed"])
    return table[:, 0].astype(int), table[:, 1]
