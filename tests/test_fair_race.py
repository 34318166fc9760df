"""The order that the race states, on starts and a draw of the moons that the page never saw."""

import ast
from pathlib import Path

import jupytext
import numpy as np
import pytest

PAGE = Path(__file__).parent.parent / "chapters" / "15-fair-race.md"


def chapter(seed):
    """What the page defines, from another seed; none of its experiments."""
    cells = [c.source for c in jupytext.read(PAGE, fmt="md:myst").cells if c.cell_type == "code"]
    first = next(k for k, source in enumerate(cells) if source.startswith("tried = "))
    names = {}
    for source in cells[:first]:
        exec(source.replace("SEED = 0", f"SEED = {seed}"), names)
    for source in cells[first:]:
        body = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        exec(compile(ast.Module(body, []), str(PAGE), "exec"), names)
    return names


@pytest.fixture(scope="module", params=[101])
def page(request):
    return chapter(request.param)


@pytest.fixture(scope="module")
def losses(page):
    """Every contestant but reset; a grid of rates, and a poor first trial for each search."""
    starts, rules = page["starts"], page["contestants"]
    grid = [page["race"](rules["fixed rate"](rate), starts).loss for rate in (4.0, 6.0, 8.0)]
    found = {"fixed rate": min(grid, key=np.median)}
    for name in ("warm", "warm, c = 0.3", "non-monotone"):
        found[name] = page["race"](rules[name](0.001), starts).loss
    ends = page["network"].Parameters(
        page["net"].sizes, np.array([page["lbfgs"](v) for v in starts.vector])
    )
    found["L-BFGS"] = page["network"].loss_value(page["net"], ends, page["X"], page["Y"])
    return found


def test_the_order_of_the_medians(losses):
    """Untuned, against a rate that was tuned on these very starts."""
    medians = {name: np.median(loss) for name, loss in losses.items()}
    assert medians["L-BFGS"] < medians["non-monotone"] < 1.1 * medians["fixed rate"]
    assert medians["non-monotone"] < 0.95 * min(medians["warm"], medians["warm, c = 0.3"])


def test_looking_back_is_clearly_below_the_monotone_searches(page, losses):
    searches = {k: v for k, v in losses.items() if k not in ("L-BFGS", "fixed rate")}
    for below, p in page["against"](searches).values():
        assert below >= 8
        assert p < 0.05


def test_the_same_comparison_can_fail(page, losses):
    """The stricter of the two monotone searches is not below the other."""
    pair = {name: losses[name] for name in ("warm", "warm, c = 0.3")}
    ((below, _),) = page["against"](pair, name="warm, c = 0.3").values()
    assert below < 8


def test_a_monotone_search_never_climbs_and_pays_as_much(page):
    rules, starts = page["contestants"], page["rehearsal"]
    warm, back = (page["race"](rules[k](1.0), starts).history for k in ("warm", "non-monotone"))
    rises = [(np.diff(h.loss[:240], axis=0) > 0).mean() for h in (warm, back)]
    assert rises[0] < 1e-3 < 0.2 < rises[1]
    assert abs(warm.trials[50:240].mean() - back.trials[50:240].mean()) < 0.1


def test_holm():
    corrected = chapter(0)["holm"](np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(chapter(0)["holm"](np.array([0.6, 0.7])), [1, 1])
