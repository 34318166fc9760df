"""The last pass over the built pages: light, self-contained, free of scripts in the page.

The theme loads a script of 1.5 MB for a dozen icons, style rules of which most are not used, and
the search's index on every page; and it writes scripts into its pages, which a strict
Content-Security-Policy forbids. Beside each step stands what it saves of a first visit to the
heaviest chapter.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import lightningcss
from lxml import html
from PIL import Image
from sphinx.util import logging
from sphinx_design.icons import get_octicon

from bookbuild import drawings, folds, search

logger = logging.getLogger(__name__)
Element = html.HtmlElement

# The theme's icons, and those of sphinx-design that are drawn in their place.
ICONS = {
    "angle-left": "chevron-left", "angle-right": "chevron-right", "arrow-up": "arrow-up",
    "bars": "three-bars", "chevron-down": "chevron-down", "circle-half-stroke": "device-desktop",
    "download": "download", "file": "file", "file-pdf": "file", "list": "list-unordered",
    "magnifying-glass": "search", "moon": "moon", "sun": "sun",
    # buttons that appear when _config.yml names a repository
    "code": "code", "github": "mark-github", "lightbulb": "issue-opened", "pencil-alt": "pencil",
    "pencil": "pencil", "rocket": "rocket",
}  # fmt: skip
# Scripts that no page needs, or none but the search page, or none but those with such a part.
USELESS = re.compile(
    r"fontawesome\.js|searchtools|language_data|searchindex|_ready\(Search|^\s*DOCUMENTATION_OPTIONS\."
)
SEARCH = re.compile(r"_static/(?:search|sections)\.js")
WIDGETS = Path(__file__).parent.parent / "labsupport" / "widgets"
PARTS = re.compile("|".join(sorted(path.stem for path in WIDGETS.glob("*.css"))))
UNKNOWN = ".//*[contains(@style, '#cc0000')]"  # the colour in which KaTeX prints what it cannot set
# What touches a formula before and behind; not a dash, at which a line may break.
OPENING, CLOSING = re.compile(r"[^\s—–]*\Z"), re.compile(r"[^\s—–]*")
WORD = re.compile(r"[\w-]+")
FILE = re.compile(r"[\w-][\w.-]*\.\w+")
ASSET = re.compile(r"_(?:static|images)/[^?#]+")
ICON_FONT = re.compile(r'@font-face\{[^}]*"Font Awesome[^}]*\}')
MEASURES = re.compile(
    r'"complete"===document\.readyState\?(\w)\(\):window\.addEventListener\("load",\1\)'
)
DATA = re.compile(r"""url\((["']?)data:image/svg\+xml[^,]*,(.*?)\1\)""")


def polish(folder: Path) -> None:
    """Rewrite all pages of a built book."""
    for path in (folder / "_images").glob("*.png"):
        drawings.pack(path, path.with_suffix(".webp"))
    drawn = drawings.find(folder)
    pages = {
        path: html.document_fromstring(path.read_text("utf-8"))
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    }
    for path, page in pages.items():
        for formula in page.cssselect("span.math, div.math"):
            if formula.xpath(UNKNOWN):
                tex = formula.findtext(".//annotation") or formula.text_content()
                logger.warning("%s: KaTeX cannot set %s", path.relative_to(folder), tex)
        glue(page)
        tidy(page)
        folds.name_folds(page)
        folds.leave_out_open_verdicts(page)
        drawings.inline(page, drawn, folder)
        draw_icons(page, path.name)
        place_images(page, folder)
        move_scripts(page, folder, path.name)
    for theme in folder.glob("_static/scripts/pydata-sphinx-theme.js"):
        leave_out_measuring(theme)
    one_style_sheet(list(pages.values()), folder)
    named = {path.relative_to(folder).as_posix(): page for path, page in pages.items()}
    search.write(named, folder / "_static" / "sections.js")
    for path, page in pages.items():
        text = html.tostring(page, encoding="unicode", doctype="<!DOCTYPE html>")
        path.write_text(text, encoding="utf-8")
    drop_unused(list(pages), folder)


def drop_unused(pages: list[Path], folder: Path) -> None:
    """Delete what no page and not the style sheet names: 7 MB of the book."""
    texts = (path.read_text("utf-8") for path in [*pages, folder / "_static" / "book.css"])
    named = {name for text in texts for name in FILE.findall(text)}
    for path in [*(folder / "_static").rglob("*.*"), *(folder / "_images").glob("*.*")]:
        if path.name not in named:
            path.unlink()


def glue(page: Element) -> None:
    """Keep on its line what touches a formula: a browser would break before a comma, behind a (."""
    for formula in page.cssselect("span.math"):
        before, parent, tail = formula.getprevious(), formula.getparent(), formula.tail or ""
        text = (parent.text if before is None else before.tail) or ""
        opening, closing = OPENING.search(text)[0], CLOSING.match(tail)[0]
        if before is not None and "glued" in before.classes and not text:
            whole = before
        elif opening or closing:
            whole = html.Element("span", {"class": "glued"})
            whole.text = opening
            parent.replace(formula, whole)
            if before is None:
                parent.text = text.removesuffix(opening)
            else:
                before.tail = text.removesuffix(opening)
        else:
            continue
        formula.tail, whole.tail = closing, tail.removeprefix(closing)
        whole.append(formula)
        for part in formula.cssselect(".katex-html > .base")[:-1]:  # here it may break
            part.addnext(html.Element("wbr"))


def tidy(page: Element) -> None:
    """Mend what axe finds in the theme's pages, and what a strict policy forbids."""
    # A second title and table of contents for paper; a region without a name.
    for tag in page.cssselect("#jb-print-docs-body, .pst-async-banner-revealer"):
        tag.drop_tree()
    # The name that is heard is the text that is seen.
    for tag in page.cssselect("summary[aria-label], button.search-button-field"):
        tag.attrib.pop("aria-label", None)
    for tag in page.cssselect("#pst-primary-sidebar"):
        tag.attrib.update({"role": "complementary", "aria-label": "The book"})
    # The cover is the book: one title is enough. A page says what it is. An image for others needs
    # an address of its own.
    first, _, second = page.findtext(".//title").partition(" — ")
    if first == second:
        page.find(".//title").text = first
    if not page.cssselect("meta[name='description']"):
        words = {"name": "description", "content": page.findtext(".//title")}
        page.head.append(html.Element("meta", words))
    for tag in page.cssselect("meta[property='og:description']"):
        tag.set("content", page.cssselect("meta[name='description']")[0].get("content"))
    for tag in page.cssselect("meta[property^='og:image']"):
        if not page.cssselect("meta[property='og:image'][content^='http']"):
            tag.drop_tree()
    # The whole lab, in place of a notebook that would not run alone: see download.py.
    for tag in page.cssselect("a.btn-download-source-button"):
        tag.attrib.update({"href": static(page).removesuffix("_static/") + "lab.zip"})
        tag.attrib.update({"title": "All chapters, and the package that they need"})
        tag.attrib.pop("target", None)
        tag.cssselect(".btn__text-container")[0].text = "lab.zip"
    # Roles of printing that browsers have given up.
    for tag in page.cssselect(".citation-list, .citation-list [role]"):
        tag.attrib.pop("role", None)
    # One name for many boxes of a page.
    for tag in page.cssselect("#exercise-content, #proof-content, div#proof"):
        del tag.attrib["id"]
    for tag in page.cssselect("[onclick]"):  # _static/page.js has it
        del tag.attrib["onclick"]


def draw_icons(page: Element, name: str) -> None:
    """Draw the theme's icons in the page, instead of loading a script for them: 543 kB."""
    for tag in page.cssselect("[class*='fa-']"):
        icon = next((c[3:] for c in tag.classes if c[3:] in ICONS), None)
        if icon is None:
            raise ValueError(f"{name}: no drawing for the icon {tag.get('class')!r}")
        kept = [c for c in tag.classes if not re.match(r"fa[srb]?$|fa-", c)]
        drawing = html.fragment_fromstring(get_octicon(ICONS[icon], "1.1em", kept))
        drawing.attrib.update({k: v for k, v in tag.items() if k.startswith("data-")})
        drawing.tail = tag.tail
        tag.getparent().replace(tag, drawing)


def place_images(page: Element, folder: Path) -> None:
    """Show the packed figures, with their size, so that nothing moves when they arrive."""
    for n, image in enumerate(page.cssselect("article img")):
        if (packed := folder / asset(image).replace(".png", ".webp")).suffix == ".webp":
            image.set("src", image.get("src").replace(".png", ".webp"))
            with Image.open(packed) as picture:
                image.attrib.update(zip(("width", "height"), map(str, picture.size), strict=True))
        if n:
            image.set("loading", "lazy")


def move_scripts(page: Element, folder: Path, name: str) -> None:
    """Move scripts out of the page, and load none that it does not need: 40 kB for the search."""
    used = " ".join(tag.get("class") for tag in page.cssselect("[class]"))
    settings = []
    for tag in page.cssselect("script:not([type='application/json'])"):
        source, text = tag.get("src", ""), tag.text or ""
        part = PARTS.search(source)
        if (
            USELESS.search(source or text)
            or (SEARCH.search(source) and name != "search.html")
            or (part and part[0] not in used)
        ):
            tag.drop_tree()
        elif source:
            tag.set("defer", "")
        elif "dataset.theme" in text:  # at once, or the page flashes in the other theme
            tag.text = None
            tag.set("src", write(page, folder, text))
        else:
            settings.append(text)
            tag.drop_tree()
    source = write(page, folder, "\n".join(settings))
    page.head.insert(0, html.Element("script", {"src": source, "defer": ""}))


def leave_out_measuring(theme: Path) -> None:
    """Let page.js alone ask which boxes scroll: the theme lays out the whole chapter for that."""
    text, found = MEASURES.subn("0", theme.read_text("utf-8"))
    theme.write_text(text, encoding="utf-8")
    if not found:
        logger.warning("%s measures all boxes in other words than pages.MEASURES", theme.name)


def write(page: Element, folder: Path, text: str) -> str:
    """Write a page's script into a file, which most pages share, and return its address."""
    name = f"page-{digest(text)}.js"
    (folder / "_static" / name).write_text(text, encoding="utf-8")
    return static(page) + name


def asset(tag: Element) -> str:
    """Return the path inside the book of what a tag loads, or nothing."""
    found = ASSET.search(tag.get("src") or tag.get("href"))
    return found[0] if found else ""


def static(page: Element) -> str:
    """Return the address of _static from a page, which may be seen from any depth (404.html)."""
    first: str = page.cssselect("link[rel='stylesheet']")[0].get("href")
    return first.partition("_static/")[0] + "_static/"


def digest(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def one_style_sheet(pages: list[Element], folder: Path) -> None:
    """Link all pages to one style sheet, without rules for classes that none has: 67 kB."""
    links = [page.cssselect("link[rel='stylesheet']") for page in pages]
    sheets = dict.fromkeys(asset(link).removeprefix("_static/") for each in links for link in each)
    bundle = folder / "_static" / "book.css"
    bundle.write_text("".join(f'@import "{sheet}";\n' for sheet in sheets), encoding="utf-8")
    text = lightningcss.bundle_css(str(bundle), error_recovery=True)

    scripts = (path.read_text("utf-8") for path in bundle.parent.rglob("*.js"))
    words = {word for script in scripts for word in WORD.findall(script)}
    words |= {c for page in pages for tag in page.cssselect("[class]") for c in tag.classes}
    named = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", text))
    unused = {name for name in named - words if not PARTS.search(name)}
    text = lightningcss.process_stylesheet(text, unused_symbols=unused, error_recovery=True)
    text = ICON_FONT.sub("", text)

    def as_file(match: re.Match[str]) -> str:
        name = f"theme-{digest(match[2])}.svg"
        (bundle.parent / name).write_bytes(unquote_to_bytes(match[2].replace('\\"', '"')))
        return f"url({name})"

    bundle.write_text(DATA.sub(as_file, text), encoding="utf-8")
    for page, (first, *others) in zip(pages, links, strict=True):
        first.set("href", f"{static(page)}book.css?v={digest(text)}")
        for link in others:
            link.drop_tree()
