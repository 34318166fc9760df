"""Minutes left, and a mark for each chapter read, which its reader can forget."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.book, pytest.mark.slow]


def test_a_chapter_that_was_read_is_marked_until_it_is_forgotten(visit, built):
    page = visit(built("chapters/02-pseudocode.html"))
    left = page.locator(".minutes-left")
    expect(left).to_have_text("22 min left")
    mark = page.locator("li.current .chapter-read")
    expect(mark).to_have_count(0)
    page.mouse.move(500, 500)
    page.mouse.wheel(0, 3000)
    expect(left).not_to_have_text("22 min left")
    expect(mark).to_have_count(0)
    page.evaluate("document.querySelector('.prev-next-footer').scrollIntoView({block: 'end'})")
    expect(left).to_have_text("0 min left")
    expect(mark).to_have_accessible_name("read")
    page.goto(built("chapters/03-numpy-backprop.html"))
    mark = page.locator(".bd-links .chapter-read")
    expect(mark).to_have_count(1)  # this browser has kept it
    page.get_by_role("button", name="Forget what I have read").click()
    expect(mark).to_have_count(0)
    page.reload()
    expect(page.locator(".minutes-left")).to_be_visible()
    expect(mark).to_have_count(0)
    expect(page.locator(".chapters-forget")).to_be_hidden()
