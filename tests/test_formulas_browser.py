"""Formulas on the pages as they are painted: nothing of one is cut off, nothing torn from it."""

import pytest

from tests.test_pages_browser import LISTED, OPENED

PLAIN = "* { content-visibility: visible !important; }"  # sections out of sight are laid out too
# A piece of text is painted where its font says, which is not where its box ends; it must lie in
# each box around it that cuts off. What can be scrolled to sideways is not cut off.
CUT = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  const found = [];
  for (const formula of document.querySelectorAll("article .katex-html")) {
    const boxes = [];
    for (let tag = formula; tag.tagName !== "ARTICLE"; tag = tag.parentElement) {
      const way = getComputedStyle(tag).overflowX;
      if (way !== "visible" && tag.clientWidth) boxes.push(tag);
      if (way === "auto" || way === "scroll") break; // what lies outside of it sees this box alone
    }
    const texts = document.createTreeWalker(formula, NodeFilter.SHOW_TEXT);
    while (boxes.length && texts.nextNode()) {
      const text = texts.currentNode, range = document.createRange();
      range.selectNodeContents(text);
      const at = range.getBoundingClientRect(), style = getComputedStyle(text.parentElement);
      pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      const ink = pen.measureText(text.data), line = at.top + ink.fontBoundingBoxAscent;
      if (!at.width) continue;
      for (const box of boxes) {
        const edge = box.getBoundingClientRect();
        const left = edge.left + box.clientLeft - box.scrollLeft, top = edge.top + box.clientTop;
        if (at.left - ink.actualBoundingBoxLeft < left - 1 ||
            at.left + ink.actualBoundingBoxRight > left + box.scrollWidth + 1 ||
            line - ink.actualBoundingBoxAscent < top - 1 ||
            line + ink.actualBoundingBoxDescent > top + box.clientHeight + 1)
          found.push(`${text.data} in ${formula.previousSibling.textContent}`);
      }
    }
  }
  return found;
}"""
# The character beside a formula stands on the line of its end, or it is a space or a dash.
TORN = """() => {
  const found = [];
  for (const formula of document.querySelectorAll("article span.math")) {
    const parts = formula.querySelectorAll(".base");
    const block = formula.closest("p, li, dd, dt, td, th, div, h1, h2, h3, figcaption");
    const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    const look = (text, from, part, below) => {
      const range = document.createRange();
      range.setStart(text, from);
      range.setEnd(text, from + 1);
      const sign = range.getBoundingClientRect(), end = part.getBoundingClientRect();
      if (end.width && sign.width && !/[\\s—–]/.test(range.toString()) &&
          (below ? sign.top > end.bottom - 2 : sign.bottom < end.top + 2))
        found.push(`${range} beside ${formula.querySelector("annotation").textContent}`);
    };
    let before = null, after = null;
    while (texts.nextNode()) {
      const text = texts.currentNode, where = formula.compareDocumentPosition(text);
      if (formula.contains(text) || !text.data) continue;
      if (where & Node.DOCUMENT_POSITION_PRECEDING) before = text;
      else { after = text; break; }
    }
    if (before) look(before, before.length - 1, parts[0], false);
    if (after) look(after, 0, parts[parts.length - 1], true);
  }
  return found;
}"""

pytestmark = [pytest.mark.book, pytest.mark.slow]


@pytest.fixture
def opened(visit, built):
    """A page with all its parts unfolded and its fonts loaded."""

    def at(name, width):
        page = visit(built(name), viewport={"width": width, "height": 800})
        page.add_style_tag(content=PLAIN)
        page.evaluate(OPENED)
        page.evaluate("document.fonts.ready")
        return page

    return at


@pytest.mark.parametrize("name", LISTED)
def test_no_formula_is_cut_or_torn(opened, name):
    page = opened(name, 1280)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CUT) == [], width
        assert page.evaluate(TORN) == [], width


def test_a_cut_or_torn_formula_is_found(opened):
    """Without glue, and in a box that is too low."""
    page = opened("chapters/09-gradient-check.html", 1280)
    page.add_style_tag(content=".bd-article .glued { white-space: normal; }")
    torn = []
    for width in range(320, 480, 8):  # at some of them a line ends with a formula
        page.set_viewport_size({"width": width, "height": 800})
        torn += page.evaluate(TORN)
    assert torn
    page.add_style_tag(content=".bd-article .katex-html { display: inline-block; height: 0.8em;"
                               " overflow: hidden; }")  # fmt: skip
    assert len(page.evaluate(CUT)) > 20


def test_a_formula_is_heard(opened):
    """What a screen reader is given: the mathematics, and not its drawing."""
    page = opened("chapters/07-four-equations.html", 1280)
    said = page.locator("div.math").first.aria_snapshot()
    assert said == "- text: (7.1)\n- math: D L = ∂ J ∂ A L ∘ g L ′ ( Z L )"


def test_a_long_equation_shows_where_it_is_cut(opened):
    """Its box is a stop of the keyboard and has a shaded edge; others have neither."""
    page = opened("chapters/14-momentum.html", 360)
    page.wait_for_timeout(100)
    boxes = page.evaluate("""[...document.querySelectorAll(".katex-display")].map((box) =>
      [box.scrollWidth > box.clientWidth + 1, box.tabIndex === 0,
       getComputedStyle(box).backgroundImage.includes("gradient")])""")
    assert {tuple(box) for box in boxes} == {(True,) * 3, (False,) * 3}
