"""The circuit in a real browser: steps and nudges, by mouse and keyboard, printed, on a phone.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the chapter in it is tried as well.
"""

import re

import pytest

from labsupport.widgets import circuit
from labsupport.widgets.circuit import number
from tests.cases import repeated_ids, use_theme, width_of, write_page
from tests.conftest import broken_rules
from tests.test_circuit import FIRST, HIDDEN

CIRCUITS = (circuit.neuron(*FIRST), circuit.hidden_layer(*HIDDEN))
STEPS = [2 + 2 * len(c.gates) for c in CIRCUITS]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    page = tmp_path_factory.mktemp("circuit") / "page.html"
    return write_page(page, circuit.FILES, *(c._repr_html_() for c in CIRCUITS))


@pytest.fixture(scope="module")
def chapter_url(built):
    return built("chapters/02-pseudocode.html")


def box_of(page, n=0):
    return page.locator(".circuit").nth(n)


def button(box, name):
    return box.get_by_role("button", name=name, exact=True)


def status(box):
    return box.locator(".circuit-status").inner_text()


def seen(box):
    """The parts of the drawing that can be seen, and what they say."""
    return dict(
        box.locator("[data-part]").evaluate_all(
            "(all) => all.filter((e) => getComputedStyle(e).visibility === 'visible')"
            ".map((e) => [e.dataset.part, e.textContent])"
        )
    )


def expected(c, until):
    """What the first steps of a circuit show."""
    shows = [part for step in c._steps()[:until] for part in step.shows]
    values = {f"value-{wire}": number(value) for wire, value in c.values.items()}
    values |= {f"slope-{wire}": f"↑{number(slope)}" for wire, slope in c.slopes.items()}
    return {part: values[part] for part in shows}


def check_mouse(page, n):
    """Through all steps by the buttons, and back."""
    box, c = box_of(page, n), CIRCUITS[n]
    for k in range(1, STEPS[n] + 1):
        assert seen(box) == expected(c, k)
        assert status(box) == f"Step {k} of {STEPS[n]}. {c._steps()[k - 1].text}"
        here = box.locator(".circuit-here").evaluate_all("(all) => all.map(e => e.dataset.gate)")
        assert here == [gate for gate in [c._steps()[k - 1].gate] if gate]
        assert button(box, "Next").is_disabled() == (k == STEPS[n])  # aria-disabled counts
        assert button(box, "Previous").is_disabled() == (k == 1)
        button(box, "Next").click(force=True)
    assert seen(box) == expected(c, STEPS[n])  # it stops at the end
    button(box, "Previous").click()
    assert seen(box) == expected(c, STEPS[n] - 1)


def check_keyboard(page, n=0):
    """Through the steps by Enter, space and the arrow keys, and all of them at once."""
    box = box_of(page, n)
    button(box, "Next").focus()
    keys = {"Enter": 2, "Space": 3, "ArrowRight": 4, "ArrowLeft": 3, "End": STEPS[n], "Home": 1}
    scrolled = page.evaluate("window.scrollY")
    for key, at in keys.items():
        page.keyboard.press(key)
        assert seen(box) == expected(CIRCUITS[n], at), key
    assert page.evaluate("window.scrollY") == scrolled
    assert page.evaluate("document.activeElement.textContent") == "Next"
    assert not box.locator("li").first.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert box.locator("li").last.is_visible()
    assert seen(box) == expected(CIRCUITS[n], STEPS[n])
    page.keyboard.press("Enter")
    assert seen(box) == expected(CIRCUITS[n], 1)


def check_print(page):
    page.emulate_media(media="print")
    for n, c in enumerate(CIRCUITS):
        assert seen(box_of(page, n)) == expected(c, STEPS[n])
        assert box_of(page, n).locator("li:visible").count() == STEPS[n]
        assert box_of(page, n).locator("button:visible, select:visible").count() == 0


def numbers(text):
    return [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def said(box):
    return box.locator("output").inner_text()


@pytest.mark.parametrize("n", [0, 1])
def test_mouse(visit, url, n):
    check_mouse(visit(url), n)


def test_keyboard(visit, url):
    page = visit(url)
    page.keyboard.press("Tab")  # the button before
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Previous"
    check_keyboard(page)


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("by", [0.1, -0.1, 0.3])
def test_a_nudge_is_what_python_says(visit, url, n, by):
    page, c = visit(url), CIRCUITS[n]
    box = box_of(page, n)
    for wire in c.nudgeable:
        label = wire.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
        box.get_by_label("Nudge", exact=True).select_option(label=label)
        for _ in range(round(abs(by) / 0.1)):
            button(box, "+0.1" if by > 0 else "−0.1").click()
        promise = c.slopes[wire] * by
        words = said(box).removeprefix(label).replace("Slope × nudge is", ";")
        before, after, change, slope, step, product = numbers(words)
        assert (before, step) == (round(c.inputs[wire].value, 4), by)
        assert after == pytest.approx(before + by)
        assert change == pytest.approx(c.nudge(wire, by), abs=6e-6)
        assert slope == pytest.approx(c.slopes[wire], abs=6e-5)
        assert product == pytest.approx(promise, abs=6e-6)
        moved = {name: it.value for name, it in c.inputs.items()} | {wire: before + by}
        drawn = {k: v for k, v in seen(box).items() if k.startswith("value")}
        values = {f"value-{name}": v for name, v in c._forward(moved).items()}
        assert {k: numbers(v)[0] for k, v in drawn.items()} == pytest.approx(values, abs=6e-5)
        slopes = {k: v for k, v in expected(c, STEPS[n]).items() if k.startswith("slope")}
        assert slopes.items() <= seen(box).items()  # those before the nudge


def test_nudge_by_keyboard_and_back(visit, url):
    page = visit(url)
    box = box_of(page)
    slider = box.get_by_role("slider", name="by")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "0.10"
    assert numbers(said(box).removeprefix("x₁"))[4] == 0.1
    before = said(box_of(page, 1))
    page.keyboard.press("End")
    assert numbers(said(box).removeprefix("x₁"))[4] == 1
    button(box, "+0.1").click()
    assert numbers(said(box).removeprefix("x₁"))[4] == 1  # it stops at the end
    assert said(box_of(page, 1)) == before  # the other circuit stays as it was
    button(box, "Previous").click()  # a step starts from the numbers of the page
    assert seen(box) == expected(CIRCUITS[0], STEPS[0] - 1)
    assert "Its slope comes on the way back." in said(box)  # not before it is asked for
    button(box, "Next").click()
    assert "how far will the loss move?" in said(box)
    assert repeated_ids(page) == 0


def test_without_scripts_or_printed_all_is_read(visit, url):
    page = visit(url, java_script_enabled=False)
    for n, c in enumerate(CIRCUITS):
        assert seen(box_of(page, n)) == expected(c, STEPS[n])
        assert box_of(page, n).locator("li:visible").count() == STEPS[n]
        assert box_of(page, n).locator("button, select, input").count() == 0
    check_print(visit(url))


def test_no_style_at_all(visit, tmp_path):
    """A stored output in JupyterLab, before its cell is run: lines and letters are there."""
    page = visit(write_page(tmp_path / "page.html", (), CIRCUITS[0]._repr_html_()))
    assert seen(box_of(page)) == expected(CIRCUITS[0], STEPS[0])
    for name in ("circle", "rect", "path"):
        stroke = box_of(page).locator(name).first.evaluate("(e) => getComputedStyle(e).stroke")
        assert stroke == "rgb(0, 0, 0)"


def test_scripts_that_come_with_each_cell_do_no_harm(visit, tmp_path, monkeypatch):
    """As in JupyterLab, where each run of the cell brings them along."""
    monkeypatch.setenv("JPY_SESSION_NAME", "x.ipynb")
    both = [c._repr_html_() for c in CIRCUITS]
    page = visit(write_page(tmp_path / "page.html", (), *both))
    assert page.locator(".circuit-panel").count() == 2
    check_mouse(page, 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_phone_and_less_motion(visit, url, theme):
    page = visit(url, viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    use_theme(page, theme)
    for n in (0, 1):
        box = box_of(page, n)
        tops = set()
        for _ in range(STEPS[n]):
            assert width_of(page) <= 360
            assert page.evaluate("document.getAnimations().length") == 0
            svg, around = box.locator("svg").bounding_box(), box.bounding_box()
            tops.add(svg["y"] - around["y"])
            button(box, "Next").click(force=True)
        assert max(tops) - min(tops) < 60  # at most two lines more of a long sentence
        for control in box.locator("button, select, input").all():
            assert control.bounding_box()["height"] >= 44  # a finger finds it
        # Letters of the drawing are at least 11 pixels high.
        drawn = box.locator("svg").bounding_box()["width"]
        units = float(box.locator("svg").get_attribute("viewBox").split()[2])
        assert 13 * drawn / units >= 11
        button(box, "+0.1").click()
        assert broken_rules(page, ".circuit") == ""


BOXES = """(all) => all.map((e) => {
  const box = e.getBBox();
  return [box.x, box.y + 2, box.x + box.width, box.y + box.height - 2]; // a line has room to spare
})"""


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_is_drawn_over_another_thing(visit, url, n):
    """Numbers, circles and boxes stand apart, but for the numbers that stand in a box."""
    svg = box_of(visit(url), n).locator("svg")
    apart = svg.locator("rect, circle, text[text-anchor=start], text[text-anchor=end]")
    things = apart.evaluate_all(BOXES)
    assert len(things) > 20
    for k, (left, top, right, bottom) in enumerate(things):
        for x0, y0, x1, y1 in things[:k]:
            assert right <= x0 or x1 <= left or bottom <= y0 or y1 <= top
    width, height = map(float, svg.get_attribute("viewBox").split()[2:])
    for left, top, right, bottom in svg.locator("text, rect").evaluate_all(BOXES):
        assert 0 <= left and right <= width <= 360 and 0 <= top and bottom <= height
    inside = svg.locator("rect ~ text").evaluate_all(BOXES)
    around = svg.locator("rect").evaluate_all(BOXES)
    assert all(
        any(x0 <= left and right <= x1 for x0, _, x1, _ in around) for left, _, right, _ in inside
    )


def test_a_slope_differs_from_a_value_by_more_than_colour(visit, url):
    for part, text in expected(CIRCUITS[0], STEPS[0]).items():
        assert text.startswith("↑") == part.startswith("slope")


@pytest.mark.book
def test_chapter(visit, chapter_url):
    for check in (check_mouse, check_keyboard):
        page = visit(chapter_url)
        for n in (0, 1):
            check(page, n)
        assert page.url == chapter_url  # the arrow keys turned no page
    check_print(visit(chapter_url))
    page = visit(chapter_url, java_script_enabled=False)
    assert [seen(box_of(page, n)) for n in (0, 1)] == [
        expected(c, k) for c, k in zip(CIRCUITS, STEPS, strict=True)
    ]


@pytest.mark.book
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_chapter_can_be_read(visit, chapter_url, width, scheme):
    page = visit(chapter_url, color_scheme=scheme, viewport={"width": width, "height": 800})
    for n in (0, 1):
        button(box_of(page, n), "Next").click()
        button(box_of(page, n), "+0.1").click()
    assert width_of(page) <= width
    assert broken_rules(page, ".circuit") == ""
