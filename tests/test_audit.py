"""The audit: each planted fault is found, and a true history raises no alarm."""

from dataclasses import replace

import numpy as np
import pytest

from labsupport import datasets, descent, network
from labsupport.audit import audit, chance
from labsupport.descent import Armijo, Fixed
from labsupport.network import Network

X, Y = datasets.xor()
NET = Network((2, 4, 1), "tanh")
START = network.initialise(NET, np.random.default_rng(1), "pytorch")
TRUE = descent.train(NET, START, X, Y, Fixed(1.0), 500)
SECOND = descent.train(NET, TRUE.parameters, X, Y, Fixed(1.0), 500)
DRAWS = network.initialise(NET, np.random.default_rng(2), "pytorch", runs=1000)
GIVEN = {"start": START, "end": TRUE.parameters, "claimed_accuracy": 1.0}


def only(found, text):
    """One finding, with these words in it."""
    assert not found.passed
    assert len(found.findings) == 1 and text in found.findings[0], found
    return True


def test_a_true_history_is_silent():
    found = audit(TRUE.history, NET, X, Y, **GIVEN)
    assert found.passed and found.unchecked == ()
    assert repr(found) == "Nothing found."


def test_losses_alone_do_as_well_but_for_the_cost():
    found = audit(list(TRUE.history.loss), NET, X, Y, **GIVEN)
    assert found.passed and len(found.unchecked) == 1 and "cost" in found.unchecked[0]


def test_what_is_not_given_is_named():
    found = audit(TRUE.history, NET, X, Y)
    assert found.passed and len(found.unchecked) == 2
    assert "not checked: the first loss" in repr(found)


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
@pytest.mark.parametrize("how", ["normal", "he", "glorot", "pytorch"])
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("seed", range(3))
def test_true_histories_of_other_networks_are_silent(how, hidden, seed):
    net = Network((2, 8, 1), hidden, "identity", "bce_with_logits")
    rng = np.random.default_rng(seed)
    start = network.initialise(net, rng, how)
    for rule, batch in ((Fixed(0.5), None), (Armijo(64.0), None), (Armijo(64.0), 2)):
        done = descent.train(net, start, X, Y, rule, 200, batch_size=batch, rng=rng)
        found = audit(done.history, net, X, Y, start=start, end=done.parameters)
        told = [text for text in found.findings if "0.5" not in text and "learned" not in text]
        assert told == []  # those two may be true of a run that is stuck


def test_second_training_is_found_with_the_start():
    found = audit(SECOND.history, NET, X, Y, start=START, end=SECOND.parameters)
    assert only(found, "second training")


def test_second_training_is_found_with_fresh_draws():
    assert audit(TRUE.history, NET, X, Y, start=DRAWS).passed
    assert only(audit(SECOND.history, NET, X, Y, start=DRAWS), "1000 fresh draws")


def test_fresh_draws_rarely_accuse_the_innocent():
    others = network.initialise(NET, np.random.default_rng(3), "pytorch", runs=300)
    firsts = network.loss_value(NET, others, X, Y)
    accused = [not audit([loss, 0.1], NET, X, Y, start=DRAWS).passed for loss in firsts]
    assert np.mean(accused) < 0.02


def test_first_loss_of_another_loss_function():
    """A record printed the mean squared error and descended the cross-entropy."""
    mse = Network((2, 4, 1), "tanh", "sigmoid", "mse")
    found = audit(TRUE.history, mse, X, Y, start=START)
    assert any("first loss" in text for text in found.findings)


def test_start_moved_in_place():
    found = audit(TRUE.history, NET, X, Y, start=TRUE.parameters, end=TRUE.parameters)
    assert only(found, "does not begin there")


def test_another_model_at_the_end():
    found = audit(TRUE.history, NET, X, Y, start=START, end=SECOND.parameters)
    assert only(found, "another model")


def test_claimed_accuracy():
    assert only(
        audit(TRUE.history, NET, X, Y, **GIVEN | {"claimed_accuracy": 0.75}), "claimed accuracy"
    )


def test_a_coin_is_no_success():
    """Affine, at the best it can: loss ln 2, answers of 0.5."""
    flat = Network((2, 1))
    start = network.initialise(flat, np.random.default_rng(1))
    done = descent.train(flat, start, X, Y, Fixed(1.0), 5000)
    given = {"start": start, "end": done.parameters, "claimed_accuracy": 1.0}
    found = audit(done.history, flat, X, Y, **given)
    text = " ".join(found.findings)
    assert len(found.findings) == 3
    assert "Nothing was learned" in text and "claimed" in text and "4 of 4 answers" in text


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_losses_that_are_not_finite(bad):
    losses = TRUE.history.loss.copy()
    losses[7] = bad
    assert only(audit(losses, NET, X, Y, **GIVEN), "Loss number 7")
    losses[0] = bad
    found = audit(losses, NET, X, Y, **GIVEN).findings
    assert "Loss number 0" in found[0] and "first loss" in found[1]


def test_cost_not_counted():
    done = descent.train(NET, START, X, Y, Armijo(256.0), 50)
    assert np.nansum(done.history.trials) > 100
    assert audit(done.history, NET, X, Y, start=START).passed
    cheap = replace(done.history, forwards=done.history.backwards + 1)
    assert only(audit(cheap, NET, X, Y, start=START), "only 51 forward passes")


def test_beginning_missing():
    h = TRUE.history
    keys = ("epoch", "loss", "gradient_norm", "step", "trials", "forwards", "backwards")
    late = replace(h, **{key: getattr(h, key)[100:] for key in keys})
    assert only(audit(late, NET, X, Y), "epoch 100")
    assert len(audit(late, NET, X, Y, start=START).findings) == 2


def test_printed_digits_need_a_tolerance():
    rounded = TRUE.history.loss.round(4)
    given = {"start": START, "end": TRUE.parameters}
    assert not audit(rounded, NET, X, Y, **given).passed
    assert audit(rounded, NET, X, Y, **given, tolerance=0.05).passed


def test_chance():
    assert chance(NET, Y) == pytest.approx(np.log(2))
    logits = Network((2, 1), output="identity", loss="bce_with_logits")
    rare = np.array([[1.0], [0], [0], [0]])
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    assert chance(logits, rare) == pytest.approx(entropy)
    assert chance(Network((2, 1), loss="mse"), rare) == pytest.approx(3 / 16)
    classes = Network((2, 4), output="identity", loss="softmax_cross_entropy")
    assert chance(classes, np.eye(4)) == pytest.approx(np.log(4))
    assert chance(NET, np.ones((4, 1))) == 0  # one class: to say so is right


def test_what_makes_no_sense_is_refused():
    many = descent.train(NET, DRAWS, X, Y, Fixed(1.0), 1)
    with pytest.raises(ValueError, match=r"pass the losses of one: history.loss\[:, 0\]"):
        audit(many.history, NET, X, Y)
    with pytest.raises(ValueError, match="at least one"):
        audit([], NET, X, Y)
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        audit(TRUE.history, NET, X, Y, claimed_accuracy=100)
    with pytest.raises(ValueError, match="expected one network"):
        audit(TRUE.history, NET, X, Y, end=DRAWS)
    with pytest.raises(ValueError, match="belong to layers"):
        audit(TRUE.history, Network((2, 3, 1)), X, Y, start=START)
