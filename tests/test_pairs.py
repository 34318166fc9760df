"""Both halves of every chapter agree, and the stored outputs are those of one run from the top.

Each check is a function from a notebook to a list of problems. The second part of the file plants
every problem and sees it found: a check that cannot fail is worse than none.
"""

import copy
import re
from statistics import median

import jupytext
import pytest
from jupytext.compare import NotebookDifference, compare_notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scripts.refresh import read_chapter
from tests.cases import CHAPTERS

FILES = [path for path in CHAPTERS.glob("*.*") if path.suffix in {".md", ".ipynb"}]
STEMS = sorted({path.with_suffix("") for path in FILES})
LONGEST_CELL = 25  # lines; what is longer belongs in labsupport
MEDIAN_CELL = 8

# What makes nbval skip a cell or its output: a tag, or the same as a comment in the cell.
NBVAL_OPT_OUT = re.compile(r"nbval[-_](skip|ignore[-_]output|raises[-_]exception)", re.IGNORECASE)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def numbers_of(notebook, fault):
    """The code cells with a fault, counted from 1."""
    return [n for n, cell in enumerate(code_cells(notebook), 1) if fault(cell)]


def differences(text, stored):
    """Sources, types and metadata of cells, and the notebook's metadata, must be the same."""
    try:
        compare_notebooks(stored, text, "md:myst", allow_expected_differences=False)
    except NotebookDifference as error:
        return [str(error)]
    return []


def not_run_in_order(notebook):
    """Execution counts must be 1, 2, 3, ...: run `make refresh`."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else counts


def stored_errors(notebook):
    return numbers_of(notebook, lambda c: any(o.output_type == "error" for o in c.outputs))


def unexplained_opt_outs(notebook):
    """A cell that nbval does not compare says why in a line `# nbval: ...`."""

    def unexplained(cell):
        given = " ".join(cell.metadata.get("tags", [])) + "\n" + cell.source
        said = re.search(r"^# nbval: \w", cell.source, re.MULTILINE)
        return NBVAL_OPT_OUT.search(given) and not said

    return numbers_of(notebook, unexplained)


def final_semicolons(notebook):
    """A `;` hides a cell's value in JupyterLab but not from nbval: write `_ = ...` instead."""
    return numbers_of(notebook, lambda cell: cell.source.rstrip().endswith(";"))


def long_cells(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    too_many = [f"a cell of {length} lines" for length in lengths if length > LONGEST_CELL]
    middle = median(lengths) if lengths else 0
    return too_many + [f"a median of {middle} lines"] * (middle > MEDIAN_CELL)


CHECKS = [not_run_in_order, stored_errors, unexplained_opt_outs, final_semicolons, long_cells]


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
    assert {check.__name__: check(stored) for check in CHECKS if check(stored)} == {}


# The checks themselves


@pytest.fixture
def good():
    """Return a notebook in which every check finds nothing."""
    image = {"mystnb": {"image": {"alt": "A line that falls."}}}
    printed = [new_output("stream", text="1\n")]
    return new_notebook(
        cells=[
            new_markdown_cell("# A title"),
            new_code_cell("a = 1", execution_count=1),
            new_code_cell("print(a)", execution_count=2, metadata=image, outputs=printed),
        ]
    )


def test_good_notebook_passes(good):
    assert differences(copy.deepcopy(good), good) == []
    assert [check(good) for check in CHECKS] == [[]] * len(CHECKS)


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: cells[1].update(source="a = 1 "),
        lambda cells: cells[0].update(source="# Another title"),
        lambda cells: cells.__setitem__(1, new_markdown_cell("a = 1")),
        lambda cells: cells[2].metadata["mystnb"]["image"].update(alt="A line that rises."),
        lambda cells: cells[1].metadata.update(tags=["hide-input"]),
        lambda cells: cells.pop(),
    ],
    ids=["source", "text", "type", "metadata", "tag", "cell"],
)
def test_finds_difference(good, change):
    changed = copy.deepcopy(good)
    change(changed.cells)
    assert differences(good, changed)
    assert differences(changed, good)


@pytest.mark.parametrize("counts", [(None, 1), (1, None), (2, 1), (1, 3), (1, 1)])
def test_finds_cells_not_run_in_order(good, counts):
    for cell, count in zip(code_cells(good), counts, strict=True):
        cell.execution_count = count
    assert not_run_in_order(good)


def test_finds_stored_error_and_final_semicolon(good):
    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    good.cells[2].outputs.append(error)
    good.cells[1].source += ";\n"
    assert (stored_errors(good), final_semicolons(good)) == ([2], [1])


@pytest.mark.parametrize("tag", ["nbval-skip", "nbval-ignore-output", "nbval-raises-exception"])
def test_finds_unexplained_opt_out(good, tag):
    good.cells[1].metadata["tags"] = [tag]
    good.cells[2].source = f"# {tag.replace('-', '_').upper()}\n# nbval:\nprint(1)"
    assert unexplained_opt_outs(good) == [1, 2]
    good.cells[1].source = "# nbval: the order of the threads is not fixed\n"
    assert unexplained_opt_outs(good) == [2]


@pytest.mark.parametrize(
    ("lengths", "problems"),
    [
        ((LONGEST_CELL, 0), ["a median of 12.5 lines"]),
        ((LONGEST_CELL + 1, 0), ["a cell of 26 lines", "a median of 13.0 lines"]),
        ((MEDIAN_CELL, MEDIAN_CELL), []),
        ((MEDIAN_CELL, MEDIAN_CELL + 1), ["a median of 8.5 lines"]),
    ],
)
def test_finds_long_cells(good, lengths, problems):
    for cell, length in zip(code_cells(good), lengths, strict=True):
        cell.source = "a = 1\n" * length
    assert long_cells(good) == problems
