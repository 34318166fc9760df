"""The directive `quoted-figure`: a figure that a chapter's cell has made, shown on another page.

The picture and its alternative text come from the stored notebook, so the two pages cannot differ.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def find(chapter: Path, name: str) -> tuple[bytes, str]:
    """Give the SVG, or the PNG, and the alternative text of the figure of that name.

    Raises
    ------
    LookupError
        No such figure in the notebook; it names those that there are.
    """
    names = []
    for cell in json.loads(chapter.read_text("utf-8"))["cells"]:
        settings: dict[str, Any] = cell["metadata"].get("mystnb", {})
        names.append(settings.get("figure", {}).get("name"))
        if names[-1] == name:
            for output in cell["outputs"]:
                data, alt = output.get("data", {}), settings["image"]["alt"]
                if drawing := data.get("image/svg+xml"):
                    return "".join(drawing).encode(), alt
                if picture := data.get("image/png"):
                    return base64.b64decode(picture), alt
    there = ", ".join(filter(None, names)) or "none"
    raise LookupError(f"{chapter.name} has no figure {name!r}; it has {there}.")


class QuotedFigure(SphinxDirective):
    """Show a chapter's figure: the argument is its name, the option `chapter` the file."""

    required_arguments = 1
    has_content = True
    option_spec = {"chapter": str}  # noqa: RUF012 (docutils reads it from the class)

    def run(self) -> list[nodes.Node]:
        """Write the picture where Sphinx finds it, and show it."""
        source = Path(self.env.srcdir)
        chapter = source / f"{self.options['chapter']}.ipynb"
        self.env.note_dependency(str(chapter))
        try:
            picture, alt = find(chapter, self.arguments[0])
        except LookupError as error:
            raise self.error(str(error)) from error
        kind = "svg" if picture.startswith(b"<svg") else "png"
        file = source / "_build" / "quoted" / f"{self.arguments[0]}.{kind}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
        shown = nodes.container(classes=["quoted-figure"])
        shown += nodes.image(uri=f"/{file.relative_to(source).as_posix()}", alt=alt)
        self.state.nested_parse(self.content, self.content_offset, shown)
        return [shown]
