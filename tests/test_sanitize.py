"""The sanitize file hides durations, addresses and drawn points, and no result."""

import re

import pytest
from nbval.plugin import get_sanitize_patterns

from labsupport.tables import Sketch
from tests.cases import ROOT

PATTERNS = get_sanitize_patterns((ROOT / "tests" / "sanitize.cfg").read_text("utf-8"))


def sanitize(text):
    for regex, replacement in PATTERNS:
        text = re.sub(regex, replacement, text)
    return text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<function f at 0x7f3a5c1d2e30>", "<function f at 0x55d0a1b2c3>"),
        ("an epoch: 12.3 µs", "an epoch: 9.8 µs"),
        ("an epoch: 12.3 μs", "an epoch: 9.8 ms"),
        ("forward |   9.8 ms |", "forward | 120.1 ms |"),
        ("3.4 s in all", "0.1 s in all"),
        (
            Sketch("It falls.", [2.0, 1.0], [1.0])._repr_html_(),
            Sketch("It falls.", [2.0, 1.1], [1.2])._repr_html_(),
        ),
    ],
)
def test_hides_what_cannot_be_stable(one, other):
    assert sanitize(one) == sanitize(other)


def test_leaves_the_words_beside_a_drawing():
    falls, rises = (Sketch(f"It {what}.", [2.0], [1.0]) for what in ("falls", "rises"))
    assert sanitize(falls._repr_html_()) != sanitize(rises._repr_html_())
    other = '<polyline points="0,0 1,1"/>'
    assert sanitize(other) == other


def test_hides_what_a_figure_draws_but_not_what_a_widget_does():
    one, other = '<path d="M 1 2"/>\n', '<path d="M 1 3"/>\n'
    figure, widget = '<svg class="lab-figure">{}</svg>', '<svg class="lab-slider">{}</svg>'
    assert sanitize(figure.format(one)) == sanitize(figure.format(other)) == "DRAWING"
    assert sanitize(widget.format(one)) != sanitize(widget.format(other))


def test_leaves_results_alone():
    text = "loss 0.693147, 1.5 steps, 2.0 samples, 12.34 ms, 0x10, 4 s, <Figure with 1 axes>"
    assert sanitize(text) == text
