"""A figure of a chapter, found by its name."""

import base64
import json
from pathlib import Path

import pytest

from bookbuild import quoted

CHAPTERS = Path(__file__).parent.parent / "chapters"


def notebook(tmp_path):
    def cell(name, picture):
        figure = {"figure": {"name": name, "caption": "c"}, "image": {"alt": f"alt of {name}"}}
        data = {"text/plain": "Figure", "image/png": base64.b64encode(picture).decode()}
        return {"metadata": {"mystnb": figure}, "outputs": [{"data": data}]}

    cells = [{"metadata": {}}, cell("fig-a", b"A"), cell("fig-b", b"B")]
    file = tmp_path / "01-x.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    return file


def test_it_is_the_one_of_that_name(tmp_path):
    assert quoted.find(notebook(tmp_path), "fig-b") == (b"B", "alt of fig-b")


def test_a_wrong_name_is_answered_with_those_that_there_are(tmp_path):
    with pytest.raises(LookupError, match="'fig-c'; it has fig-a, fig-b"):
        quoted.find(notebook(tmp_path), "fig-c")


def test_a_real_one():
    picture, alt = quoted.find(CHAPTERS / "03-numpy-backprop.ipynb", real_name())
    assert picture.startswith(b"<svg")
    assert len(alt) > 20


def real_name():
    text = (CHAPTERS / "03-numpy-backprop.md").read_text("utf-8")
    return next(
        line.split()[-1] for line in text.splitlines() if line.strip().startswith("name: fig-")
    )
