"""What comes out of a printer: a chapter from either theme, and the whole book as one PDF."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html
from pypdf import PdfReader

from scripts import pdf

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.book, pytest.mark.slow]


def bare(text):
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="module")
def printed(browser, built):
    """Print a chapter as its page asks for it, from a dark or a light screen."""
    papers = {}

    def paper(name, scheme="dark"):
        if (name, scheme) not in papers:
            page = browser.new_page(color_scheme=scheme)
            page.goto(built(name))
            page.wait_for_function(
                "(s) => document.documentElement.dataset.theme === s", arg=scheme
            )
            sheet = page.pdf(prefer_css_page_size=True)
            assert page.evaluate("document.documentElement.dataset.theme") == scheme
            cells = page.locator(".cell_input:visible pre").all_text_contents()
            steps = page.locator(
                ".stepper-step p:first-child, .circuit-steps li"
            ).all_text_contents()
            papers[name, scheme] = PdfReader(io.BytesIO(sheet)), cells, steps
            page.close()
        return papers[name, scheme]

    return paper


def test_paper_is_the_same_from_both_themes(printed):
    light, dark = (printed("chapters/07-four-equations.html", s)[0] for s in ("light", "dark"))
    assert [p.get_contents().get_data() for p in light.pages] == [
        p.get_contents().get_data() for p in dark.pages
    ]


@pytest.mark.parametrize("name", ["02-pseudocode", "07-four-equations"])
def test_all_steps_are_printed(printed, name):
    reader, _, steps = printed(f"chapters/{name}.html")
    text = bare("".join(page.extract_text() for page in reader.pages))
    assert len(steps) >= 10
    assert [step for step in steps if bare(step.splitlines()[0])[:20] not in text] == []


def test_no_cell_is_split_and_pages_are_numbered(printed):
    reader, cells, _ = printed("chapters/07-four-equations.html")
    pages = [bare(page.extract_text()) for page in reader.pages]
    assert len(cells) > 10
    assert [c for c in cells if not any(bare(c) in page for page in pages)] == []
    assert all(p.startswith(f"{n}") or p.endswith(f"{n}") for n, p in enumerate(pages, 1))


def test_the_whole_book_keeps_its_links(built, tmp_path):
    """Every link within the book leads to a place on paper; no two places have one name."""
    folder = tmp_path.joinpath(built("").removeprefix("file://"))
    whole = html.document_fromstring(pdf.compose(folder, {}))
    places = whole.xpath("//article//@id")
    assert len(places) == len(set(places)) > 500
    links = whole.xpath("//article//a/@href")
    assert {link[1:] for link in links if link.startswith("#")} <= set(places)
    assert all(link.startswith(("#", "http")) for link in links)
    pictures = whole.xpath("//article//img/@src | //article//svg//image/@href")
    assert len(pictures) == len(whole.xpath("//article//img | //article//svg//image")) > 20
    for source in pictures:
        assert Path(source.removeprefix("file://")).is_file()
    used = whole.xpath("//article//svg//use/@href")
    assert len(used) > 100 and {link[1:] for link in used} <= set(places)


PAGE = """<html lang="en"><head><title>Book</title><style>{style}</style></head><body>
<nav class="bd-links"><ul><li><a class="reference internal" href="index.html">Book</a></li>
<li><a class="reference internal" href="c/one.html">One</a></li></ul></nav><main>
<article><h1>{title}</h1><p id="here" style="break-before: page">See {title}, {link}.</p></article>
</main><script>document.body.remove();</script></body></html>"""


def test_a_book_is_printed_with_contents_and_bookmarks(tmp_path):
    style = "@page { size: A5; margin: 2cm; @bottom-center { content: counter(page); } }"
    first = '<a href="c/one.html#here">the second page of One</a>'
    (tmp_path / "c").mkdir()
    (tmp_path / "index.html").write_text(PAGE.format(style=style, title="Book", link=first))
    (tmp_path / "c/one.html").write_text(PAGE.format(style=style, title="One", link="no more"))
    command = [sys.executable, "-m", "scripts.pdf", tmp_path, tmp_path / "out" / "book.pdf"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.startswith("5 pages of paper")
    reader = PdfReader(tmp_path / "out" / "book.pdf")
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert texts[2] == f"3 Contents Book 1 One 4 {pdf.LEFT_OUT}"
    assert [mark.title for mark in reader.outline] == ["Book", "Contents", "One"]
    (link,) = (a.get_object() for a in reader.pages[1]["/Annots"])
    named = reader.named_destinations[link["/Dest"]]
    assert reader.get_destination_page_number(named) == 4
    assert len(list(tmp_path.rglob("*.html"))) == 2  # nothing is left over
