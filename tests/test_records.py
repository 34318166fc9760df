"""The five lab records: their facts are there, and their printed numbers are read right."""

import numpy as np
import pytest

from labsupport import records

NAMES = ("xor-autograd", "xor-module", "xor-relu", "moons-backtracking", "xor-class")


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
    epochs, losses = records.printed(name)
    assert epochs.dtype.kind == "i"
    assert epochs.shape == losses.shape == (rows,)
    assert (epochs[0], losses[0]) == first
    assert (epochs[-1], losses[-1]) == last
    assert (np.diff(epochs) > 0).all()
    assert epochs[-1] < records.facts(name)["epochs"]
    np.testing.assert_array_equal(losses, losses.round(4))


def test_accuracies_of_the_moons():
    printed = records.facts("moons-backtracking")["printed_accuracy"]
    assert printed["fixed"] == {"train": 0.865, "test": 0.86}
    assert printed["backtracking"] == {"train": 0.98, "test": 0.98}


def test_unknown_record():
    for call in (records.facts, records.printed):
        with pytest.raises(ValueError, match=r"unknown record 'xor-java'; choose one of xor-auto"):
            call("xor-java")


def test_a_record_without_losses():
    with pytest.raises(ValueError, match="printed no losses; see facts"):
        records.printed("moons-backtracking")
