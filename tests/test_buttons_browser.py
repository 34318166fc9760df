"""Every button of header and sidebars does what it says, on phone, tablet and laptop.

A browser is asked for four things only, which any driver of any browser can do: `goto`, `evaluate`,
`mouse.click` at a point, `keyboard.press`.
"""

import time

import pytest

CHAPTER = "chapters/05-backtracking.html"
WIDTHS = [390, 768, 1100, 1280]  # at 1100 the sidebar stands beside the text, the contents do not
# What a button opens, as long as it is open.
SEARCH = "#pst-search-dialog[open] input"
OPENS = {
    "primary-toggle": "#pst-primary-sidebar-modal[open] .search-button-field",
    "secondary-toggle": "#pst-secondary-sidebar-modal[open] a",
    "search-button": SEARCH,
    "search-button-field": SEARCH,
    "dropdown-toggle": ".dropdown-download-buttons > .dropdown-menu.show a",
}
BUTTONS = ":is(.bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary) button"
# Where a tag is seen: its middle is on the screen and nothing covers it there.
SEEN = """((tag) => {
  const box = tag?.getBoundingClientRect();
  if (!box?.width) return null;
  const at = [box.x + box.width / 2, box.y + box.height / 2];
  return tag.contains(document.elementFromPoint(...at)) ? at : null;
})(document.querySelector(%r))"""

pytestmark = [pytest.mark.book, pytest.mark.slow]


def seen(page, selector):
    return page.evaluate(SEEN % selector)


def until(look, wanted=True):
    """Wait until a look at the page gives what is wanted: a dialog or a menu takes a moment."""
    for _ in range(100):
        if bool(found := look()) == wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"after five seconds: {found}")


def press(page, name, key=None):
    """Press a button by mouse, or by a key."""
    if key:
        page.evaluate(f"document.querySelector('.{name}').focus()")
        page.keyboard.press(key)
    else:
        page.mouse.click(*at_rest(page, f".{name}"))


def at_rest(page, selector):
    """Where a tag is seen, once it no longer moves."""
    at = [None]
    return until(lambda: at.append(seen(page, selector)) or at[-1] == at[-2] and at[-1])


def buttons(page):
    """Name the buttons that are seen, by a class each."""
    found = page.evaluate(f"[...document.querySelectorAll({BUTTONS!r})].map((b) => b.className)")
    opening = [b for b in found if not {"dropdown-item", "chapters-forget"} & set(b.split())]
    named = {*OPENS, "theme-switch-button"}
    names = [next(c for c in each.split() if c in named) for each in opening]
    return [name for name in names if seen(page, f".{name}")]


def opens_and_closes(page, name, beside):
    """What a button opens is seen, and is closed by Escape and by a click beside it."""
    part = OPENS[name]
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(*beside)):
        for key in (None, "Enter"):
            press(page, name, key)
            until(lambda: seen(page, part))
            close()
            until(lambda: seen(page, part), wanted=False)
            until(lambda: page.evaluate("!document.querySelector('dialog[open]')"))


@pytest.fixture
def sized(visit, built):
    """The chapter at a width."""
    return lambda width: visit(built(CHAPTER), viewport={"width": width, "height": 844})


@pytest.mark.parametrize("width", WIDTHS)
def test_every_button_opens_its_part(sized, width):
    page = sized(width)
    beside = [width - 30, 835]  # not on a scroll bar
    names = buttons(page)
    assert {"primary-toggle", "dropdown-toggle", "theme-switch-button"} < set(names)
    for name in names:
        if name == "theme-switch-button":
            before = page.evaluate("document.documentElement.dataset.mode")
            press(page, name)
            until(lambda b=before: page.evaluate("document.documentElement.dataset.mode") != b)
        elif name == "primary-toggle" and width > 1000:  # folds the sidebar and unfolds it
            for folded in (True, False):
                press(page, name)
                until(lambda: seen(page, ".search-button-field"), wanted=not folded)
        else:
            at = [10, 835] if name == "secondary-toggle" else beside
            opens_and_closes(page, name, at)
    assert seen(page, "article h1")  # and the page is not dead


@pytest.mark.parametrize("width", WIDTHS[:2])
def test_what_a_dialog_holds_works(sized, width):
    page = sized(width)
    press(page, "primary-toggle")
    press(page, "search-button-field")
    until(lambda: seen(page, SEARCH))
    page.keyboard.press("Escape")
    until(lambda: page.evaluate("!document.querySelector('dialog[open]')"))
    press(page, "secondary-toggle")
    page.mouse.click(*at_rest(page, "dialog[open] .page-toc a"))
    until(lambda: seen(page, "section:target > h2"))
    press(page, "primary-toggle")
    until(lambda: seen(page, "dialog[open] li.current > a"))  # it opens at the current chapter
