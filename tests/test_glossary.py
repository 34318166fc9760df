"""The first mention of a term is linked, and nothing else."""

from docutils import nodes
from docutils.core import publish_doctree
from sphinx import addnodes

from bookbuild import glossary
from bookbuild.glossary import Term

KNOWN = {
    "gradient": Term("term-gradient", "All partial derivatives."),
    "gradient check": Term("term-gradient-check", "A comparison."),
    "XOR".lower(): Term("term-xor", ""),
    "bias": Term("term-bias", "What is added."),
}


def linked(source):
    page = publish_doctree(source)
    before = page.astext()
    glossary.link_first_mentions(page, KNOWN, "glossary.html")
    assert page.astext() == before
    return [(link.astext(), link["refuri"]) for link in page.findall(nodes.reference)]


def test_the_first_mention_is_linked_and_only_that():
    found = linked("A gradient is a gradient.\n\nNo more gradient here.")
    assert found == [("gradient", "glossary.html#term-gradient")]


def test_the_longest_term_wins_and_the_shorter_waits():
    found = linked("Gradient checks compare; the gradient is what they check.")
    assert [text for text, _ in found] == ["Gradient checks", "gradient"]


def test_a_term_that_stands_alone_in_italics_is_linked():
    assert [text for text, _ in linked("The *gradient* and the *bias*.")] == ["gradient", "bias"]


def test_parts_of_words_are_no_terms():
    assert linked("Gradiently, a xorist misgradients.") == []


def test_plurals_are_linked_to_their_last_letter_and_capitals_count():
    assert linked("Two biases, one bias.") == [("biases", "glossary.html#term-bias")]
    assert linked("Gradients of xor.") == [
        ("Gradients", "glossary.html#term-gradient"),
        ("xor", "glossary.html#term-xor"),
    ]


def test_titles_links_code_and_mathematics_are_left_alone():
    page = "Gradient\n========\n\n`the gradient <https://x>`_ ``gradient`` :math:`gradient`"
    assert [uri for _, uri in linked(page)] == ["https://x"]


def test_what_a_cell_printed_is_left_alone():
    output = nodes.container("", nodes.paragraph("", "gradient"), classes=["cell_output"])
    page = publish_doctree("")
    page += output
    glossary.link_first_mentions(page, KNOWN, "g")
    assert not list(page.findall(nodes.reference))


def test_the_meaning_is_the_first_sentence():
    page = publish_doctree("")
    item = nodes.definition_list_item()
    item += nodes.term("", "Dead unit", ids=["term-dead-unit"])
    item += nodes.definition("", nodes.paragraph("", "No gradient passes. It is off."))
    page += addnodes.glossary("", nodes.definition_list("", item))
    assert glossary.terms(page) == {"dead unit": Term("term-dead-unit", "No gradient passes.")}


def test_the_meaning_is_shown():
    page = publish_doctree("the gradient, and XOR")
    glossary.link_first_mentions(page, KNOWN, "g")
    assert [link.get("reftitle") for link in page.findall(nodes.reference)] == [
        "All partial derivatives.",
        None,
    ]
