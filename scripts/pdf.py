"""Print the built book into one PDF, page after page in its order, with bookmarks.

python -m scripts.pdf _build/html _build/book.pdf
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from posixpath import normpath
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

from scripts import browser as browsers

# What waits until it is scrolled to is fetched now; links lead nowhere but out.
PREPARE = """async () => {
  document.documentElement.dataset.theme = "light";
  for (const image of document.querySelectorAll("img[loading]")) image.loading = "eager";
  for (const link of document.querySelectorAll("a[href]"))
    if (link.protocol === "file:" && link.pathname !== location.pathname)
      link.removeAttribute("href");
  await Promise.all([...document.images].map((i) => i.decode().catch(() => {})));
  await document.fonts.ready;
}"""


def order(folder: Path) -> list[tuple[str, str]]:
    """Return address and title of every page, as the cover lists them."""
    soup = BeautifulSoup((folder / "index.html").read_text("utf-8"), "html.parser")
    found = {"index.html": "Cover"}
    for link in soup.select("nav.bd-links a.reference.internal"):
        name = normpath(urlsplit(str(link["href"])).path or "index.html")
        found.setdefault(name, link.get_text(" ", strip=True))
    return list(found.items())


def write(folder: Path, target: Path) -> int:
    """Write the PDF; return how many pages of paper it has."""
    writer = PdfWriter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browsers.require(), args=["--no-sandbox"]
        )
        page = browser.new_page(color_scheme="light")
        for name, title in order(folder):
            page.goto((folder / name).resolve().as_uri())
            page.evaluate(PREPARE)
            printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
            first = len(writer.pages)
            writer.append(printed, import_outline=False)
            writer.add_outline_item(title=title, page_number=first)
        browser.close()
    writer.compress_identical_objects()
    target.parent.mkdir(parents=True, exist_ok=True)
    writer.write(target)
    return len(writer.pages)


if __name__ == "__main__":
    pages = write(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{pages} pages of paper are in {sys.argv[2]}")
