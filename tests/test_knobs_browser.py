"""The two knobs in a real browser: mouse, keyboard, what is said and drawn, themes, phone.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the chapter in it is tried as well.
"""

import re

import numpy as np
import pytest

from labsupport.widgets import knobs
from tests.cases import repeated_ids, use_theme, width_of, write_page
from tests.conftest import broken_rules
from tests.test_knobs import MADE
from tests.test_slider_browser import COLOURS, contrast

pytestmark = pytest.mark.slow

SETTINGS = [(0.01, 0.0), (0.019, 0.67), (0.03, 0.95), (0.035, 0.1), (0.02, 0.0), (0.03, 0.5)]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a page with two valleys."""
    page = tmp_path_factory.mktemp("knobs") / "page.html"
    other = knobs.Knobs("Another valley")
    return write_page(page, knobs.FILES, MADE._repr_html_(), other._repr_html_())


@pytest.fixture(scope="module")
def chapter_url(built):
    return built("chapters/14-momentum.html")


def box_of(page, n=0):
    return page.locator(".knobs").nth(n)


def knob(box, name):
    return box.get_by_role("slider", name=name)


def said(box):
    return box.locator("output").inner_text()


def turn(box, alpha, beta):
    for name, value in (("Step α", alpha), ("Momentum β", beta)):
        knob(box, name).evaluate(
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", value
        )


def roll(alpha, beta):
    """The ball's points, by a loop of its own."""
    x, v, path = np.array(MADE.start), np.zeros(2), [np.array(MADE.start)]
    for _ in range(MADE.steps):
        v = beta * v + MADE.curvatures * x
        x = x - alpha * v
        path.append(x)
    return np.array(path)


def words(alpha, beta):
    """What the output should say of both directions, by NumPy's roots."""
    told = []
    for curvature in MADE.curvatures:
        roots = np.roots([1, -(1 + beta - alpha * curvature), beta])
        size = abs(roots).max()
        swings, side = abs(roots.imag).max() > 0, roots[abs(roots).argmax()].real < 0
        what = "swings" if swings else "jumps from side to side" if side else "crawls"
        what = "is there at once" if size < 5e-4 else what
        if size > 1 - 1e-12:
            what = "runs away" if size > 1 + 1e-12 else "stays as far away"
        told.append((what, f"{size:.3f}"))
    (along, slow), (across, fast) = told
    return f"Along the valley the ball {along} (factor {slow} a step); across it {across} ({fast})."


def points(box, drawing):
    pairs = box.locator(f".knobs-{drawing} .knobs-path").get_attribute("points").split()
    return np.array([[float(v) for v in pair.split(",")] for pair in pairs])


def here(box):
    ring = box.locator(".knobs-here")
    return np.array([float(ring.get_attribute(name)) for name in ("cx", "cy")])


def read(text):
    """A number as the widget writes it."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return float(text.replace(" · 10", "e").translate(digits))


@pytest.mark.parametrize(("alpha", "beta"), SETTINGS)
def test_what_is_said_and_drawn_are_the_numbers(visit, url, alpha, beta):
    box = box_of(visit(url))
    turn(box, alpha, beta)
    assert said(box).startswith(words(alpha, beta))
    path = roll(alpha, beta)
    distance = np.linalg.norm(path, axis=1)
    assert np.isclose(read(said(box).rsplit(" is ", 1)[1][:-1]), distance[-1], rtol=0.05)
    drawn = points(box, "plane")
    losses = np.column_stack([np.arange(101), np.log10(distance)])
    curve = points(box, "curve")
    seen = abs(losses[:, 1]) < 8
    for expected, places in ((path[: len(drawn)], drawn), (losses[seen], curve[seen])):
        for data, pixels, way in zip(expected.T, places.T, (1, -1), strict=True):  # y goes down
            slope, offset = np.polyfit(data, pixels, 1)
            assert way * slope > 0.5
            assert abs(pixels - (slope * data + offset)).max() < 0.2
    assert (len(drawn) < 101) == (distance[-1] > 1e3)


def test_best_point_is_the_darkest_and_the_button_goes_there(visit, url):
    box = box_of(visit(url))
    box.get_by_role("button", name="Best point").click()
    cross = box.locator(".knobs-best").get_attribute("d")
    x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)h", cross).groups())
    assert abs(here(box) - [x + 6, y]).max() < 0.1
    assert "about to swing (factor 0.818 a step); across it" in said(box)
    assert "about to swing (0.818)." in said(box)
    cells = box.locator(".knobs-cell").evaluate_all(
        "(all) => all.map((e) => ['x', 'y', 'fill-opacity'].map((n) => +e.getAttribute(n)))"
    )
    darkest = max(cells, key=lambda cell: cell[2])
    # The map falls steeply on two sides of it: of the cells, one a little inside is darkest.
    assert np.hypot(darkest[0] - x - 6, darkest[1] - y) < 30
    assert 900 < len(cells) < 42 * 40  # some of them run away, and have no cell


def test_map_holds_the_rates(visit, url):
    box = box_of(visit(url))
    cells = box.locator(".knobs-cell").evaluate_all(
        "(all) => all.map((e) => ['x', 'y', 'fill-opacity'].map((n) => +e.getAttribute(n)))"
    )
    x, y, dark = np.array(cells).T
    column, row = np.rint((x - 46) / (240 / 42)), 39 - np.rint((y - 8) / (286 / 40))
    alpha, beta = (column + 0.5) / 42 * 0.042, (row + 0.5) / 40
    rates = knobs.rate(alpha[:, None], beta[:, None], MADE.curvatures).max(axis=1)
    assert (rates < 1).all()
    assert abs(dark - (1 - rates) / (1 - 9 / 11)).max() < 0.006


def test_keyboard_turns_each_knob(visit, url):
    page = visit(url)
    box = box_of(page)
    page.get_by_role("button", name="before").focus()
    for name, value in (("Step α", "step"), ("Momentum β", "momentum")):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id").endswith(value)
        before = float(knob(box, name).input_value())
        page.keyboard.press("ArrowRight")
        after = float(knob(box, name).input_value())
        assert after > before
        shown = box.locator(".knobs-value").nth(int(value == "momentum")).inner_text()
        assert float(shown) == pytest.approx(after)
        page.keyboard.press("Home")
    assert "Along the valley the ball crawls" in said(box)
    page.keyboard.press("End")
    assert "Along the valley the ball swings" in said(box)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "(0.818)." in said(box)


def test_a_click_on_the_map_turns_both(visit, url):
    box = box_of(visit(url))
    picture = box.locator(".knobs-map")
    place = picture.bounding_box()
    scale = place["width"] / 300
    # The point of step 0.02, momentum 0.5, in the drawing's own units.
    x, y = 46 + 0.02 / 0.042 * (286 - 46), 294 - 0.5 * (294 - 8)
    picture.click(position={"x": x * scale, "y": y * scale})
    assert float(knob(box, "Step α").input_value()) == pytest.approx(0.02, abs=3e-4)
    assert float(knob(box, "Momentum β").input_value()) == pytest.approx(0.5, abs=0.011)
    assert abs(here(box) - [x, y]).max() < 4
    picture.click(position={"x": 2, "y": 2})  # outside: as near as the knobs get
    assert knob(box, "Momentum β").input_value() == "0.99"


def test_two_stand_on_one_page_and_are_apart(visit, url):
    page = visit(url)
    before = said(box_of(page, 1))
    turn(box_of(page, 0), 0.04, 0.0)
    assert said(box_of(page, 1)) == before and "runs away" in said(box_of(page, 0))
    assert repeated_ids(page) == 0


def test_table_is_folded_with_scripts_and_plain_without(visit, url):
    box = box_of(visit(url))
    assert not box.locator("table").is_visible()
    box.locator("summary").press("Enter")
    assert box.locator("table").is_visible()
    page = visit(url, java_script_enabled=False)
    assert page.locator("table").first.is_visible()
    assert "runs away" in page.locator("table").first.inner_text()
    assert page.get_by_role("slider").count() == 0
    assert '"curvatures"' not in page.locator("main").inner_text()


def test_phone(visit, url):
    page = visit(url, viewport={"width": 360, "height": 740})
    box = box_of(page)
    box.locator("summary").click()
    assert width_of(page) <= 360
    places = [box.locator(f".knobs-{name}").bounding_box() for name in ("plane", "curve", "map")]
    for upper, lower in zip(places, places[1:], strict=False):
        assert lower["y"] > upper["y"] + upper["height"] - 1  # one under the other
    for name in ("Step α", "Momentum β"):
        assert knob(box, name).bounding_box()["height"] >= 24
        assert knob(box, name).bounding_box()["width"] >= 100


def test_nothing_moves_by_itself_and_nothing_jumps(visit, url):
    for width in (1000, 360):
        page = visit(url, reduced_motion="reduce", viewport={"width": width, "height": 740})
        box, tops = box_of(page), set()
        for alpha, beta in [*SETTINGS, (0.0005, 0.01), (0.041, 0.0)]:
            turn(box, alpha, beta)
            tops.add(box.locator("svg").first.bounding_box()["y"])
            assert page.evaluate("document.getAnimations().length") == 0
        assert len(tops) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read(visit, url, theme):
    page = visit(url)
    use_theme(page, theme)
    box = box_of(page)
    box.locator("summary").click()
    for name in ("path", "here", "best", "edge", "bend"):
        assert contrast(*box.locator(f".knobs-{name}").first.evaluate(COLOURS)) >= 3
    assert broken_rules(page, ".knobs") == ""


@pytest.mark.book
def test_chapter_by_keyboard_and_mouse(visit, chapter_url):
    page = visit(chapter_url)
    box = box_of(page)
    knob(box, "Momentum β").press("End")
    assert "the ball swings" in said(box)
    knob(box, "Momentum β").press("ArrowLeft")
    box.get_by_role("button", name="Best point").press("ArrowRight")
    box.get_by_role("button", name="Best point").click()
    assert "(0.818)." in said(box)
    assert page.url == chapter_url  # the arrow keys turned no page


@pytest.mark.book
def test_chapter_without_scripts(visit, chapter_url):
    table = visit(chapter_url, java_script_enabled=False).locator(".knobs table")
    assert table.is_visible() and table.locator("tbody tr").count() == 8
