"""Honest minutes: each page says what it takes, and no page takes more than a lesson."""

import re

import pytest

from scripts.minutes import CHAPTERS, Count, count, prose

PAGES = sorted(CHAPTERS.glob("[0-9]*.md"))
LAB = [*PAGES[:5], CHAPTERS / "playground.md"]
SAID = re.compile(r"\*\*Before you start\.\*\*.*?About (\d+) minutes", re.DOTALL)


@pytest.mark.parametrize(
    "page", [*PAGES, LAB[-1], CHAPTERS / "which-rule.md"], ids=lambda page: page.stem
)
def test_a_page_says_its_minutes_and_takes_no_more_than_an_hour(page):
    found = count(page)
    said = SAID.search(page.read_text("utf-8"))
    assert said, "no 'About N minutes' under 'Before you start'"
    assert abs(int(said[1]) - found.minutes) <= 1, f"it takes {found.minutes:.0f}: {found}"
    assert found.minutes <= 60, found


def test_the_lab_takes_two_hours():
    counts = [count(page) for page in LAB]
    assert sum(each.minutes for each in counts) <= 120
    assert sum(each.cells for each in counts) <= 80
    assert sum(each.lines for each in counts) <= 300
    assert sum(each.words for each in counts) <= 4000
    assert [each.exercises for each in counts] == [2, 2, 2, 2, 2, 0]


PAGE = """---
jupytext: {formats: "md:myst,ipynb"}
---

# Three words here

A $x^2 + 1$ formula and a [link](somewhere-else.md).

```{code-cell} ipython3
one = 1

# two
```

```{code-cell} ipython3
:tags: [hide-input]

folded = 1
```

## On your own

```{exercise} In the lab
:label: ex-one
```

```{exercise} Later (at home)
:label: ex-two
```

```{code-cell} ipython3
after = 1
```
"""


def test_what_counts(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    found = count(page)
    assert found == Count(words=18, cells=1, lines=2, exercises=1)
    assert found.minutes == pytest.approx(18 / 150 + 2 / 6 + 5)
    page.write_text(PAGE.replace("one = 1", "print(inspect.getsource(tables))"), encoding="utf-8")
    assert count(page).lines > 40  # what is printed is read


def test_prose_leaves_out_what_is_not_read():
    assert prose("a $b$ c").split() == ["a", "x", "c"]
    folded = "Why?\n\n:::{dropdown} One answer\n:open:\n\nBecause\n\nof $x$.\n:::\n\nAfter"
    assert prose(folded).split() == ["Why?", "One", "answer", "After"]
    assert prose(folded.replace(":::", "```")).split() == ["Why?", "One", "answer", "After"]
    assert "label" not in prose("```{figure} x\n:label: y\nwords\n```")
