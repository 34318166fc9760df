"""What several files of tests share: random networks, cells of chapters, pages of a widget."""

from pathlib import Path
from typing import NamedTuple

import jupytext
import numpy as np
from hypothesis import strategies as st

from labsupport import network, widgets
from labsupport.activations import ACTIVATIONS
from labsupport.network import Network, Parameters, size

ROOT = Path(__file__).parent.parent
CHAPTERS = ROOT / "chapters"
KINKED = ("relu", "leaky_relu")
SOFTMAX = "softmax_cross_entropy"
LEGAL = [
    ("bce", "sigmoid"),
    ("bce_with_logits", "identity"),
    (SOFTMAX, "identity"),
    *(("mse", g) for g in ACTIVATIONS),
]


class Case(NamedTuple):
    net: Network
    parameters: Parameters
    X: np.ndarray
    Y: np.ndarray


@st.composite
def cases(draw, runs=False, samples=20, widths=9, smooth=False):
    """A network of any depth, legal loss and activations; with `runs` 1 to 4 networks at once,
    in either order of memory.

    The weights shrink with the width of the layer before, so that no output saturates: there the
    gradient of PyTorch's BCELoss is the less exact one.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    sizes = tuple(draw(st.lists(st.integers(1, widths), min_size=2, max_size=6)))
    loss, output = draw(st.sampled_from(LEGAL))
    if loss == SOFTMAX:
        sizes = (*sizes[:-1], sizes[-1] + 1)  # at least two classes
    hidden = draw(st.sampled_from(list(ACTIVATIONS)))
    if smooth:
        hidden, output = ("tanh" if g in KINKED else g for g in (hidden, output))
    m = draw(st.integers(1, samples))
    many = (draw(st.integers(1, 4)),) if runs else ()
    rng = np.random.default_rng(seed)
    net = Network(sizes, hidden, output, loss)
    parameters = Parameters(sizes, rng.normal(size=(*many, size(sizes))))
    for W in parameters.weights:
        W /= W.shape[-2] ** 0.5
    if runs and draw(st.booleans()):
        parameters = parameters.interleaved()
    X = rng.normal(size=(m, sizes[0]))
    shape = (m, sizes[-1])
    if loss == "mse":
        return Case(net, parameters, X, rng.normal(size=shape))
    soft = draw(st.booleans())
    if loss == SOFTMAX:
        Y = rng.dirichlet(np.ones(sizes[-1]), m)
        return Case(net, parameters, X, Y if soft else np.eye(sizes[-1])[Y.argmax(axis=1)])
    Y = rng.random(shape)
    return Case(net, parameters, X, Y if soft else Y.round())


def loss_of(net, X, Y):
    """The loss as a function of named tensors, as `gradcheck` takes it."""
    return lambda tensors: network.loss_value(net, Parameters.of(*tensors.values()), X, Y)


# Chapters


def code_cells(stem, form="md"):
    """The code cells of a chapter; those of the .ipynb half have outputs."""
    notebook = jupytext.read(
        CHAPTERS / f"{stem}.{form}", fmt="md:myst" if form == "md" else "ipynb"
    )
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def overlap(one, other):
    """Whether two intervals meet."""
    return max(one[0], other[0]) <= min(one[1], other[1])


# Widgets in a browser

FOLDER = Path(widgets.__file__).parent
DARK = """html[data-theme=dark] { background: #14181e; color: #ced6dd;
  --pst-color-background: #14181e; --pst-color-text-base: #ced6dd; --pst-color-surface: #29313d;
  --pst-color-text-muted: #9ca4af }"""


def write_page(path, files, *shown):
    """Write a page that shows these widgets and nothing else, and give its address.

    Between a button and a text that lets the page scroll; as in the book, scripts come first.
    """
    links = [
        f'<link rel="stylesheet" href="{(FOLDER / name).as_uri()}">'
        if name.endswith(".css")
        else f'<script src="{(FOLDER / name).as_uri()}"></script>'
        for name in files
    ]
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Widget</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{DARK}</style>{''.join(links)}</head>"
        '<body class="bd-article"><main><h1>Widget</h1><button>before</button>'
        f"{''.join(shown)}"
        '<p style="height: 2000px">after</p></main></body></html>',
        encoding="utf-8",
    )
    return path.as_uri()


def use_theme(page, theme):
    page.evaluate("(theme) => document.documentElement.setAttribute('data-theme', theme)", theme)


def width_of(page):
    return page.evaluate("document.documentElement.scrollWidth")


def repeated_ids(page):
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    return len(ids) - len(set(ids))
