"""The circuit: values and slopes are those of closed forms and of differences; all are written."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from labsupport import network
from labsupport.widgets import circuit, scripts
from labsupport.widgets.circuit import Circuit, Gate, Input, number

FIRST = ((2, -1), (0.5, 1), 0.5, 1)
HIDDEN = (1, (1, -1, 1, -0.5), (0, 0.5, 0.25), 1)
FEW = st.floats(-3, 3)
TARGETS = st.sampled_from([0, 0.3, 1])


def two(values):
    return st.tuples(values, values)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@given(two(FEW), two(FEW), FEW, TARGETS)
def test_one_neuron_in_closed_form(x, w, b, y):
    c = circuit.neuron(x, w, b, y)
    z = np.dot(x, w) + b
    p, delta = sigmoid(z), sigmoid(z) - y
    assert c.values["z"] == pytest.approx(z) and c.values["p"] == pytest.approx(p)
    assert c.values["J"] == pytest.approx(-y * np.log(p) - (1 - y) * np.log(1 - p))
    found = [c.slopes[name] for name in ("z", "b", "w1", "w2", "x1", "x2")]
    expected = [delta, delta, *(delta * np.array(x)), *(delta * np.array(w))]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert "y" not in c.slopes and c.slopes["J"] == 1


@given(FEW, st.lists(FEW, min_size=4, max_size=4), st.lists(FEW, min_size=3, max_size=3), TARGETS)
def test_slopes_against_central_differences(x, w, b, y):
    """Of both circuits; in the second two paths meet in the input."""
    for c in (circuit.neuron((x, w[0]), w[2:], b[0], y), circuit.hidden_layer(x, w, b, y)):
        h = 1e-5
        for wire in c.nudgeable:
            measured = (c.nudge(wire, h) - c.nudge(wire, -h)) / (2 * h)
            assert c.slopes[wire] == pytest.approx(measured, rel=1e-6, abs=1e-8), wire


@given(FEW, st.lists(FEW, min_size=4, max_size=4), st.lists(FEW, min_size=3, max_size=3))
def test_hidden_layer_is_the_network(x, w, b):
    c = circuit.hidden_layer(x, w, b, 1)
    net = network.Network((1, 2, 1), "tanh", "identity", "bce_with_logits")
    tensors = network.Parameters.of(
        np.array([w[:2]]), np.array([b[:2]]), np.array([w[2:]]).T, np.array([b[2:]])
    )
    loss, gradient = network.loss_and_gradient(net, tensors, np.array([[x]]), np.ones((1, 1)))
    assert c.values["J"] == pytest.approx(loss, rel=1e-9)
    wires = ("w1", "w2", "b1", "b2", "w3", "w4", "b3")
    assert [c.slopes[wire] for wire in wires] == pytest.approx(gradient.vector, abs=1e-12)


def test_the_worked_numbers():
    """Those of the storyboard of the chapter, and the third sample of the worked example."""
    c = circuit.neuron(*FIRST)
    shown = {wire: (number(c.values[wire]), number(c.slopes.get(wire, 0))) for wire in c.values}
    assert shown["p"] == ("0.6225", "−1.6065") and shown["J"] == ("0.4741", "1")
    assert shown["z"] == ("0.5", "−0.3775") == shown["b"]
    assert [shown[w][1] for w in ("w1", "w2", "x2")] == ["−0.7551", "0.3775", "−0.3775"]
    assert number(c.nudge("w1", 0.1)) == "−0.0709" and round(c.nudge("w1", 0.01), 5) == -0.0075
    c = circuit.hidden_layer(*HIDDEN)
    deltas = [c.slopes[wire] / 4 for wire in ("z1", "z2", "z3")]  # four samples share the mean
    assert np.round(deltas, 6) == pytest.approx([-0.023516, 0.022018, -0.055994], abs=1e-9)


def read(text):
    return float(text.replace("−", "-").removeprefix("↑"))


@pytest.mark.parametrize("c", [circuit.neuron(*FIRST), circuit.hidden_layer(*HIDDEN)])
def test_every_number_stands_in_the_drawing_and_is_shown_by_one_step(c):
    soup = BeautifulSoup(c._repr_html_(), "html.parser")
    drawn = {tag["data-part"]: read(tag.text) for tag in soup.select("svg [data-part]")}
    expected = {f"value-{wire}": value for wire, value in c.values.items()}
    expected |= {f"slope-{wire}": slope for wire, slope in c.slopes.items()}
    assert drawn == pytest.approx(expected, abs=5.1e-5)
    steps = soup.select("li")
    shows = [part for step in steps for part in step["data-shows"].split()]
    assert sorted(shows) == sorted(expected)
    assert len(steps) == 2 + 2 * len(c.gates)
    for step in steps:  # the step that adds a number says it
        for part in step["data-shows"].split():
            assert number(expected[part]) in step.text
    assert soup.svg["role"] == "img" and soup.svg["aria-label"] and soup.section["aria-label"]
    assert not soup.select("[hidden], [onclick], style, script:not([type])")
    assert str(c).splitlines()[1:] == [f"{n}. {s.text}" for n, s in enumerate(steps, 1)]


def test_it_is_the_same_on_every_machine(monkeypatch):
    """A change of the last bits does not show, and no script is stored."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    shown = circuit.neuron(*FIRST)._repr_html_()
    for sign in (-1, 1):
        p = sigmoid(0.5) * (1 + sign * 1e-15)
        nearby = circuit.neuron(*FIRST)
        nearby.values["p"] = p
        assert nearby._repr_html_() == shown
    given = json.loads(re.search(r'json">(.*)</script>', shown)[1])
    assert given["inputs"] == {"x1": 2, "w1": 0.5, "x2": -1, "w2": 1, "b": 0.5, "y": 1}
    assert list(given["slopes"]) == ["x1", "w1", "x2", "w2", "b"]


def test_jupyterlab_gets_script_and_style(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "chapters/02-pseudocode.ipynb")
    shown = circuit.neuron(*FIRST)._repr_html_()
    for name in circuit.FILES:
        assert (scripts.FOLDER / name).read_text("utf-8") in shown


def test_numbers():
    values = [0.5, -1, -0.00001, 2.0, 0.62245933]
    assert [number(value) for value in values] == ["0.5", "−1", "0", "2", "0.6225"]


def test_what_is_wrong_is_said():
    one = {"a": Input(1.0, (0, 0))}
    with pytest.raises(ValueError, match="of kind 'ad'; choose one of add, multiply, sigmoid"):
        Circuit("x", one, {"z": Gate("ad", ("a",), (0, 1))})
    with pytest.raises(ValueError, match="reads q; expected wires that come before it: a"):
        Circuit("x", one, {"z": Gate("add", ("a", "q"), (0, 1))})
    with pytest.raises(ValueError, match="w1 is nan; expected a finite"):
        circuit.neuron((1, 2), (np.nan, 1), 0, 1)
    with pytest.raises(ValueError, match="1 inputs and 2 weights; expected two"):
        circuit.neuron((1,), (1, 2), 0, 1)
    with pytest.raises(ValueError, match="2 weights and 3 biases; expected four"):
        circuit.hidden_layer(1, (1, 2), (0, 0, 0), 1)
    with pytest.raises(ValueError, match="no input 'z' to nudge; choose one of"):
        circuit.neuron(*FIRST).nudge("z", 0.1)
    with pytest.raises(ValueError, match="no input 'y'"):
        circuit.neuron(*FIRST).nudge("y", 0.1)
    with pytest.raises(ValueError, match="p = 1.0 and y = 0; expected p between"):
        _ = circuit.neuron((100, 0), (1, 1), 0, 0).values
    with pytest.raises(ValueError, match="y = 2; expected"):
        _ = circuit.neuron((1, 0), (1, 1), 0, 2).values
