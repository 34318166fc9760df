"""The bench runs, measures every row, and says yes and NO. No timing is asserted here."""

import json
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import labsupport
from benchmarks import growth, lighthouse, one_network, report, table, workers
from benchmarks.table import ROWS, Row, Size

ROOT = Path(__file__).parent.parent
TINY = Size(turns=2, epochs=3)


def test_the_table_has_every_row_with_finite_numbers(capsys):
    report.main(TINY)
    out = capsys.readouterr().out.splitlines()
    for what in ("Python 3", "numpy 2", "torch 2", "cores", "threads: "):
        assert what in out[0]
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in out if line[:2] == "| "]
    for row, (what, peer, ratio, span, target, met) in zip(ROWS, lines[1:], strict=True):
        assert (what, peer) == (row.what, row.peer)
        if "not installed" in ratio:  # the environment of the manual has neither of the two
            assert ratio.split()[0] in ("jax", "micrograd")
            continue
        low, high = map(float, span.split(" - "))
        assert 0 < low <= float(ratio) <= high < np.inf
        assert met in (("-",) if target == "-" else ("yes", "NO"))


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


@pytest.mark.parametrize(
    ("peer", "needed_by"),
    [
        ("torch", "torch|SGD"),
        ("jax", "JAX"),
        ("micrograd", "micrograd"),
        ("sklearn", "scikit|moons"),
    ],
)
def test_a_missing_peer_is_said_and_not_an_error(monkeypatch, peer, needed_by):
    for loaded in list(sys.modules):
        if loaded.split(".")[0] == peer or loaded.startswith(
            ("labsupport.torch_", "labsupport.parallel")
        ):
            monkeypatch.delitem(sys.modules, loaded)
    for name in ("torch_twin", "parallel"):  # a module stays an attribute of its package
        monkeypatch.delattr(labsupport, name, raising=False)
    monkeypatch.setitem(sys.modules, peer, None)
    workers.pairs.cache_clear()  # what it measured before is not to be had now
    rows = [row for row in ROWS if re.search(needed_by, f"{row.what} {row.peer}", re.I)]
    assert rows
    for row in rows:
        line = row.line(TINY)
        assert peer in line[2] and "not installed" in line[2] and line[-1] == "-"
    other = next(row for row in ROWS if row.peer.startswith("bare NumPy"))
    assert "not installed" not in other.line(TINY)[2]


def test_the_ratio_is_one_over_the_other_in_turns(monkeypatch):
    clock, calls = [0.0], []

    def work(name, seconds):
        def run():
            calls.append(name)
            clock[0] += seconds

        return run

    monkeypatch.setattr(table, "perf_counter", lambda: clock[0])
    ratios = table.turns(work("one", 3.0), work("other", 2.0), Size(3, 1))
    np.testing.assert_array_equal(ratios, [1.5, 1.5, 1.5])
    assert calls == ["one", "other"] * 4  # a turn to warm up


def test_what_is_stored_can_be_read_again(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(growth, "STORED", tmp_path / "measured.json")
    monkeypatch.setattr(growth, "measure", partial(growth.measure, turns=1, least=0.0, largest=12))
    monkeypatch.setattr(workers, "measure", partial(workers.measure, turns=1, batches=(2, 4)))
    monkeypatch.setattr(report, "ROWS", ROWS[:1])
    report.main(TINY, store=True)
    found = json.loads(growth.STORED.read_text("utf-8"))
    sizes = {"runs": [1, 3, 10], "samples": [4, 12], "units": [4, 8]}
    assert {name: [n for n, _ in found[name]] for name in sizes} == sizes
    assert all(time > 0 for name in sizes for _, time in found[name])
    shared = found["workers"]
    assert [batch for batch, *_ in shared["steps"]] == [2, 4]
    assert all(time > 0 for _, *times in shared["steps"] + shared["sums"] for time in times)
    assert 0 < shared["ratio"][1] <= shared["ratio"][0] <= shared["ratio"][2]
    peer = found["peers"]["PyTorch, processor"]
    assert [n for n, _ in peer["samples"]] == [4, 12] and [n for n, _ in peer["units"]] == [4, 8]
    assert found["rows"][0]["time of"] == ROWS[0].what
    assert found["rows"][0]["ratio (median)"] in capsys.readouterr().out


def test_renewed_rows_keep_their_place_and_are_of_the_same_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(growth, "STORED", tmp_path / "measured.json")
    monkeypatch.setattr(growth, "measure", dict)

    def ratio(value, module):
        def measure(size):
            return np.full(size.turns, value)

        measure.__module__ = f"benchmarks.{module}"
        return measure

    def store(value, size=TINY, only=None):
        rows = [("a", "x", "one"), ("a", "y", "two"), ("b", "x", "one")]
        rows = [Row(what, peer, ratio(value, module)) for what, peer, module in rows]
        monkeypatch.setattr(report, "ROWS", rows)
        report.main(size, store=True, only=only)

    def stored():
        return [tuple(row.values())[:3] for row in json.loads(growth.STORED.read_text())["rows"]]

    monkeypatch.setattr(workers, "measure", dict)
    store(1.0)
    store(2.0, only="two")
    assert stored() == [("a", "x", "1"), ("a", "y", "2"), ("b", "x", "1")]
    with pytest.raises(SystemExit, match="2 turns a row"):
        store(3.0, Size(turns=3, epochs=3), only="two")
    monkeypatch.setattr(report, "versions", lambda: "Python 4")
    with pytest.raises(SystemExit, match="from Python 3.* leave out --only"):
        store(3.0, only="two")
    assert stored()[1] == ("a", "y", "2")


def test_both_sides_do_the_same_work():
    one_network.same_losses(50, one_network.in_pytorch)
    with pytest.raises(AssertionError):
        one_network.same_losses(50, lambda epochs: np.array(one_network.in_pytorch(epochs)) * 1.001)


def test_both_train_the_same_network():
    net = growth.Network((2, 5, 1), "tanh")
    X, Y = growth.datasets.xor()
    loss = growth.ours(net, X, Y)(20).history.loss[-1]
    assert np.isclose(growth.theirs(net, X, Y, "cpu")(21), loss, rtol=1e-12)


def test_lighthouse_is_asked_about_every_page_and_kept(monkeypatch, tmp_path, capsys):
    (tmp_path / "a").mkdir()
    for page in ("index.html", "a/b.html"):
        (tmp_path / page).write_text("<p>Here.</p>")
    asked, stored = [], tmp_path / "stored.json"

    def answer(address):
        asked.append(address.partition("localhost:")[2].partition("/")[2])
        scores = {"performance": 0.974, "accessibility": 1, "best-practices": 1, "seo": 0.9}
        return {
            "lighthouseVersion": "0",
            "categories": {name: {"score": score} for name, score in scores.items()},
            "audits": {"total-byte-weight": {"numericValue": 12_600}},
        }

    for name, value in {"ask": answer, "HTML": tmp_path, "STORED": stored}.items():
        monkeypatch.setattr(lighthouse, name, value)
    lighthouse.main(["b"])
    assert asked == ["a/b.html"] and "'performance': 97" in capsys.readouterr().out
    assert not stored.exists()
    lighthouse.main([])
    found = json.loads(stored.read_text("utf-8"))
    row = {"performance": 97, "accessibility": 100, "best practices": 100, "SEO": 90, "kB": 13}
    assert found["pages"] == [{"page": "b"} | row, {"page": "index"} | row]


def test_what_lighthouse_said_is_of_every_page_and_as_good_as_promised():
    """CONTRIBUTING names the numbers; whoever adds a page asks again."""
    toc = (ROOT / "_toc.yml").read_text("utf-8")
    listed = {name.rpartition("/")[2] for name in re.findall(r"(?:file|root): (\S+)", toc)}
    rows = json.loads(lighthouse.STORED.read_text("utf-8"))["pages"]
    assert {row["page"] for row in rows} == listed | {"404", "search"}
    for row in rows:
        assert row["performance"] >= 95 and row["kB"] <= 300, row
        assert {row["accessibility"], row["best practices"], row["SEO"]} == {100}, row
