"""What the text of the chapters promises: their form, and the numbered lines of the algorithm."""

import re
from pathlib import Path

import pytest
import yaml

from scripts import minutes
from tests.cases import CHAPTERS, ROOT, code_cells

PAGES = sorted(CHAPTERS.glob("[0-9][0-9]-*.md"))
PARTS = [
    "**Aim.**",
    "**Objectives.**",
    "**Before you start.**",
    "**Predict.**",
    "predicted = prediction.Prediction(",
    "## Observations",
    "predicted.beside(",
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


EXPLAIN = re.compile(
    r"^\*\*Explain\.\*\* (?P<question>[^\n\d]+\?)\n\n"
    r":::\{dropdown\} One answer; no machine judges yours\n(?P<answer>[^\n]+)\n:::\n",
    re.MULTILINE,
)
INSTRUCTORS = (ROOT / "reference" / "instructors.md").read_text("utf-8")


def heading(text):
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_chapter_asks_for_one_explanation_that_no_machine_judges(page):
    """The answer is folded; what a good one holds is told to instructors."""
    text = page.read_text("utf-8")
    own = text[text.index("## On your own") : text.index("## Pitfalls")]
    assert text.count("**Explain.**") == own.count("**Explain.**") == 1
    (found,) = EXPLAIN.finditer(own)
    assert 40 <= len(found["answer"].split()) <= 120
    entry = f"**[{heading(text)}](../chapters/{page.stem}.ipynb).** {found['question']}\n\n"
    assert INSTRUCTORS.count(entry) == 1
    points = INSTRUCTORS.split(entry)[1].split("\n\n")[0].splitlines()
    assert len(points) in (2, 3) and all(point.startswith("- ") for point in points)


@pytest.mark.parametrize(
    "page",
    [*PAGES, CHAPTERS / "playground.md", CHAPTERS / "which-rule.md"],
    ids=lambda page: page.stem,
)
def test_instructors_are_told_the_minutes_and_the_exercises(page):
    text = page.read_text("utf-8")
    titles = re.findall(r"^```\{exercise\} (.+)$", text, re.MULTILINE)
    lab, home = ([t for t in titles if (minutes.AT_HOME in t) == away] for away in (False, True))
    row = re.search(rf"^\| \[(.+)\]\(../chapters/{page.stem}.ipynb\) \|(.+)\|$", INSTRUCTORS, re.M)
    told = [cell.strip() for cell in row[2].split("|")]
    assert row[1] == heading(text) and abs(int(told[0]) - minutes.count(page).minutes) <= 1
    assert told[1] == ("; ".join(lab) or "-")
    assert told[2] == ("; ".join(t.removesuffix(f" {minutes.AT_HOME}") for t in home) or "-")


TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
NUMBERED_PAGES = [
    chapter["file"] for part in TOC["parts"] if part.get("numbered") for chapter in part["chapters"]
]
TEACHING_WIDTH = 72  # columns of code that a reader sees without scrolling


def shown_code(stem):
    """What a page shows as code: the cells that are not folded, and the modules that they print."""
    cells = code_cells(stem)
    visible = [c.source for c in cells if not minutes.FOLDED & set(c.metadata.get("tags", ()))]
    modules = {name for cell in cells for name in minutes.PRINTED.findall(cell.source)}
    return visible + [(ROOT / "labsupport" / f"{m}.py").read_text("utf-8") for m in modules]


def too_wide(stem, width=TEACHING_WIDTH):
    lines = [line for code in shown_code(stem) for line in code.splitlines()]
    return [line for line in lines if len(line) > width]


@pytest.mark.parametrize("stem", sorted(page.stem for page in CHAPTERS.glob("*.md")))
def test_visible_code_has_at_most_72_columns(stem):
    assert too_wide(stem) == []


def test_a_wide_line_is_noticed():
    tape = (ROOT / "labsupport" / "autograd.py").read_text("utf-8")
    assert tape in shown_code("08-autograd")  # printed on that page
    assert too_wide("05-backtracking", 60) and too_wide("08-autograd", 60)


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


CARD = re.compile(r"^:link: ([\w-]+)\n:link-type: ref\n.+\n\n(\d+) minutes\n:::$", re.M)
LABEL = re.compile(r"^\(((?:ch|ref)-[\w-]+)\)=", re.M)


def test_the_map_says_how_long_each_chapter_takes():
    takes = {
        label[1]: minutes.count(page).minutes
        for page in CHAPTERS.glob("*.md")
        if (label := LABEL.search(page.read_text("utf-8")))
    }
    said = dict(CARD.findall((ROOT / "index.md").read_text("utf-8")))
    assert len(takes) > 10 and takes.keys() <= said.keys()
    far = {label: (said[label], n) for label, n in takes.items() if abs(int(said[label]) - n) > 1}
    assert far == {}
