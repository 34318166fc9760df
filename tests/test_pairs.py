"""Both halves of every chapter agree, and the stored outputs are those of one run from the top.

Each check is a function from a notebook to a list of problems. The second part of the file plants
every problem and sees it found: a check that cannot fail is worse than none.
"""

import copy
import re
from pathlib import Path
from statistics import median

import jupytext
import pytest
from jupytext.compare import NotebookDifference, compare_notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scripts.refresh import read_chapter

CHAPTERS = sorted((Path(__file__).parent.parent / "chapters").glob("*.*"))
STEMS = sorted({path.with_suffix("") for path in CHAPTERS if path.suffix in {".md", ".ipynb"}})
LONGEST_CELL = 25  # lines; what is longer belongs in labsupport
MEDIAN_CELL = 8

# What makes nbval skip a cell or its output: a tag, or the same as a comment in the cell.
NBVAL_OPT_OUT = re.compile(r"nbval[-_](skip|ignore[-_]output|raises[-_]exception)", re.IGNORECASE)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def differences(text, stored):
    """Sources, types and metadata of cells, and the notebook's metadata, must be the same."""
    try:
        compare_notebooks(stored, text, "md:myst", allow_expected_differences=False)
    except NotebookDifference as error:
        return [str(error)]
    return []


def not_run_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        return [f"execution counts are {counts}, not 1, 2, 3, ...: run `make refresh`"]
    return []


def stored_errors(notebook):
    return [
        f"code cell {number} stores the error {output.ename}"
        for number, cell in enumerate(code_cells(notebook), 1)
        for output in cell.outputs
        if output.output_type == "error"
    ]


def unexplained_opt_outs(notebook):
    """A cell that nbval does not compare says why in a line `# nbval: ...`."""
    return [
        f"code cell {number} is not compared by nbval and no `# nbval:` line says why"
        for number, cell in enumerate(code_cells(notebook), 1)
        if NBVAL_OPT_OUT.search(" ".join(cell.metadata.get("tags", [])) + "\n" + cell.source)
        and not re.search(r"^# nbval: \w", cell.source, re.MULTILINE)
    ]


def final_semicolons(notebook):
    """A `;` hides a cell's value in JupyterLab but not from nbval, which runs without a history."""
    return [
        f"code cell {number} ends with `;`: write `_ = ...` instead"
        for number, cell in enumerate(code_cells(notebook), 1)
        if cell.source.rstrip().endswith(";")
    ]


def long_cells(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    problems = [
        f"code cell {number} has {length} lines, more than {LONGEST_CELL}"
        for number, length in enumerate(lengths, 1)
        if length > LONGEST_CELL
    ]
    if lengths and median(lengths) > MEDIAN_CELL:
        problems.append(f"the median code cell has {median(lengths)} lines, over {MEDIAN_CELL}")
    return problems


CHECKS = [not_run_in_order, stored_errors, unexplained_opt_outs, final_semicolons, long_cells]


# The chapters themselves


def test_there_are_chapters():
    assert STEMS


@pytest.mark.parametrize("stem", STEMS, ids=lambda stem: stem.name)
def test_pair(stem):
    md, ipynb = stem.with_suffix(".md"), stem.with_suffix(".ipynb")
    assert md.exists() and ipynb.exists(), "a chapter is a .md and an .ipynb: run `make refresh`"
    text, stored = read_chapter(md), jupytext.read(ipynb)
    assert text.metadata.get("jupytext", {}).get("formats") == "md:myst,ipynb"
    stored.metadata.pop("language_info", None)  # not part of the text
    assert differences(text, stored) == []
    # Saving the notebook from JupyterLab must not change the text.
    assert differences(jupytext.reads(jupytext.writes(stored, "md:myst"), "md:myst"), stored) == []


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("stem", STEMS, ids=lambda stem: stem.name)
def test_stored_outputs(stem, check):
    assert check(jupytext.read(stem.with_suffix(".ipynb"))) == []


# The checks themselves


@pytest.fixture
def good():
    """Return a notebook in which every check finds nothing."""
    cells = [
        new_markdown_cell("# A title"),
        new_code_cell("a = 1", execution_count=1),
        new_code_cell(
            "print(a)",
            execution_count=2,
            metadata={"mystnb": {"image": {"alt": "A line that falls."}}},
            outputs=[new_output("stream", text="1\n")],
        ),
    ]
    return new_notebook(cells=cells)


def test_good_notebook_passes(good):
    assert differences(copy.deepcopy(good), good) == []
    assert [check(good) for check in CHECKS] == [[]] * len(CHECKS)


def change_source(notebook):
    notebook.cells[1].source += " "


def change_text(notebook):
    notebook.cells[0].source = "# Another title"


def change_type(notebook):
    notebook.cells[1] = new_markdown_cell(notebook.cells[1].source)


def change_metadata(notebook):
    notebook.cells[2].metadata["mystnb"]["image"]["alt"] = "A line that rises."


def add_a_tag(notebook):
    notebook.cells[1].metadata["tags"] = ["hide-input"]


def drop_a_cell(notebook):
    del notebook.cells[-1]


@pytest.mark.parametrize(
    "change", [change_source, change_text, change_type, change_metadata, add_a_tag, drop_a_cell]
)
def test_finds_difference(good, change):
    changed = copy.deepcopy(good)
    change(changed)
    assert differences(good, changed)
    assert differences(changed, good)


@pytest.mark.parametrize("counts", [(None, 1), (1, None), (2, 1), (1, 3), (5, 6), (1, 1)])
def test_finds_cells_not_run_in_order(good, counts):
    for cell, count in zip(code_cells(good), counts, strict=True):
        cell.execution_count = count
    assert not_run_in_order(good)


def test_finds_stored_error(good):
    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    good.cells[2].outputs.append(error)
    assert stored_errors(good)


@pytest.mark.parametrize("tag", ["nbval-skip", "nbval-ignore-output", "nbval-raises-exception"])
def test_finds_unexplained_opt_out(good, tag):
    cell = good.cells[1]
    cell.metadata["tags"] = [tag]
    assert unexplained_opt_outs(good)
    cell.source = "# nbval: the order of the threads is not fixed\n" + cell.source
    assert not unexplained_opt_outs(good)


def test_finds_unexplained_opt_out_in_a_comment(good):
    good.cells[1].source = "# NBVAL_IGNORE_OUTPUT\n# nbval:\nprint(1)"
    assert unexplained_opt_outs(good)


def test_finds_final_semicolon(good):
    good.cells[1].source += ";\n"
    assert final_semicolons(good)


def test_finds_long_cells(good):
    good.cells[1].source = "a = 1\n" * LONGEST_CELL
    good.cells[2].source = ""
    assert not [problem for problem in long_cells(good) if "more than" in problem]
    good.cells[1].source += "a = 1\n"
    assert [problem for problem in long_cells(good) if "more than" in problem]


def test_finds_long_median(good):
    for cell in code_cells(good):
        cell.source = "a = 1\n" * MEDIAN_CELL
    assert not long_cells(good)
    for cell in code_cells(good):
        cell.source += "a = 1\n"
    assert long_cells(good)
