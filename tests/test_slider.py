"""The slider's numbers against formulas, its table against its data, and what it refuses."""

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from labsupport import datasets
from labsupport.widgets import slider

A = np.array([[5.0, -2.0], [-2.0, 2.0]])  # eigenvalues 1 and 6
SHARES = (0.1, 0.5, 0.8, 0.95, 1.0, 1.05, 1.2)


def quadratic(start=(-1.0, 3.0), A=A):
    L = np.linalg.eigvalsh(A)[-1]
    return slider.Problem(
        lambda x: 0.5 * x @ A @ x, lambda x: A @ x, L, np.array(start), np.zeros(2)
    )


def logistic(*start):
    """Return logistic regression on the moons: there a loss may also settle, or hop."""
    data = datasets.moons()
    X, y = data.X_train, data.Y_train[:, 0]
    return slider.Problem(
        lambda w: np.mean(np.logaddexp(0, X @ w) - y * (X @ w)),
        lambda w: X.T @ (1 / (1 + np.exp(-X @ w)) - y) / len(y),
        np.linalg.eigvalsh(X.T @ X)[-1] / (4 * len(X)),
        np.array(start),
        np.array([1.18433331, -2.71972937]),
    )


def shown(**changes):
    options = {"title": "A quadratic", "problem": quadratic(), "shares": SHARES} | changes
    return slider.Slider(**options)


def parts(made):
    """The table as rows of text, and the data for the script."""
    soup = BeautifulSoup(made._repr_html_(), "html.parser")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.select("tr")]
    return rows, json.loads(soup.select_one("script[type='application/json']").string)


@given(
    values=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)),
    turn=st.floats(0, np.pi),
    share=st.floats(0.01, 1.3),
    start=st.tuples(st.floats(-3, 3), st.floats(0.5, 3)),
)
def test_path_on_a_quadratic_is_the_closed_formula(values, turn, share, start):
    Q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    A = Q @ np.diag(values) @ Q.T
    walk = slider.walk(quadratic(start, A), share)
    alpha = share * 2 / np.linalg.eigvalsh(A)[-1]
    assert np.isclose(walk.step, alpha)
    factors = (1 - alpha * np.array(values)) ** np.arange(41)[:, None]
    path = factors * (Q.T @ start) @ Q.T
    size = np.maximum.accumulate(np.abs(path).max(axis=1))[:, None] + 1
    assert (np.abs(walk.path - path) < 1e-9 * size).all()
    np.testing.assert_allclose(walk.gap, 0.5 * np.einsum("ki,ij,kj->k", path, A, path), 1e-6, 1e-9)


@pytest.mark.parametrize(
    ("problem", "outcome", "shares"),
    [
        (quadratic(), slider.FALLS, (0.1, 0.499)),
        (quadratic(), slider.CROSSES, (0.7, 0.99)),
        (quadratic(), slider.STANDS, (1.0,)),
        (quadratic(), slider.LEAVES, (1.01, 1.3)),
        (logistic(3.0, -1.0), slider.FALLS, (1.0,)),
        (logistic(3.0, -1.0), slider.CROSSES, (4.0,)),
        (logistic(3.0, -1.0), slider.SETTLES, (4.1,)),
        (logistic(3.0, -1.0), slider.HOPS, (4.5, 6.0)),
    ],
)
def test_outcomes(problem, outcome, shares):
    assert [slider.walk(problem, share).outcome for share in shares] == [outcome] * len(shares)


def test_a_slow_departure_is_no_running_away():
    """From 0 the loss falls, and then rises for long from close to the minimum."""
    walk = slider.walk(logistic(0.0, 0.0), 5.0)
    assert (np.diff(walk.gap[20:]) > 0).all()
    assert walk.outcome == slider.HOPS


def test_rounding_is_no_rise():
    """At the minimum; and at exactly 2/L, where the loss stays up to the last bits."""
    walk = slider.walk(logistic(3.0, -1.0), 3.0, 400)
    assert (np.diff(walk.gap) > 0).any()
    assert walk.outcome == slider.CROSSES
    steepest = np.linalg.eigh(A)[1][:, -1]
    for turn in (np.pi, -np.pi):
        still = slider.walk(quadratic(turn * steepest), 1.0, 400)
        assert still.outcome == slider.STANDS


def test_table_has_headers_and_a_caption():
    soup = BeautifulSoup(shown()._repr_html_(), "html.parser")
    assert soup.caption.get_text().startswith("A quadratic")
    rows = soup.select("tbody tr")
    assert len(soup.select("thead th[scope=col]")) == 5 and len(rows) == len(SHARES)
    assert all(len(row.select("th[scope=row]")) == 1 for row in rows)


def test_table_and_data_hold_the_same_numbers():
    made = shown()
    rows, data = parts(made)
    assert rows[0][2:4] == ["after 10", "after 40"]
    for row, walk, drawn in zip(rows[1:], made.walks, data["walks"], strict=True):
        assert float(row[0]) == pytest.approx(walk.share / 3, rel=1e-3)  # 2/L is 1/3
        assert float(row[1]) == pytest.approx(walk.share, rel=1e-2)
        assert row[4] == walk.outcome
        for cell, n in zip(row[2:4], (10, 40), strict=True):
            if cell == "less than 10⁻⁶":
                assert walk.gap[n] < 1e-6 and drawn["gap"][n] < -6
            else:
                assert float(cell) == pytest.approx(walk.gap[n], rel=1e-2)
                assert drawn["gap"][n] == pytest.approx(min(np.log10(walk.gap[n]), 4), abs=0.006)
        kept = len(drawn["path"])
        np.testing.assert_allclose(drawn["path"], walk.path[:kept], atol=5.1e-4)
        assert kept == 41 or np.abs(drawn["path"][-1]).max() > 3 * made.reach
        assert np.abs(drawn["path"][:-1]).max() <= 3 * made.reach


def test_contours_are_lines_of_equal_loss():
    made = shown()
    for contour in parts(made)[1]["contours"]:
        points = np.array(contour)
        assert (points[0] == points[-1]).all()
        inside = np.linalg.norm(points, axis=1) < 2.9 * made.reach
        heights = np.array([made.problem.value(point) for point in points[inside]])
        assert len(heights) > 10 and np.ptp(heights) / heights.mean() < 0.06


def test_paths_are_relative_to_the_minimum():
    here, shift = quadratic(), np.array([3.0, -2.0])
    there = slider.Problem(
        lambda x: here.value(x - shift) + 7,
        lambda x: here.gradient(x - shift),
        here.smoothness,
        here.start + shift,
        shift,
    )
    one, other = (parts(shown(problem=problem, shares=(0.3, 0.9))) for problem in (here, there))
    assert one[0] == other[0]
    assert one[1]["walks"][0]["path"] == other[1]["walks"][0]["path"]
    assert other[1]["minimum"] == [3.0, -2.0]


def test_a_title_is_text_and_the_page_form_is_small():
    made = shown(title="a < b </script><b>")
    soup = BeautifulSoup(made._repr_html_(), "html.parser")
    assert not soup.select("b")
    assert "a < b </script><b>" in soup.caption.get_text()
    assert parts(made)[1]["title"] == "a < b </script><b>"
    assert len(made._repr_html_()) < 20_000
    assert repr(shown()) == "<Slider 'A quadratic': 7 steps>"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shares": (0.5,)}, "at least two, increasing"),
        ({"shares": (0.5, 0.5)}, "at least two, increasing"),
        ({"shares": (0.0, 0.5)}, "shares is .*above 0"),
        ({"reach": 2.0}, "the start is 3 away"),
        ({"reach": -1.0}, "reach is -1.0; .*above 0"),
        ({"marks": (40, 10)}, "marks is .*increasing"),
        ({"smoothness": 0.0}, "smoothness is 0.0"),
        ({"start": np.ones(3)}, r"shape \(3,\)"),
        ({"minimum": np.array([np.nan, 0])}, "minimum holds 1 NaN"),
        ({"minimum": np.array([-1.0, 3.0])}, "expected less at the minimum"),
    ],
)
def test_what_is_refused(changes, words):
    given = {"smoothness": 6.0, "start": np.array([-1.0, 3.0]), "minimum": np.zeros(2)}
    of_problem = {name: value for name, value in changes.items() if name in given}
    with pytest.raises(ValueError, match=words):
        problem = slider.Problem(lambda x: 0.5 * x @ A @ x, lambda x: A @ x, **(given | of_problem))
        shown(problem=problem, **{n: v for n, v in changes.items() if n not in given})
