"""The stepper in a real browser: by mouse, by keyboard, without scripts, on a phone, in the dark.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the chapter in it is tried as well.
"""

import pytest

from labsupport.widgets import stepper
from tests.cases import width_of, write_page
from tests.test_stepper import START, build

STEPS = 11
FILES = ("stepper.css", "stepper.js")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    page = tmp_path_factory.mktemp("stepper") / "page.html"
    return write_page(page, FILES, build(START)[0]._repr_html_())


@pytest.fixture(scope="module")
def chapter_url(built):
    return built("chapters/07-four-equations.html")


def shown(page):
    """Numbers of the steps that can be seen."""
    items = page.locator(".stepper-step").all()
    return [n for n, item in enumerate(items, start=1) if item.is_visible()]


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def focused(page):
    return page.evaluate("document.activeElement.textContent")


def check_mouse(page):
    """Go through all steps by the buttons, and back."""
    for n in range(1, STEPS + 1):
        assert shown(page) == [n]
        said = page.locator(".stepper").get_by_role("status").text_content()
        assert said == f"Step {n} of {STEPS}"
        assert button(page, "Next").is_disabled() == (n == STEPS)  # aria-disabled counts
        assert button(page, "Previous").is_disabled() == (n == 1)
        button(page, "Next").click(force=True)
    assert shown(page) == [STEPS]  # it stops at the end
    for n in range(STEPS - 1, 0, -1):
        button(page, "Previous").click()
        assert shown(page) == [n]


def check_keyboard(page):
    """Go through all steps by Tab, Enter, space and the arrow keys."""
    button(page, "Next").focus()
    keys = {"Enter": 2, "Space": 3, "ArrowRight": 4, "ArrowLeft": 3, "End": STEPS, "Home": 1}
    for key, expected in keys.items():
        page.keyboard.press(key)
        assert shown(page) == [expected], key
    scrolled = page.evaluate("window.scrollY")
    for n in range(2, STEPS + 1):
        page.keyboard.press("Enter")
        assert shown(page) == [n]
    page.keyboard.press("End")
    assert page.evaluate("window.scrollY") == scrolled
    assert focused(page) == "Next"  # the focus stays, on a button that does nothing now
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(page) == list(range(1, STEPS + 1))
    assert not button(page, "Next").is_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert shown(page) == [STEPS]


def test_mouse(visit, url):
    check_mouse(visit(url))


def test_keyboard(visit, url):
    page = visit(url)
    page.keyboard.press("Tab")  # the button before
    page.keyboard.press("Tab")
    assert focused(page) == "Previous"
    check_keyboard(page)


def test_arrows_mean_the_steps_only_on_the_buttons(visit, url):
    """Elsewhere, or with Ctrl, the key is left to the page; here the page does not hear of it."""
    page = visit(url)
    page.evaluate("heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
    button(page, "before").focus()
    page.keyboard.press("ArrowRight")
    button(page, "Next").focus()
    page.keyboard.press("Control+ArrowRight")
    assert shown(page) == [1]
    page.keyboard.press("ArrowRight")
    assert shown(page) == [2]
    assert page.evaluate("heard") == ["ArrowRight", "Control", "ArrowRight"]


def test_without_scripts_or_printed_all_steps_are_read(visit, url):
    page = visit(url, java_script_enabled=False)
    assert shown(page) == list(range(1, STEPS + 1))
    assert page.locator(".stepper button").count() == 0
    text = page.locator(".stepper").inner_text()
    for number in ("0.126184", "−0.074358", "0.683630"):
        assert number in text
    page = visit(url)
    page.emulate_media(media="print")
    assert shown(page) == list(range(1, STEPS + 1))
    assert not button(page, "Next").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_and_less_motion(visit, url, scheme):
    size = {"width": 360, "height": 740}
    page = visit(url, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    for _ in range(STEPS):
        assert width_of(page) <= 360
        assert page.evaluate("document.getAnimations().length") == 0
        button(page, "Next").click(force=True)
    for name in ("Previous", "Next", "Show all steps"):
        assert button(page, name).bounding_box()["height"] >= 44  # a finger finds it


def test_two_on_a_page_do_not_disturb_each_other(visit, tmp_path):
    step = stepper.Step("Only one", "", "", {}, {})
    both = build(START)[0], stepper.Stepper("Another", (step, step))
    page = visit(write_page(tmp_path / "page.html", FILES, *(s._repr_html_() for s in both)))
    button(page, "Next").last.click()
    assert shown(page) == [1, STEPS + 2]


@pytest.mark.book
def test_chapter_by_mouse_by_keyboard_and_without_scripts(visit, chapter_url):
    check_mouse(visit(chapter_url))
    page = visit(chapter_url)
    check_keyboard(page)
    assert page.url == chapter_url  # the arrow keys turned no page
    assert shown(visit(chapter_url, java_script_enabled=False)) == list(range(1, STEPS + 1))
