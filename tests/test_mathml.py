"""Formulas become MathML, all of them, and one that cannot is refused by name."""

import re
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from bookbuild import font
from bookbuild.mathml import APPLY, Formula, MathError, convert

ROOT = Path(__file__).parent.parent
# Formulas of the texts: $$...$$ and $...$, outside code.
CODE = re.compile(
    r"^(`{3,}|~{3,})(?:\{code-cell\}.*?|python.*?|\s*)\n.*?^\1|`[^`\n]*`", re.M | re.S
)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+?)\$", re.S)


def formulas():
    for path in sorted(
        [*ROOT.glob("*.md"), *ROOT.glob("chapters/*.md"), *ROOT.glob("reference/*.md")]
    ):
        for block, inline in FORMULA.findall(CODE.sub("", path.read_text("utf-8"))):
            yield path.name, block or inline, bool(block)


def one(tex, display=False):
    formula = Formula(tex, display)
    return convert([formula])[formula]


def inner(tex, display=False):
    """What stands inside <math>, without pandoc's attributes of brackets."""
    text = re.fullmatch(r"<math [^>]*>(.*)</math>", one(tex, display))[1]
    return re.sub(r' (stretchy|form|accent)="\w+"', "", text)


def test_all_formulas_of_the_texts_convert():
    found = [Formula(tex, display) for _, tex, display in formulas()]
    assert len(found) > 300
    assert set(convert(found)) == set(found)
    for text in convert(found).values():
        assert ElementTree.fromstring(text).tag.endswith("}math")
        assert ' style="' not in text  # a strict policy forbids it
        assert "annotation" not in text


def test_the_font_has_every_character_of_them():
    known = TTFont(BytesIO(font.TARGET.read_bytes())).getBestCmap()
    texts = convert(Formula(tex, display) for _, tex, display in formulas()).values()
    written = set("".join("".join(ElementTree.fromstring(text).itertext()) for text in texts))
    assert written - {APPLY, "\n"} <= set(map(chr, known))
    assert font.CHARACTERS - set(map(chr, known)) <= set(map(chr, range(0x1D400, 0x1D800)))


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("x", "<mi>x</mi>"),
        ("x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"\frac1m", "<mfrac><mn>1</mn><mi>m</mi></mfrac>"),
        (r"\nabla", '<mi mathvariant="normal">∇</mi>'),
        ("g'", '<msup><mi>g</mi><mo lspace="0" rspace="0">′</mo></msup>'),
    ],
)
def test_converts(tex, expected):
    assert inner(tex) in (expected, f"<mrow>{expected}</mrow>")


@pytest.mark.parametrize(
    ("tex", "spaces"),
    [
        (r"y \ln p", 2),
        (r"\ln p", 1),
        (r"1 + \ln p", 1),
        (r"(1 - y) \ln(p)", 1),
        (r"\ln(p)", 0),
        (r"\max_i z", 1),
        (r"2 \operatorname{Var} Z", 2),
        (r"\frac{1}{2} \ln z_i", 2),
        ("f(x)", 0),
    ],
)
def test_functions_keep_their_distance(tex, spaces):
    assert one(tex).count("<mspace") == spaces


def test_indices_have_no_space_around_their_signs():
    assert '<mo lspace="0" rspace="0">−</mo>' in inner("D_{l-1}")
    assert "lspace" not in inner("D - 1")


def test_lines_of_an_equation_are_aligned_and_in_full_size():
    table = one(r"\begin{aligned} a &= \frac{b}{c} \\ &= d \end{aligned}", display=True)
    assert table.count('class="tex-right"') == table.count('class="tex-left"') == 2
    assert 'displaystyle="true"' in table


@pytest.mark.parametrize("tex", [r"\foo", r"x + \foo_1", "{x", r"\frac1"])
def test_what_cannot_be_converted_is_named(tex):
    with pytest.raises(MathError, match="cannot be converted") as caught:
        convert([Formula("x", False), Formula(tex, False)])
    assert repr(tex) in str(caught.value)


def test_nothing_of_a_formula_becomes_markup():
    assert "<b>" not in one(r"\text{<b>} < b")


def test_no_formulas_are_no_work():
    assert convert([]) == {}


def test_an_unknown_command_fails_the_build(tmp_path):
    from sphinx.application import Sphinx

    (tmp_path / "conf.py").write_text("extensions = ['bookbuild']\nhtml_math_renderer = 'mathml'\n")
    (tmp_path / "index.rst").write_text("Title\n=====\n\nHere :math:`x + \\foo` is.\n")
    app = Sphinx(
        tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees", "html",
        status=None, warning=None, warningiserror=True, keep_going=True,
    )  # fmt: skip
    app.build()
    assert app.statuscode == 1


def test_a_formula_in_a_page(tmp_path):
    from sphinx.application import Sphinx

    (tmp_path / "conf.py").write_text("extensions = ['bookbuild']\nhtml_math_renderer = 'mathml'\n")
    text = "Title\n=====\n\n:math:`x`, :eq:`here`\n\n.. math:: y = x\n   :label: here\n"
    (tmp_path / "index.rst").write_text(text)
    app = Sphinx(tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees", "html", status=None)
    app.build()
    page = BeautifulSoup((tmp_path / "out" / "index.html").read_text("utf-8"), "html.parser")
    assert page.select_one("span.math > math > mi").text == "x"
    assert page.select_one("div.math#equation-here math[display=block]")
    assert "(1)" in page.select_one("div.math .eqno").text
    assert page.select_one("a[href='#equation-here']").text == "(1)"
