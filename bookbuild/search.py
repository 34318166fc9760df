"""What the search looks through: the words of each section, its heading and its address.

Sphinx's own index knows words by page and shows no sentence of it, unless it may fetch the pages,
which a page on a disk may not. _static/search.js searches this list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path

from lxml import html

Element = html.HtmlElement
SILENT = "pre, summary, script, style, svg, .katex-mathml, .headerlink, .cell_output, button"


def write(pages: Mapping[str, Element], target: Path) -> None:
    """Write the sections of all pages, by the pages' addresses, as a script that holds them."""
    found = [row for name, page in pages.items() for row in sections(name, page)]
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    target.write_text(f"window.bookSections = {text};\n", encoding="utf-8")


def sections(name: str, page: Element) -> Iterator[tuple[str, str, str, str]]:
    """Give address, title of the page, heading and words of each section of a page."""
    title = ""
    for section in page.cssselect("article section"):
        own = deepcopy(section)
        for part in own.cssselect(f"section section, {SILENT}"):
            part.drop_tree()
        for heading in own.xpath("./h1 | ./h2 | ./h3 | ./h4")[:1]:
            said = words(heading)
            heading.drop_tree()
            title = title or said
            yield f"{name}#{section.get('id')}", title, said, words(own)


def words(tag: Element) -> str:
    """Return the text of a tag in one line."""
    for term in tag.iter("dt", "td", "th", "li", "p"):
        term.tail = f" {term.tail or ''}"
    return " ".join(tag.text_content().split())
