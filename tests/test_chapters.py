"""What the text of the chapters promises: their form, and the numbered lines of the algorithm."""

import re

import pytest

from tests.cases import CHAPTERS, code_cells

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


def algorithm_lines(text):
    """The name of each numbered line of the algorithm boxes."""
    boxes = re.findall(r"```\{prf:algorithm\}.*?```", text, re.DOTALL)
    return {int(n): name for box in boxes for n, name in NUMBERED.findall(box)}


def comments(code):
    return [(int(n), name) for cell in code for n, name in COMMENT.findall(cell)]


LINES = algorithm_lines((CHAPTERS / "02-pseudocode.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("chapter", "expected"),
    [
        ("03-numpy-backprop", range(1, 10)),
        ("04-pytorch-equivalent", range(1, 10)),
        ("05-backtracking", range(10, 14)),
    ],
)
def test_lines_return_as_comments(chapter, expected):
    """Under the name that each has in the algorithm."""
    assert list(LINES) == list(range(1, 14))
    found = comments(cell.source for cell in code_cells(chapter))
    assert [(n, name) for n, name in found if LINES.get(n) != name] == []
    assert {n for n, _ in found} == set(expected)


def test_backtracking_is_numbered_in_numpy_and_in_pytorch():
    code = [cell.source for cell in code_cells("05-backtracking")]
    complete = [cell for cell in code if {n for n, _ in comments([cell])} == {10, 11, 12, 13}]
    assert ["torch." in cell for cell in complete] == [False, True]


def test_a_line_is_read_with_its_name():
    assert comments(["D = P - Y  # line 6: hidden delta"]) == [(6, "hidden delta")]
    assert LINES[6] == "output delta"


def missing_parts(text):
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
