"""The built pages in a real browser, from a disk and from a strict server, by mouse and keyboard.

Nothing fails to load, nothing is said in the console, axe finds nothing, nothing scrolls sideways.
"""

import os
import re
import threading
from io import BytesIO
from pathlib import Path

import pytest
from lxml import html
from PIL import Image
from playwright.sync_api import expect

from bookbuild import serve
from tests.conftest import broken_rules

ROOT = Path(__file__).parent.parent
PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1280, "height": 900}
# The pages of the book, the cover first.
LISTED = ["index.html"] + [
    f"{name}.html" for name in re.findall(r"- file: (\S+)", (ROOT / "_toc.yml").read_text("utf-8"))
]
OPENED = "() => document.querySelectorAll('details').forEach((d) => { d.open = true; })"

pytestmark = [pytest.mark.book, pytest.mark.slow]


@pytest.fixture(scope="module")
def book():
    if "BOOK_HTML" not in os.environ:
        pytest.skip("BOOK_HTML names no built book")
    return (ROOT / os.environ["BOOK_HTML"]).resolve()


@pytest.fixture(scope="module")
def host(book):
    """Return the address of a server that forbids everything but the book's own files."""
    with serve.server(book, strict=True) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def names(book):
    found = (path.relative_to(book).as_posix() for path in sorted(book.rglob("*.html")))
    # A server sends 404.html for any address, so it names its files from the root: not on a disk.
    return [name for name in found if not name.startswith("_static") and name != "404.html"]


@pytest.fixture
def open_page(browser):
    """Open a page and give it, with the problems that its browser reports."""
    contexts = []

    def opened(address, **options):
        contexts.append(browser.new_context(**{"viewport": LAPTOP} | options))
        page = contexts[-1].new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda request: page.problems.append(f"failed: {request.url}"))
        page.on(
            "console",
            lambda said: said.type in ("error", "warning") and page.problems.append(said.text),
        )
        page.on("request", lambda r: None if near(r.url) else page.problems.append(r.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def settle(page):
    """Wait until a page has its last figure."""
    page.evaluate("document.querySelectorAll('img').forEach((i) => { i.loading = 'eager'; })")
    page.evaluate("Promise.all([...document.images].map((i) => i.decode().catch(() => null)))")
    page.evaluate("document.fonts.ready")


def settled(page):
    """Return what a page's browser reported, its last figure included, and close the page."""
    settle(page)
    page.context.close()
    return page.problems


def near(url):
    return url.startswith(("file:", "data:", "blob:", "http://localhost"))


def test_pages_open_from_a_disk(open_page, book, names):
    problems = {name: settled(open_page((book / name).as_uri())) for name in names}
    assert {name: found for name, found in problems.items() if found} == {}


def test_pages_open_under_a_strict_policy_and_are_light(open_page, host, names):
    """A first visit transfers little, its last figure included."""
    problems, sizes = {}, {}
    for name in names:
        page = open_page("about:blank")
        sizes[name] = []
        page.on("response", lambda r, to=sizes[name]: to.append(int(r.headers["content-length"])))
        page.goto(f"{host}/{name}")
        problems[name] = settled(page)
    assert {name: found for name, found in problems.items() if found} == {}
    heavy = {name: sum(size) for name, size in sizes.items()}
    assert {name: size for name, size in heavy.items() if not 50_000 < size < 300_000} == {}


def test_an_unknown_address_has_a_page(open_page, host):
    page = open_page(f"{host}/no/such/page.html", color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.get_by_role("heading", name="No such page").is_visible()
    assert page.evaluate("document.styleSheets.length") == 1
    page.locator("nav.bd-links a").first.click()
    assert page.url == f"{host}/index.html"


def test_no_page_is_left_out(names):
    assert sorted(names) == sorted(["search.html", *LISTED])


@pytest.mark.parametrize("name", ["search.html", *LISTED])
def test_a_page_can_be_read(open_page, book, name):
    """No rule of accessibility is broken, and a phone needs no sideways scrolling."""
    page = open_page((book / name).as_uri())
    page.evaluate(OPENED)
    # Colours change at once, and in sections out of sight too.
    page.add_style_tag(
        content="* { transition: none !important; content-visibility: visible !important; }"
    )
    page.wait_for_timeout(100)  # boxes that scroll become stops of the keyboard
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("(s) => document.documentElement.dataset.theme === s", arg=scheme)
        assert broken_rules(page) == "", scheme
    page.set_viewport_size(PHONE)
    page.reload()
    page.evaluate(OPENED)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


WIDE_CODE = """() => [...document.querySelectorAll('.cell_input pre')]
  .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
  .map((e) => e.textContent)"""


@pytest.mark.parametrize("name", LISTED)
def test_visible_code_does_not_scroll_on_a_laptop(open_page, book, name):
    """72 columns fit beside both sidebars; what is folded may be wider."""
    page = open_page((book / name).as_uri())
    assert page.evaluate("innerWidth") == LAPTOP["width"]
    assert page.evaluate(WIDE_CODE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_that_is_cut_off_says_so(open_page, book, scheme):
    """On a phone code scrolls in its box up to its comments, and the box has a shaded edge."""
    page = open_page((book / "chapters/05-backtracking.html").as_uri(), viewport=PHONE)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(s) => document.documentElement.dataset.theme === s", arg=scheme)
    code = page.locator(".cell_input pre").filter(has_text="# line 10: first trial").first
    edge = "(e) => e.scrollLeft + e.clientWidth >= e.scrollWidth - 1"
    code.scroll_into_view_if_needed()
    assert not code.evaluate(edge)
    before = shade(code)
    code.evaluate("(e) => { e.scrollLeft = e.scrollWidth; }")
    assert code.evaluate(edge)
    assert before - shade(code) > 10  # of 255: the shade is gone where the code ends


def shade(code):
    """How far the colour at the right edge of a box, at its foot, is from that of its ground."""
    picture = Image.open(BytesIO(code.screenshot())).convert("L")
    width, height = picture.size
    ground = picture.getpixel((width // 2, height - 4))
    return abs(picture.getpixel((width - 3, height - 4)) - ground)


@pytest.mark.parametrize("from_disk", [True, False])
def test_search_finds_sections_and_shows_why(open_page, book, host, from_disk):
    page = open_page(((book / "index.html").as_uri()) if from_disk else f"{host}/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("Armijo condition")
    page.keyboard.press("Enter")
    hit = page.locator("#search-results li").filter(has_text="When is a step good enough?")
    expect(hit.locator("mark").first).to_have_text(re.compile("Armijo|condition"))
    hit.get_by_role("link").click()
    expect(page.locator("section:target > h2")).to_contain_text("When is a step good enough?")
    assert page.problems == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("initialization", "Start ten layers deep"),
        ("initialisation", "Start ten layers deep"),
        ("learning rates", "learning rate"),
        ("Optimizer", "optimiser"),
        ("colors", "colour"),
        ("labelled", "label"),
        ("gradient (check", None),
        ("xylophone", None),
    ],
)
def test_search_knows_both_spellings(open_page, book, question, answer):
    page = open_page((book / "search.html").as_uri() + f"?q={question}")
    if answer:
        assert answer in page.locator("#search-results ul").inner_text()
    else:
        assert page.locator("#search-results li").count() == 0
        assert question in page.get_by_role("status").inner_text()
    assert page.problems == []


@pytest.mark.parametrize(
    ("question", "marked"),
    [
        ("peers rates", "peers?|rates?"),
        ("speed", "speed(ing)?"),
        ("modes", "mode(s|ls?)?"),
        ("using", "us(e|ed|es|ers?|eful|ing)"),
        ("centre", "cent(re|er)s?"),
    ],
)
def test_search_takes_no_other_word_for_one_of_the_question(open_page, book, question, marked):
    page = open_page((book / "search.html").as_uri() + f"?q={question}")
    expect(page.get_by_role("status")).to_contain_text(f"“{question}”")
    marks = page.locator("#search-results mark").all_inner_texts()
    assert not [mark for mark in marks if not re.fullmatch(marked, mark, re.I)]


def test_theme_switches_by_mouse_and_keyboard(open_page, book):
    page = open_page((book / "index.html").as_uri())
    switch = page.locator(".theme-switch-button").first
    seen = {page.evaluate("document.documentElement.dataset.mode")}
    switch.click()
    seen.add(page.evaluate("document.documentElement.dataset.mode"))
    switch.press("Enter")
    seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"auto", "light", "dark"}
    assert switch.locator("svg:visible").count() == 1


def test_folded_parts_open_by_keyboard_and_mouse(open_page, book):
    page = open_page((book / "chapters/05-backtracking.html").as_uri())
    fold = page.locator("article details").first
    inside = fold.locator("pre").first
    assert not inside.is_visible()
    fold.locator("summary").press("Enter")
    assert inside.is_visible()
    fold.locator("summary").click()
    assert not inside.is_visible()


def test_where_one_is_can_be_seen(open_page, book):
    page = open_page((book / "chapters/05-backtracking.html").as_uri())
    here = page.locator("nav.bd-links li.current > a")
    assert "find the step" in here.inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.locator("nav.bd-links a").nth(2).focus()
    page.keyboard.press("Tab")
    ring = page.evaluate(
        "[getComputedStyle(document.activeElement)].map((s) => [s.outlineStyle, s.boxShadow])[0]"
    )
    assert ring != ["none", "none"]


def test_nothing_jumps_while_a_page_loads(open_page, host):
    page = open_page(f"{host}/chapters/13-step-size.html", viewport=PHONE)
    shift = page.evaluate("""() => new Promise((done) => {
      let sum = 0;
      new PerformanceObserver((l) => l.getEntries().forEach((e) => { sum += e.value; }))
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(sum), 500);
    })""")
    assert shift < 0.02


def test_paper_leaves_out_what_is_folded(open_page, book):
    page = open_page((book / "chapters/05-backtracking.html").as_uri())
    page.emulate_media(media="print")
    assert page.locator("article details").count() > 0
    assert page.locator("article details:visible").count() == 0
    for selector in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article"):
        assert not page.locator(selector).first.is_visible()


def test_mathematics_is_drawn_in_the_books_own_fonts(open_page, book):
    page = open_page((book / "chapters/07-four-equations.html").as_uri())
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    )
    assert {"KaTeX_Main", "KaTeX_Math"} <= set(loaded)


def test_a_long_equation_scrolls_in_its_box(open_page, book):
    page = open_page((book / "chapters/07-four-equations.html").as_uri(), viewport=PHONE)
    boxes = "[...document.querySelectorAll('.katex-display')]"
    box = page.evaluate_handle(f"{boxes}.find((e) => e.scrollWidth > e.clientWidth + 1)")
    box.scroll_into_view_if_needed()
    page.wait_for_function("(e) => e.tabIndex === 0", arg=box)  # page.js: a stop of the keyboard
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


SKIPPED = "(e) => !e.checkVisibility({ contentVisibilityAuto: true })"


def test_a_phone_lays_out_what_comes_into_sight(open_page, book):
    """And asks no box before whether it scrolls, for that would lay it out."""
    page = open_page((book / "chapters/03-numpy-backprop.html").as_uri(), viewport=PHONE)
    page.wait_for_timeout(500)
    code = page.locator(".cell_input pre").filter(has_text="def backward").first
    assert code.evaluate(SKIPPED) and code.get_attribute("tabindex") is None
    code.scroll_into_view_if_needed()
    page.wait_for_function("(e) => e.tabIndex === 0", arg=code.element_handle())
    assert not code.evaluate(SKIPPED)


TEXT = """() => [...document.querySelectorAll("article svg.lab-figure")].flatMap((drawing) => {
  const scale = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
  return [...drawing.querySelectorAll("text")].map((text) => {
    const first = text.querySelector("tspan") ?? text; // what follows may be an index
    return [scale * parseFloat(getComputedStyle(first).fontSize), text.textContent];
  });
})"""


def test_words_in_figures_are_read_on_a_phone(open_page, book, names):
    """At least nine pixels high, as painted on a screen that is 360 wide; an index is smaller."""
    sizes = {}
    for name in names:
        page = open_page((book / name).as_uri(), viewport=PHONE)
        sizes[name] = page.evaluate(TEXT)
    small = {name: [t for t in found if t[0] < 9] for name, found in sizes.items()}
    assert {name: found for name, found in small.items() if found} == {}
    assert sum(map(len, sizes.values())) > 500


@pytest.mark.parametrize(
    ("scheme", "ink"), [("light", "rgb(34, 40, 50)"), ("dark", "rgb(206, 214, 221)")]
)
def test_a_figure_has_the_colours_of_its_page(open_page, book, scheme, ink):
    page = open_page((book / "chapters/05-backtracking.html").as_uri(), color_scheme=scheme)
    words = page.locator("article svg.lab-figure text")
    assert set(words.evaluate_all("(all) => all.map((t) => getComputedStyle(t).fill)")) == {ink}
    drawing = page.locator("article svg.lab-figure").first
    assert drawing.evaluate("(d) => getComputedStyle(d).backgroundColor") == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("viewport", [PHONE, LAPTOP])
@pytest.mark.parametrize("by", ["Enter", "tap"])
def test_a_figure_is_enlarged(open_page, book, viewport, by):
    """By a tap on it or by its button; Escape, the button and a click beside it close it again."""
    page = open_page((book / "chapters/05-backtracking.html").as_uri(), viewport=viewport)
    drawing = page.locator("article svg.lab-figure").first
    button = page.get_by_role("button", name="Enlarge figure 5.1", exact=True)
    dialog = page.get_by_role("dialog", name="figure 5.1", exact=True)
    before = drawing.bounding_box()["width"]
    ways = (
        lambda: page.keyboard.press("Escape"),
        lambda: dialog.get_by_role("button", name="Close").press("Enter"),
        lambda: page.mouse.click(2, 2),
    )
    for close in ways:
        button.press("Enter") if by == "Enter" else drawing.click()
        expect(dialog).to_be_visible()
        assert dialog.locator("svg").bounding_box()["width"] > 1.5 * before
        assert broken_rules(page, "dialog") == ""
        close()
        expect(dialog).to_have_count(0)
    assert page.problems == []


def test_each_fold_of_a_figure_has_a_name_of_its_own(book, names):
    count = 0
    for name in names:
        page = html.document_fromstring((book / name).read_text("utf-8"))
        folds = page.cssselect("article .cell:has(figure) > details > summary .collapsed")
        said = [fold.text_content() for fold in folds]
        assert len(said) == len(set(said)) and "code cell source" not in page.text_content()
        count += len(said)
    assert count > 50


def test_the_book_is_small(book):
    assert sum(path.stat().st_size for path in book.rglob("*") if path.is_file()) < 12_000_000


def test_a_term_is_explained_to_keyboard_finger_and_mouse(open_page, book):
    page = open_page((book / "chapters/07-four-equations.html").as_uri(), has_touch=True)
    term = page.locator("a.glossary-term", has_text="chain rule").first
    hint = page.get_by_role("tooltip")
    page.locator("a.glossary-term").first.focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(hint).to_contain_text("slope of a composition")
    assert term.get_attribute("aria-describedby") == hint.get_attribute("id")
    page.keyboard.press("Escape")
    expect(hint).to_have_count(0)  # hidden, it has no role
    term.tap()
    expect(hint).to_be_in_viewport()
    assert page.url.endswith("four-equations.html")
    term.tap()
    page.wait_for_url("**/glossary.html#term-chain-rule")
    page.go_back()
    term.hover()
    expect(hint).to_be_visible()


def test_the_themes_button_says_its_state(open_page, book):
    page = open_page((book / "index.html").as_uri())
    names = {"auto": "as on this device", "dark": "dark", "light": "light"}
    for _ in range(3):
        mode = page.evaluate("document.documentElement.dataset.mode")
        expect(page.get_by_role("button", name=f"Colours: {names.pop(mode)}")).to_be_visible()
        page.locator(".theme-switch-button").first.click()


def test_arrows_turn_the_page_and_leave_widgets_alone(open_page, book):
    page = open_page((book / "chapters/07-four-equations.html").as_uri())
    for widget in (".prediction input", ".stepper-controls button", "summary"):
        page.locator(f"article {widget}").first.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)
        assert page.url.endswith("07-four-equations.html"), widget
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/08-autograd.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/07-four-equations.html")


def test_marks_of_a_search_can_be_hidden(open_page, host):
    page = open_page(f"{host}/search.html?q=initialization")
    page.get_by_role("link", name="Measured against derived").click()
    mark = page.locator("article .highlighted")
    expect(mark.first).to_have_text(re.compile("initialisation", re.I), timeout=20_000)
    page.get_by_role("link", name="Hide Search Matches").click()
    expect(mark).to_have_count(0)
    assert page.problems == []


@pytest.mark.parametrize("width", [1280, 1920])
def test_a_line_has_the_length_of_a_books(open_page, book, width):
    page = open_page(
        (book / "chapters/06-losses.html").as_uri(), viewport={"width": width, "height": 900}
    )
    letters = page.evaluate("""[...document.querySelectorAll("article section > p")].map((p) => {
      const lines = new Set(), range = document.createRange();
      range.selectNodeContents(p);
      for (const box of range.getClientRects()) lines.add(Math.round(box.bottom / 20));
      if (lines.size < 3 || p.querySelector(".math")) return 0;
      return p.textContent.length / (lines.size - 0.5);
    }).filter(Boolean)""")
    assert len(letters) > 5
    assert 60 <= sorted(letters)[len(letters) // 2] <= 80
    assert page.evaluate("getComputedStyle(document.querySelector('article p')).fontSize") == "17px"
