"""The chapter on initialisation holds for other starts: its cells run again with other seeds.

Every assertion of the chapter must hold, and every interval it prints must overlap the stored one.
Cells that draw, load torch or judge an exercise are left out; everything else is run as it stands.
"""

import ast
import contextlib
import io
import re

import numpy as np
import pytest

from labsupport import datasets, descent, network
from tests.cases import code_cells, overlap

SEED = "SEED = 0"
AROUND = re.compile(r"(-?\d+\.\d+) ± (\d+\.\d+)")
BETWEEN = re.compile(r"\[(\d\.\d+), (\d\.\d+)\]")


def intervals(text):
    """Every interval that a text prints, in order: m ± h and [low, high]."""
    around = [(float(m) - float(h), float(m) + float(h)) for m, h in AROUND.findall(text)]
    return around + [(float(low), float(high)) for low, high in BETWEEN.findall(text)]


def apart(one, other):
    """Pairs of intervals that do not overlap."""
    return [pair for pair in zip(one, other, strict=True) if not overlap(*pair)]


def run(sources):
    """Run cells one after the other, as a kernel does; give what they print and show."""
    names, out = {}, io.StringIO()
    with contextlib.redirect_stdout(out):
        for source in sources:
            *body, last = ast.parse(source).body
            if not isinstance(last, ast.Expr):
                body, last = [*body, last], None
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            if last:
                value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
                print("" if value is None else repr(value))
    return out.getvalue()


@pytest.fixture(scope="module")
def chapter():
    """The code cells that compute: no figure, no exercise, no PyTorch."""
    return [
        cell
        for cell in code_cells("11-initialisation", "ipynb")
        if "figure" not in cell.metadata.get("mystnb", {})
        and not re.search(r"feedback\.check|import torch", cell.source)
    ]


@pytest.fixture(scope="module")
def reseeded(chapter):
    sources = [cell.source for cell in chapter]
    assert sum(SEED in source for source in sources) == 1
    return [source.replace(SEED, "SEED = 2027") for source in sources]


@pytest.mark.slow
def test_holds_for_another_seed(chapter, reseeded, monkeypatch):
    """Two 95 % intervals of equal width miss each other in 1 of 180 draws; the bound allows 2."""
    monkeypatch.setenv("TQDM_DISABLE", "1")
    outputs = [output for cell in chapter for output in cell.outputs]
    stored = "\n".join(o["text"] if "text" in o else o["data"]["text/plain"] for o in outputs)
    fresh, kept = intervals(run(reseeded)), intervals(stored)
    assert len(kept) > 40
    assert fresh != kept
    assert len(apart(fresh, kept)) <= 2


def test_a_wrong_variance_is_noticed(reseeded):
    """With another promise for He, the chapter's own assertion stops it."""
    at = next(k for k, source in enumerate(reseeded) if "he=2" in source)
    run(reseeded[: at + 1])
    with pytest.raises(AssertionError):
        run([*reseeded[:at], reseeded[at].replace("he=2", "he=2.1")])


def test_intervals_are_read_and_compared():
    found = intervals("he  0.09 ± 0.03\nnormal -1.00 ± 0.50  12 of 16 [0.51, 0.90]")
    assert found == [pytest.approx((0.06, 0.12)), (-1.5, -0.5), (0.51, 0.9)]
    assert apart(found, found) == []
    assert len(apart(found, [(0.13, 0.2), (-2, -1.4), (0.1, 0.5)])) == 2
    with pytest.raises(ValueError):
        apart(found, found[:2])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::labsupport.descent.DescentWarning")
@pytest.mark.parametrize(("rate", "learn"), [(3e-6, True), (0.1, False)])
def test_normal_with_relu_is_a_matter_of_the_rate(rate, learn):
    """On the chapter's 64 points, not the 16 of its map: at one rate most, at another none."""
    net = network.Network((2, *9 * (32,), 1), "relu", "identity", "bce_with_logits")
    start = network.initialise(net, np.random.default_rng(2027), runs=16)
    few = datasets.moons(samples=80)
    data = few.X_train, few.Y_train
    ended = descent.train(net, start, *data, descent.Fixed(rate), 200, target=0.6).history.stopped
    assert (np.sum(ended == "target") >= 12) if learn else not np.any(ended == "target")
