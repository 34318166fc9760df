"""The stepper: its numbers are those it was given, its tables can be read, and nothing is lost."""

import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from labsupport.datasets import xor
from labsupport.widgets import stepper
from tests.cases import code_cells

START = {
    "W1": np.array([[1, -1], [1, 0.5]]),
    "b1": np.array([[0, 0.5]]),
    "W2": np.array([[1], [-0.5]]),
    "b2": np.array([[0.25]]),
}


def example(W1, b1, W2, b2):
    """Compute all quantities of the worked example, without labsupport.network."""
    X, Y = xor()
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    Z2 = A1 @ W2 + b2
    P = 1 / (1 + np.exp(-Z2))
    losses = -np.log(np.where(Y == 1, P, 1 - P))
    J = losses.mean()
    D2 = (P - Y) / 4
    dW2, db2 = A1.T @ D2, D2.sum(0, keepdims=True)
    D1 = D2 @ W2.T / np.cosh(Z1) ** 2
    dW1, db1 = X.T @ D1, D1.sum(0, keepdims=True)
    return locals()


def moved(v, rate=0.5):
    return {name: v[name] - rate * v[f"d{name}"] for name in START}


def build(start):
    before = example(**start)
    after = example(**moved(before))
    return stepper.worked_example(before, after, 0.5), before, after


def read(text):
    return float(text.replace("−", "-"))


def tables(html):
    """All tables in order: step, name, whether it is new, and the numbers."""
    soup = BeautifulSoup(html, "html.parser")
    for number, item in enumerate(soup.select("li"), start=1):
        for table in item.select("table"):
            name, new = re.fullmatch(r"(\w+)( \(new\))?", table.caption.get_text()).groups()
            rows = [[read(cell.text) for cell in row("td")] for row in table.tbody("tr")]
            yield number, name, bool(new), np.array(rows)


def written_out(html):
    """Both sides of every equation that a step writes out in numbers."""
    names = {"tanh": np.tanh, "exp": np.exp, "ln": np.log}
    for paragraph in BeautifulSoup(html, "html.parser").select(".stepper-entry"):
        for equation in paragraph.text.removeprefix("In numbers: ").split("; "):
            left, right = equation.replace("−", "-").replace("×", "*").split(" = ")
            yield equation, eval(left, names), float(right)


def wrong_tables(html, before, after):
    """Tables that do not hold the numbers of their quantity."""
    return [
        (number, name)
        for number, name, new, values in tables(html)
        if not np.array_equal(
            values,
            np.round(np.atleast_2d((after if number == 11 and new else before)[name]), 6) + 0.0,
        )
    ]


def test_every_table_holds_its_numbers():
    shown, before, after = build(START)
    html = shown._repr_html_()
    assert wrong_tables(html, before, after) == []
    names = [name for _, name, new, _ in tables(html) if new]
    assert names == "Z1 A1 Z2 P losses J D2 dW2 db2 D1 dW1 db1 W1 b1 W2 b2 J".split()
    for digits in ("0.126184", "−0.074358", "0.683630", "0.462117"):
        assert wrong_tables(html.replace(f"<td>{digits}", "<td>0.123456"), before, after)


def test_what_is_written_out_is_true():
    """An entry computed from six decimals may be off by a few units of the last."""
    equations = list(written_out(build(START)[0]._repr_html_()))
    assert len(equations) == 11
    assert [e for e, left, right in equations if abs(left - right) > 3e-6] == []
    assert all(abs(left - (right + 1e-5)) > 3e-6 for _, left, right in equations)


@settings(max_examples=20)
@given(st.lists(st.floats(-2, 2), min_size=9, max_size=9))
def test_other_parameters_too(numbers):
    W1, b1, W2, b2 = np.split(np.round(numbers, 3), [4, 6, 8])
    start = {"W1": W1.reshape(2, 2), "b1": b1[None], "W2": W2[:, None], "b2": b2[None]}
    shown, before, after = build(start)
    assert wrong_tables(shown._repr_html_(), before, after) == []
    for _, left, right in written_out(shown._repr_html_()):
        assert left == pytest.approx(right, abs=2e-5)


def test_the_chapter_stores_what_this_module_writes():
    """The stored output is today's HTML, of numbers that are computed here once more."""
    outputs = [output for c in code_cells("07-four-equations", "ipynb") for output in c.outputs]
    shown = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    stored = [html for html in shown if 'class="stepper"' in html]
    assert stored == [build(START)[0]._repr_html_()]


def test_rounding_does_not_show():
    shown = build(START)[0]._repr_html_()
    for sign in (-1, 1):
        nearby = {name: values + sign * 1e-12 for name, values in START.items()}
        assert build(nearby)[0]._repr_html_() == shown


def test_tables_have_headers_and_steps_their_number():
    soup = BeautifulSoup(build(START)[0]._repr_html_(), "html.parser")
    assert soup.section["aria-label"]
    assert [item["value"] for item in soup.section.ol("li")] == [str(n) for n in range(1, 12)]
    assert len(soup("table")) > 30
    for table in soup("table"):
        assert table.caption.get_text()
        columns = table.thead("th")
        assert columns and all(th["scope"] == "col" and th.text for th in columns)
        for row in table.tbody("tr"):
            assert row.th["scope"] == "row" and row.th.text
            assert len(row("td")) == len(table.tr(["th", "td"])) - 1
    assert not soup.select("[hidden], [onclick], script, style")


def test_text_where_there_is_no_html():
    lines = str(build(START)[0]).splitlines()
    assert len(lines) == 12
    assert lines[9] == "9. Second equation: hidden delta: D_1 = (D_2 W_2^T) ∘ (1 − A_1 ∘ A_1)"


def test_formulas_are_marked_up_and_escaped():
    step = stepper.Step("A < B", "W_2^T < 1", "2 < 3", {}, {"D1": np.ones((2, 1))})
    html = stepper.Stepper('"quoted"', (step,))._repr_html_()
    assert "A &lt; B" in html and "2 &lt; 3" in html and "&quot;quoted&quot;" in html
    assert "W<sub>2</sub><sup>T</sup> &lt; 1" in html
    assert "<caption>D<sub>1</sub> (new)</caption>" in html


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, -2.0], ["1", "−2"]),
        ([0.25, -1], ["0.25", "−1.00"]),
        ([0.5, 0.125], ["0.500000", "0.125000"]),
        ([1e-9, -1e-9], ["0", "0"]),
        (0.17611, ["0.176110"]),
    ],
)
def test_numbers(values, expected):
    assert stepper.numbers(values) == expected
    with pytest.raises(ValueError, match="expected finite"):
        stepper.numbers([*np.ravel(values), np.nan])


@pytest.mark.parametrize(("which", "name"), [("before", "D1"), ("after", "J")])
def test_a_missing_quantity_is_named(which, name):
    given = {"before": example(**START), "after": example(**START)}
    del given[which][name]
    with pytest.raises(ValueError, match=f"{which} lacks {name}; expected"):
        stepper.worked_example(given["before"], given["after"], 0.5)
