"""What the chapter on the five records says of other starts holds for starts that it never saw."""

import re

import numpy as np
import pytest
from scipy.stats import binomtest

from labsupport import datasets, records
from tests.cases import CHAPTERS, code_cells, overlap

FRESH = 1604  # the chapter draws from 16
RUNS = {"moons-backtracking": 20}
LN2 = np.log(2)

CLAIMS = {
    "xor-autograd: ends below a loss of 0.1": lambda r: r.loss[-1] < 0.1,
    "xor-module: ends below a loss of 0.01": lambda r: r.loss[-1] < 0.01,
    "xor-module: as low as the record at epoch 19,000": lambda r: r.loss[19].round(4) <= 0.0024,
    "xor-relu: ends at ln 2": lambda r: np.isclose(r.loss[-1], LN2, atol=1e-3),
    "xor-relu: ends below a loss of 0.1": lambda r: r.loss[-1] < 0.1,
    "moons-backtracking: never refuses its first trial": lambda r: (
        r.training.history.step[:-1] == 1
    ).all(axis=0),
    "xor-class: ends below a printed loss of 0.01": lambda r: r.loss[-1] < 0.01,
    "xor-class: as high as the record at epoch 200": lambda r: r.loss[2].round(4) >= 0.2558,
}


def stored_claims():
    """The rows of the chapter's table: hits and starts of each claim."""
    texts = [
        output["data"]["text/plain"]
        for cell in code_cells("14-five-records", "ipynb")
        for output in cell.outputs
        if "How often it happens" in output.get("data", {}).get("text/plain", "")
    ]
    (table,) = texts
    rows = re.findall(r"^(\S.*?)  +(\d+) of (\d+) ", table, re.MULTILINE)
    return {claim: (int(hits), int(runs)) for claim, hits, runs in rows}


def interval(hits, runs):
    found = binomtest(hits, runs).proportion_ci(method="wilson")
    return found.low, found.high


@pytest.fixture(scope="module")
def fresh():
    return {
        name: records.run(name, rng=np.random.default_rng(FRESH), runs=RUNS.get(name, 120))
        for name in dict.fromkeys(claim.split(":")[0] for claim in CLAIMS)
    }


def test_fresh_starts_agree(fresh):
    stored = stored_claims()
    assert list(stored) == list(CLAIMS)
    for claim, holds in CLAIMS.items():
        rerun = fresh[claim.split(":")[0]]
        hits = holds(rerun)
        assert hits.shape == rerun.start.runs
        assert overlap(interval(*stored[claim]), interval(int(hits.sum()), len(hits))), claim


def test_a_claim_that_does_not_hold_would_be_found():
    assert not overlap(interval(182, 200), interval(60, 120))
    assert not overlap(interval(24, 200), interval(50, 120))


@pytest.mark.parametrize("name", ["xor-module", "xor-class"])
def test_printed_predictions_fit_the_last_printed_loss(name):
    """And a second training of the finished model begins there: 0.0022, not 0.0024."""
    error = np.array(records.facts(name)["predictions"]) - datasets.xor()[1][:, 0]
    loss, last = (error**2).mean(), records.printed(name)[1][-1]
    assert 0.7 * last < loss < last
    assert name != "xor-module" or round(loss, 4) == 0.0022


def test_each_record_is_given_its_own_claim():
    """The page shows what the facts say, and no other claim."""
    text = (CHAPTERS / "14-five-records.md").read_text("utf-8")
    assert sorted(re.findall(r'^verdict\("(.*)"\)$', text, re.MULTILINE)) == sorted(records.names())
    assert text.count("**Claimed.**") == 1  # where `verdict` makes it
