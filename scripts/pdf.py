"""Print the built book as one PDF: its pages in their order, contents with page numbers, bookmarks.

python -m scripts.pdf _build/html _build/book.pdf

The pages are put into one document, so that every link within the book leads to its place on paper.
No script runs in it: a worked example shows all its steps, a film all its frames.
"""

from __future__ import annotations

import io
import re
import sys
from copy import deepcopy
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import urlsplit

from lxml import html
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

from scripts import browser as browsers

Element = html.HtmlElement
STYLE = """
.paper { break-before: page; }
.paper-contents ul { flex-direction: column; }
.paper-contents li { display: flex; gap: 0.5em; }
.paper-contents li::before { content: none; }
.paper-contents .caption { font-weight: bold; margin: 1em 0 0; }
.paper-contents a { flex: 1; }
.paper-number { font-variant-numeric: tabular-nums; min-width: 2em; text-align: right; }
"""
LEFT_OUT = "Folded cells and solutions are not printed; they are in the pages and the notebooks."


def read(path: Path) -> Element:
    """Return a page of the book."""
    return html.document_fromstring(path.read_text("utf-8"))


def order(book: Element) -> list[str]:
    """Return the names of all pages, as the sidebar of the cover lists them; the cover is first."""
    links = book.cssselect("nav.bd-links a.reference.internal")
    return list(
        dict.fromkeys(normpath(urlsplit(a.get("href")).path or "index.html") for a in links)
    )


def place(name: str, part: str = "") -> str:
    """Return the name on paper of a part of a page."""
    return re.sub(r"[^\w-]", "-", name.removesuffix(".html")) + (f"--{part}" if part else "")


def rename(part: Element, page: str, pages: list[str], folder: Path) -> Element:
    """Give a part of a page names that no other page has, and addresses that hold elsewhere."""
    for tag in part.xpath(".//script | .//*[@loading]"):
        if tag.tag == "script":
            tag.drop_tree()
        else:
            del tag.attrib["loading"]
    for tag in part.iter("*"):
        for key, value in tag.items():
            if key == "id":
                tag.set(key, place(page, value))
            elif "url(#" in value:
                tag.set(key, value.replace("url(#", f"url(#{place(page)}--"))
            elif key in ("href", "src") and not urlsplit(value).scheme:
                address = urlsplit(value)
                file = normpath(join(dirname(page), address.path)) if address.path else page
                if file in pages:
                    tag.set(key, "#" + place(file, address.fragment.partition("?")[0]))
                elif key == "src" or tag.tag in ("link", "image"):
                    tag.set(key, (folder / file).resolve().as_uri())
                else:  # a file of the book, which paper does not hold
                    del tag.attrib[key]
    return part


def compose(folder: Path, numbers: dict[str, int]) -> str:
    """Return the whole book as one page; `numbers` says on which page of paper a page begins."""
    book = read(folder / "index.html")
    book.set("data-theme", "light")
    pages = order(book)
    (article,) = book.cssselect("article")
    nav = rename(deepcopy(book.cssselect("nav.bd-links")[0]), "index.html", pages, folder)
    nav.set("class", "paper paper-contents")
    nav.insert(0, html.fromstring("<h1>Contents</h1>"))
    nav.append(html.fromstring(f"<p>{LEFT_OUT}</p>"))
    for link in nav.cssselect("a"):
        number = html.Element("span", {"class": "paper-number"})
        number.text = str(numbers.get(link.get("href").lstrip("#"), 0))
        link.addnext(number)
    parts = []
    for page in pages:
        (text,) = read(folder / page).cssselect("article")
        part = html.Element("section", {"id": place(page), "class": "paper"})
        part.extend(rename(text, page, pages, folder))
        parts.append(part)
    parts[0].set("class", "")
    parts.insert(1, nav)
    article[:] = parts
    for script in book.xpath("//script"):
        script.drop_tree()
    rename(book.head, "index.html", pages, folder)
    style = html.Element("style")
    style.text = STYLE
    book.head.append(style)
    return html.tostring(book, encoding="unicode", doctype="<!DOCTYPE html>")


def write(folder: Path, target: Path) -> int:
    """Write the PDF; return how many pages of paper it has."""
    whole = target.with_suffix(".html")
    target.parent.mkdir(parents=True, exist_ok=True)
    numbers: dict[str, int] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browsers.require(), args=["--no-sandbox"]
        )
        page = browser.new_page(color_scheme="light")
        page.set_default_timeout(300_000)
        try:
            for _ in range(2):  # the first time to see where each page begins
                whole.write_text(compose(folder, numbers), encoding="utf-8")
                page.goto(whole.resolve().as_uri())
                printed = page.pdf(prefer_css_page_size=True, outline=True, tagged=True)
                reader = PdfReader(io.BytesIO(printed))
                numbers = {
                    name.lstrip("/"): reader.get_destination_page_number(where) + 1
                    for name, where in reader.named_destinations.items()
                }
        finally:
            whole.unlink(missing_ok=True)
            browser.close()
    target.write_bytes(printed)
    return len(reader.pages)


if __name__ == "__main__":
    count = write(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{count} pages of paper are in {sys.argv[2]}")
