"""What moves in a page: each widget's Python beside its script and its style.

A widget is the last line of a cell. What it writes can be read without its script, which the book's
build puts beside the pages; JupyterLab shows it without, or takes the script along with the cell.
`film` stands beside this door, because it draws with Matplotlib, which the others do not load.
"""

from pathlib import Path

from labsupport.widgets import circuit, knobs, playground, prediction, slider, stepper

__all__ = ["FILES", "circuit", "knobs", "playground", "prediction", "slider", "stepper"]

FILES = tuple(
    sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".js", ".css"))
)
"""Scripts and styles of all widgets."""
