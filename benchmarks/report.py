"""The whole table, on which machine it was measured, and what is stored for the book."""

from __future__ import annotations

import json
import os
import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from benchmarks import growth, workers
from benchmarks.table import COLUMNS, ROWS, Size

MODULES = ("one_network", "many_networks", "with_memory", "line_search", "workers")
for module in MODULES:
    import_module(f"benchmarks.{module}")  # each adds its rows


def versions() -> str:
    names = ["numpy", "scipy", "torch", "jax", "scikit-learn", "micrograd"]
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join([f"Python {platform.python_version()}", *found])


def threads() -> str:
    from threadpoolctl import threadpool_info

    counts = {f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()}
    return f"{os.cpu_count()} cores; threads: {', '.join(sorted(counts))}"


def table(lines: list[tuple[str, ...]]) -> str:
    """Lay the lines out in Markdown."""
    cells = [COLUMNS, *lines]
    widths = [max(len(line[k]) for line in cells) for k in range(len(COLUMNS))]
    text = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    return "\n".join([text[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *text[1:]])


def main(size: Size = Size(), store: bool = False, only: str | None = None) -> None:  # noqa: B008
    """Measure and print all rows, or `only` those of a module; keep them, in place of theirs.

    Raises
    ------
    SystemExit
        Rows of a module alone are to be kept beside others from another machine, or of more or
        fewer turns.
    """
    chosen = [row for row in ROWS if only in (None, row.measure.__module__.split(".")[-1])]
    lines = [row.line(size) for row in chosen]
    machine = f"{versions()}; {platform.machine()}, {threads()}"  # the peers are loaded by now
    print(f"{machine}\n{size.turns} turns a row, ours and theirs alternating\n")
    print(table(lines))
    if store:
        rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
        found = {"machine": machine, "turns": size.turns, "rows": rows}
        if only:
            before = json.loads(growth.STORED.read_text("utf-8"))
            if (before["machine"], before["turns"]) != (machine, size.turns):
                raise SystemExit(
                    f"Nothing is stored: the other rows in {growth.STORED.name} are from "
                    f"{before['machine']}, with {before['turns']} turns a row, and one line says "
                    "so of all. Measure all rows: leave out --only."
                )
            renewed = {tuple(row.values())[:2]: row for row in before["rows"] + rows}
            names = [(row.what, row.peer) for row in ROWS]
            found = before | {"rows": [renewed[name] for name in names if name in renewed]}
        else:
            found |= growth.measure()
        if only in (None, "workers"):
            found["workers"] = workers.measure()
        growth.store(found)
