"""`make replicate`: a claim that holds for one seed only is seen; bad input is one clear line."""

import json
import re
from pathlib import Path

import pytest

from scripts import refresh, replicate

ROOT = Path(__file__).parent.parent
CHANCE = [
    page for page in sorted((ROOT / "chapters").glob("*.md"))
    if replicate.draws_chance(replicate.cells(page))
]  # fmt: skip
HEAD = """---
jupytext:
  formats: md:myst,ipynb
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

```{code-cell} ipython3
import numpy as np

SEED = 0
rng = np.random.default_rng(SEED + 3)
x = rng.normal(size=100)
```

```{code-cell} ipython3
def inside():
    assert abs(x.mean()) < 1


inside()
assert (x**2).sum() >= 0  # always
assert round(x[0], 3) == 2.041
np.testing.assert_allclose(x.std(), 1, atol=0.5)
```
"""


@pytest.fixture
def book(tmp_path):
    """A book of one chapter; gives its root and a function that writes the chapter."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "benchmarks").mkdir()
    page = tmp_path / "chapters" / "01-luck.md"

    def write(text):
        page.write_text(text, encoding="utf-8")
        refresh.write(refresh.read_chapter(page), page.with_suffix(".ipynb"))

    write(HEAD)
    return tmp_path, write


def held(root):
    stored = json.loads((root / "benchmarks" / "replication.json").read_text("utf-8"))
    return {row["claim"]: row["held"] for row in stored["chapters"]["01-luck"]["claims"]}


def test_a_claim_that_holds_for_one_seed_only_is_seen(book, capsys):
    root, write = book
    code = replicate.cells(root / "chapters" / "01-luck.md")
    assert replicate.run(code, 0)["round(x[0], 3) == 2.041"] == [True, False]
    assert replicate.main(["--seeds", "3"], root) == 1
    said = capsys.readouterr().out
    assert "held 0 of 3: round(x[0], 3) == 2.041" in said
    assert "4 claims, 1 too strong, from 3 seeds" in said
    assert list(held(root).values()) == [3, 3, 0, 3]
    # Run again, nothing is: the results are there.
    before = {p: p.stat().st_mtime_ns for p in (root / "_build" / "replicate").iterdir()}
    replicate.main(["--seeds", "3"], root)
    after = {p: p.stat().st_mtime_ns for p in (root / "_build" / "replicate").iterdir()}
    assert before == after


def test_what_must_always_hold_may_never_fail(book, capsys):
    root, write = book
    write(HEAD.replace("== 2.041", "== 2.041  # always"))
    replicate.main(["--seeds", "1"], root)
    assert "held 0 of 1, and must always: round(x[0], 3) == 2.041" in capsys.readouterr().out


def test_a_cell_that_stops_counts_for_what_it_did_not_reach(book):
    root, write = book
    write(HEAD.replace("inside()\n", "inside()\n1 / 0\n", 2).replace("():\n1 / 0", "():"))
    assert replicate.main(["--seeds", "1"], root) == 1
    assert held(root)["abs(x.mean()) < 1"] == 1
    assert held(root)["(x ** 2).sum() >= 0"] == 0
    assert held(root)["cell 2 runs (ZeroDivisionError)"] == 0


@pytest.mark.parametrize(
    ("arguments", "change", "message"),
    [
        (["--seeds", "0"], {}, "--seeds is 0; expected at least 1"),
        (["02-gone"], {}, "no chapter 02-gone that draws chance; expected one of: 01-luck"),
        ([], {"SEED = 0\n": ""}, "01-luck: SEED is stated 0 times, not once"),
        ([], {"SEED + 3": "3"}, r"01-luck: default_rng\(3\) does not begin at SEED"),
    ],
)
def test_bad_input_is_one_line(book, capsys, arguments, change, message):
    root, write = book
    for old, new in change.items():
        write(HEAD.replace(old, new))
    with pytest.raises(SystemExit):
        replicate.main(arguments, root)
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert re.search(message, line)
    assert not list((root / "benchmarks").iterdir())


def test_an_unsaved_pair_is_refused(book, capsys):
    root, _ = book
    page = root / "chapters" / "01-luck.md"
    page.write_text(HEAD.replace("SEED + 3", "SEED + 4"), encoding="utf-8")
    with pytest.raises(SystemExit):
        replicate.main([], root)
    assert "01-luck: its two halves differ; run make refresh" in capsys.readouterr().err


@pytest.mark.parametrize("page", CHANCE, ids=lambda page: page.stem)
def test_every_chapter_that_draws_chance_is_in_the_table(page):
    assert replicate.seed_problems(replicate.cells(page)) == []
    stored = json.loads((ROOT / "benchmarks" / "replication.json").read_text("utf-8"))
    entry = stored["chapters"][page.stem]
    assert [row["claim"] for row in entry["claims"]] == replicate.claims(replicate.cells(page))
    assert replicate.too_strong(entry) == []
