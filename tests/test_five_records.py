"""What the chapter on the five records says of other starts holds for starts that it never saw."""

import re

import numpy as np
import pytest
from scipy.stats import binomtest

from labsupport import records
from tests.cases import code_cells, overlap

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
