"""The player of a film in a real browser: mouse, keyboard, play, themes, phone, paper, no scripts.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the chapter in it is tried as well.
"""

import io

import pytest
from PIL import Image

from tests.cases import repeated_ids, use_theme, width_of, write_page
from tests.conftest import broken_rules

pytestmark = pytest.mark.slow

COLUMNS, ROWS, WIDE, HIGH = 3, 2, 600, 312
COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200), (200, 0, 200)]
PACE = 500  # of film.js


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a page with two films of six frames, each a colour."""
    folder = tmp_path_factory.mktemp("film")
    picture = Image.new("RGB", (COLUMNS * WIDE, ROWS * HIGH))
    for k, colour in enumerate(COLOURS):
        row, column = divmod(k, COLUMNS)
        picture.paste(Image.new("RGB", (WIDE, HIGH), colour), (column * WIDE, row * HIGH))
    picture.save(folder / "film.png")
    image = '<figure><img class="film film-3x2" src="film.png" alt="Six colours."></figure>'
    return write_page(folder / "page.html", ("film.css", "film.js"), image, image)


@pytest.fixture(scope="module")
def chapter_url(built):
    return built("chapters/03-numpy-backprop.html")


def box_of(page, n=0):
    return page.locator(".lab-film").nth(n)


def handle(box):
    return box.get_by_role("slider", name="Frame")


def place(box):
    return handle(box).get_attribute("aria-valuetext")


def seen(box):
    """The frame that is seen: its colour fills the window."""
    window = box.locator(".lab-film-window")
    shown = Image.open(io.BytesIO(window.screenshot())).convert("RGB")
    w, h = shown.size
    assert abs(w / h - WIDE / HIGH) < 0.02  # nothing is stretched
    inside = shown.crop((2, 2, w - 2, h - 2)).getcolors(4)
    assert inside is not None and len(inside) == 1
    return COLOURS.index(inside[0][1])


def test_two_films_stand_on_one_page_and_are_apart(visit, url):
    page = visit(url)
    handle(box_of(page, 0)).press("End")
    assert [seen(box_of(page, n)) for n in (0, 1)] == [5, 0]
    assert repeated_ids(page) == 0


def test_keyboard_goes_through_all_frames(visit, url):
    page = visit(url)
    box = box_of(page)
    page.get_by_role("button", name="before").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Play"
    page.keyboard.press("Tab")
    for k in range(6):
        assert (seen(box), place(box)) == (k, f"{k + 1} of 6")
        assert box.locator(".lab-film-at").inner_text() == f"{k + 1} of 6"
        page.keyboard.press("ArrowRight")
    assert seen(box) == 5  # there is no frame after the last
    page.keyboard.press("Home")
    assert seen(box) == 0


def test_mouse_moves_the_frame(visit, url):
    page = visit(url)
    box = box_of(page)
    spot = handle(box).bounding_box()
    middle = spot["y"] + spot["height"] / 2
    page.mouse.click(spot["x"] + spot["width"] - 4, middle)
    assert seen(box) == 5
    page.mouse.move(spot["x"] + spot["width"] - 8, middle)
    page.mouse.down()
    page.mouse.move(spot["x"] + 4, middle, steps=5)
    page.mouse.up()
    assert seen(box) == 0


def with_clock(page):
    """Load a page again, with a clock that stands still."""
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(1000)
    return box_of(page)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_plays_when_asked_and_only_then(visit, url, motion):
    page = visit(url, reduced_motion=motion)
    box = with_clock(page)
    page.clock.run_for(100 * PACE)
    assert seen(box) == 0
    button = box.get_by_role("button")
    button.press("Enter")
    assert button.inner_text() == "Pause"
    for k in (1, 2):
        page.clock.run_for(PACE)
        assert seen(box) == k
        assert page.evaluate("document.getAnimations().length") == 0
    button.click()
    page.clock.run_for(100 * PACE)
    assert (button.inner_text(), seen(box)) == ("Play", 2)
    button.click()
    page.clock.run_for(100 * PACE)  # it ends at the last frame, and begins again from there
    assert (button.inner_text(), seen(box)) == ("Play", 5)
    button.click()
    assert (button.inner_text(), seen(box)) == ("Pause", 0)
    handle(box).press("ArrowRight")  # who takes the slider takes over
    page.clock.run_for(100 * PACE)
    assert (button.inner_text(), seen(box)) == ("Play", 1)


def test_without_scripts_all_frames_are_seen(visit, url):
    page = visit(url, java_script_enabled=False)
    assert page.locator("img.film").count() == 2
    assert page.locator(".lab-film, input").count() == 0
    picture = Image.open(io.BytesIO(page.locator("img.film").first.screenshot())).convert("RGB")
    assert len(picture.getcolors(10_000)) >= 6


def test_paper_shows_all_frames(visit, url):
    page = visit(url)
    box = box_of(page)
    handle(box).press("End")
    page.emulate_media(media="print")
    picture, window = (box.locator(part).bounding_box() for part in ("img", ".lab-film-window"))
    for side in ("x", "y", "width", "height"):
        assert picture[side] == pytest.approx(window[side], abs=1)
    assert picture["width"] / picture["height"] == pytest.approx(COLUMNS * WIDE / ROWS / HIGH, 0.02)
    assert not handle(box).is_visible()


def test_phone(visit, url):
    page = visit(url, viewport={"width": 360, "height": 740})
    assert width_of(page) <= 360
    box = box_of(page)
    assert box.locator(".lab-film-window").bounding_box()["width"] > 250
    assert handle(box).bounding_box()["width"] > 200
    for part in (handle(box), box.get_by_role("button")):
        assert part.bounding_box()["height"] >= 44
    tops = set()
    for key in ("Home", *["ArrowRight"] * 6):
        handle(box).press(key)
        tops.add(handle(box).bounding_box()["y"])
    assert len(tops) == 1  # nothing jumps


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_used_by_all(visit, url, theme):
    page = visit(url)
    use_theme(page, theme)
    assert broken_rules(page, ".lab-film") == ""


@pytest.mark.book
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_chapter(visit, chapter_url, width, scheme):
    page = visit(chapter_url, color_scheme=scheme, viewport={"width": width, "height": 800})
    box = box_of(page)
    handle(box).press("Home")
    assert place(box) == "1 of 15"
    window, picture = box.locator(".lab-film-window").bounding_box(), box.locator("img")
    assert picture.bounding_box()["width"] == pytest.approx(3 * window["width"], abs=1)
    assert picture.bounding_box()["height"] == pytest.approx(5 * window["height"], abs=1)
    for key, x, y in (("ArrowRight", 1, 0), ("End", 2, 4)):
        handle(box).press(key)
        at, window = picture.bounding_box(), box.locator(".lab-film-window").bounding_box()
        assert at["x"] == pytest.approx(window["x"] - x * window["width"], abs=1)
        assert at["y"] == pytest.approx(window["y"] - y * window["height"], abs=1)
    assert page.url == chapter_url  # the arrow keys turned no page
    assert width_of(page) <= width
    assert broken_rules(page, ".lab-film") == ""
