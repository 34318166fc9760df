"""TeX formulas as MathML, which browsers and screen readers know by themselves.

Pandoc converts them, all in one call. What is added here is what its MathML leaves to the reader's
eye: the thin spaces of TeX around functions, full-size fractions in aligned equations, and classes
in place of styles, which a strict Content-Security-Policy forbids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree

import pypandoc

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
APPLY = "\u2061"  # pandoc writes it after the name of a function
ElementTree.register_namespace("", NAMESPACE)


def tag(name: str) -> str:
    """Give the name of an element as ElementTree writes it."""
    return f"{{{NAMESPACE}}}{name}"


NO_SPACE = (tag("mo"), tag("mspace"))
SCRIPTS = tuple(map(tag, ("msub", "msup", "msubsup", "munder", "mover", "munderover")))


class Formula(NamedTuple):
    """A formula in TeX; `display` is True for one on a line of its own."""

    tex: str
    display: bool


class MathError(ValueError):
    """A formula that pandoc cannot convert."""


def convert(formulas: Iterable[Formula]) -> dict[Formula, str]:
    """Give the MathML of each formula.

    Raises
    ------
    MathError
        A command that pandoc does not know, or braces that do not match; it names the formula.
    """
    wanted = list(dict.fromkeys(formulas))
    if not wanted:
        return {}
    kinds = {True: {"t": "DisplayMath"}, False: {"t": "InlineMath"}}
    blocks = [{"t": "Para", "c": [{"t": "Math", "c": [kinds[f.display], f.tex]}]} for f in wanted]
    document = json.dumps({"pandoc-api-version": [1, 23], "meta": {}, "blocks": blocks})
    options = ["--mathml", "--quiet", "--wrap=none"]
    html = pypandoc.convert_text(document, "html", format="json", extra_args=options)
    paragraphs = ElementTree.fromstring(f"<div>{html}</div>")
    found = {}
    for formula, paragraph in zip(wanted, paragraphs, strict=True):
        math = paragraph.find(tag("math"))
        if math is None:
            raise MathError(
                f"the formula {formula.tex!r} cannot be converted to MathML. Look for a command "
                "that pandoc does not know, or for braces that do not match."
            )
        found[formula] = polish(math)
    return found


def polish(math: ElementTree.Element) -> str:
    """Give pandoc's element as text: without the TeX in it, with TeX's spaces."""
    semantics = math[0]
    math[:] = [semantics[0]]
    for element in math.iter():
        if element.tag == tag("mi") and element.text == "∇":
            element.set("mathvariant", "normal")
        elif element.tag == tag("mtable"):
            element.set("displaystyle", "true")
            element.set("class", "tex-lines")
        elif element.tag == tag("mtd") and element.attrib.pop("style", None):
            element.set("class", f"tex-{element.attrib.pop('columnalign')}")
        if element.tag in (tag("math"), tag("mrow"), tag("mtd")) and not is_function(element):
            space_functions(element)
        for script in element[1:] if element.tag in SCRIPTS else ():
            for sign in script.iter(tag("mo")):
                sign.attrib.update(lspace="0", rspace="0")
    return ElementTree.tostring(math, encoding="unicode")


def is_function(element: ElementTree.Element) -> bool:
    """Whether this is the name of a function, perhaps with an index or an exponent."""
    if element.tag in SCRIPTS:
        element = element[0]
    return len(element) == 2 and element[1].text == APPLY


def space_functions(row: ElementTree.Element) -> None:
    """Put a thin space between a function and its neighbours, but for operators and brackets."""
    spaced: list[ElementTree.Element] = []
    for element in list(row):
        before = spaced[-1] if spaced else None
        if before is not None and is_function(before) and element.tag not in NO_SPACE:
            spaced.append(thin_space())
        elif before is not None and is_function(element) and ends_a_term(before):
            spaced.append(thin_space())
        spaced.append(element)
    row[:] = spaced


def ends_a_term(element: ElementTree.Element) -> bool:
    """Whether a function that follows is multiplied: 2 ln x, but not 1 + ln x."""
    return element.tag not in NO_SPACE or element.get("form") == "postfix"


def thin_space() -> ElementTree.Element:
    """Give TeX's thin space, a sixth of an em."""
    return ElementTree.Element(tag("mspace"), width="0.167em")
