"""What all tests share. One thread each, because `pytest -n 2` already fills the cores.

Hypothesis draws the same examples in every run, so that a failure is news about the change at hand.
To look further: `pytest --hypothesis-profile=explore`.
"""

import os
import sys
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy and PyTorch are loaded

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from scripts import browser as browsers  # noqa: E402

COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("same", derandomize=True, max_examples=50, **COMMON)
settings.register_profile("explore", max_examples=1000, **COMMON)
settings.load_profile("same")

QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking"
).split()


@pytest.fixture(scope="module")
def browser():
    """A real Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browsers.require(), args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a page and give it; errors in its scripts and requests to other places fail the test."""
    contexts, problems = [], []

    def opened(url, **options):
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1000, "height": 900}} | options)
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: said.type == "error" and problems.append(said.text))
        page.on("request", lambda r: None if local(r.url) else problems.append(r.url))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def broken_rules(page, within="html"):
    """What axe finds in a part of a page, as text. The newest axe comes from npm: see Makefile."""
    page.evaluate((Path(sys.prefix) / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
    # A page on a disk may not fetch styles, and nobody reads what is in order.
    options = {"preload": False, "resultTypes": ["violations"]}
    found = page.evaluate("([part, options]) => axe.run(part, options)", [within, options])
    return "\n".join(
        f"{rule['id']}: {rule['help']}: {node['html']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    )


def local(url):
    return url.startswith(("file:", "data:"))


@pytest.fixture(scope="module")
def built():
    """The address of a page of the built book, by its name; tests that ask are skipped without."""
    if "BOOK_HTML" not in os.environ:
        pytest.skip("BOOK_HTML names no built book")
    folder = Path(__file__).parent.parent / os.environ["BOOK_HTML"]
    return lambda name: (folder / name).resolve().as_uri()
