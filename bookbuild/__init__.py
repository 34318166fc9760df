"""What the book's build adds to Sphinx and its theme: see _config.yml, where it is registered.

Mathematics becomes MathML (`mathml`), the first mention of a term leads to the glossary
(`glossary`), a page may show a figure of a chapter (`quoted`). When all pages are written, they are
made light, free of scripts and styles inside the page, and readable by machines (`pages`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from bookbuild import glossary, pages, quoted
from bookbuild.mathml import Formula, MathError, convert

WIDGETS = Path(__file__).parent.parent / "labsupport" / "widgets"
logger = logging.getLogger(__name__)
converted: dict[Formula, str] = {}


def formulas(page: nodes.document) -> Iterable[Formula]:
    """Give the formulas of a page."""
    yield from (Formula(node.astext(), False) for node in page.findall(nodes.math))
    yield from (Formula(node.astext(), True) for node in page.findall(nodes.math_block))


def convert_all(app: Sphinx, env: BuildEnvironment) -> None:
    """Convert all formulas of the book at once, which takes no longer than one of them."""
    wanted = [f for name in env.found_docs for f in formulas(env.get_doctree(name))]
    try:
        converted.update(convert(wanted))
    except MathError:
        pass  # it is met again where it stands, and named there


def formula(node: nodes.Element, display: bool) -> str:
    """Give the MathML of a formula; one that cannot be converted fails the build, named."""
    wanted = Formula(node.astext(), display)
    try:
        return converted.get(wanted) or convert([wanted])[wanted]
    except MathError as error:
        logger.warning("%s", error, location=node)
        return ""


def visit_inline(writer: Any, node: nodes.math) -> None:
    """Write a formula in a sentence."""
    writer.body.append(f'<span class="math">{formula(node, display=False)}</span>')
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number and a link to it."""
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    writer.body.append(formula(node, display=True))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def add_widgets(app: Sphinx) -> None:
    """Put the scripts and styles of the package's widgets beside the pages."""
    files = [path for path in WIDGETS.iterdir() if path.suffix in (".js", ".css")]
    for path in sorted(files):
        (app.add_js_file if path.suffix == ".js" else app.add_css_file)(path.name)


def copy_widgets(app: Sphinx, exception: Exception | None) -> None:
    """Copy them, once the theme has made its folder."""
    if exception is None and app.builder.format == "html":
        for path in WIDGETS.iterdir():
            if path.suffix in (".js", ".css"):
                shutil.copy(path, app.outdir / "_static")


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Polish the pages that were written."""
    if exception is None and app.builder.name == "html":
        pages.polish(app.outdir, app.config.html_title, app.config.html_baseurl or "/")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all of it with Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.add_directive("quoted-figure", quoted.QuotedFigure)
    app.connect("builder-inited", add_widgets)
    app.connect("build-finished", copy_widgets)
    app.connect("env-updated", convert_all)
    app.connect("doctree-resolved", glossary.link_page)
    app.connect("build-finished", finish, priority=900)  # after the themes have copied their files
    return {"parallel_read_safe": True, "parallel_write_safe": True}
