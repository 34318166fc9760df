"""What the race states, on starts and draws that the page never saw, and how it counts."""

import ast
from pathlib import Path

import jupytext
import numpy as np
import pytest

from labsupport.momentum import HeavyBall

PAGE = Path(__file__).parent.parent / "chapters" / "15-fair-race.md"


def chapter(seed):
    """What the page defines, from another seed; none of its experiments."""
    cells = [c.source for c in jupytext.read(PAGE, fmt="md:myst").cells if c.cell_type == "code"]
    parts = ("xor, small", "class Track", "trials = ")
    warning, rules, trials = (
        next(k for k, source in enumerate(cells) if source.startswith(part)) for part in parts
    )
    names = {}
    for source in cells[:warning] + cells[rules:trials]:
        exec(source.replace("SEED = 0", f"SEED = {seed}"), names)
    for source in cells[trials:]:
        body = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        exec(compile(ast.Module(body, []), str(PAGE), "exec"), names)
    return names


@pytest.fixture(scope="module")
def page():
    return chapter(101)


@pytest.fixture(scope="module")
def losses(page):
    """On one draw of the moons: a grid for those that are tuned, a poor first step for others."""
    contestants, track = page["contestants"], page["tracks"]["moons 2"]

    def best(name, rates):
        run, seconds = contestants[name]
        grid = [run(track, rate, seconds[0]).loss for rate in rates]
        return min(grid, key=np.median)

    found = {name: best(name, [0.001]) for name in ("monotone", "non-monotone", "L-BFGS")}
    found["fixed"] = best("fixed", (2.0, 4.0, 6.0))
    found["heavy ball"] = best("heavy ball", (0.5, 1.0, 2.0))
    return found | {"Adam": best("Adam", (0.05, 0.1, 0.2))}


def test_the_order_of_the_medians(losses):
    """The searches untuned, the others with rates that were tuned on these very starts."""
    medians = {name: np.median(loss) for name, loss in losses.items()}
    assert medians["L-BFGS"] < medians["non-monotone"] < medians["monotone"]
    assert max(medians["heavy ball"], medians["Adam"]) < medians["fixed"]


@pytest.mark.parametrize(
    ("low", "high", "clear"),
    [
        ("non-monotone", "monotone", True),
        ("heavy ball", "fixed", True),
        ("Adam", "fixed", True),
        ("fixed", "monotone", False),
    ],
)
def test_what_is_clear_start_by_start(page, losses, low, high, clear):
    """And a comparison of two that are alike can fail."""
    p = page["stats"].wilcoxon(losses[low], losses[high]).pvalue
    below = (losses[low] < losses[high]).mean()
    assert (p < 0.05 / 48 and below > 0.7) == clear


def test_heavy_ball_on_the_digits(page):
    """Further down on the training part, fewer hits on the test part."""
    track = page["tracks"]["digits"]
    slow, fast = (page["train"](track, rule) for rule in (page["descent"].Fixed(2.0), HeavyBall(1)))
    assert np.median(fast.loss) < 0.1 * np.median(slow.loss)
    judge = page["network"].accuracy
    hits = [judge(track.net, r.end, track.data.X_test, track.data.Y_test) for r in (slow, fast)]
    assert np.median(hits[0] - hits[1]) > 0.01


def test_nobody_spends_more_than_the_budget(page):
    """What is read was known within the budget, and all of it was spent, to a step."""
    for name, (run, seconds) in page["contestants"].items():
        for track in page["rehearsals"].values():
            r = run(track, 0.1, seconds[0])
            for k, loss in enumerate(r.loss):
                at = np.flatnonzero(r.passes[:, k] <= track.budget)[-1]
                assert loss == r.curve[at, k], name
                assert track.budget - 6 <= r.passes[at, k] <= track.budget, name
            X, Y = track.data.X_train, track.data.Y_train
            at_the_end = page["network"].loss_value(track.net, r.end, X, Y)
            np.testing.assert_allclose(at_the_end, r.loss, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("first", [0.01, 10.0])
def test_the_first_step_of_lbfgs_is_as_long_as_it_is_told(page, first):
    track = page["rehearsals"]["moons"]
    start = track.starts.vector[0]
    seen = page["look"](track, start, first, 10)
    length = np.linalg.norm(seen[1][1] - start)
    assert np.isclose(length, first, rtol=1e-6)
    assert len(seen) == track.budget // 3


def test_every_contestant_has_thirteen_trials(page, monkeypatch):
    tried = []

    def attempt(run, track, firsts, second):
        tried.extend((float(a), second) for a in firsts)
        return np.abs(np.log(np.asarray(firsts) / 2)), 0

    monkeypatch.setitem(page, "attempt", attempt)
    for name, (run, seconds) in page["contestants"].items():
        tried.clear()
        worst, (_, first, second), _ = page["rehearse"](run, seconds, None)
        assert len(tried) == len(set(tried)) == 13, name
        assert len(worst) == 7 and (first, second) in tried
        assert abs(np.log(first / 2)) == min(abs(np.log(a / 2)) for a, _ in tried)


def test_a_setting_is_as_good_as_its_worst_start(page):
    run, _ = page["contestants"]["fixed"]
    track = page["rehearsals"]["moons"]
    worst, spent = page["attempt"](run, track, [1.0, 3.0], None)
    each = [run(track, rate, None) for rate in (1.0, 3.0)]
    np.testing.assert_allclose(worst, [r.loss.max() for r in each])
    assert spent == 2 * 5 * 500


def test_holm(page):
    corrected = page["holm"](np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(page["holm"](np.array([0.6, 0.7])), [1, 1])
