"""What the pages promise of themselves: citations, proofs, and where their numbers come from."""

import re
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).parent.parent
CHAPTERS = ROOT / "chapters"
PAGES = [*ROOT.glob("*.md"), *CHAPTERS.glob("*.md"), *(ROOT / "reference").glob("*.md")]
NUMBERED = sorted(CHAPTERS.glob("[0-9][0-9]-*.md"))
CITED = re.compile(r"\{cite(?::[a-z]+)?\}`([^`]+)`")
ENTRY = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)
PROVE = re.compile(r"\bprov(?:e|es|ed|en|ing)\b", re.IGNORECASE)


def keys(texts):
    """The keys that the texts cite."""
    return {
        key.strip() for text in texts for group in CITED.findall(text) for key in group.split(",")
    }


def citations(texts, bibliography):
    """What is cited without an entry, is an entry without being cited, or is entered twice."""
    cited, entries = keys(texts), ENTRY.findall(bibliography)
    return {
        "without an entry": sorted(cited - set(entries)),
        "never cited": sorted(set(entries) - cited),
        "entered twice": sorted({key for key in entries if entries.count(key) > 1}),
    }


def test_every_citation_has_an_entry_and_every_entry_a_citation():
    texts = [page.read_text("utf-8") for page in PAGES]
    assert len(keys(texts)) > 20
    found = citations(texts, (ROOT / "references.bib").read_text("utf-8"))
    assert found == {"without an entry": [], "never cited": [], "entered twice": []}


def test_a_lost_citation_and_an_idle_entry_are_noticed():
    bibliography = "@book{a1,\n  year = {1},\n}\n@misc{b2,\n}\n"
    both = "as {cite:t}`a1` says {cite}`a1, b2`"
    assert not any(citations([both], bibliography).values())
    assert citations([both + " {cite:p}`c3`"], bibliography)["without an entry"] == ["c3"]
    assert citations(["{cite}`a1`"], bibliography)["never cited"] == ["b2"]
    assert citations([both], bibliography + "@book{a1,\n}")["entered twice"] == ["a1"]


def claimed_proofs(text):
    """Where a text says "prove", if it holds no proof; what a source proves is its own affair."""
    if "{prf:proof}" in text or "convex function" in text:
        return []
    sentences = re.split(r"(?<=[.;:])\s", text)
    return [line for line in sentences if PROVE.search(line) and not CITED.search(line)]


PART = [*(page for page in NUMBERED if int(page.name[:2]) <= 5), CHAPTERS / "checked.md"]


@pytest.mark.parametrize("page", [*PART, ROOT / "README.md"], ids=lambda page: page.stem)
def test_only_a_page_with_a_proof_says_prove(page):
    assert claimed_proofs(page.read_text("utf-8")) == []


def test_a_measurement_that_is_called_a_proof_is_noticed():
    said = "Its gradient is proved by measurement, and agrees."
    assert claimed_proofs(said) == [said]
    assert claimed_proofs("{cite:t}`a1` proves it.") == []
    assert claimed_proofs("Its gradient is checked.") == []
    assert claimed_proofs("It is proved.\n```{prf:proof}\nSo.\n```") == []


def typed_observations(text):
    """Bullets and numbers that stand under Observations outside its cells."""
    section = text.split("\n## Observations\n")[1].split("\n## Result\n")[0]
    outside = re.sub(r"^```\{code-cell\}.*?^```$", "", section, flags=re.DOTALL | re.MULTILINE)
    return [
        line for line in outside.splitlines() if line.startswith("- ") or re.search(r"\d", line)
    ]


@pytest.mark.parametrize("page", NUMBERED, ids=lambda page: page.stem)
def test_observations_are_printed_by_a_cell(page):
    text = page.read_text("utf-8")
    assert typed_observations(text) == []
    planted = text.replace("\n## Result\n", "\n- The loss is small.\n\nIt is 0.5.\n\n## Result\n")
    assert typed_observations(planted) == ["- The loss is small.", "It is 0.5."]


def program_lines(page, *names):
    """Lines of code, blank ones not counted, of these functions and classes of a page."""
    cells = [
        cell.source for cell in jupytext.read(page, fmt="md:myst").cells if cell.cell_type == "code"
    ]
    blocks = [block for source in cells for block in re.split(r"\n(?=def |class )", source)]
    found = [
        block for block in blocks for name in names if re.match(rf"(?:def|class) {name}\b", block)
    ]
    assert len(found) == len(names)
    return sum(bool(line.strip()) for block in found for line in block.splitlines())


def test_sixty_lines_are_about_sixty():
    """The program of the NumPy chapter, its check, for two layers and for any number."""
    page = CHAPTERS / "03-numpy-backprop.md"
    two = ("layer", "cross_entropy", "slopes", "start", "forward", "backward", "train")
    deep = ("forward_deep", "backward_deep", "train_deep")
    lines = program_lines(page, *two, "loss_of", "measured", *deep)
    assert 55 <= lines <= 65
