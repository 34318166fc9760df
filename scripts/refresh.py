"""Re-execute chapters and store their outputs: chapters/NN-name.md becomes NN-name.ipynb.

A notebook is replaced only after all its cells have passed. A failed or interrupted run leaves
the old file as it was. Usage, from the repository's root:

    python -m scripts.refresh                      every chapter
    python -m scripts.refresh 03-numpy-backprop    one chapter, or several
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
from multiprocessing import Pool
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

from scripts.kernels import AsyncOwnSocketsManager

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
CELL_TIMEOUT = 60  # seconds, the same as for nbval
WORKERS = 2  # notebooks executed at the same time


def read_chapter(md: Path) -> NotebookNode:
    """Return the notebook that a chapter's text describes, without outputs.

    All that could differ from run to run or from machine to machine is fixed here, so that an
    unchanged chapter gives an unchanged file.
    """
    notebook = jupytext.read(md, fmt="md:myst")
    # What Jupytext itself stores in the .ipynb half; the text's format belongs to the .md half.
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        # An id from the cell's text: stable when other cells come and go.
        key = f"{cell.cell_type}\n{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        cell.id = hashlib.sha256(f"{seen[key]}\n{key}".encode()).hexdigest()[:8]
    return notebook


def execute(notebook: NotebookNode, folder: Path, timeout: float = CELL_TIMEOUT) -> str | None:
    """Run all cells in place; return None, or what went wrong in which cell."""
    # Progress bars would store one line an update.
    env = {**os.environ, "TQDM_DISABLE": "1"}
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        kernel_manager_class=AsyncOwnSocketsManager,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    # The kernel's own log is of no interest; what cells print arrives as outputs.
    with client.setup_kernel(env=env, stderr=subprocess.DEVNULL):
        for index, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, index)
            # A cell that fails, one that takes too long, and a kernel that dies.
            except (CellControlSignal, DeadKernelError) as error:
                head = "\n".join("    " + line for line in cell.source.splitlines()[:5])
                reason = getattr(error, "ename", type(error).__name__)
                detail = getattr(error, "evalue", str(error).splitlines()[0])
                return f"cell {index + 1} of {len(notebook.cells)}:\n{head}\n  {reason}: {detail}"
    # Only what the book needs to colour the code: no Python version that changes with the machine.
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    return None


def write(notebook: NotebookNode, target: Path) -> None:
    """Put the notebook in its place in one step, so that no half-written file can be left."""
    draft = target.with_name(f".{target.name}.tmp")
    try:
        draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def refresh(md: Path) -> tuple[str, str | None]:
    """Store fresh outputs for one chapter; return its name and None, or what went wrong."""
    try:
        notebook = read_chapter(md)
        problem = execute(notebook, md.parent)
        if problem is None:
            write(notebook, md.with_suffix(".ipynb"))
    except Exception as error:  # a text that cannot be parsed, say: the other chapters go on
        problem = f"{type(error).__name__}: {error}"
    return md.stem, problem


def main(arguments: list[str] | None = None, folder: Path = CHAPTERS) -> int:
    """Refresh the chapters named, or all of them; return the exit status."""
    parser = argparse.ArgumentParser(description="Re-execute chapters and store their outputs.")
    parser.add_argument("chapters", nargs="*", help="names such as 03-numpy-backprop; none: all")
    names = parser.parse_args(arguments).chapters
    chapters = [folder / f"{Path(name).stem}.md" for name in names] or sorted(folder.glob("*.md"))
    for md in chapters:
        if not md.exists():
            known = ", ".join(sorted(path.stem for path in folder.glob("*.md"))) or "none"
            parser.error(f"no chapter {md.name}; the chapters are: {known}")

    failed = False
    # Ctrl-C reaches this process only; leaving the block ends the workers and their kernels.
    with Pool(WORKERS, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
        for name, problem in pool.imap_unordered(refresh, chapters):
            if problem is None:
                print(f"{name}: refreshed", flush=True)
            else:
                failed = True
                print(f"{name}: left as it was; {problem}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("refresh: interrupted; a notebook that was not finished is left as it was")
