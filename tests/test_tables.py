"""A table has headers for columns and rows, escapes what it shows, and reads as text."""

from xml.etree import ElementTree

import numpy as np
import pytest

from labsupport.tables import WHOLE, Sketch, Table

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


def points(line):
    return np.array([pair.split(",") for pair in line.get("points").split()], dtype=float)


def test_a_sketch_in_a_table_draws_both_curves_and_says_what_is_seen():
    """On one axis of epochs; what is beyond 0.01 to 10 lies on the edge, none of it is spoken."""
    sketch = Sketch("It rises & falls.", [0.1, 1e9, 10.0, 0.01, 0.0], np.array([1.0, 1.0, 1.0]))
    table = Table(["seen", "is"], [[sketch, "a & b"]], "caption")
    region = ElementTree.fromstring(table._repr_html_())
    head = region.find(".//tbody/tr/th")
    assert head.get("scope") == "row" and "".join(head.itertext()) == sketch.words
    picture = head.find("svg")
    assert picture.get("aria-hidden") == "true" and picture.get("stroke") == "currentColor"
    curve, other = (points(line) for line in picture.findall("polyline"))
    np.testing.assert_allclose(curve, [[0, 40], [30, 0], [60, 0], [90, 60], [120, 60]])
    np.testing.assert_allclose(other, [[0, 20], [30, 20], [60, 20]])
    assert "rises & falls" in repr(table) and "svg" not in repr(table)


def test_a_row_that_is_too_short():
    with pytest.raises(ValueError, match="row 2 has 1 cells; expected 2"):
        Table(["a", "b"], [[1, 2], [3]], "")


def test_numbers_and_intervals_stay_whole():
    cells = "1.002 ± 0.006", "200 (98-100 %)", "more than a line of words, 12 of them"
    table = Table(("", "a", "b", "c"), [("x", *cells)], "t")
    number, count, text = ElementTree.fromstring(table._repr_html_()).iter("td")
    assert (number.get("style"), count.get("style"), text.get("style")) == (WHOLE, None, None)
    (interval,) = count
    assert (interval.get("style"), interval.text) == (WHOLE, "(98-100 %)")
