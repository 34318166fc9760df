"""The five lab records: a re-run prints what they printed, and other starts run as many."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from labsupport import datasets, descent, losses, network, records

PRINTED = [name for name, record in records.RECORDS.items() if record.printed]
SEEDED = [name for name, record in records.RECORDS.items() if record.seeded]


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture
def short(monkeypatch):
    """Each record over three of its printing intervals only."""
    shorter = {n: dataclasses.replace(r, epochs=3 * r.every) for n, r in records.RECORDS.items()}
    monkeypatch.setattr(records, "RECORDS", shorter)


def test_only_the_other_half_of_one_has_no_facts_of_its_own():
    assert {*records.RECORDS} - {*records.names()} == {"moons-fixed"}


@pytest.mark.parametrize("name", records.names())
def test_a_configuration_is_what_the_facts_say(name):
    record, facts = records.RECORDS[name], records.facts(name)
    assert record.name == name
    assert facts["network"].startswith("-".join(map(str, record.network.sizes)) + ",")
    assert record.epochs == facts["epochs"]
    assert (record.seeded is None) == ("no seed" in facts["initial"])
    assert ("default nn.Linear" in facts["network"]) == (record.initialiser == "pytorch")
    assert ("ReLU" in facts["network"]) == (record.network.hidden == "relu")
    assert record.prints.startswith("mse" if "mean squared error" in facts["loss"] else "bce")
    # What it descends is what it prints, in all but one.
    assert (record.prints == record.network.loss) == (name != "xor-class")
    if record.printed:
        epochs, loss = records.printed(name)
        assert epochs[-1] < record.epochs and not (epochs % record.every).any()
        np.testing.assert_array_equal(loss, loss.round(4))
        assert "learning rate 0.1" in facts["step"] and record.rule == descent.Fixed(0.1)


# Re-runs


@pytest.mark.parametrize("name", sorted({*PRINTED} & {*SEEDED}))
def test_every_printed_digit(name):
    rerun = records.run(name)
    epochs, theirs, here = rerun.beside()
    np.testing.assert_array_equal(epochs, records.printed(name)[0])
    np.testing.assert_array_equal(here.round(4), theirs)
    np.testing.assert_array_equal(rerun.loss, rerun.training.history.loss)


@pytest.mark.parametrize("half", ["fixed", "backtracking"])
def test_every_accuracy_of_the_moons(half):
    rerun, data = records.run(f"moons-{half}"), datasets.moons()
    for part, XY in (("train", data[:2]), ("test", data[2:])):
        here = network.accuracy(rerun.record.network, rerun.training.parameters, *XY)
        printed = records.facts("moons-backtracking")["printed_accuracy"][half][part]
        assert round(float(here), 4) == printed
    if half == "backtracking":
        assert (rerun.training.history.step[:-1] == 1).all()
        fixed = records.RECORDS["moons-fixed"].start()
        assert (fixed.vector != rerun.start.vector).all()  # the two start apart


@pytest.mark.parametrize("name", SEEDED)
def test_the_start_has_the_precision_of_the_record(name):
    facts = records.facts(name.replace("fixed", "backtracking"))
    assert str(records.RECORDS[name].start().vector.dtype) in facts["network"]


@pytest.mark.parametrize("name", records.RECORDS)
def test_many_starts(name, short):
    many, again = (records.run(name, rng=rng(), runs=4) for _ in range(2))
    assert many.start.runs == (4,) and many.start.vector.dtype == np.float64
    np.testing.assert_array_equal(many.start.vector, again.start.vector)
    X, Y = many.record.data()
    for epoch, P in ((0, many.start), (-1, many.training.parameters)):
        output = network.forward(many.record.network, P, X).output
        shown = losses.loss(many.record.prints).value(output, Y)
        np.testing.assert_allclose(many.loss[epoch], shown, rtol=1e-12)
    one = records.run(name, rng=rng())
    assert one.start.runs == () and one.loss.shape == (4,)


def test_lower_counts_a_tie_as_a_half():
    record = dataclasses.replace(records.RECORDS["xor-class"], every=100, printed=(0.3, 0.2))
    net, (X, Y) = network.Network((2, 1)), datasets.xor()
    start = network.initialise(net, rng(), runs=4)
    history = descent.train(net, start, X, Y, descent.Fixed(0.1), 100, every=100).history
    seen = np.array([[0.29, 0.3, 0.30004, 0.31], [0.19996, 0.1, 0.19994, 0.2001]])
    history = dataclasses.replace(history, watched={"printed": seen})
    rerun = records.Rerun(record, None, descent.Training(None, history))
    np.testing.assert_array_equal(rerun.lower(), [2.0, 2.5])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: records.facts("moons-fixed"), "unknown record 'moons-fixed'; choose one of"),
        (lambda: records.printed("xor-java"), "unknown record 'xor-java'; choose one of .*xor-rel"),
        (lambda: records.run("xor-java"), "unknown record 'xor-java'; choose one of .*xor-relu"),
        (lambda: records.printed("moons-backtracking"), "printed no losses; .*records.facts"),
        (lambda: records.run("xor-module"), r"'xor-module' set no seed.*rng=numpy.random.default"),
        (lambda: records.run("xor-relu", runs=3), "runs is 3 without rng; pass rng="),
        (lambda: records.run("xor-relu").lower(), "single run; count among many"),
    ],
)
def test_what_a_record_cannot_give_is_said(short, ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


USE = """
import json, sys
from labsupport import records
before = "torch" in sys.modules
records.run("xor-relu")
numpy_only = "torch" in sys.modules
import numpy as np, torch
def states():
    name, keys, *rest = np.random.get_state()
    return [[name, keys.tolist(), rest], torch.get_rng_state().tolist()]
first = states()
for name, record in records.RECORDS.items():
    record.seeded and record.start()
print(json.dumps([before, numpy_only, first == states()]))
"""


def test_pytorch_is_loaded_for_its_starts_only_and_no_global_generator_moves():
    run = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [False, False, True]
