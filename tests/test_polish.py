"""The last pass over the pages: what it takes away, what it keeps, what it refuses."""

import pytest
import tinycss2
from bs4 import BeautifulSoup
from PIL import Image

from bookbuild import pages

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>Steps</title>
<link rel="stylesheet" href="_static/a.css?v=1"/><style>p {{ margin: 0 }}</style>
<script>document.documentElement.dataset.theme = "auto";</script>
<script src="_static/scripts/fontawesome.js?digest=1"></script>
<script src="_static/a.js"></script><script>let b = 2;</script>
<script src="_static/slider.js"></script></head><body><main><article><h1>Steps</h1>
<p style="color:red">A sentence that is long enough to say what the page is about, at least.</p>
<i class="fa-solid fa-sun theme-switch" data-mode="light"></i><pre>a  b\n  c</pre>
<script type="application/json">{{"x": 1}}</script><img src="_images/f.png" alt="A figure."/>
<a href="_sources/n.ipynb">n</a>{extra}</article></main></body></html>"""


@pytest.fixture
def book(tmp_path):
    """A book of two pages: the second has a slider."""
    files = {
        "_static/a.css": '@import "b.css"; .gone, .kept { color: red } .gone { top: 0 }'
        ".lab-icon { width: 1em }"
        "@media print { .gone { left: 0 } } @font-face { font-family: Awesome }"
        """p { background: url("data:image/svg+xml,%3Csvg/%3E") } .kept { src: url(img/x.svg) }""",
        "_static/b.css": ".kept { margin: 1px }",
        "_static/img/x.svg": "<svg/>",
        "_static/a.js": "const a = 'used';\n//# sourceMappingURL=a.js.map",
        "_static/slider.js": "slide();",
        "_static/scripts/fontawesome.js": "heavy();",
        "_static/a.js.map": "{}",
        "_sources/n.ipynb": "{}",
        "_sources/other.md": "x",
        "index.html": PAGE.format(extra='<p class="kept">b</p>'),
        "s.html": PAGE.format(extra='<div class="lab-slider"></div>'),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "_images").mkdir()
    Image.new("RGBA", (40, 30), "white").save(tmp_path / "_images" / "f.png")
    pages.polish(tmp_path, "The book", "https://example.org/lab/")
    return tmp_path


def soup(path):
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_one_style_sheet_without_what_no_page_needs(book):
    (link,) = soup(book / "index.html").select("link[rel=stylesheet]")
    css = (book / link["href"]).read_text("utf-8")
    assert (
        ".gone" not in css and "Awesome" not in css and "data:" not in css and "@import" not in css
    )
    assert ".lab-icon{" in css  # a class that a page gets here
    assert css.index("margin:") < css.index(".kept{color") and 'url("img/x.svg")' in css
    assert len(list((book / "_static").glob("theme-*.svg"))) == 1


def test_scripts_are_one_file_in_their_order(book):
    page = soup(book / "index.html")
    first, common = [tag["src"] for tag in page.select("script[src]")]
    assert "dataset.theme" in (book / first).read_text("utf-8")
    text = (book / common).read_text("utf-8")
    assert text.index("const a") < text.index("let b")
    assert "heavy" not in text and "sourceMapping" not in text
    assert page.select_one("script[type='application/json']").text == '{"x": 1}'


def test_a_rare_part_is_loaded_where_it_is(book):
    assert "slider.js" not in (book / "index.html").read_text("utf-8")
    assert soup(book / "s.html").select("script[src='_static/slider.js']")


def test_nothing_that_a_strict_policy_forbids_is_left(book):
    page = soup(book / "index.html")
    assert not page.select("[style], style, script:not([src]):not([type])")
    name = page.select_one("article p")["class"]
    css = next((book / "_static").glob("book-*.css")).read_text("utf-8")
    assert f".{name[0]}{{color:red!important;}}" in css


def test_text_stays_as_it_was(book):
    assert soup(book / "index.html").pre.text == "a  b\n  c"


def test_icons_are_drawn(book):
    icon = soup(book / "index.html").select_one("svg.lab-icon.theme-switch")
    assert icon["data-mode"] == "light" and icon.path["d"] == pages.ICONS["sun"]


def test_an_icon_without_a_drawing_fails_the_build():
    with pytest.raises(ValueError, match="fa-unheard-of"):
        pages.draw_icons(BeautifulSoup('<i class="fa-unheard-of"></i>', "html.parser"), "a.html")


def test_images_have_their_size(book):
    image = soup(book / "index.html").img
    assert (image["width"], image["height"]) == ("40", "30")


def test_what_nothing_names_is_deleted(book):
    left = {path.relative_to(book).as_posix() for path in book.rglob("*") if path.is_file()}
    assert "_sources/n.ipynb" in left and "_static/slider.js" in left
    assert not left & {"_sources/other.md", "_static/a.js.map", "_static/scripts/fontawesome.js"}


def test_the_page_of_lost_readers_starts_at_the_books_address(book):
    links = soup(book / "404.html").select("[href]")
    assert links and all(tag["href"].startswith("/lab/") for tag in links)


def test_a_page_says_what_it_is_about(book):
    head = soup(book / "index.html").head
    said = head.select_one("meta[name=description]")["content"]
    assert said.startswith("A sentence that is long enough")
    assert head.select_one("meta[property='og:title']")["content"] == "Steps"


@pytest.mark.parametrize(
    ("selector", "kept"),
    [
        ("p", True), (".a", True), (".b", False), (".a .b", False), (".a:not(.b)", True),
        ("a[href='.b']", True), (".a::after", True), (":is(.b, p) > .a", True),
        (".playground-weight-up", True), (".lab-slider-path", True),
    ],
)  # fmt: skip
def test_rules_that_pages_need(selector, kept):
    assert pages.needed(selector, {"a"}) == kept


def test_selectors_are_split_at_their_own_commas():
    assert pages.selectors("a, :is(b, c) d,e") == ["a", ":is(b, c) d", "e"]
    rules = tinycss2.parse_stylesheet(".a, .b { top: 0 }", skip_whitespace=True)
    assert pages.strip(rules, {"a"}) == ".a{top: 0}"
