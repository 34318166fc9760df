"""Make the mathematical font of the book from Latin Modern Math: the characters it needs, no more.

    python -m bookbuild.font latinmodern-math.otf

The font is part of TeX distributions and of Debian's package fonts-lmodern. The GUST Font License
asks that a changed font has another name: here, Lab Manual Math.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

TARGET = Path(__file__).parent.parent / "_static" / "fonts" / "lab-manual-math.woff2"
NAME = "Lab Manual Math"
# Mathematical italics (a browser takes these for the letters of <mi>), bold, script, double-struck.
RANGES = (
    (0x20, 0x7E), (0x1D400, 0x1D467), (0x1D49C, 0x1D4B5), (0x1D538, 0x1D551),
    (0x1D6A4, 0x1D6DA), (0x1D6FC, 0x1D71B), (0x1D7CE, 0x1D7E1),
)  # fmt: skip


OTHERS = (
    "\N{NO-BREAK SPACE}¨±×÷˙̄ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστφχψωϕϵ‖…′″‴ℂℋℍℎℐℑℒℓℕℙℚℛℜℝℤℬℰℱℳ←→↔↦⇒⇔"
    "∀∂∃∅∇∈∉∋∏∑−∓∖∗∘√∝∞∣∥∧∨∩∪∫∼≃≈≠≡≤≥≪≫⊂⊆⊕⊗⊙⊤⋂⋃⋅⋆⋮⋯⋱⌈⌉⌊⌋⏞⏟✓⟂⟨⟩⟶⟹⟺"
)
CHARACTERS = {chr(code) for first, last in RANGES for code in range(first, last + 1)} | set(OTHERS)


def make(source: str, target: Path = TARGET) -> None:
    """Write the font."""
    font = TTFont(source)
    options = subset.Options()
    options.layout_features = []  # browsers apply none of them in formulas
    options.name_IDs = ["*"]
    options.flavor = "woff2"
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(c) for c in CHARACTERS])
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = NAME
        elif record.nameID in (3, 6):
            record.string = NAME.replace(" ", "")
    font["CFF "].cff.fontNames = [NAME.replace(" ", "")]
    font.flavor = "woff2"
    font.save(target)


if __name__ == "__main__":
    make(sys.argv[1])
