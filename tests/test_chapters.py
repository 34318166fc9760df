"""What the text of the chapters promises: their form, and the numbered lines of the algorithm."""

import re
from pathlib import Path

import jupytext
import pytest
import yaml

ROOT = Path(__file__).parent.parent
CHAPTERS = ROOT / "chapters"
PAGES = sorted(CHAPTERS.glob("[0-9][0-9]-*.md"))
PARTS = [
    "**Aim.**",
    "**Objectives.**",
    "**Before you start.**",
    "**Predict.**",
    "## Observations",
    "## Result",
    "## On your own",
    "## Pitfalls",
    "## Further reading",
]
NUMBERED = re.compile(r"^(\d+)\. \*\*([a-z ]+)\*\*", re.MULTILINE)
COMMENT = re.compile(r"# line (\d+): ([a-z ]+)$", re.MULTILINE)


def algorithm_lines(text: str) -> dict[int, str]:
    """The name of each numbered line of the algorithm boxes."""
    boxes = re.findall(r"```\{prf:algorithm\}.*?```", text, re.DOTALL)
    return {int(n): name for box in boxes for n, name in NUMBERED.findall(box)}


def code_of(path: Path) -> list[str]:
    cells = jupytext.read(path, fmt="md:myst").cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def wrong_comments(code: list[str], lines: dict[int, str]) -> list[str]:
    """Comments whose name is not the one that their line has in the algorithm."""
    found = [pair for cell in code for pair in COMMENT.findall(cell)]
    return [f"line {n}: {name}" for n, name in found if lines.get(int(n)) != name]


def lines_in(code: list[str]) -> set[int]:
    return {int(n) for cell in code for n, _ in COMMENT.findall(cell)}


LINES = algorithm_lines((CHAPTERS / "02-pseudocode.md").read_text(encoding="utf-8"))


def test_algorithm_has_its_thirteen_lines():
    assert list(LINES) == list(range(1, 14))


@pytest.mark.parametrize(
    ("chapter", "expected"),
    [
        ("03-numpy-backprop", range(1, 10)),
        ("04-pytorch-equivalent", range(1, 10)),
        ("05-backtracking", range(10, 14)),
    ],
)
def test_lines_return_as_comments(chapter, expected):
    code = code_of(CHAPTERS / f"{chapter}.md")
    assert wrong_comments(code, LINES) == []
    assert lines_in(code) == set(expected)


def test_backtracking_is_numbered_in_numpy_and_in_pytorch():
    code = code_of(CHAPTERS / "05-backtracking.md")
    complete = [cell for cell in code if lines_in([cell]) == {10, 11, 12, 13}]
    assert len(complete) == 2
    assert ["torch." in cell for cell in complete] == [False, True]


def test_a_renamed_line_is_noticed():
    assert wrong_comments(["D = P - Y  # line 6: hidden delta"], LINES) == ["line 6: hidden delta"]
    assert wrong_comments(["D = P - Y  # line 6: output delta"], LINES) == []


def missing_parts(text: str) -> list[str]:
    """Parts of the page form that are absent or stand in another order."""
    at = [text.find(f"\n{part}") for part in PARTS]
    return [
        part
        for part, here, before in zip(PARTS, at, [0, *at], strict=False)
        if here < 0 or here < before
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_form(page):
    text = page.read_text(encoding="utf-8")
    assert missing_parts(text) == []
    assert text.count("{exercise}") >= 3
    assert text.count("{exercise}") == text.count("Show the solution")


def test_a_missing_part_is_noticed():
    text = "\n" + "\n".join(PARTS)
    assert missing_parts(text) == []
    assert missing_parts(text.replace("## Result\n", "")) == ["## Result"]
    swapped = text.replace("## Result", "#").replace("## Pitfalls", "## Result\n## Pitfalls")
    assert "## On your own" in missing_parts(swapped)


TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
NUMBERED_PAGES = [
    chapter["file"] for part in TOC["parts"] if part.get("numbered") for chapter in part["chapters"]
]
TYPED = re.compile(r"\b[Cc]hapters?\s+\d+")


def test_a_file_has_the_number_that_the_book_prints():
    names = [Path(file).name for file in NUMBERED_PAGES]
    assert [int(name[:2]) for name in names] == list(range(1, len(names) + 1))
    assert names == [page.stem for page in PAGES]


def test_no_number_of_a_chapter_is_typed():
    """Chapters are linked by label or file, so that they can be moved."""
    texts = [*ROOT.glob("*.md"), *CHAPTERS.glob("*.md"), *(ROOT / "reference").glob("*.md")]
    texts += [*(ROOT / "labsupport").rglob("*.*"), *(ROOT / "bookbuild").glob("*.py")]
    texts = [path for path in texts if path.suffix in (".md", ".py", ".js", ".css")]
    assert {path.name: TYPED.findall(path.read_text("utf-8")) for path in texts} == {
        path.name: [] for path in texts
    }
    assert TYPED.findall("see chapter 7 and chapters\n8") == ["chapter 7", "chapters\n8"]


def test_the_map_shows_every_chapter():
    shown = re.findall(r"^:link: ([\w-]+)$", (ROOT / "index.md").read_text("utf-8"), re.M)
    labels = [
        re.search(r"^\((ch-[\w-]+)\)=", (ROOT / f"{file}.md").read_text("utf-8"), re.M)[1]
        for file in NUMBERED_PAGES
    ]
    assert [label for label in shown if label in labels] == labels
