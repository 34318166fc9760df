"""The slider in a real browser: mouse, keyboard, what is said, themes, phone, without scripts.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the chapter in it is tried as well.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from labsupport.widgets import slider
from tests.conftest import broken_rules

ROOT = Path(__file__).parent.parent
CHAPTER = "chapters/12-step-size.html"
STATIC = ROOT / "labsupport" / "widgets"
A = np.array([[5.0, -2.0], [-2.0, 2.0]])
SHARES = (0.1, 0.5, 0.8, 0.95, 1.0, 1.05, 1.2)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made():
    start, minimum = np.array([-1.0, 3.0]), np.zeros(2)
    problem = slider.Problem(lambda x: 0.5 * x @ A @ x, lambda x: A @ x, 6.0, start, minimum)
    return slider.Slider("A quadratic", problem, SHARES)


@pytest.fixture(scope="module")
def address(made, tmp_path_factory):
    """Return the address of a page with two sliders, of the size of a page of the book."""
    path = tmp_path_factory.mktemp("slider") / "page.html"
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Steps</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>html[data-theme=dark] { background: #14181e; color: #ced6dd }</style>"
        f'<link rel="stylesheet" href="{(STATIC / "slider.css").as_uri()}">'
        f'<script src="{(STATIC / "slider.js").as_uri()}"></script></head>'
        f"<body><main><h1>Steps</h1>{made._repr_html_()}{made._repr_html_()}</main></body></html>",
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.fixture(scope="module")
def chapter_address(built):
    return built(CHAPTER)


@pytest.fixture
def open_page(visit, address):
    return lambda where=address, **options: visit(where, **options)


def box_of(page, n=0):
    return page.locator(".lab-slider").nth(n)


def points(locator, drawing):
    """The drawn points of a path, in the drawing's own units."""
    text = locator.locator("svg").nth(drawing).locator(".lab-slider-path").get_attribute("points")
    return np.array([[float(v) for v in pair.split(",")] for pair in text.split()])


def test_two_sliders_stand_on_one_page_and_are_apart(open_page):
    page = open_page()
    assert page.get_by_role("slider", name="Step α").count() == 2
    before = box_of(page, 1).locator("output").inner_text()
    box_of(page, 0).get_by_role("slider").press("End")
    assert box_of(page, 1).locator("output").inner_text() == before
    assert "runs away" in box_of(page, 0).locator("output").inner_text()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_keyboard_goes_through_all_steps(open_page, made):
    page = open_page()
    box = box_of(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("Home")
    for n, walk in enumerate(made.walks):
        said = box.locator("output").inner_text()
        assert f"the loss {walk.outcome}" in said
        assert f"a step of {walk.step:.4g}, {walk.share:.3g} of 2/L" in said
        heard = box.get_by_role("slider").get_attribute("aria-valuetext")
        assert heard == f"{walk.step:.4g}, {walk.share:.3g} of 2/L"
        assert box.locator(".lab-slider-value").inner_text().startswith(f"{walk.step:.4g} = ")
        cells = box.locator("tbody tr").nth(n).locator("td").all_text_contents()
        assert f"after 10 steps: {cells[1]}; after 40: {cells[2]}." in said
        page.keyboard.press("ArrowRight")
    assert box.locator("output").inner_text() == said  # there is no step after the last
    page.keyboard.press("Home")
    assert made.walks[0].outcome in box.locator("output").inner_text()


def test_mouse_moves_the_step(open_page, made):
    page = open_page()
    box = box_of(page)
    place = box.get_by_role("slider").bounding_box()
    page.mouse.click(place["x"] + place["width"] - 4, place["y"] + place["height"] / 2)
    assert f"the loss {made.walks[-1].outcome}" in box.locator("output").inner_text()
    page.mouse.move(place["x"] + place["width"] - 8, place["y"] + place["height"] / 2)
    page.mouse.down()
    page.mouse.move(place["x"] + 4, place["y"] + place["height"] / 2, steps=5)
    page.mouse.up()
    assert f"the loss {made.walks[0].outcome}" in box.locator("output").inner_text()


def test_what_is_said_is_announced(open_page):
    output = box_of(open_page()).locator("output")
    assert output.get_attribute("aria-live") == "polite"


def test_drawings_show_the_numbers(open_page, made):
    """A path is its numbers on a straight scale, to the right and upwards."""
    page = open_page()
    box = box_of(page)
    box.get_by_role("slider").press("Home")
    for n, walk in enumerate(made.walks[:5]):
        for drawing, expected in ((0, walk.path), (1, np.column_stack([np.arange(41), walk.gap]))):
            drawn = points(box, drawing)
            if drawing == 1:
                shown = walk.gap > 1e-6
                x, y = np.arange(41)[shown], np.log10(walk.gap[shown])
                drawn = drawn[shown]
            else:
                x, y = expected.T
            for data, places, way in ((x, drawn[:, 0], 1), (y, drawn[:, 1], -1)):  # y goes down
                slope, offset = np.polyfit(data, places, 1)
                assert way * slope > 1
                assert np.abs(places - (slope * data + offset)).max() < 0.6
        assert n == box.locator("tbody tr").evaluate_all(
            "(rows) => rows.findIndex((row) => row.classList.contains('lab-slider-here'))"
        )
        box.get_by_role("slider").press("ArrowRight")


def test_table_is_folded_with_scripts_and_opens(open_page):
    box = box_of(open_page())
    assert not box.locator("table").is_visible()
    box.locator("summary").press("Enter")
    assert box.locator("table").is_visible()
    assert box.locator("tbody tr").count() == len(SHARES)


def test_without_scripts_the_table_is_there(open_page, made):
    page = open_page(java_script_enabled=False)
    assert page.locator("table").first.is_visible()
    text = page.locator("table").first.inner_text()
    assert all(walk.outcome in text and f"{walk.step:.4g}" in text for walk in made.walks)
    assert page.get_by_role("slider").count() == 0
    assert '"walks"' not in page.locator("main").inner_text()


def test_a_phone_needs_no_sideways_scrolling(open_page):
    page = open_page(viewport={"width": 360, "height": 740})
    box_of(page).locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    places = [box_of(page).locator("svg").nth(n).bounding_box() for n in (0, 1)]
    assert places[1]["y"] > places[0]["y"] + places[0]["height"] - 1  # one under the other
    assert box_of(page).get_by_role("slider").bounding_box()["height"] >= 24


def test_nothing_moves_by_itself_and_nothing_jumps(open_page):
    page = open_page(reduced_motion="reduce")
    box = box_of(page)
    tops = set()
    for key in ("Home", *["ArrowRight"] * len(SHARES)):
        box.get_by_role("slider").press(key)
        tops.add(box.locator("svg").first.bounding_box()["y"])
        assert page.evaluate("document.getAnimations().length") == 0
    assert len(tops) == 1


def contrast(one, other):
    def light(colour):
        parts = np.array([int(v) for v in re.findall(r"\d+", colour)[:3]]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


# The colour of a line, and of the nearest ground behind it that is not transparent.
COLOURS = """(e) => {
  let at = e, ground;
  do {
    at = at.parentElement;
    ground = at ? getComputedStyle(at).backgroundColor : "rgb(255, 255, 255)";
  } while (ground === "rgba(0, 0, 0, 0)");
  return [getComputedStyle(e).stroke, ground];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_marks_stand_out(open_page, theme):
    page = open_page()
    page.evaluate("(theme) => document.documentElement.setAttribute('data-theme', theme)", theme)
    for name in ("path", "start", "minimum"):
        mark = box_of(page).locator(f".lab-slider-{name}").first
        assert contrast(*mark.evaluate(COLOURS)) >= 3


def test_no_rule_of_accessibility_is_broken(open_page):
    page = open_page()
    box_of(page).locator("summary").click()
    assert broken_rules(page, ".lab-slider") == ""


@pytest.mark.book
def test_chapter_by_keyboard_and_mouse(open_page, chapter_address):
    page = open_page(chapter_address)
    for n, (first, last) in enumerate([("down one side", "runs away"), ("down one side", "hops")]):
        box = box_of(page, n)
        handle = box.get_by_role("slider")
        handle.press("End")
        assert last in box.locator("output").inner_text()
        place = handle.bounding_box()
        page.mouse.click(place["x"] + 4, place["y"] + place["height"] / 2)
        assert first in box.locator("output").inner_text()
        handle.press("ArrowRight")
        handle.press("ArrowLeft")
    assert page.url == chapter_address  # the arrow keys turned no page


@pytest.mark.book
def test_chapter_without_scripts(open_page, chapter_address):
    page = open_page(chapter_address, java_script_enabled=False)
    tables = page.locator(".lab-slider table")
    assert tables.count() == 2
    for table in tables.all():
        assert table.is_visible()
        assert table.locator("tbody tr").count() > 10


@pytest.mark.book
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_chapter_can_be_read(open_page, chapter_address, width, scheme):
    size = {"width": width, "height": 800}
    page = open_page(chapter_address, color_scheme=scheme, viewport=size)
    for n in (0, 1):
        box_of(page, n).locator("summary").click()
        for name in ("path", "start", "minimum"):
            mark = box_of(page, n).locator(f".lab-slider-{name}").first
            assert contrast(*mark.evaluate(COLOURS)) >= 3
        table = box_of(page, n).locator("table")
        assert table.evaluate("(t) => t.offsetWidth <= t.closest('.text_html').clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert broken_rules(page, ".lab-slider") == ""
