"""The last pass over the built pages: light, self-contained, free of what a strict host forbids.

The theme loads fifteen scripts and eleven style sheets, a script of 1.5 MB for a dozen icons, and
writes scripts and styles into its pages, which ``Content-Security-Policy: default-src 'self'``
forbids. Here every page gets one of each, without the rules that no page needs; the icons are drawn
in the page; and files that nothing names are left out of the book.
"""

from __future__ import annotations

import hashlib
import re
from html import escape
from io import BytesIO
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import tinycss2
from bs4 import BeautifulSoup
from PIL import Image

# Drawn for this book on a ground of 24 by 24, as lines. The names are those of the theme's icons.
ICONS = {
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "arrow-up": "M12 20V5m-6 6l6-6 6 6",
    "bars": "M4 6h16M4 12h16M4 18h16",
    "chevron-down": "M5 9l7 7 7-7",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 3v18M15 5v14M18 7v10",
    "download": "M12 4v11m-5-4l5 5 5-5M4 20h16",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "file-pdf": "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
    "list": "M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1",
    "magnifying-glass": "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM15.5 15.5L21 21",
    "moon": "M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z",
    "sun": "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2"
    "M5 19l2-2M17 7l2-2",
}
ICON_CLASS = re.compile(r"fa[srb]?$|fa-(?:solid|regular|brands|lg|sm)$")
# Scripts of the search, which the theme loads on every page.
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
# Scripts for parts that few pages have: loaded where an element's class holds the name.
PARTS = ("playground", "slider", "stepper")
NOT_NEEDED = re.compile(r"/fontawesome\.js$|^DOCUMENTATION_OPTIONS\.|^window\.MathJax")
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
FUNCTION = re.compile(r":(?:not|is|where|has)\([^()]*\)")
URL = re.compile(r"""url\(\s*(["']?)(.*?)\1\s*\)""", re.DOTALL)
LONGEST_DESCRIPTION = 160


def polish(folder: Path, title: str, base: str) -> None:
    """Rewrite all pages of a built book, and the files they load.

    Parameters
    ----------
    folder : Path
        Where the book is built.
    title : str
        The book's.
    base : str
        The address that the book has on its server, for the page of lost readers (404.html).
    """
    folder = Path(folder)
    soups = {
        path.relative_to(folder).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.parts
    }
    pack_images(folder)
    style = Style(folder)
    script = Script(folder)
    for name, soup in soups.items():
        tidy(soup)
        draw_icons(soup, name)
        measure_images(soup, name, folder)
        describe(soup, name, title)
        style.take(soup, name)
        script.take(soup, name)
    classes = {
        name
        for soup in soups.values()
        for tag in soup.find_all(class_=True)
        for name in " ".join(tag.get_attribute_list("class")).split()
    }
    scripts = " ".join(path.read_text("utf-8") for path in script.files())
    classes |= set(re.findall(r"[A-Za-z_][\w-]*", scripts + script.text()))
    style_name, script_name = style.write(classes), script.write()
    for name, soup in soups.items():
        style.link(soup, name, style_name)
        script.link(soup, name, script_name)
        (folder / name).write_text(str(soup), encoding="utf-8")
    (folder / "404.html").write_text(lost(title, base, style_name), encoding="utf-8")
    drop_unused(folder, soups)


def up(name: str) -> str:
    """Return the way from a page to the book's folder."""
    return "../" * name.count("/")


def tidy(soup: BeautifulSoup) -> None:
    """Take away what the theme writes twice or for others, and name its landmarks."""
    unwanted = (
        "#ethical-ad-placement",  # a service that hosts books
        "#jb-print-docs-body",  # a second title and table of contents, for paper
        ".pst-async-banner-revealer",  # banners about versions
        "meta[name='viewport'] ~ meta[name='viewport']",
        "meta[name^='docsearch']",
        "footer.bd-footer:not(:has(*))",
        ".footer-item:not(:has(*))",
        "link[rel='preload'][as='script']",
        "noscript",
    )
    for tag in soup.select(", ".join(unwanted)):
        if not tag.decomposed:
            tag.decompose()
    # The name that is heard is the text that is seen, short cut included.
    for button in soup.select("button.search-button-field"):
        del button["aria-label"]
    sidebar = soup.select_one("#pst-primary-sidebar")
    if sidebar:
        sidebar["role"], sidebar["aria-label"] = "complementary", "The book"
    top = soup.select_one("#pst-back-to-top")
    main = soup.select_one("main")
    if top and main:
        main.append(top.extract())
    # Roles of printing that browsers have given up.
    for tag in soup.select(".citation-list, .citation-list [role]"):
        del tag["role"]
    # Handlers in attributes are scripts in the page; _static/page.js has them.
    for tag in soup.find_all(onclick=True):
        del tag["onclick"]


def draw_icons(soup: BeautifulSoup, name: str) -> None:
    """Draw the theme's icons in the page, instead of loading a script or a font for them."""
    for tag in soup.select("[class*='fa-'], .fas"):
        icon = next((c[3:] for c in tag["class"] if c.startswith("fa-") and c[3:] in ICONS), None)
        if icon is None:
            if any(c.startswith("fa-") for c in tag["class"]):
                raise ValueError(f"{name}: no drawing for the icon {' '.join(tag['class'])!r}")
            continue
        kept = [c for c in tag["class"] if not ICON_CLASS.match(c) and c != f"fa-{icon}"]
        svg = soup.new_tag("svg", attrs={"viewBox": "0 0 24 24", "aria-hidden": "true"})
        svg["class"] = " ".join(["lab-icon", *kept])
        if "data-mode" in tag.attrs:
            svg["data-mode"] = tag["data-mode"]
        svg.append(soup.new_tag("path", attrs={"d": ICONS[icon]}))
        tag.replace_with(svg)


def pack_images(folder: Path) -> None:
    """Store figures as WebP with 256 colours: drawings have few, but for edges of lines."""
    for path in (folder / "_images").glob("*.png"):
        with Image.open(path) as image:
            drawn = image.convert("RGBA")
        few = drawn.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        packed = BytesIO()
        few.convert("RGBA").save(packed, "WEBP", lossless=True)
        if len(packed.getvalue()) < path.stat().st_size:
            path.with_suffix(".webp").write_bytes(packed.getvalue())
            path.unlink()


def measure_images(soup: BeautifulSoup, name: str, folder: Path) -> None:
    """Give images their size, so that nothing moves when they arrive, and let them wait."""
    for n, image in enumerate(soup.select("article img")):
        source = Path(normpath(join(dirname(name), unquote(str(image["src"])))))
        if (folder / source.with_suffix(".webp")).exists():
            source = source.with_suffix(".webp")
            image["src"] = Path(str(image["src"])).with_suffix(".webp").as_posix()
        if source.suffix in (".png", ".webp"):
            with Image.open(folder / source) as picture:
                image["width"], image["height"] = map(str, picture.size)
        if n:
            image["loading"] = "lazy"
        image["decoding"] = "async"


def describe(soup: BeautifulSoup, name: str, title: str) -> None:
    """Say in the head what the page is about, for lists of results and cards."""
    said = [
        p.get_text(" ", strip=True)
        for p in soup.select("article p")
        if not p.find_parent("details")
    ]
    text = re.sub(r"\s+", " ", next((t for t in said if len(t) > 40), f"{title}: {name}"))
    text = re.sub(r" (?=[.,;:!?])", "", text)
    if len(text) > LONGEST_DESCRIPTION:
        text = text[: LONGEST_DESCRIPTION - 1].rsplit(" ", 1)[0] + "…"
    for tag in soup.select("meta[name='description']"):  # a page's own, from its first lines
        text = str(tag["content"])
        tag.decompose()
    heading = soup.title.get_text(strip=True) if soup.title else title
    card = f"{up(name)}_static/card.png"
    for attribute, key, content in (
        ("name", "description", text), ("name", "twitter:card", "summary_large_image"),
        ("property", "og:type", "article"), ("property", "og:title", heading),
        ("property", "og:description", text), ("property", "og:site_name", title),
        ("property", "og:image", card), ("name", "color-scheme", "light dark"),
    ):  # fmt: skip
        if soup.head is not None:
            soup.head.append(soup.new_tag("meta", attrs={attribute: key, "content": content}))


def local(address: str) -> str:
    """Return the path of an address, without version and anchor."""
    return unquote(urlsplit(address).path)


def digest(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Style:
    """All style sheets of the book as one, with the styles that stand in its pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sheets: dict[str, None] = {}  # in order: paths of files, texts of <style>
        self.inline: dict[str, str] = {}  # declarations and the class that stands for them

    def take(self, soup: BeautifulSoup, name: str) -> None:
        """Take the styles of a page out of it."""
        for tag in soup.select("link[rel='stylesheet'], style"):
            if tag.name == "link":
                self.sheets[normpath(join(dirname(name), local(str(tag["href"]))))] = None
            else:
                self.sheets["<style>" + tag.get_text()] = None
            tag.decompose()
        for tag in soup.find_all(style=True):
            declared = re.sub(r"\s*;\s*$", "", str(tag["style"]).strip())
            self.inline[declared] = f"lab-style-{digest(declared)}"
            names = [*tag.get_attribute_list("class"), self.inline[declared]]
            tag["class"] = " ".join(filter(None, names))
            del tag["style"]

    def write(self, classes: set[str]) -> str:
        """Write the one style sheet; rules for classes outside `classes` are left out."""
        text = "\n".join(self.sheet(key) for key in self.sheets)
        text = strip(
            tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), classes
        )
        # An attribute is stronger than any rule; so is this.
        for declared, name in sorted(self.inline.items()):
            strong = (f"{d.strip()}!important;" for d in declared.split(";") if d.strip())
            text += f".{name}{{{''.join(strong)}}}"
        text = URL.sub(self.as_file, text)
        name = f"_static/book-{digest(text)}.css"
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def sheet(self, key: str) -> str:
        """Return the text of a style sheet, its addresses as seen from _static."""
        if key.startswith("<style>"):
            return key.removeprefix("<style>")

        def moved(match: re.Match[str]) -> str:
            address = match[2]
            if address.startswith(("data:", "#", "/")) or ":" in address.split("/")[0]:
                return match[0]
            return f'url("{relpath(normpath(join(dirname(key), address)), "_static")}")'

        text = (self.folder / key).read_text("utf-8")
        imports = re.findall(r'@import\s+(?:url\()?["\']([^"\']+)["\']\)?\s*;', text)
        text = re.sub(r"@import[^;]*;", "", text)
        return "".join(self.sheet(normpath(join(dirname(key), i))) for i in imports) + URL.sub(
            moved, text
        )

    def as_file(self, match: re.Match[str]) -> str:
        """Write an image that stands in the style sheet into a file, for hosts that forbid it."""
        address = match[2]
        if not address.startswith("data:image/svg+xml"):
            return match[0]
        header, body = address.split(",", 1)
        if "base64" in header:
            return match[0]
        content = unquote_to_bytes(body.replace('\\"', '"').replace("\\'", "'"))
        name = f"theme-{digest(body)}.svg"
        (self.folder / "_static" / name).write_bytes(content)
        return f'url("{name}")'

    @staticmethod
    def link(soup: BeautifulSoup, name: str, sheet: str) -> None:
        """Link a page to the one style sheet."""
        link = soup.new_tag("link", attrs={"rel": "stylesheet", "href": up(name) + sheet})
        assert soup.head is not None
        soup.head.append(link)


def strip(rules: list[tinycss2.ast.Node], classes: set[str]) -> str:
    """Return style rules as text, without those that need a class which no page has."""
    text = []
    for rule in rules:
        if rule.type == "qualified-rule":
            kept = [s for s in selectors(tinycss2.serialize(rule.prelude)) if needed(s, classes)]
            if kept:
                text.append(f"{','.join(kept)}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule":
            prelude = tinycss2.serialize(rule.prelude)
            if rule.content is None:
                text.append(f"@{rule.at_keyword}{prelude};")
            elif rule.at_keyword in ("media", "supports", "layer", "container"):
                inner = tinycss2.parse_rule_list(
                    rule.content, skip_comments=True, skip_whitespace=True
                )
                if body := strip(inner, classes):
                    text.append(f"@{rule.at_keyword}{prelude}{{{body}}}")
            else:
                body = tinycss2.serialize(rule.content)
                if not (rule.at_keyword == "font-face" and "Awesome" in body):
                    text.append(f"@{rule.at_keyword}{prelude}{{{body}}}")
    return "".join(text)


def selectors(prelude: str) -> list[str]:
    """Split a list of selectors at its own commas, not at those in brackets."""
    parts, depth, start = [], 0, 0
    for n, c in enumerate(prelude):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append(prelude[start:n].strip())
            start = n + 1
    return [*parts, prelude[start:].strip()]


def needed(selector: str, classes: set[str]) -> bool:
    """Return whether the pages can have what a selector names."""
    while (shorter := FUNCTION.sub("", selector)) != selector:
        selector = shorter
    named = CLASS.findall(re.sub(r"\[[^\]]*\]|\\.", "", selector))
    # The parts put names of classes together while they run.
    return all(c in classes or any(part in c for part in PARTS) for c in named)


class Script:
    """All scripts of the book as one, but for those of the search and of rare parts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.common: dict[str, None] = {}
        self.first = ""
        self.own: dict[str, list[str]] = {}  # of each page, beside the common one

    def take(self, soup: BeautifulSoup, name: str) -> None:
        """Take the scripts of a page out of it; data stay."""
        own: list[str] = []
        used = " ".join(" ".join(t.get_attribute_list("class")) for t in soup.find_all(class_=True))
        for tag in soup.find_all("script"):
            if tag.get("type", "text/javascript") not in ("text/javascript", "module"):
                continue
            source = normpath(join(dirname(name), local(str(tag["src"])))) if tag.get("src") else ""
            text = tag.get_text().strip()
            tag.decompose()
            if NOT_NEEDED.search(source or text):
                continue
            file = source.rsplit("/", 1)[-1]
            part = next((p for p in PARTS if file.startswith(p)), None)
            if file in SEARCH:
                if name == "search.html":
                    own.append(source)
            elif part:
                if part in used:
                    own.append(source)
            elif "dataset.theme" in text:
                self.first = (
                    text  # before anything is drawn, or the page flashes in the other theme
                )
            elif source or text:
                self.common[source or "<script>" + text] = None
        self.own[name] = own

    def files(self) -> list[Path]:
        """Return the scripts that pages load by themselves."""
        return sorted(
            {self.folder / s for own in self.own.values() for s in own if "index" not in s}
        )

    def text(self) -> str:
        """Return the common script."""
        parts = []
        for key in self.common:
            if key.startswith("<script>"):
                parts.append(key.removeprefix("<script>"))
            else:
                text = (self.folder / key).read_text("utf-8")
                parts.append(re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M))
        return "\n;\n".join(parts)

    def write(self) -> str:
        """Write the common script and the one that runs first."""
        text = self.text()
        name = f"_static/book-{digest(text)}.js"
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / "_static/first.js").write_text(self.first, encoding="utf-8")
        return name

    def link(self, soup: BeautifulSoup, name: str, script: str) -> None:
        """Link a page to its scripts."""
        assert soup.head is not None
        first = soup.new_tag("script", attrs={"src": up(name) + "_static/first.js"})
        stylesheet = soup.head.select_one("link[rel='stylesheet']")
        assert stylesheet is not None
        stylesheet.insert_before(first)
        for source in (script, *self.own[name]):
            attributes = {"src": up(name) + source, "defer": ""}
            soup.head.append(soup.new_tag("script", attrs=attributes))


def lost(title: str, base: str, style: str) -> str:
    """Return the page for an address that the book does not have, at whatever depth it is shown."""
    at = urlsplit(base).path.rstrip("/") + "/"
    name = escape(title)
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="description" content="This page does not exist."/>
<title>No such page — {name}</title><link rel="stylesheet" href="{at}{style}"/>
<link rel="icon" href="{at}_static/favicon.svg"/></head>
<body class="lab-lost"><main><h1>No such page</h1>
<p>The address is wrong, or the page has another name by now.</p>
<p><a href="{at}index.html">To the cover of the book</a> or <a href="{at}search.html">to the
search</a>.</p></main></body></html>
"""


def drop_unused(folder: Path, soups: dict[str, BeautifulSoup]) -> None:
    """Delete files of _static and _sources that no page, style sheet or script names."""
    texts = [str(soup) for soup in soups.values()]
    kept = sorted((folder / "_static").glob("book-*"))
    texts += [path.read_text("utf-8") for path in kept]
    for path in (folder / "_static").glob("*.js"):  # scripts that pages load by themselves
        if any(f"_static/{path.name}" in text for text in texts):
            texts.append(path.read_text("utf-8"))
    everything = "\n".join(texts)
    for path in sorted(folder.rglob("*"), reverse=True):
        inside = path.relative_to(folder).parts[0] in ("_static", "_sources")
        if inside and path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.match("_static/fonts/*.txt"):
            continue  # a licence stays with what it is for
        elif inside and path.is_file() and path.name not in everything:
            path.unlink()
