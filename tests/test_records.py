"""The five lab records: their facts are there, and a re-run prints what they printed."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from labsupport import datasets, descent, losses, network, records

NAMES = ("xor-autograd", "xor-module", "xor-relu", "moons-backtracking", "xor-class")
SEEDED = ("xor-autograd", "xor-relu")


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture
def short(monkeypatch):
    """Each record over three of its printing intervals only."""
    shorter = {n: dataclasses.replace(r, epochs=3 * r.every) for n, r in records.RECORDS.items()}
    monkeypatch.setattr(records, "RECORDS", shorter)


# Facts


def test_names():
    assert sorted(records.names()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_record_says_what_it_ran(name):
    facts = records.facts(name)
    assert {"network", "initial", "loss", "step", "epochs", "reproducible"} <= facts.keys()
    assert facts["epochs"] > 0


@pytest.mark.parametrize(
    ("name", "rows", "first", "last"),
    [
        ("xor-autograd", 10, (0, 0.7198), (4500, 0.0177)),
        ("xor-module", 20, (0, 0.2595), (19000, 0.0024)),
        ("xor-relu", 10, (0, 1.0763), (9000, 0.6931)),
        ("xor-class", 19, (0, 0.342), (9900, 0.0002)),
    ],
)
def test_printed_losses(name, rows, first, last):
    epochs, loss = records.printed(name)
    assert epochs.dtype.kind == "i"
    assert epochs.shape == loss.shape == (rows,)
    assert (epochs[0], loss[0]) == first
    assert (epochs[-1], loss[-1]) == last
    assert (np.diff(epochs) > 0).all()
    assert epochs[-1] < records.facts(name)["epochs"]
    np.testing.assert_array_equal(loss, loss.round(4))


def test_accuracies_of_the_moons():
    printed = records.facts("moons-backtracking")["printed_accuracy"]
    assert printed["fixed"] == {"train": 0.865, "test": 0.86}
    assert printed["backtracking"] == {"train": 0.98, "test": 0.98}


def test_unknown_record():
    for call in (records.facts, records.printed, records.run):
        with pytest.raises(ValueError, match=r"unknown record 'xor-java'; choose one of xor-auto"):
            call("xor-java")


def test_a_record_without_losses():
    with pytest.raises(ValueError, match="printed no losses; see facts"):
        records.printed("moons-backtracking")


# Configurations


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_is_what_the_facts_say(name):
    record, facts = records.RECORDS[name], records.facts(name)
    assert record.name == name
    assert facts["network"].startswith("-".join(map(str, record.network.sizes)) + ",")
    assert record.epochs == facts["epochs"]
    assert (record.seeded is None) == ("no seed" in facts["initial"])
    assert ("default nn.Linear" in facts["network"]) == (record.initialiser == "pytorch")
    assert ("ReLU" in facts["network"]) == (record.network.hidden == "relu")
    shown = "mse" if "mean squared error" in facts["loss"] else "bce"
    assert record.prints.startswith(shown)
    if "printed" in facts:
        assert not (records.printed(name)[0] % record.every).any()
        assert "learning rate 0.1" in facts["step"] and record.rule == descent.Fixed(0.1)


def test_what_it_descends_is_what_it_prints_in_all_but_one():
    mixed = [n for n, r in records.RECORDS.items() if r.prints != r.network.loss]
    assert mixed == ["xor-class"]


@pytest.mark.parametrize("name", [n for n, r in records.RECORDS.items() if r.seeded])
def test_the_start_has_the_precision_of_the_record(name):
    record = records.RECORDS[name]
    facts = records.facts(name.replace("fixed", "backtracking"))
    assert str(record.start().vector.dtype) in facts["network"]
    np.testing.assert_array_equal(record.start().vector, record.start().vector)


def test_without_a_seed_there_is_no_start():
    for name in ("xor-module", "xor-class"):
        with pytest.raises(ValueError, match=rf"'{name}' set no seed.*rng=numpy.random.default"):
            records.run(name)
    with pytest.raises(ValueError, match="runs is 3 without rng"):
        records.run("xor-relu", runs=3)


# Re-runs


@pytest.mark.parametrize("name", SEEDED)
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


def test_the_two_moons_models_start_apart():
    fixed, search = (records.RECORDS[f"moons-{half}"].start() for half in ("fixed", "backtracking"))
    assert (fixed.vector != search.vector).all()


@pytest.mark.parametrize("name", records.RECORDS)
def test_many_starts(name, short):
    many = records.run(name, rng=rng(), runs=4)
    assert many.start.runs == (4,) and many.start.vector.dtype == np.float64
    np.testing.assert_array_equal(
        many.start.vector, records.run(name, rng=rng(), runs=4).start.vector
    )
    X, Y = many.record.data()
    for epoch, P in ((0, many.start), (-1, many.training.parameters)):
        output = network.forward(many.record.network, P, X).output
        shown = losses.loss(many.record.prints).value(output, Y)
        np.testing.assert_allclose(many.loss[epoch], shown, rtol=1e-12)
    one = records.run(name, rng=rng())
    assert one.start.runs == () and one.loss.shape == (4,)


def test_lower_counts_a_tie_as_a_half(monkeypatch):
    monkeypatch.setattr(records, "printed", lambda name: (np.array([0, 100]), np.array([0.3, 0.2])))
    history = descent.train(
        network.Network((2, 1)),
        network.initialise(network.Network((2, 1)), rng(), runs=4),
        *datasets.xor(),
        descent.Fixed(0.1),
        100,
        every=100,
    ).history
    seen = np.array([[0.29, 0.3, 0.30004, 0.31], [0.19996, 0.1, 0.19994, 0.2001]])
    history = dataclasses.replace(history, watched={"printed": seen})
    rerun = records.Rerun(records.RECORDS["xor-class"], None, descent.Training(None, history))
    np.testing.assert_array_equal(rerun.lower(), [2.0, 2.5])


def test_a_single_run_has_no_place(short):
    with pytest.raises(ValueError, match="single run; count among many"):
        records.run("xor-relu").lower()


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
