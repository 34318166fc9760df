"""The last pass over the pages: what it takes away, what it keeps, what it refuses."""

import base64
import io

import pytest
from bs4 import BeautifulSoup
from lxml import html
from PIL import Image

import bookbuild
from bookbuild import folds, pages
from labsupport.feedback import verdict

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>Steps</title>
<script>document.documentElement.dataset.theme = "auto";</script>
<link rel="stylesheet" href="_static/a.css?v=1"/><link rel="stylesheet" href="_static/b.css"/>
<script src="_static/scripts/fontawesome.js?digest=1"></script>
<script src="searchindex.js"></script><script src="_static/search.js"></script>
<script src="_static/a.js"></script><script>let b = 2;</script>
<script src="_static/slider.js"></script></head><body><main><article><h1>Steps</h1>
<i class="fa-solid fa-sun theme-switch" data-mode="light"></i>and<pre>a  b\n  c</pre>
<button onclick="print()">Print</button>
<details><summary aria-label="Toggle">Show</summary></details>
<script type="application/json">{{"x": 1}}</script><img src="_images/f.png" alt="A figure."/>
{extra}</article></main></body></html>"""


PICTURE = io.BytesIO()
Image.new("RGBA", (4, 4), "red").save(PICTURE, "PNG")
DATA = base64.b64encode(PICTURE.getvalue()).decode()
DRAWING = f"""<svg class="lab-figure" style="background: #fff" viewBox="0 0 9 9" \
xmlns="http://www.w3.org/2000/svg"><path id="m0123456789" style="stroke: #0123456"/>
<use href="#m0123456789"/><text>two words</text>
<image href="data:image/png;base64,{DATA}" id="image0123456789"/></svg>"""
FIGURE = """<figure><img src="_images/d.svg" alt="A &lt; B."/><figcaption>
<span class="caption-number">Fig. 7.{} </span></figcaption></figure>"""
CELL = """<div class="cell"><details class="hide"><summary>
<p class="collapsed admonition-title">Show code cell source</p>
<p class="expanded admonition-title">Hide code cell source</p></summary>
<div class="cell_input"><pre>{}</pre></div></details>
<div class="cell_output">{}</div></div>"""
STATUS = '<div class="output"><div role="status"><strong>{}</strong> Go on.</div></div>'

THEME = 'f(),"complete"===document.readyState?I():window.addEventListener("load",I)})();'


@pytest.fixture
def book(tmp_path):
    """A book of two pages: the second has a slider."""
    files = {
        "_static/a.css": ".gone, .lab-slider-path { color: red } .gone { top: 0 }"
        "@media print { .gone { left: 0 } } .kept:not(.gone) { right: 0 }"
        """p { background: url("data:image/svg+xml,%3Csvg/%3E") }""",
        "_static/b.css": ".kept { margin: 1px }",
        "_static/a.js": "element.className = 'made-by-script';",
        "_static/slider.js": "slide();",
        "_static/scripts/pydata-sphinx-theme.js": THEME,
        "index.html": PAGE.format(extra='<p class="kept">b</p>'),
        "s.html": PAGE.format(extra='<div class="lab-slider"></div>'),
        "search.html": PAGE.format(extra=""),
        "drawn.html": PAGE.format(extra=FIGURE.format(1) + FIGURE.format(2)),
        "_images/d.svg": DRAWING,
        "_images/other.svg": "<svg/>",
        "_static/gone.css.map": "{}",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    Image.new("RGBA", (40, 30), "white").save(tmp_path / "_images" / "f.png")
    pages.polish(tmp_path)
    return tmp_path


def soup(path):
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_one_style_sheet_without_what_no_page_needs(book):
    (link,) = soup(book / "index.html").select("link[rel=stylesheet]")
    css = (book / link["href"].partition("?")[0]).read_text("utf-8")
    assert ".gone{" not in css and "data:" not in css and "@media" not in css
    assert ".lab-slider-path" in css  # a script puts this name together
    assert css.index(".kept:not") < css.index(".kept{margin")
    assert len(list((book / "_static").glob("theme-*.svg"))) == 1


def test_scripts_stand_in_files(book):
    page = soup(book / "index.html")
    scripts = page.select("script[src]")
    texts = [(book / tag["src"]).read_text("utf-8") for tag in scripts]
    assert [tag.has_attr("defer") for tag in scripts] == [True, False, True]
    assert "let b" in texts[0] and "dataset.theme" in texts[1] and "made-by" in texts[2]
    assert page.select_one("script:not([src])").text == '{"x": 1}'
    assert not page.select("[onclick]")


def test_a_script_is_loaded_where_it_is_needed(book):
    assert soup(book / "s.html").select("script[src='_static/slider.js']")
    assert soup(book / "search.html").select("script[src='_static/search.js']")
    assert not soup(book / "s.html").select("script[src*='search']")


def test_text_stays_as_it_was(book):
    assert soup(book / "index.html").pre.text == "a  b\n  c"


def test_what_is_heard_is_what_is_seen(book):
    assert not soup(book / "index.html").summary.has_attr("aria-label")


def test_icons_are_drawn(book):
    icon = soup(book / "index.html").select_one("svg.theme-switch")
    assert icon["data-mode"] == "light" and icon.path and icon.next_sibling == "and"


def test_an_icon_without_a_drawing_fails_the_build():
    page = html.document_fromstring('<p><i class="fa-unheard-of"></i></p>')
    with pytest.raises(ValueError, match="fa-unheard-of"):
        pages.draw_icons(page, "a.html")


def test_images_are_packed_and_have_their_size(book):
    image = soup(book / "index.html").img
    assert (image["width"], image["height"]) == ("40", "30")
    with Image.open(book / image["src"]) as packed:
        assert packed.format == "WEBP"


def test_what_no_page_names_is_deleted(book):
    left = {path.name for path in book.rglob("*.*") if path.parent.name in ("_static", "_images")}
    assert {"f.webp", "book.css", "a.js"} <= left
    assert not left & {"f.png", "d.svg", "other.svg", "a.css", "gone.css.map", "fontawesome.js"}


def test_drawings_stand_in_the_page(book):
    one, other = soup(book / "drawn.html").select("svg.lab-figure")
    for drawing in (one, other):
        assert (drawing["role"], drawing["aria-label"]) == ("img", "A < B.")
        assert not drawing.has_attr("style") and drawing.find("text").text == "two words"
        assert drawing.use["href"] == "#" + drawing.path["id"]
        assert drawing.path["style"] == "stroke: #0123456"
        with Image.open(book / drawing.image["href"]) as picture:
            assert picture.format == "WEBP" and picture.convert("RGB").getpixel((1, 1)) == (
                255,
                0,
                0,
            )
    assert one.path["id"] != other.path["id"]


@pytest.mark.parametrize(
    ("code", "output", "what"),
    [
        ("draw()", FIGURE.format(3), "the code of figure 7.3"),
        ("assert 1", FIGURE.format(3), "the code of figure 7.3"),
        ("assert 1", "<table></table>", "the code of the table"),
        ("assert 1", "<ul><li>a</li></ul>", "the code of these sentences"),
        ("assert 1", '<div class="output stream">checked</div>', "the check"),
        ("assert 1", "", "the check"),
        ("a = 1", "", "the code"),
    ],
)
def test_a_fold_says_what_it_opens(code, output, what):
    page = html.document_fromstring(CELL.format(code, output))
    folds.name_folds(page)
    shown = [title.text for title in page.cssselect(".admonition-title")]
    assert shown == [f"Show {what}", f"Hide {what}"]


def test_a_name_that_an_author_gave_stays():
    page = html.document_fromstring(CELL.format("", "").replace("code cell source", "the proof"))
    folds.name_folds(page)
    assert page.cssselect(".collapsed")[0].text == "Show the proof"


def test_only_the_verdict_on_no_attempt_is_left_out():
    assert verdict.HEADS["open"] == folds.OPEN
    heads = [verdict.HEADS["open"], verdict.HEADS["right"]]
    page = html.document_fromstring("".join(CELL.format("", STATUS.format(h)) for h in heads))
    folds.leave_out_open_verdicts(page)
    (left,) = page.cssselect("[role=status]")
    assert left.text_content() == "Right. Go on."


def test_the_theme_measures_no_boxes(tmp_path, caplog):
    theme = tmp_path / "theme.js"
    theme.write_text(THEME, encoding="utf-8")
    pages.leave_out_measuring(theme)
    assert theme.read_text("utf-8") == "f(),0})();" and not caplog.records
    pages.leave_out_measuring(theme)  # as if its words had changed: the build must say so
    assert "measures all boxes in other words" in caplog.text


@pytest.mark.parametrize(
    ("before", "glued"), [("even (", "("), ("it lies:\n", ""), ("a\n(", "("), ("so ", ""), ("", "")]
)
def test_what_touches_a_formula_stays_with_it_and_is_said_once(before, glued):
    """A line of the source may end before a formula."""
    formula = '<span class="math"><span class="katex-html"><b class="base">p</b></span></span>'
    page = html.document_fromstring(f"<p>{before}{formula}, then</p>")
    pages.glue(page)
    assert page.text_content() == f"{before}p, then"
    assert page.cssselect(".glued")[0].text_content() == f"{glued}p,"


def test_a_docstring_is_not_taken_apart():
    """Napoleon took the first of two names for a type, and words before a colon as well."""
    lines = ["What it is.", "", "Attributes", "----------", "one, other, third : int", "    All."]
    bookbuild.mend_docstring(None, "class", "", None, None, lines)
    assert lines[4:] == ["one,other,third : int", "    All."]
    lines = ["How far: two steps."]
    bookbuild.mend_docstring(None, "data", "", None, None, lines)
    assert lines == ["\\ ", "How far: two steps."]


@pytest.mark.parametrize("image", ["_static/card.png", "https://example.org/_static/card.png"])
def test_an_image_for_others_has_a_whole_address(image):
    page = html.document_fromstring(
        f"""<head><title>Steps — Steps</title><meta property="og:image" content="{image}">
        <meta property="og:image:alt" content="A path"></head>"""
    )
    pages.tidy(page)
    images = page.cssselect("meta[property]")
    assert len(images) == (2 if image.startswith("https:") else 0)
    assert page.cssselect("meta[name=description]")[0].get("content") == "Steps"
    assert page.findtext(".//title") == "Steps"
