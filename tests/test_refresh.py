"""`make refresh` replaces a notebook only after all its cells passed."""

import json

import pytest

from scripts.refresh import execute, main, read_chapter

HEADER = """---
jupytext:
  formats: md:myst,ipynb
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A title
"""


def chapter(*cells):
    return HEADER + "".join(f"\n```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "01-good.md").write_text(chapter("a = 6", "print(a * 7)\na"), "utf-8")
    return tmp_path


def test_stores_outputs_and_is_repeatable(folder):
    assert main([], folder) == 0
    ipynb = folder / "01-good.ipynb"
    first = ipynb.read_bytes()
    cells = json.loads(first)["cells"]
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2]
    assert cells[2]["outputs"][0]["text"] == ["42\n"]
    assert main(["01-good"], folder) == 0
    assert ipynb.read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == ["01-good.ipynb", "01-good.md"]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            chapter("a = 1", "b = a / 0"),
            ["; cell 3 of 3", "b = a / 0", "ZeroDivisionError: division by zero"],
        ),
        ("```{code-cell}\n---\ntags: [a\n---\n```\n", []),  # cannot be read
    ],
)
def test_failing_chapter_keeps_its_old_notebook(folder, capfd, text, messages):
    (folder / "02-bad.md").write_text(text, "utf-8")
    (folder / "02-bad.ipynb").write_text("old", "utf-8")
    assert main([], folder) == 1
    out, err = capfd.readouterr()
    assert (folder / "02-bad.ipynb").read_text("utf-8") == "old"
    assert all(message in err for message in ["02-bad: left as it was", *messages])
    # One bad chapter does not keep the others from being refreshed.
    assert "01-good: refreshed" in out and (folder / "01-good.ipynb").exists()


def test_slow_cell_is_named(folder):
    (folder / "03-slow.md").write_text(chapter("while True:\n    pass"), "utf-8")
    problem = execute(read_chapter(folder / "03-slow.md"), folder, timeout=1)
    assert "cell 2 of 2" in problem and "after 1 seconds" in problem


def test_unknown_chapter_is_refused(folder, capsys):
    with pytest.raises(SystemExit):
        main(["04-none"], folder)
    assert "the chapters are: 01-good" in capsys.readouterr().err


def test_cell_ids_follow_the_text(folder):
    md = folder / "01-good.md"
    before = [cell.id for cell in read_chapter(md).cells]
    md.write_text(chapter("new = 0", "a = 6", "a = 6", "print(a * 7)\na"), "utf-8")
    after = [cell.id for cell in read_chapter(md).cells]
    assert len(set(after)) == len(after) == 5
    assert set(before) <= set(after)
