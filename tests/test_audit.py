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
MSE = Network((2, 4, 1), "tanh", "sigmoid", "mse")
START = network.initialise(NET, np.random.default_rng(1), "pytorch")
TRUE = descent.train(NET, START, X, Y, Fixed(1.0), 500)
SECOND = descent.train(NET, TRUE.parameters, X, Y, Fixed(1.0), 500)
SEARCH = descent.train(NET, START, X, Y, Armijo(256.0), 50).history
CHEAP = replace(SEARCH, forwards=SEARCH.backwards + 1)
ROWS = ("epoch", "loss", "gradient_norm", "step", "trials", "forwards", "backwards")
LATE = replace(TRUE.history, **{name: getattr(TRUE.history, name)[100:] for name in ROWS})
DRAWS = network.initialise(NET, np.random.default_rng(2), "pytorch", runs=1000)
GIVEN = {"start": START, "end": TRUE.parameters, "claimed_accuracy": 1.0}


def with_loss(number, value):
    losses = TRUE.history.loss.copy()
    losses[number] = value
    return losses


# What each is given, and a part of each sentence that it says.
FAULTS = {
    "none": (TRUE.history, GIVEN, []),
    "none, of a search": (SEARCH, {"start": START}, []),
    "none, among fresh draws": (TRUE.history, {"start": DRAWS}, []),
    "second training": (
        SECOND.history,
        {"start": START, "end": SECOND.parameters},
        ["second training"],
    ),
    "second training, fresh draws": (SECOND.history, {"start": DRAWS}, ["1000 fresh draws"]),
    "start moved in place": (
        TRUE.history,
        {"start": TRUE.parameters, "end": TRUE.parameters},
        ["does not begin there"],
    ),
    "another end": (TRUE.history, {"start": START, "end": SECOND.parameters}, ["another model"]),
    "claim": (TRUE.history, GIVEN | {"claimed_accuracy": 0.75}, ["claimed accuracy"]),
    "not finite": (with_loss(7, np.nan), GIVEN, ["Loss number 7"]),
    "not finite at first": (with_loss(0, np.inf), GIVEN, ["Loss number 0", "first loss"]),
    "cost not counted": (CHEAP, {"start": START}, ["only 51 forward passes"]),
    "beginning missing": (LATE, {}, ["epoch 100"]),
    "beginning missing, start given": (LATE, {"start": START}, ["epoch 100", "first loss"]),
    "printed digits": (TRUE.history.loss.round(4), GIVEN | {"tolerance": 0.05}, []),
    "printed digits as they are": (TRUE.history.loss.round(4), GIVEN, ["first", "last"]),
}


@pytest.mark.parametrize(("history", "given", "findings"), FAULTS.values(), ids=FAULTS)
def test_it_finds_what_was_planted_and_nothing_else(history, given, findings):
    found = audit(history, NET, X, Y, **given)
    assert found.passed == (not findings)
    assert len(found.findings) == len(findings), found
    for text, words in zip(found.findings, findings, strict=True):
        assert words in text


def test_what_is_not_given_is_named():
    assert repr(audit(TRUE.history, NET, X, Y, **GIVEN)) == "Nothing found."
    found = audit(list(TRUE.history.loss), NET, X, Y)
    assert found.passed and len(found.unchecked) == 3
    for words in ("the cost", "the first loss", "the last loss"):
        assert f"not checked: {words}" in repr(found)


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
@pytest.mark.parametrize("how", ["normal", "pytorch"])
@pytest.mark.parametrize("hidden", ["sigmoid", "relu"])
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


def test_fresh_draws_rarely_accuse_the_innocent():
    others = network.initialise(NET, np.random.default_rng(3), "pytorch", runs=300)
    firsts = network.loss_value(NET, others, X, Y)
    accused = [not audit([loss, 0.1], NET, X, Y, start=DRAWS).passed for loss in firsts]
    assert np.mean(accused) < 0.02


def test_first_loss_of_another_loss_function():
    """A record printed the mean squared error and descended the cross-entropy."""
    found = audit(TRUE.history, MSE, X, Y, start=START)
    assert any("first loss" in text for text in found.findings)


def test_a_coin_is_no_success():
    """Affine, at the best it can: loss ln 2, answers of 0.5."""
    flat = Network((2, 1))
    start = network.initialise(flat, np.random.default_rng(1))
    done = descent.train(flat, start, X, Y, Fixed(1.0), 5000)
    found = audit(done.history, flat, X, Y, start=start, end=done.parameters, claimed_accuracy=1.0)
    assert len(found.findings) == 3
    for words in ("Nothing was learned", "claimed", "4 of 4 answers"):
        assert words in " ".join(found.findings)


def test_chance():
    rare = np.array([[1.0], [0], [0], [0]])
    logits = Network((2, 1), output="identity", loss="bce_with_logits")
    classes = Network((2, 4), output="identity", loss="softmax_cross_entropy")
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    assert chance(NET, Y) == pytest.approx(np.log(2))
    assert chance(logits, rare) == pytest.approx(entropy)
    assert chance(MSE, rare) == pytest.approx(3 / 16)
    assert chance(classes, np.eye(4)) == pytest.approx(np.log(4))
    assert chance(NET, np.ones((4, 1))) == 0  # one class: to say so is right


MANY = descent.train(NET, DRAWS, X, Y, Fixed(1.0), 1).history


@pytest.mark.parametrize(
    ("history", "net", "given", "message"),
    [
        (MANY, NET, {}, r"pass the losses of one: history.loss\[:, 0\]"),
        ([], NET, {}, "at least one"),
        (TRUE.history, NET, {"claimed_accuracy": 100}, "a share from 0 to 1"),
        (TRUE.history, NET, {"end": DRAWS}, r"expected one network: end\.run\(0\)"),
        (TRUE.history, Network((2, 3, 1)), {"start": START}, "belong to layers"),
    ],
)
def test_what_makes_no_sense_is_refused(history, net, given, message):
    with pytest.raises(ValueError, match=message):
        audit(history, net, X, Y, **given)
