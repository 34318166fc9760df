"""The built pages in Firefox and in WebKit, the engine of Safari: opened, read, and used.

What the pages do in full is tried in Chromium; here each living part is tried once in the others.
"""

import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import test_buttons_browser
from tests.engines import Firefox, MissingBrowser, WebKit

ROOT = Path(__file__).parent.parent
PAGES = ["index", *re.findall(r"- file: (\S+)", (ROOT / "_toc.yml").read_text("utf-8"))]
# Formulas that a box around them cuts: at its foot or head, or at a side to which it cannot scroll.
CUT = """
const cut = [];
for (const formula of document.querySelectorAll("article .katex-html .base")) {
  const spot = formula.getBoundingClientRect();
  if (!spot.width) continue;  // folded away
  let scrolls = false;
  for (let box = formula; box.localName !== "article"; box = box.parentElement) {
    const style = getComputedStyle(box), edge = box.getBoundingClientRect();
    const over = (way) => style["overflow" + way] !== "visible";
    const tall = over("Y") && (spot.top < edge.top - 1 || spot.bottom > edge.bottom + 1);
    scrolls ||= /auto|scroll/.test(style.overflowX);
    const wide = over("X") && !scrolls && spot.right > edge.right + 1;
    if (tall || wide) cut.push(formula.textContent.slice(0, 40) + " by " + box.className);
  }
}
return cut;"""

OPENED = "document.querySelectorAll('article details').forEach((d) => { d.open = true; })"

pytestmark = [pytest.mark.book, pytest.mark.slow]


@pytest.fixture(scope="module", params=[Firefox, WebKit], ids=["firefox", "webkit"])
def engine(request):
    try:
        started = request.param()
    except MissingBrowser as missing:
        if "ALL_BROWSERS" in os.environ:  # as in .ci/run, which installs them
            raise
        pytest.skip(str(missing))
    yield started
    started.close()


@pytest.fixture
def sized(engine, built):
    """The chapter of test_buttons_browser at a width, with the four things that it asks for."""
    if not isinstance(engine, Firefox):
        pytest.skip("the driver of WebKit's window has no width of a phone")

    def opened(width):
        engine.open(built(test_buttons_browser.CHAPTER), width, 844)
        keys, mouse = SimpleNamespace(press=engine.press), SimpleNamespace(click=engine.point)
        evaluate = lambda script: engine.run(f"return ({script});")  # noqa: E731
        return SimpleNamespace(evaluate=evaluate, keyboard=keys, mouse=mouse)

    return opened


@pytest.mark.parametrize("width", test_buttons_browser.WIDTHS)
def test_every_button_opens_its_part(sized, width):
    test_buttons_browser.test_every_button_opens_its_part(sized, width)


def until(engine, condition):
    """Wait for what a script says of the page."""
    end = time.monotonic() + 10
    while not engine.run(f"return {condition};"):
        assert time.monotonic() < end, f"never so: {condition}"
        time.sleep(0.05)


def part(engine, built, chapter, selector):
    """Open a chapter in which a living part has come to life."""
    engine.open(built(f"chapters/{chapter}.html"))
    until(engine, f"document.querySelector({selector!r}) !== null")
    engine.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")


def text(engine, selector):
    return engine.run("return document.querySelector(arguments[0]).innerText", selector)


def test_every_page_opens_and_cuts_no_formula(engine, built):
    pages = PAGES if isinstance(engine, Firefox) else PAGES[::4]
    found = {}
    for name in pages:
        engine.open(built(f"{name}.html"), engine.narrowest, 844)
        engine.run(OPENED)
        until(engine, "[...document.images].every((i) => i.loading === 'lazy' || i.naturalWidth)")
        sideways = engine.run("return document.documentElement.scrollWidth - innerWidth")
        found[name] = [*engine.problems(), *engine.run(CUT)] + ["sideways"] * (sideways > 0)
    assert {name: what for name, what in found.items() if what} == {}


def test_a_formula_that_is_cut_is_found(engine, built):
    engine.open(built("chapters/02-pseudocode.html"))
    assert engine.run(CUT) == []
    style = "article .math { display: inline-block !important; height: 0.3em;"
    style += " overflow: hidden !important }"
    engine.run(
        "document.head.append(Object.assign(document.createElement('style'), arguments[0]))",
        {"textContent": style},
    )
    assert len(engine.run(CUT)) > 20


def test_the_fonts_of_formulas_are_the_books(engine, built):
    engine.open(built("chapters/07-four-equations.html"))
    until(engine, "document.fonts.status === 'loaded'")
    loaded = "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    families = {name.strip("\"'") for name in engine.run(f"return {loaded}")}
    assert {"KaTeX_Main", "KaTeX_Math"} <= families


def test_the_theme_changes(engine, built):
    engine.open(built("index.html"))
    seen = set()
    for _ in range(3):
        seen.add(engine.run("return document.documentElement.dataset.mode"))
        engine.click(".theme-switch-button")
    assert seen == {"auto", "light", "dark"}


def test_the_contents_open_and_close(engine, built):
    engine.open(built("chapters/05-backtracking.html"), 768, 900)
    for _ in range(2):
        engine.click("button.secondary-toggle")
        until(engine, "document.querySelector('dialog[open] .toc-entry') !== null")
        engine.press("Escape")
        until(engine, "document.querySelector('dialog[open]') === null")


def test_a_circuit_is_stepped_and_nudged(engine, built):
    part(engine, built, "02-pseudocode", ".circuit button")
    before = text(engine, ".circuit-status")
    next_one = "return [...document.querySelector('.circuit').querySelectorAll('button')]"
    engine.run(next_one + ".find((b) => b.textContent === 'Next').focus()")
    engine.press("Enter")
    assert before.startswith("Step 1 ") and text(engine, ".circuit-status").startswith("Step 2 ")
    engine.press("End")
    engine.run(next_one + ".find((b) => b.textContent === '+0.1').click()")
    until(engine, "/Slope × nudge is/.test(document.querySelector('.circuit output').innerText)")


def test_a_film_shows_its_last_frame(engine, built):
    part(engine, built, "03-numpy-backprop", ".lab-film input[type=range]")
    assert text(engine, ".lab-film-at") == "1 of 15"
    engine.run("document.querySelector('.lab-film input[type=range]').focus()")
    engine.press("End")
    assert text(engine, ".lab-film-at") == "15 of 15"


def test_the_stepper_steps(engine, built):
    part(engine, built, "07-four-equations", ".stepper button")
    buttons = "[...document.querySelector('.stepper').querySelectorAll('button')]"
    engine.run(f"{buttons}.find((b) => b.textContent === 'Next').focus()")
    engine.press("Enter")
    assert engine.run(
        "return document.querySelector('.stepper [role=status]').textContent"
    ).startswith("Step 2 ")


def test_the_knobs_turn(engine, built):
    part(engine, built, "14-momentum", ".knobs input[type=range]")
    before = text(engine, ".knobs output")
    engine.run("document.querySelector('.knobs input[type=range]').focus()")
    engine.press("ArrowRight")
    assert text(engine, ".knobs output") != before


def test_a_prediction_is_kept(engine, built):
    part(engine, built, "01-aim", ".prediction input")
    engine.run("document.querySelector('.prediction input').focus()")
    engine.write("0.7")
    engine.open(built("chapters/01-aim.html"))
    until(engine, "document.querySelector('.prediction input')?.value === '0.7'")


def test_the_playground_trains(engine, built):
    part(engine, built, "playground", ".playground button")
    loss = "document.querySelector('.playground').playground.loss"
    before = engine.run(f"return {loss}")
    buttons = "[...document.querySelectorAll('.playground button')]"
    engine.run(f"{buttons}.find((b) => b.textContent === 'Train').focus()")
    engine.press("Enter")
    until(engine, f"{loss} < {before} - 0.05")
