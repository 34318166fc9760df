"""The lab as one file: lab.zip, which lies in the built book and holds what a reader runs.

A chapter alone cannot run: it imports labsupport. So the pages offer this file instead of single
notebooks. `make pdf` puts the printed book into it as well.

python -m bookbuild.download _build/html
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAME = "lab.zip"
KEPT = (
    "labsupport/**/*.py", "labsupport/**/*.js", "labsupport/**/*.css", "labsupport/py.typed",
    "benchmarks/*.json", "pyproject.toml", "constraints.txt", "README.md", "LICENSE",
)  # fmt: skip
START = """Gradient descent and backpropagation: a lab manual

You need Python 3.11 or newer. In this folder, once:

    python -m venv .venv
    source .venv/bin/activate            (Windows: .venv\\Scripts\\activate)
    python -m pip install -e ".[torch]" jupyterlab -c constraints.txt

and whenever you want to work:

    jupyter lab chapters

A chapter asks at its start whether all is there.
"""
GUARD = """try:
    import labsupport  # noqa: F401
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"{missing}: unpack lab.zip, which the book's cover offers, and follow its START.txt."
    ) from None
"""


def guarded(notebook: str) -> str:
    """Return a notebook whose first cell says what to do where the package cannot be imported."""
    content = json.loads(notebook)
    cell = {"cell_type": "code", "id": "is-all-there", "metadata": {}, "outputs": []}
    content["cells"].insert(0, cell | {"execution_count": None, "source": GUARD})
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def files() -> Iterator[tuple[str, bytes]]:
    """Give name and content of each file, in a fixed order."""
    yield "START.txt", START.encode()
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        yield f"chapters/{path.name}", guarded(path.read_text("utf-8")).encode()
    for path in sorted({path for pattern in KEPT for path in ROOT.glob(pattern)}):
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    if (printed := ROOT / "_build" / "book.pdf").is_file():
        yield "book.pdf", printed.read_bytes()


def write(folder: Path) -> None:
    """Write the zip into a built book: the same bytes for the same files."""
    with zipfile.ZipFile(folder / NAME, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in files():
            entry = zipfile.ZipInfo(f"lab/{name}")  # with the date that zip starts at
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
