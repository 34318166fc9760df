"""The last pass over the built pages: light, self-contained, free of scripts in the page.

The theme loads a script of 1.5 MB for a dozen icons, 400 kB of style rules of which a quarter is
used, and the search's index on every page; and it writes scripts into its pages, which a strict
Content-Security-Policy forbids. What each step here saves stands beside it: kB of a first visit to
the heaviest chapter, which transfers 1,270 kB without any of them.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import lightningcss
from bs4 import BeautifulSoup, Tag
from PIL import Image
from sphinx.util import logging
from sphinx_design.icons import get_octicon

logger = logging.getLogger(__name__)

# The theme's icons, and those of sphinx-design that are drawn in their place.
ICONS = {
    "angle-left": "chevron-left", "angle-right": "chevron-right", "arrow-up": "arrow-up",
    "bars": "three-bars", "chevron-down": "chevron-down", "circle-half-stroke": "device-desktop",
    "download": "download", "file": "file", "file-pdf": "file", "list": "list-unordered",
    "magnifying-glass": "search", "moon": "moon", "sun": "sun",
}  # fmt: skip
# Scripts that no page needs, or none but the search page, or none but those with such a part.
USELESS = re.compile(r"fontawesome\.js|^\s*DOCUMENTATION_OPTIONS\.")
SEARCH = re.compile(r"searchtools|language_data|searchindex")
PARTS = re.compile(r"playground|slider|stepper")
WORD = re.compile(r"[\w-]+")
ASSET = re.compile(r"_(?:static|images)/[^?#]+")
DATA = re.compile(r"""url\((["']?)data:image/svg\+xml[^,]*,(.*?)\1\)""")


def polish(folder: Path) -> None:
    """Rewrite all pages of a built book."""
    pages = {
        path: BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.parts
    }
    for path in (folder / "_images").glob("*.png"):
        pack(path)
    for path, soup in pages.items():
        tidy(soup)
        draw_icons(soup, path.name)
        place_images(soup, folder)
        move_scripts(soup, folder, path.name)
        for formula in soup.select(".katex-error"):
            logger.warning("%s: %s", path.relative_to(folder), formula["title"])
    one_style_sheet(list(pages.values()), folder)
    for path, soup in pages.items():
        path.write_text(str(soup), encoding="utf-8")


def asset(tag: Tag) -> str:
    """Return the path inside the book of what a tag loads, or nothing."""
    found = ASSET.search(str(tag.get("src") or tag.get("href")))
    return found[0] if found else ""


def tidy(soup: BeautifulSoup) -> None:
    """Mend what axe finds in the theme's pages, and what a strict policy forbids."""
    # A second title and table of contents for paper; a region without a name.
    for tag in soup.select("#jb-print-docs-body, .pst-async-banner-revealer"):
        tag.decompose()
    # The name that is heard is the text that is seen.
    for tag in soup.select("summary[aria-label], button.search-button-field"):
        del tag["aria-label"]
    for tag in soup.select("#pst-primary-sidebar"):
        tag["role"], tag["aria-label"] = "complementary", "The book"
    # Roles of printing that browsers have given up.
    for tag in soup.select(".citation-list, .citation-list [role]"):
        del tag["role"]
    for tag in soup.find_all(onclick=True):  # _static/page.js has it
        del tag["onclick"]


def draw_icons(soup: BeautifulSoup, name: str) -> None:
    """Draw the theme's icons in the page, instead of loading a script for them: 543 kB."""
    for tag in soup.select("[class*='fa-'], .fas"):
        classes = tag.get_attribute_list("class")
        icon = next((c[3:] for c in classes if c[3:] in ICONS), None)
        if icon is None:
            raise ValueError(f"{name}: no drawing for the icon {' '.join(classes)!r}")
        kept = [c for c in classes if c != "fas" and not c.startswith("fa-")]
        drawing = BeautifulSoup(get_octicon(ICONS[icon], "1.1em", kept), "html.parser").svg
        assert drawing is not None
        drawing.attrs.update({k: v for k, v in tag.attrs.items() if k.startswith("data-")})
        tag.replace_with(drawing)


def pack(path: Path) -> None:
    """Store a figure as WebP with 256 colours: 415 kB. Drawings have few, but for edges of lines."""
    with Image.open(path) as image:
        few = image.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.convert("RGBA").save(path.with_suffix(".webp"), lossless=True)


def place_images(soup: BeautifulSoup, folder: Path) -> None:
    """Show the packed figures, with their size, so that nothing moves when they arrive."""
    for n, image in enumerate(soup.select("article img")):
        if (packed := folder / asset(image)).suffix == ".png":
            image["src"] = str(image["src"]).removesuffix(".png") + ".webp"
            with Image.open(packed.with_suffix(".webp")) as picture:
                image["width"], image["height"] = map(str, picture.size)
        if n:
            image["loading"] = "lazy"


def move_scripts(soup: BeautifulSoup, folder: Path, name: str) -> None:
    """Move scripts out of the page, and load none that it does not need: 40 kB for the search."""
    used = " ".join(" ".join(tag.get_attribute_list("class")) for tag in soup.find_all(class_=True))
    settings = []
    for tag in soup.select("script:not([type='application/json'])"):
        source, text = str(tag.get("src", "")), tag.get_text()
        part = PARTS.search(source)
        if (
            USELESS.search(source or text)
            or (SEARCH.search(source) and name != "search.html")
            or (part and part[0] not in used)
        ):
            tag.decompose()
        elif source:
            tag["defer"] = ""
        elif "dataset.theme" in text:  # at once, or the page flashes in the other theme
            give_source(tag, text, soup, folder)
        else:
            settings.append(tag.extract().get_text())
    first = soup.new_tag("script", attrs={"defer": ""})
    soup.select("script[src]")[0].insert_after(first)
    give_source(first, "\n".join(settings), soup, folder)


def give_source(tag: Tag, text: str, soup: BeautifulSoup, folder: Path) -> None:
    """Put a page's script into a file beside its style sheets, which all pages share."""
    name = f"page-{digest(text)}.js"
    (folder / "_static" / name).write_text(text, encoding="utf-8")
    tag.clear()
    tag["src"] = up(soup) + name


def up(soup: BeautifulSoup) -> str:
    """Return the address of _static from a page, which may be seen from any depth (404.html)."""
    return str(soup.select("link[rel='stylesheet']")[0]["href"]).partition("_static/")[0] + "_static/"


def digest(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def one_style_sheet(pages: list[BeautifulSoup], folder: Path) -> None:
    """Link all pages to one style sheet, without rules for classes that none has: 67 kB."""
    static = folder / "_static"
    links = [link for soup in pages for link in soup.select("link[rel='stylesheet']")]
    sheets = dict.fromkeys(asset(link).removeprefix("_static/") for link in links)
    bundle = static / "book.css"
    bundle.write_text("".join(f'@import "{sheet}";\n' for sheet in sheets), encoding="utf-8")
    text = lightningcss.bundle_css(str(bundle), error_recovery=True)
    words = {word for soup in pages for word in WORD.findall(str(soup))}
    words |= {w for path in static.rglob("*.js") for w in WORD.findall(path.read_text("utf-8"))}
    named = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", text))
    unused = {name for name in named - words if not PARTS.search(name)}
    text = lightningcss.process_stylesheet(text, unused_symbols=unused, error_recovery=True)

    def as_file(match: re.Match[str]) -> str:
        name = f"theme-{digest(match[2])}.svg"
        (static / name).write_bytes(unquote_to_bytes(match[2].replace('\\"', '"')))
        return f"url({name})"

    bundle.write_text(DATA.sub(as_file, text), encoding="utf-8")
    for soup in pages:
        first, *others = soup.select("link[rel='stylesheet']")
        first["href"] = f"{up(soup)}book.css?v={digest(text)}"
        for link in others:
            link.decompose()
