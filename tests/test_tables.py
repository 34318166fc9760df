"""A table has headers for columns and rows, escapes what it shows, and reads as text."""

from xml.etree import ElementTree

import pytest

from labsupport.tables import Table

TABLE = Table(["name", "size < 2"], [["a & b", 1], ["c", "<br>"]], 'A "small" table')


def test_html():
    region = ElementTree.fromstring(TABLE._repr_html_())
    assert region.get("aria-label") == TABLE.caption and region.get("tabindex") == "0"
    table = region.find("table")
    assert table.find("caption").text == TABLE.caption
    heads = [(th.get("scope"), th.text) for th in table.iter("th")]
    assert heads == [("col", "name"), ("col", "size < 2"), ("row", "a & b"), ("row", "c")]
    assert [td.text for td in table.iter("td")] == ["1", "<br>"]


def test_text():
    assert repr(TABLE).splitlines() == [
        'A "small" table',
        "name   size < 2",
        "a & b  1",
        "c      <br>",
    ]


def test_a_row_that_is_too_short():
    with pytest.raises(ValueError, match="row 2 has 1 cells; expected 2"):
        Table(["a", "b"], [[1, 2], [3]], "")
