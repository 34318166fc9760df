"""The knobs' numbers against the roots and against the ball itself, its table, what it refuses."""

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from labsupport.momentum import HeavyBall
from labsupport.widgets import knobs, scripts

MADE = knobs.Knobs("A valley")


def parts(made):
    """The table as rows of text, and the data for the script."""
    soup = BeautifulSoup(made._repr_html_(), "html.parser")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.select("tr")]
    return soup, rows, json.loads(soup.select_one("script[type='application/json']").string)


@given(st.floats(1e-4, 3), st.floats(0, 0.999), st.floats(1e-3, 100))
def test_rate_is_the_larger_root(alpha, beta, curvature):
    roots = np.roots([1, -(1 + beta - alpha * curvature), beta])
    assert np.isclose(knobs.rate(alpha, beta, curvature), abs(roots).max(), rtol=1e-6)


@pytest.mark.parametrize(("alpha", "beta"), [(0.02, 0.3), (0.03, 0.7), (0.001, 0.9), (0.039, 0.99)])
def test_rate_is_that_of_the_rule(alpha, beta):
    """Of the package's heavy ball, late in a descent, over many turns if it swings."""
    for curvature in MADE.curvatures:
        x, memory, sizes = np.ones(1), HeavyBall(alpha, beta).begin(np.ones(1)), []
        for _ in range(3000):
            step, direction = HeavyBall(alpha, beta).propose(memory, curvature * x)
            x = x - step * direction
            scale = np.hypot(x, step * direction)
            x, memory["velocity"] = x / scale, memory["velocity"] / scale
            sizes.append(np.log(scale))
        assert np.isclose(
            np.exp(np.mean(sizes[1000:])), knobs.rate(alpha, beta, curvature), rtol=2e-3
        )


@given(st.floats(0.01, 10), st.floats(1.01, 1e6))
def test_best_is_the_closed_formula_and_no_neighbour_is_faster(low, kappa):
    curvatures = np.array([low, kappa * low])
    step, momentum = knobs.best(*curvatures)
    least = knobs.rate(step, momentum, curvatures).max()
    # Double roots: an error of 1e-16 in the settings moves them by 1e-8.
    assert np.isclose(least, (kappa**0.5 - 1) / (kappa**0.5 + 1), rtol=0, atol=1e-6)
    for by in (0.99, 1.01):
        assert knobs.rate(by * step, momentum, curvatures).max() > least - 1e-6
        if by * momentum < 1:
            assert knobs.rate(step, by * momentum, curvatures).max() > least - 1e-6


def test_best_of_a_hundred():
    assert knobs.best(1, 100) == pytest.approx((4 / 121, 81 / 121))
    assert repr(MADE) == "<Knobs 'A valley': best at step 0.03306, momentum 0.6694>"


def test_table_holds_the_rates_and_says_what_runs_away():
    soup, rows, data = parts(MADE)
    assert "Best of all: 0.818, with step 0.0331 and momentum 0.669." in soup.caption.get_text()
    assert soup.section["aria-label"] == "A valley"
    assert [float(cell) for cell in rows[0][1:]] == list(MADE.rates)
    assert len(soup.select("thead th[scope=col]")) == 6 and len(rows) == 9
    away = 0
    for row in rows[1:]:
        for alpha, cell in zip(MADE.rates, row[1:], strict=True):
            rate = knobs.rate(alpha, float(row[0]), MADE.curvatures).max()
            edge = 2 * (1 + float(row[0])) / 100
            still = np.isclose(alpha, edge, rtol=1e-9, atol=0)
            assert still == np.isclose(rate, 1, rtol=0, atol=1e-9) == (cell == "stays")
            assert cell == "stays" or (alpha > edge) == (cell == "runs away")
            assert cell in ("stays", "runs away", f"{rate:.3f}")
            away += cell == "runs away"
    assert 5 < away < 20
    assert data == {
        "curvatures": [1.0, 100.0],
        "start": [-10.0, 1.0],
        "steps": 100,
        "best": [0.0330578512397, 0.669421487603],
    }


@pytest.mark.parametrize(("alpha", "beta"), [(0.02, 0.0), (0.03, 0.5)])
def test_at_the_edge_the_ball_stays_and_beyond_it_runs_away(alpha, beta):
    """There the distance across the valley is the same from step to step, late in the descent."""
    assert 0.99 < float(MADE._cell(0.999 * alpha, beta)) < 1
    assert MADE._cell(alpha, beta) == "stays" and MADE._cell(1.001 * alpha, beta) == "runs away"
    e, before, sizes = 1.0, 1.0, []
    for _ in range(200):
        e, before = (1 + beta - 100 * alpha) * e - beta * before, e
        sizes.append(abs(e))
    assert np.allclose(sizes[100:], sizes[100], rtol=1e-9)


def test_a_title_is_text_and_the_page_form_is_small(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    made = knobs.Knobs('a < b </script><b> "c"')
    soup = parts(made)[0]
    assert not soup.select("b") and soup.section["aria-label"] == made.title
    assert len(made._repr_html_()) < 4000


def test_script_and_style_come_along_where_a_reader_runs_the_cell(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "14-momentum.ipynb")
    html = MADE._repr_html_()
    assert all((scripts.FOLDER / name).read_text("utf-8") in html for name in knobs.FILES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"curvatures": (100.0, 1.0)}, "the smaller one first"),
        ({"curvatures": (0.0, 1.0)}, "low is 0.0"),
        ({"start": (0.0, 1.0)}, "neither of them 0"),
        ({"start": (1.0, np.nan)}, "start holds 1 NaN"),
        ({"start": (1.0, 2.0, 3.0)}, "expected two numbers"),
        ({"steps": 1}, "steps is 1"),
        ({"rates": (0.0, 0.1)}, "rates is .*above 0"),
        ({"momenta": (0.5, 1.0)}, r"momenta is .*\[0, 1\)"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        knobs.Knobs("A valley", **changes)
