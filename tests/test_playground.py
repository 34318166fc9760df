"""The playground's Python half: starts, settings, addresses, and what it hands to the script."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from labsupport import datasets, descent, initialisers, network, records, widgets
from labsupport.widgets import playground
from labsupport.widgets.playground import CHOICES, Playground
from tests.cases import CHAPTERS, FOLDER

SITUATIONS = st.builds(
    Playground,
    data=st.sampled_from(CHOICES["data"]),
    hidden=st.lists(st.integers(1, 8), min_size=1, max_size=2).map(tuple),
    activation=st.sampled_from(CHOICES["activation"]),
    loss=st.sampled_from(CHOICES["loss"]),
    rule=st.sampled_from(CHOICES["rule"]),
    rate=st.floats(1e-4, 1e4),
    start=st.sampled_from(list(initialisers.INITIALISERS)),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 100_000),
)
NAMED = st.builds(
    playground.named,
    st.sampled_from(list(playground.NAMED)),
    data=st.sampled_from(CHOICES["data"]),
    loss=st.sampled_from(CHOICES["loss"]),
    epoch=st.integers(0, 10),
)


def test_uniform_numbers_are_those_of_mulberry32():
    """The first three of seed 1, from the reference code in JavaScript run by Node."""
    uniform = playground.generator(1)
    assert [uniform() * 2**32 for _ in range(3)] == [2693262067, 11749833, 2265367787]
    counts, _ = np.histogram([uniform() for _ in range(10_000)], bins=10, range=(0, 1))
    assert ((counts - 1000) ** 2 / 1000).sum() < 27.9  # chi squared, 9 degrees, 0.1 %


@pytest.mark.parametrize("start", list(initialisers.INITIALISERS))
def test_starts_have_the_moments_of_the_initialisers(start):
    drawn = [Playground(hidden=(8, 8), start=start, seed=s).parameters() for s in range(200)]
    net, rng = Playground(hidden=(8, 8)).network, np.random.default_rng(1)
    for name, theirs in network.initialise(net, rng, start, runs=2000).named().items():
        ours = np.array([p.named()[name] for p in drawn])
        assert abs(ours.mean() - theirs.mean()) < 0.1
        assert np.isclose(ours.var(), theirs.var(), rtol=0.2 if name == "b3" else 0.1), name


def test_a_seed_is_a_start():
    first, again, other = (Playground(seed=s).parameters().vector for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).sum() == 12  # all weights; the biases are zero


def test_named_starts_are_the_record_and_the_worked_example():
    epochs, losses = records.printed("xor-relu")
    run = playground.named("xor-relu").train(int(epochs[-1])).history
    assert np.abs(run.loss[epochs] - losses).max() < 6e-5
    worked = playground.named("worked-example").train(1).history.loss
    assert np.allclose(worked, [0.714249, 0.683630], atol=1e-6)


def test_samples_are_those_of_the_manual():
    assert np.array_equal(Playground().samples()[0], datasets.xor()[0])
    X, Y = Playground(data="moons").samples()
    data = datasets.moons()
    assert np.abs(X - data.X_train).max() <= 0.5e-6
    assert np.array_equal(Y, data.Y_train)


def test_train_is_descent():
    situation = Playground(hidden=(3, 2), rule="warm", rate=8, epoch=20)
    net, rule = situation.network, descent.Armijo(8.0, warm=True)
    expected = descent.train(net, situation.parameters(), *datasets.xor(), rule, 20)
    assert (situation.train().parameters.vector == expected.parameters.vector).all()
    assert len(situation.train(5).history.loss) == 6


# Addresses


@given(SITUATIONS | NAMED)
def test_addresses_go_round(situation):
    assert playground.read(situation.fragment) == situation
    assert playground.read("https://example.org/a.html" + situation.fragment) == situation


@pytest.mark.parametrize(
    ("situation", "fragment"),
    [
        (Playground(), "#playground?data=xor"),
        (Playground(hidden=(8, 8), rate=64), "#playground?data=xor&hidden=8-8&rate=64"),
        (Playground(data="moons", rate=0.0001), "#playground?data=moons&rate=0.0001"),
        (
            playground.named("xor-relu", loss="mse", epoch=9),
            "#playground?data=xor&loss=mse&start=xor-relu&epoch=9",
        ),
    ],
)
def test_addresses_are_short(situation, fragment):
    assert situation.fragment == fragment


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: playground.read("#playground?rate=fast"), "sets rate=fast; expected numbers"),
        (lambda: playground.read("#playground?colour=red"), "sets colour; there is no such thing"),
        (lambda: playground.read("#playground?start=xor-relu&hidden=4"), "named('xor-relu')"),
        (lambda: playground.named("xor-lu"), "choose one of xor-relu, worked-example"),
        (lambda: Playground(activation="swish"), "activation is 'swish'; choose one of sigmoid"),
        (lambda: Playground(hidden=()), "one or two layers of 1 to 8 units"),
        (lambda: Playground(hidden=(2, 2, 2)), "one or two layers of 1 to 8 units"),
        (lambda: Playground(hidden=(0,)), "one or two layers of 1 to 8 units"),
        (lambda: Playground(hidden=(9,)), "one or two layers of 1 to 8 units"),
        (lambda: Playground(rate=0), "rate is 0; expected a number from 0.0001 to 10000"),
        (lambda: Playground(rate=1e5), "expected a number from 0.0001 to 10000"),
        (lambda: Playground(seed=2**32), "seed is 4294967296; expected a whole number"),
        (lambda: Playground(seed=1.5), "seed is 1.5; expected a whole number"),
        (lambda: Playground(epoch=100_001), "from 0 to 100000"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


# What is shown


@pytest.fixture
def in_a_book(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


def test_the_script_gets_all_it_needs(in_a_book):
    soup = BeautifulSoup(Playground(seed=5)._repr_html_(), "html.parser")
    given = json.loads(soup.select_one("script[type='application/json']").string)
    assert given["situation"]["seed"] == 5 and not given["live"]
    assert len(soup.select("script")) == 1 and not soup.select("style")


def test_without_scripts_the_start_is_a_table(in_a_book):
    soup = BeautifulSoup(playground.named("worked-example")._repr_html_(), "html.parser")
    assert "needs scripts" in soup.get_text()
    rows = [[c.get_text() for c in row.select("th, td")] for row in soup.select("tbody tr")]
    assert rows[0] == ["W1", "2×2", "1.0000 −1.0000; 1.0000 0.5000"]
    assert [row[0] for row in rows] == ["W1", "b1", "W2", "b2"]


def test_in_jupyter_scripts_and_style_come_along(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "chapters/playground.ipynb")
    soup = BeautifulSoup(Playground()._repr_html_(), "html.parser")
    found = [e.string for e in soup.select("script:not([type]), style")]
    assert found == [(FOLDER / name).read_text("utf-8") for name in playground.FILES]


def test_scripts_can_stand_in_a_page():
    for path in widgets.FILES:
        assert "</s" not in path.read_text("utf-8"), "this would end the tag around it"


def test_links_of_the_page_open_what_they_say():
    page = (CHAPTERS / "playground.md").read_text("utf-8")
    links = re.findall(r'href="(#playground[^"]*)"', page)
    assert len(links) == 5
    for link in links:
        address = link.replace("&amp;", "&")
        assert playground.read(address).fragment == address
