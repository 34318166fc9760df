"""The drawings of labsupport.figures, set into the page itself instead of being loaded by it.

There they take its colours for text and axes, in the light and in the dark, and a reader finds the
words in them. A picture inside a drawing, of what has thousands of points, stays a file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from pathlib import Path

from lxml import html
from PIL import Image

HEAD = '<svg class="lab-figure"'
# The names inside a drawing. Those of another one on the page may be the same.
NAMES = re.compile(r'((?: id="|#))(?=(?:p|m|h|image)[0-9a-f]{10}\b)')


def find(folder: Path) -> dict[str, str]:
    """Give the drawings of a built book, by the names of their files."""
    texts = {path.name: path.read_text("utf-8") for path in (folder / "_images").glob("*.svg")}
    return {name: text for name, text in texts.items() if text.startswith(HEAD)}


def inline(page: html.HtmlElement, drawings: dict[str, str], folder: Path) -> None:
    """Put the drawings of a page in the place of the images that show them."""
    for n, image in enumerate(page.cssselect("article img[src*='_images/']")):
        name = image.get("src").rpartition("/")[2]
        if name not in drawings:
            continue
        drawing = html.fragment_fromstring(NAMES.sub(rf"\1f{n}-", drawings[name]))
        del drawing.attrib["style"]
        drawing.attrib.update({"role": "img", "aria-label": image.get("alt", "")})
        for picture in drawing.iter("image"):
            stored = store(picture.get("href").partition("base64,")[2], folder / "_images")
            picture.set("href", image.get("src").replace(name, stored))
        drawing.tail = image.tail
        image.getparent().replace(image, drawing)


def store(data: str, folder: Path) -> str:
    """Write a picture, as WebP, beside the other images and return its name."""
    content = base64.b64decode(data)
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.webp"
    pack(io.BytesIO(content), folder / name)
    return name


def pack(picture: Path | io.BytesIO, target: Path) -> None:
    """Store a picture as WebP with 256 colours, of which a drawing needs few."""
    with Image.open(picture) as image:
        drawn = image.convert("RGBA")
    few = drawn.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.convert("RGBA").save(target, lossless=True)
