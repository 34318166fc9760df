"""The first mention of a glossary term on each page becomes a link that shows its meaning.

The text of a chapter stays as it is, and a term that is added to the glossary is linked at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

GLOSSARY = "reference/glossary"
WITHOUT = (GLOSSARY, "reference/api", "bibliography", "index")
# Where a link would be wrong or in the way: it is one already, or it is not running text.
CLOSED = (
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.title,
    nodes.caption,
    nodes.table,
    addnodes.pending_xref,
)


class Term(NamedTuple):
    """Where a term is explained, and the first sentence of it."""

    anchor: str
    meaning: str


def terms(glossary: nodes.document) -> dict[str, Term]:
    """Give the terms of the glossary page, in lower case."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        (definition,) = item.findall(nodes.definition)
        sentence = re.split(r"(?<=\.)\s", definition.astext().strip(), maxsplit=1)[0]
        meaning = "" if any(definition.findall(nodes.math)) and "\\" in sentence else sentence
        for term in item.findall(nodes.term):
            found[term.astext().lower()] = Term(term["ids"][0], meaning)
    return found


def link_first_mentions(page: nodes.document, known: Mapping[str, Term], address: str) -> None:
    """Replace the first mention of each term, plurals too, in a page's running text by a link."""
    longest_first = sorted(known, key=len, reverse=True)
    mention = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})(?:e?s)?\b", re.IGNORECASE)
    used: set[str] = set()
    for text in list(page.findall(nodes.Text)):
        if is_running_text(text):
            text.parent.replace(text, linked(text.astext(), mention, known, used, address))


def is_running_text(text: nodes.Text) -> bool:
    """Whether a text stands in a paragraph, and in nothing that is closed to links."""
    inside: nodes.Element | None = text.parent
    paragraph = False
    while inside is not None:
        if isinstance(inside, CLOSED) or "cell_output" in inside.get("classes", []):
            return False
        paragraph = paragraph or isinstance(inside, nodes.paragraph)
        inside = inside.parent
    return paragraph


def linked(
    text: str, mention: re.Pattern[str], known: Mapping[str, Term], used: set[str], address: str
) -> list[nodes.Node]:
    """Cut a text at the terms that are mentioned for the first time."""
    pieces: list[nodes.Node] = []
    at = 0
    for match in mention.finditer(text):
        name = match[1].lower()
        if name in used:
            continue
        used.add(name)
        link = nodes.reference("", match[0], internal=True, classes=["glossary-term"])
        link["refuri"] = f"{address}#{known[name].anchor}"
        if known[name].meaning:
            link["reftitle"] = known[name].meaning
        pieces += [nodes.Text(text[at : match.start()]), link]
        at = match.end()
    return [piece for piece in [*pieces, nodes.Text(text[at:])] if piece.astext()]


def link_page(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link a page's terms, when the book has a glossary."""
    if app.builder.format == "html" and docname not in WITHOUT and GLOSSARY in app.env.found_docs:
        address = app.builder.get_relative_uri(docname, GLOSSARY)
        link_first_mentions(doctree, terms(app.env.get_doctree(GLOSSARY)), address)
