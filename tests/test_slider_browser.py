"""The slider in a real browser: mouse, keyboard, what is said, themes, phone, without scripts.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the chapter in it is tried as well.
"""

import re

import numpy as np
import pytest

from tests.cases import repeated_ids, use_theme, width_of, write_page
from tests.conftest import broken_rules
from tests.test_slider import SHARES, shown

WALKS = shown().walks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a page with two sliders."""
    page = tmp_path_factory.mktemp("slider") / "page.html"
    return write_page(page, ("slider.css", "slider.js"), *[shown()._repr_html_()] * 2)


@pytest.fixture(scope="module")
def chapter_url(built):
    return built("chapters/13-step-size.html")


def box_of(page, n=0):
    return page.locator(".lab-slider").nth(n)


def handle(box):
    return box.get_by_role("slider", name="Step α")


def said(box):
    return box.locator("output").inner_text()


def points(box, drawing):
    """The drawn points of a path, in the drawing's own units."""
    path = box.locator("svg").nth(drawing).locator(".lab-slider-path")
    pairs = path.get_attribute("points").split()
    return np.array([[float(v) for v in pair.split(",")] for pair in pairs])


def test_two_sliders_stand_on_one_page_and_are_apart(visit, url):
    page = visit(url)
    assert handle(page).count() == 2
    before = said(box_of(page, 1))
    handle(box_of(page, 0)).press("End")
    assert said(box_of(page, 1)) == before
    assert "runs away" in said(box_of(page, 0))
    assert repeated_ids(page) == 0
    assert box_of(page).locator("output").get_attribute("aria-live") == "polite"


def test_keyboard_goes_through_all_steps(visit, url):
    page = visit(url)
    box = box_of(page)
    page.get_by_role("button", name="before").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("Home")
    for n, walk in enumerate(WALKS):
        step = f"{walk.step:.4g}, {walk.share:.3g} of 2/L"
        assert f"With a step of {step}, the loss {walk.outcome}" in said(box)
        assert handle(box).get_attribute("aria-valuetext") == step
        assert box.locator(".lab-slider-value").inner_text().startswith(f"{walk.step:.4g} = ")
        cells = box.locator("tbody tr").nth(n).locator("td").all_text_contents()
        assert f"after 10 steps: {cells[1]}; after 40: {cells[2]}." in said(box)
        page.keyboard.press("ArrowRight")
    assert WALKS[-1].outcome in said(box)  # there is no step after the last
    page.keyboard.press("Home")
    assert WALKS[0].outcome in said(box)


def test_mouse_moves_the_step(visit, url):
    page = visit(url)
    box = box_of(page)
    place = handle(box).bounding_box()
    middle = place["y"] + place["height"] / 2
    page.mouse.click(place["x"] + place["width"] - 4, middle)
    assert f"the loss {WALKS[-1].outcome}" in said(box)
    page.mouse.move(place["x"] + place["width"] - 8, middle)
    page.mouse.down()
    page.mouse.move(place["x"] + 4, middle, steps=5)
    page.mouse.up()
    assert f"the loss {WALKS[0].outcome}" in said(box)


def test_drawings_show_the_numbers(visit, url):
    """A path is its numbers on a straight scale, to the right and upwards."""
    box = box_of(visit(url))
    handle(box).press("Home")
    for n, walk in enumerate(WALKS[:5]):
        seen = walk.gap > 1e-6
        losses = np.column_stack([np.arange(41)[seen], np.log10(walk.gap[seen])])
        for expected, drawn in ((walk.path, points(box, 0)), (losses, points(box, 1)[seen])):
            for data, places, way in zip(expected.T, drawn.T, (1, -1), strict=True):  # y goes down
                slope, offset = np.polyfit(data, places, 1)
                assert way * slope > 1
                assert np.abs(places - (slope * data + offset)).max() < 0.6
        assert n == box.locator("tbody tr").evaluate_all(
            "(rows) => rows.findIndex((row) => row.classList.contains('lab-slider-here'))"
        )
        handle(box).press("ArrowRight")


def test_table_is_folded_with_scripts_and_plain_without(visit, url):
    box = box_of(visit(url))
    assert not box.locator("table").is_visible()
    box.locator("summary").press("Enter")
    assert box.locator("table").is_visible()
    page = visit(url, java_script_enabled=False)
    assert page.locator("table").first.is_visible()
    text = page.locator("table").first.inner_text()
    assert all(walk.outcome in text and f"{walk.step:.4g}" in text for walk in WALKS)
    assert handle(page).count() == 0
    assert '"walks"' not in page.locator("main").inner_text()


def test_phone(visit, url):
    page = visit(url, viewport={"width": 360, "height": 740})
    box_of(page).locator("summary").click()
    assert width_of(page) <= 360
    places = [box_of(page).locator("svg").nth(n).bounding_box() for n in (0, 1)]
    assert places[1]["y"] > places[0]["y"] + places[0]["height"] - 1  # one under the other
    assert handle(box_of(page)).bounding_box()["height"] >= 24


def test_nothing_moves_by_itself_and_nothing_jumps(visit, url):
    page = visit(url, reduced_motion="reduce")
    box, tops = box_of(page), set()
    for key in ("Home", *["ArrowRight"] * len(SHARES)):
        handle(box).press(key)
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


def check_colours(page, box):
    """Lines and marks stand out; with its table open, no rule of accessibility is broken."""
    box.locator("summary").click()
    for name in ("path", "start", "minimum"):
        assert contrast(*box.locator(f".lab-slider-{name}").first.evaluate(COLOURS)) >= 3
    assert broken_rules(page, ".lab-slider") == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read(visit, url, theme):
    page = visit(url)
    use_theme(page, theme)
    check_colours(page, box_of(page))


@pytest.mark.book
def test_chapter_by_keyboard_and_mouse(visit, chapter_url):
    page = visit(chapter_url)
    for n, last in enumerate(["runs away", "hops"]):
        box = box_of(page, n)
        handle(box).press("End")
        assert last in said(box)
        place = handle(box).bounding_box()
        page.mouse.click(place["x"] + 4, place["y"] + place["height"] / 2)
        assert "down one side" in said(box)
        handle(box).press("ArrowRight")
        handle(box).press("ArrowLeft")
    assert page.url == chapter_url  # the arrow keys turned no page


@pytest.mark.book
def test_chapter_without_scripts(visit, chapter_url):
    tables = visit(chapter_url, java_script_enabled=False).locator(".lab-slider table")
    assert tables.count() == 2
    for table in tables.all():
        assert table.is_visible()
        assert table.locator("tbody tr").count() > 10
