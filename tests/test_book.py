"""Every built page works offline, can be read without seeing its figures, and has no dead link.

The pages are those in the folder that BOOK_HTML names (`make test` sets it), or are built here.
Each check is a function from pages to a list of problems; the second part of the file plants every
problem and sees it found.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from lxml.html import document_fromstring, tostring

ROOT = Path(__file__).parent.parent
SHORTEST_ALT = 20  # characters: shorter is a name, not a description

pytestmark = pytest.mark.book

# What a browser fetches by itself. A plain <a href> is fetched only when a reader follows it.
FETCHED = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "link": ["href"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["src", "poster"],
}
REMOTE = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
CSS_FETCH = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:[a-z]+:)?//[^"')\s]+)""", re.IGNORECASE)
SCRIPT_URL = re.compile(r"""["'`](?:(?:https?|wss?):)?//\w[^"'`\s]*""", re.IGNORECASE)
UNRESOLVED = re.compile(r"\{[a-z][a-z:-]*\}`|\?\?|\[\?\]|```|:::|\\(?:eq)?ref\{")


def soup_of(html):
    return BeautifulSoup(html, "lxml")


def read(page):
    """A page without what KaTeX draws for the eye, half of its tags; its MathML stays."""
    tree = document_fromstring(page.read_text("utf-8"))
    for drawing in tree.cssselect(".katex-html"):
        drawing.drop_tree()
    return soup_of(tostring(tree, encoding="unicode"))


def remote_in_css(css):
    """What a style sheet loads from another host."""
    return [f"style loads {url}" for url in CSS_FETCH.findall(css)]


def remote_in_page(soup):
    """What a page loads from another host: files, styles, addresses that its scripts hold."""
    problems = [
        f"<{tag.name} {attribute}> loads {tag[attribute]}"
        for name, attributes in FETCHED.items()
        for tag in soup.find_all(name)
        for attribute in attributes
        if any(REMOTE.match(part.strip()) for part in tag.get(attribute, "").split(","))
    ]
    for script in soup.find_all("script", src=False):
        problems += [f"script names {url[1:]}" for url in SCRIPT_URL.findall(script.text)]
    for style in soup.find_all("style"):
        problems += remote_in_css(style.text)
    for tag in soup.find_all(style=True):
        problems += remote_in_css(tag["style"])
    return problems


def said(image):
    """What is heard of an image, or of a drawing that stands in the page."""
    return image.get("alt", image.get("aria-label", "")).strip()


def bad_images(soup):
    """Images that say nothing to a reader who does not see them."""
    images = soup.select("img, svg.lab-figure")
    problems = [f"no alt text: {image.get('src')}" for image in images if not said(image)]
    figures = soup.select("figure")
    # An image that a cell draws is a figure; so is every <figure>, however it was made.
    for image in soup.select(".cell_output :is(img, svg.lab-figure)"):
        if image.find_parent("figure") is None:
            problems.append(f"a cell draws an image that is no figure: {image.get('src')}")
    for figure in figures:
        number = figure.select_one("figcaption .caption-number")
        caption = figure.select_one("figcaption .caption-text")
        if number is None or caption is None or not caption.get_text(strip=True):
            problems.append(f"no number or no caption: figure {figure.get('id')}")
            continue
        for image in figure.select("img, svg.lab-figure"):
            alt = said(image)
            if len(alt) <= SHORTEST_ALT or alt == caption.get_text(" ", strip=True):
                problems.append(f"alt text short or the caption again: figure {figure.get('id')}")
    return problems


def no_language(soup):
    return [] if soup.html and soup.html.get("lang") else ["<html> has no lang"]


def unresolved(soup):
    """Marks of the source that a reader should never see, such as a {ref} or a ??."""
    text = soup_of(str(soup.body or soup))
    for tag in text.select("pre, code, script, style, .math"):
        tag.decompose()
    return [f"unresolved: {mark}" for mark in UNRESOLVED.findall(text.get_text())]


def dead_links(pages, files):
    """Links to a page, file or id that the book does not have.

    `pages` maps a page's name to its soup, `files` names all files of the book.
    """
    ids = {name: {tag["id"] for tag in soup.find_all(id=True)} for name, soup in pages.items()}
    problems = []
    for name, soup in pages.items():
        for link in soup.select("a[href]"):
            href = urlsplit(link["href"])
            if href.scheme or href.netloc:
                continue
            target = name
            if href.path:
                target = os.path.normpath(os.path.join(os.path.dirname(name), unquote(href.path)))
                target = target.lstrip("/")  # 404.html starts at the book's root
                target = target.replace(os.sep, "/")
            fragment = unquote(href.fragment).partition("?")[0]  # behind ?: a playground's state
            if target not in files or (fragment and fragment not in ids.get(target, {fragment})):
                problems.append(f"{name}: dead link {link['href']}")
    return problems


PAGE_CHECKS = [remote_in_page, bad_images, no_language, unresolved]


# The book itself


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Return the folder of the built pages."""
    if "BOOK_HTML" in os.environ:
        return ROOT / os.environ["BOOK_HTML"]
    out = tmp_path_factory.mktemp("book")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "--path-output", out]
    subprocess.run([*command, "-W", "-n", "--keep-going"], check=True)
    return out / "_build" / "html"


@pytest.fixture(scope="module")
def pages(book):
    """Return the soup of every page by its name."""
    return {
        path.relative_to(book).as_posix(): read(path)
        for path in sorted(book.rglob("*.html"))
        if "_static" not in path.parts
    }


def test_every_chapter_is_built(pages):
    chapters = {f"chapters/{path.stem}.html" for path in (ROOT / "chapters").glob("*.md")}
    assert chapters and chapters <= set(pages), "a chapter is missing from _toc.yml"


@pytest.mark.parametrize("check", PAGE_CHECKS)
def test_pages(pages, check):
    problems = {name: check(soup) for name, soup in pages.items()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_style_sheets(book):
    problems = {path.name: remote_in_css(path.read_text("utf-8")) for path in book.rglob("*.css")}
    assert problems
    assert {name: found for name, found in problems.items() if found} == {}


def test_links(book, pages):
    files = {path.relative_to(book).as_posix() for path in book.rglob("*") if path.is_file()}
    assert dead_links(pages, files) == []


def test_mathematics_is_in_the_pages(pages):
    """Every formula is set, with MathML for those who listen; nothing is left for a script."""
    assert (
        sum(len(soup.select(".math > .katex, .math > .katex-display")) for soup in pages.values())
        > 300
    )
    for name, soup in pages.items():
        assert all(tag.select_one(".katex-mathml math") for tag in soup.select(".math")), name
        text = soup_of(str(soup.select_one("article") or ""))
        for tag in text.select("pre, code, script, annotation"):
            tag.decompose()
        assert not re.search(r"\\\(|\\\[|\$[^$]+\$", text.get_text()), name


def test_size(book):
    """The whole book; the first visit to a page is weighed in test_pages_browser.py."""
    assert sum(path.stat().st_size for path in book.rglob("*") if path.is_file()) < 25e6


def forbidden(soup):
    """What the policy of bookbuild/serve.py forbids a page."""
    problems = [f"handler in the page: {tag.name}" for tag in soup.find_all(onclick=True)]
    for tag in soup.find_all("script", src=False):
        if tag.get("type") != "application/json":
            problems.append(f"script in the page: {tag.text[:40]}")
    problems += [f"data in an address: {tag.name}" for tag in soup.select("[src^='data:']")]
    return problems


def test_pages_keep_a_strict_policy(book, pages):
    problems = {name: forbidden(soup) for name, soup in pages.items()}
    assert {name: found for name, found in problems.items() if found} == {}
    assert not re.search(r"""url\(["']?data:""", (book / "_static/book.css").read_text("utf-8"))


def test_what_the_theme_adds_for_others_is_gone(pages):
    """A newer theme may bring it back under another name; then this says so."""
    for name, soup in pages.items():
        assert len(soup.select("link[rel=stylesheet]")) == 1, name
        assert len(soup.find_all("h1")) == 1, name
        assert not soup.select("[class*='fa-'], script[src*='fontawesome']"), name


def test_no_two_parts_of_a_page_have_one_name(pages):
    for name, soup in pages.items():
        names = [tag["id"] for tag in soup.find_all(id=True)]
        assert sorted(names) == sorted(set(names)), name


def test_every_page_describes_itself(pages):
    for name in pages.keys() - {"search.html", "404.html"}:
        soup = pages[name]
        said = soup.select_one("meta[name=description]")["content"]
        assert 20 <= len(said) <= 200, name


def test_headings_stand_in_order(pages):
    for name, soup in pages.items():
        levels = [int(tag.name[1]) for tag in soup.select("main :is(h1, h2, h3, h4, h5, h6)")]
        assert levels[0] == 1, name
        assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False)), name


# The checks themselves

GOOD = """<html lang="en"><head><script src="_static/a.js"></script>
<script>window.MathJax = {"options": {}} // a comment</script>
<style>p { background: url("_static/a.png") }</style></head>
<body><a href="https://example.org">out</a> <a href="#here">in</a><p id="here">{x} = a?</p>
<pre>{ref}`x` ??</pre><span class="math">\\ref{x}</span>
<div class="cell_output"><figure id="fig"><img src="a.png" alt="A line that falls to the right.">
<figcaption><span class="caption-number">Fig. 1</span><span class="caption-text">The loss</span>
</figcaption></figure></div></body></html>"""


def test_good_page_passes():
    soup = soup_of(GOOD)
    assert [check(soup) for check in PAGE_CHECKS] == [[]] * len(PAGE_CHECKS)
    assert dead_links({"index.html": soup}, {"index.html"}) == []


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example.org/a.js"></script>',
        '<script src="//cdn.example.org/a.js"></script>',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<link rel="preload" href="https://example.org/a.woff2">',
        '<link rel="icon" href="https://example.org/a.ico">',
        '<img src="http://example.org/a.png">',
        '<img srcset="a.png 1x, https://example.org/b.png 2x">',
        '<iframe src="https://example.org"></iframe>',
        '<video poster="https://example.org/a.png"></video>',
        '<video><source src="https://example.org/a.mp4"></video>',
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(//example.org/a.png)"></p>',
        '<script>window.MathJax = {"loader": {"paths": {"a": "https://example.org"}}}</script>',
        "<script>fetch('//example.org/a.json')</script>",
    ],
)
def test_finds_request_to_another_host(html):
    assert remote_in_page(soup_of(html))


@pytest.mark.parametrize(
    ("css", "remote"),
    [
        ("@import url(https://example.org/a.css);", True),
        ('@import "//example.org/a.css";', True),
        ("a { src: url( 'http://example.org/a.woff' ) }", True),
        ('@import "../basic.css";', False),
        (
            """a { src: url("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>") }""",
            False,
        ),
        ("/* see https://example.org */", False),
    ],
)
def test_finds_request_in_style_sheet(css, remote):
    assert bool(remote_in_css(css)) == remote


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('alt="A line that falls to the right."', ""),
        ('alt="A line that falls to the right."', 'alt=""'),
        ('alt="A line that falls to the right."', 'alt="A falling line"'),
        (">The loss<", ">A line that falls to the right.<"),
        (">The loss<", "> <"),
        ("caption-number", "other"),
        ("caption-text", "other"),
        ("<figure id", "<div id"),
    ],
)
def test_finds_bad_image(old, new):
    drawn = GOOD.replace('<img src="a.png"', '<svg class="lab-figure"').replace(
        "alt=", "aria-label="
    )
    for page, tell in ((GOOD, "alt="), (drawn, "aria-label=")):
        gone, come = (text.replace("alt=", tell) for text in (old, new))
        assert not bad_images(soup_of(page)) and gone in page
        assert bad_images(soup_of(page.replace(gone, come)))


def test_finds_image_without_alt_outside_figures():
    assert bad_images(soup_of('<img src="logo.png">'))


@pytest.mark.parametrize(
    "html",
    [
        "<script>a()</script>",
        '<button onclick="a()"></button>',
        '<img src="data:image/png;base64,AAAA">',
    ],
)
def test_finds_what_a_strict_policy_forbids(html):
    assert forbidden(soup_of(html))
    assert not forbidden(soup_of('<script type="application/json">{}</script>'))


def test_finds_missing_language():
    assert no_language(soup_of("<html></html>"))
    assert no_language(soup_of('<html lang=""></html>'))


@pytest.mark.parametrize(
    "mark",
    ["{ref}`a`", "{numref}`fig-a`", "{prf:ref}`a`", "Fig. ??", "[?]", "\\eqref{a}", "::: {note}"],
)
def test_finds_unresolved_mark(mark):
    assert unresolved(soup_of(f"<body><p>See {mark}.</p></body>"))


@pytest.mark.parametrize("href", ["#gone", "gone.html", "b.html#gone", "#gone?x=1", "../b.html"])
def test_finds_dead_link(href):
    pages = {"a.html": soup_of(f'<a href="{href}">'), "b.html": soup_of('<p id="here">')}
    assert dead_links(pages, set(pages)) == [f"a.html: dead link {href}"]


@pytest.mark.parametrize(
    "href", ["#", "", "b.html", "b.html#here", "b.html#here?x=1", "c/d.png", "mailto:a@b.c"]
)
def test_accepts_live_link(href):
    pages = {"a.html": soup_of(f'<a href="{href}">'), "b.html": soup_of('<p id="here">')}
    assert dead_links(pages, {*pages, "c/d.png"}) == []
