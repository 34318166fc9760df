"""How a widget's script and style come along in JupyterLab, whose pages have no ``_static``."""

from __future__ import annotations

import json
import os
from pathlib import Path

FOLDER = Path(__file__).parent


def live() -> bool:
    """Whether a reader runs the cell: Jupyter tells its own kernels which notebook they run."""
    return "JPY_SESSION_NAME" in os.environ


def inline(*names: str) -> str:
    """Give the contents of scripts and styles as HTML, in the order in which they are named."""
    parts = []
    for name in names:
        tag = "style" if name.endswith("css") else "script"
        parts.append(f"<{tag}>{(FOLDER / name).read_text(encoding='utf-8')}</{tag}>\n")
    return "".join(parts)


def as_json(value: object) -> str:
    """Write a value so that it can stand in a page."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
