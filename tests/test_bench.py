"""The bench runs, measures every row, and says yes and NO. No timing is asserted here."""

import sys

import numpy as np
import pytest

from benchmarks import bench
from benchmarks.bench import Row, Size

TINY = Size(turns=2, epochs=3)


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_every_row_with_finite_numbers(capsys):
    bench.main(TINY)
    out = capsys.readouterr().out.splitlines()
    for what in ("Python 3", "numpy 2", "torch 2", "cores", "threads: "):
        assert what in out[0]
    lines = [cells(line) for line in out if line.startswith("| ")][1:]
    assert len(bench.ROWS) == len(lines) >= 6
    for row, (what, peer, ratio, span, target, met) in zip(bench.ROWS, lines, strict=True):
        low, high = map(float, span.split(" - "))
        assert (what, peer) == (row.what, row.peer)
        assert 0 < low <= float(ratio) <= high < np.inf
        assert (target == "-") == (met == "-")
        assert target == "-" or met in ("yes", "NO")


@pytest.mark.parametrize(
    ("limits", "ratios", "met"),
    [
        ({"at_most": 1.5}, [1.0, 1.5, 9.0], "yes"),
        ({"at_most": 1.5}, [1.0, 1.6, 1.6], "NO"),
        ({"at_least": 5.0}, [1.0, 5.0, 6.0], "yes"),
        ({"at_least": 5.0}, [4.9, 4.9, 9.0], "NO"),
        ({}, [1.0, 2.0, 3.0], "-"),
    ],
)
def test_the_median_decides(limits, ratios, met):
    line = Row("this", "that", lambda size: np.array(ratios), **limits).line(TINY)
    assert line[2] == f"{np.median(ratios):.3g}"
    assert line[-1] == met


def test_a_missing_peer_is_said_and_not_an_error(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("labsupport.torch_twin")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    lines = [row.line(TINY) for row in bench.ROWS]
    missing = [line for line in lines if "torch is not installed" in line]
    assert {line[0] for line in missing} == {
        row.what
        for row in bench.ROWS
        if "torch" in row.what.lower() or "SGD" in row.what + row.peer
    }
    assert all(line[-1] == "-" for line in missing)
    assert len(missing) < len(lines)


def test_the_ratio_is_one_over_the_other_in_turns(monkeypatch):
    clock, calls = [0.0], []

    def work(name, seconds):
        def run():
            calls.append(name)
            clock[0] += seconds

        return run

    monkeypatch.setattr(bench, "perf_counter", lambda: clock[0])
    ratios = bench.turns(work("one", 3.0), work("other", 2.0), Size(3, 1))
    np.testing.assert_array_equal(ratios, [1.5, 1.5, 1.5])
    assert calls == ["one", "other"] * 4  # a turn to warm up


def test_both_sides_do_the_same_work():
    bench.same_losses(50, bench.in_pytorch)
    with pytest.raises(AssertionError):
        bench.same_losses(50, lambda epochs: np.array(bench.in_pytorch(epochs)) * 1.001)
