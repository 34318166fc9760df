"""Every living part of the built book on a phone, by touch alone."""

import pytest

from tests.test_buttons_browser import OPENS, at_rest, buttons, seen, until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

pytestmark = [pytest.mark.book, pytest.mark.slow]


@pytest.fixture
def touched(visit, built):
    """A page on a phone, with its first part of a kind on the screen."""

    def opened(name, selector="article"):
        page = visit(built(f"{name}.html"), **PHONE)
        part = page.locator(selector).first
        part.scroll_into_view_if_needed()
        return page, part

    return opened


def tap(page, selector):
    page.touchscreen.tap(*at_rest(page, selector))


def at_the_foot(page, selector):
    """Tap what is behind sections that take their height when they come into sight."""
    foot = "scrollTo(0, document.documentElement.scrollHeight)"
    at = [None]
    until(lambda: at.append(page.evaluate(f"{foot}, scrollY")) or at[-1] == at[-2])
    tap(page, selector)


def slide(handle, share):
    """Put a finger on a slider's track."""
    box = handle.bounding_box()
    handle.tap(position={"x": share * (box["width"] - 1), "y": box["height"] / 2})


def test_the_buttons_of_the_header(touched):
    page, _ = touched("chapters/05-backtracking")
    names = buttons(page)
    assert {"primary-toggle", "secondary-toggle", "dropdown-toggle"} < set(names)
    for name in sorted(set(names) & set(OPENS)):
        tap(page, f".{name}")
        until(lambda name=name: seen(page, OPENS[name]))
        page.touchscreen.tap(*([10, 835] if name == "secondary-toggle" else [360, 835]))
        until(lambda name=name: seen(page, OPENS[name]), wanted=False)
    before = page.evaluate("document.documentElement.dataset.mode")
    tap(page, ".theme-switch-button")
    assert page.evaluate("document.documentElement.dataset.mode") != before


def test_a_chapter_is_chosen_read_and_forgotten(touched):
    page, _ = touched("chapters/07-four-equations")
    at_the_foot(page, ".prev-next-area .right-next")
    page.wait_for_url("**/08-autograd.html")
    at_the_foot(page, ".prev-next-area .left-prev")
    page.wait_for_url("**/07-four-equations.html")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function("localStorage.getItem('lab-read')?.includes('07-')")
    page.evaluate("scrollTo(0, 0)")
    tap(page, ".primary-toggle")
    page.locator("dialog[open] .chapters-forget").tap()
    assert page.locator(".chapter-read").count() == 0
    page.locator("dialog[open] a", has_text="Teach one neuron").tap()
    page.wait_for_url("**/01-aim.html")


def test_a_search(touched):
    page, _ = touched("chapters/07-four-equations")
    tap(page, ".search-button")
    page.locator("dialog[open] input[type=search]").fill("learning rate")
    page.keyboard.press("Enter")  # on a phone's own keyboard
    page.locator("#search-results li a").first.tap()
    page.wait_for_url("**/chapters/1*.html*")


def test_code_is_unfolded_and_copied(touched):
    page, fold = touched("chapters/01-aim", "article details.above-input summary")
    code = page.locator("article details.above-input").first
    for opened in (True, False):
        fold.tap()
        assert code.evaluate("(e) => e.open") == opened
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell = page.locator(".cell_input .highlight", has_text="def neuron").first
    cell.tap()
    copy = cell.locator(".copybtn")
    page.wait_for_function("(e) => getComputedStyle(e).opacity === '1'", arg=copy.element_handle())
    copy.tap()
    page.wait_for_function("(e) => e.classList.contains('success')", arg=copy.element_handle())


def test_a_figure_is_enlarged(touched):
    page, drawing = touched("chapters/05-backtracking", "article svg.lab-figure")
    for part in (drawing, page.locator(".lab-enlarge").first):
        part.tap()
        page.locator("dialog.lab-enlarged[open] svg").wait_for()
        page.get_by_role("button", name="Close").tap()
        assert page.locator("dialog.lab-enlarged[open]").count() == 0


def test_a_prediction(touched):
    page, field = touched("chapters/01-aim", ".prediction input")
    field.tap()
    page.keyboard.type("0.7")
    assert page.locator(".prediction-beside td", has_text="0.7").count() == 1
    page.get_by_role("button", name="Forget what I wrote").tap()
    assert field.input_value() == ""


def test_the_circuit(touched):
    page, circuit = touched("chapters/02-pseudocode", ".circuit")
    status = circuit.locator(".circuit-status")
    circuit.get_by_role("button", name="Next").tap()
    assert status.inner_text().startswith("Step 2 ")
    circuit.get_by_role("button", name="Previous").tap()
    assert status.inner_text().startswith("Step 1 ")


def test_the_film(touched):
    page, film = touched("chapters/03-numpy-backprop", ".lab-film")
    at, handle = film.locator(".lab-film-at"), film.get_by_role("slider")
    slide(handle, 1)
    assert at.inner_text() == "15 of 15"
    slide(handle, 0)
    film.get_by_role("button", name="Play").tap()
    until(lambda: at.inner_text() == "2 of 15")
    film.get_by_role("button", name="Pause").tap()


def test_the_stepper(touched):
    page, stepper = touched("chapters/07-four-equations", ".stepper")
    stepper.get_by_role("button", name="Next").tap()
    assert stepper.get_by_role("status").inner_text().startswith("Step 2 ")


@pytest.mark.parametrize(
    ("chapter", "widget"), [("13-step-size", ".lab-slider"), ("14-momentum", ".knobs")]
)
def test_sliders(touched, chapter, widget):
    page, part = touched(f"chapters/{chapter}", widget)
    for handle in part.get_by_role("slider").all():
        said = []
        for share in (0.1, 0.9):
            slide(handle, share)
            said.append(part.locator("output").first.inner_text())
        assert said[0] != said[1]


def test_the_playground(touched):
    page, box = touched("chapters/playground", ".playground")
    loss = "document.querySelector('.playground').playground.loss"
    before = page.evaluate(loss)
    box.get_by_role("button", name="Train").tap()
    page.wait_for_function(f"{loss} < {before} - 0.05")
    box.get_by_role("button", name="Pause").tap()
    page.locator("a[href*='start=zeros']").tap()
    page.wait_for_function("location.hash.includes('start=zeros')")
    box.locator(".playground-node").nth(3).tap()
    caption = box.locator(".playground-unit caption")
    assert caption.inner_text().startswith("Layer 1, unit 2")
