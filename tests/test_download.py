"""lab.zip: what a reader takes home runs there, and says what is missing where it cannot."""

import json
import os
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbclient import NotebookClient

from bookbuild import download


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    download.write(folder)
    return folder / download.NAME


@pytest.fixture(scope="module")
def lab(packed):
    """The zip, unpacked where it was never seen before."""
    with zipfile.ZipFile(packed) as file:
        file.extractall(packed.parent / "home")
    return packed.parent / "home" / "lab"


def test_it_is_small_and_always_the_same(packed, tmp_path):
    with zipfile.ZipFile(packed) as file:
        sizes = {entry.filename: entry.compress_size for entry in file.infolist()}
    assert sum(size for name, size in sizes.items() if name != "lab/book.pdf") < 8e6
    assert {"lab/START.txt", "lab/chapters/01-aim.ipynb", "lab/labsupport/__init__.py"} <= set(
        sizes
    )
    download.write(tmp_path)
    assert (tmp_path / download.NAME).read_bytes() == packed.read_bytes()


@pytest.mark.slow
def test_a_chapter_runs_with_the_package_of_the_zip(lab, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(lab))
    chapter = nbformat.read(lab / "chapters" / "01-aim.ipynb", as_version=4)
    where = nbformat.v4.new_code_cell("print(labsupport.__file__)")
    chapter.cells.insert(1, where)
    NotebookClient(chapter, resources={"metadata": {"path": lab / "chapters"}}).execute()
    assert str(lab) in chapter.cells[1].outputs[0].text


def test_all_that_a_chapter_imports_is_there(lab):
    code = "import labsupport.feedback, labsupport.widgets; print(labsupport.__file__)"
    environment = os.environ | {"PYTHONPATH": str(lab)}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=lab, env=environment, capture_output=True, text=True
    )
    assert str(lab) in ran.stdout, ran.stderr


def test_a_chapter_alone_says_in_one_sentence_what_to_do(lab):
    first = json.loads((lab / "chapters" / "01-aim.ipynb").read_text("utf-8"))["cells"][0]["source"]
    hide = "import sys; sys.modules['labsupport'] = None\n"
    ran = subprocess.run([sys.executable, "-c", hide + first], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1 and "unpack lab.zip" in ran.stderr
