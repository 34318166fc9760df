"""KaTeX sets the formulas while the book is built; one that it does not know fails the build."""

import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

STATIC = Path(__file__).parent.parent / "_static"
CONF = f"""extensions = ["sphinxcontrib.katex", "bookbuild"]
html_math_renderer = "katex"
katex_prerender = True
katex_css_path = "katex.min.css"
html_static_path = [{str(STATIC)!r}]
"""


def build(folder, text):
    """Return status, warnings and page of a book of one page."""
    (folder / "conf.py").write_text(CONF)
    (folder / "index.rst").write_text(f"Title\n=====\n\n{text}\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", folder, folder / "out"]
    ran = subprocess.run(command, cwd=STATIC.parent, capture_output=True, text=True, timeout=120)
    page = (folder / "out" / "index.html").read_text("utf-8")
    return ran.returncode, ran.stderr, BeautifulSoup(page, "html.parser")


@pytest.mark.parametrize("tex", [r"\foo", r"x + \foo_1", r"\frac1"])
def test_an_unknown_formula_fails_the_build_by_name(tmp_path, tex):
    status, warnings, _ = build(tmp_path, f"Here :math:`{tex}` is.")
    assert status == 1
    assert "index.html" in warnings and tex in warnings


def test_formulas_have_numbers_links_and_mathml(tmp_path):
    text = ":math:`x < y`, :eq:`here`\n\n.. math:: y = x\n   :label: here"
    status, warnings, page = build(tmp_path, text)
    assert (status, warnings) == (0, "")
    assert page.select_one("span.math > .katex .katex-html").text == "x<y"
    assert (
        page.select_one("div.math#equation-here > .katex-display math[display=block] mi").text
        == "y"
    )
    assert "(1)" in page.select_one("div.math .eqno").text
    assert page.select_one("a[href='#equation-here']").text == "(1)"
