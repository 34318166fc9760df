"""How many minutes a chapter honestly takes: `python -m scripts.minutes` prints a line for each.

150 words a minute, six lines of visible code before the exercises a minute, and five minutes for
each exercise that is not marked *at home*. Code counts where it is shown: a folded cell does not, a
module of labsupport that a page prints (`inspect.getsource`) does, blank lines do not. What is
folded into a `{dropdown}` is not read by everybody and does not count either; its title does.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import jupytext

ROOT = Path(__file__).parent.parent
CHAPTERS = ROOT / "chapters"
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
EXERCISES = "## On your own"
AT_HOME = "(at home)"
PRINTED = re.compile(r"inspect\.getsource\((\w+)\)")
DROPDOWN = re.compile(r"^(`{3,}|:{3,})\{dropdown\}(.*?)$.*?^\1 *$", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|:{3,})\{?([\w:-]*)\}?\s*(.*)$")
WORD = re.compile(r"[A-Za-zÀ-ž][\w'’-]*|\d[\d.,]*")


@dataclass(frozen=True)
class Count:
    """What takes time in one chapter."""

    words: int
    cells: int
    lines: int
    exercises: int

    @property
    def minutes(self) -> float:
        return self.words / 150 + self.lines / 6 + 5 * self.exercises


def count(chapter: Path) -> Count:
    """Count a chapter's `.md` half."""
    words = cells = lines = exercises = 0
    before = True
    for cell in jupytext.read(chapter).cells:
        if cell.cell_type == "markdown":
            before = before and EXERCISES not in cell.source
            words += len(WORD.findall(prose(cell.source)))
            titles = re.findall(r"^`{3,}\{exercise\}(.*)$", cell.source, re.MULTILINE)
            exercises += sum(AT_HOME not in title for title in titles)
            continue
        for module in PRINTED.findall(cell.source):
            lines += filled((ROOT / "labsupport" / f"{module}.py").read_text("utf-8"))
        if before and not FOLDED & set(cell.metadata.get("tags", ())):
            cells += 1
            lines += filled(cell.source)
    return Count(words, cells, lines, exercises)


def filled(code: str) -> int:
    """How many lines are not blank."""
    return sum(bool(line.strip()) for line in code.splitlines())


def prose(markdown: str) -> str:
    """What is read of a text: no formulas, directive's options, addresses, nothing folded."""
    text = DROPDOWN.sub(r"\2", markdown)
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", " x ", text, flags=re.DOTALL)
    text = re.sub(r"\{(?:cite[:\w]*|numref|ref|eq)\}`[^`]*`", " x ", text)
    text = re.sub(r"\]\([^)]*\)|<[^>]*>", " ", text)
    kept = []
    for line in text.splitlines():
        fence = FENCE.match(line)
        kept.append(fence[3] if fence else "" if line.startswith(":") else line)
    return "\n".join(kept)


def main() -> None:
    """Print what the chapters named on the command line, or all, take."""
    paths = [CHAPTERS / f"{name}.md" for name in sys.argv[1:]] or sorted(CHAPTERS.glob("*.md"))
    print(f"{'chapter':28}{'words':>7}{'cells':>7}{'lines':>7}{'exercises':>11}{'minutes':>9}")
    for path in paths:
        found = count(path)
        row = f"{found.words:7}{found.cells:7}{found.lines:7}{found.exercises:11}"
        print(f"{path.stem:28}{row}{found.minutes:9.1f}")


if __name__ == "__main__":
    main()
