"""The figures: drawn without a warning, with names on the axes, and nothing left behind."""

import io
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection

from labsupport import datasets, descent, figures, network
from labsupport.descent import Armijo, Fixed
from labsupport.network import Network, initialise

NET = Network((2, 4, 1))
START = initialise(NET, np.random.default_rng(7))
X, Y = datasets.xor()
FIXED = descent.train(NET, START, X, Y, Fixed(0.5), 30).history
SEARCH = descent.train(NET, START, X, Y, Armijo(64.0), 30).history
RUNS = initialise(NET, np.random.default_rng(1), runs=5)
MANY = descent.train(NET, RUNS, X, Y, Fixed(0.5), 30, every=4).history
MODEL = {"start": lambda points: network.predict(NET, START, points)}
HALF = {"half": lambda points: np.full((len(points), 1), 0.5)}
MOONS = datasets.moons(samples=60)

FIGURES = {
    "loss": lambda: figures.loss_curve({"one": FIXED}, ylabel="cross-entropy (nats)"),
    "losses": lambda: figures.loss_curve({"fixed": FIXED, "search": SEARCH}, against="passes"),
    "loss with levels": lambda: figures.loss_curve({"a": FIXED}, levels={"ln 2": 0.693}, log=True),
    "loss of runs": lambda: figures.loss_curve({"many": MANY, "one": FIXED}),
    "loss as numbers": lambda: figures.loss_curve({"record": (np.arange(3), np.ones(3))}),
    "seven losses": lambda: figures.loss_curve({str(n): FIXED for n in range(7)}),
    "boundary": lambda: figures.decision_boundary(MODEL, X, Y),
    "boundaries": lambda: figures.decision_boundary({**MODEL, **HALF}, X, Y),
    "boundary of moons": lambda: figures.decision_boundary(MODEL, *MOONS[:2], margin=0.1),
    "steps": lambda: figures.step_histogram({"search": SEARCH}),
    "two histograms": lambda: figures.step_histogram({"fixed": FIXED, "search": SEARCH}),
    "steps of runs": lambda: figures.step_histogram({"many": MANY}),
    "network": lambda: figures.network_drawing(NET),
    "deep network": lambda: figures.network_drawing(Network((3, 16, 2, 2))),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_it_draws_with_named_axes_and_leaves_nothing_behind(make):
    before = dict(plt.rcParams)
    with warnings.catch_warnings(action="error"):
        figure = make()
        assert plt.get_fignums() == []  # or a notebook would show it twice
        for form in ("svg", "png"):
            figure.savefig(io.BytesIO(), format=form)
    assert dict(plt.rcParams) == before
    axes = [axis for axis in figure.axes if axis.get_label() != "<colorbar>"]
    assert all(axis.get_xlabel() or not axis.axison for axis in axes)
    assert axes[0].get_ylabel() or not axes[0].axison


def test_an_exception_leaves_nothing_behind():
    before = dict(plt.rcParams)
    with pytest.raises(RuntimeError), figures.canvas():
        raise RuntimeError
    assert dict(plt.rcParams) == before
    assert plt.get_fignums() == []


def texts(items):
    return [text.get_text() for text in items]


def lines(figure):
    return figure.axes[0].get_lines()


def test_the_loss_curve_shows_the_history():
    figure = FIGURES["losses"]()
    axis = figure.axes[0]
    for line, history in zip(lines(figure), (FIXED, SEARCH), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), history.passes)
        np.testing.assert_array_equal(line.get_ydata(), history.loss)
    assert axis.get_xlabel() == "passes (forward 1, backward 2)"
    assert texts(axis.get_legend().get_texts()) == ["fixed", "search"]
    assert axis.get_ylim()[0] == 0
    single = FIGURES["loss"]().axes[0]
    assert (single.get_xlabel(), single.get_ylabel()) == ("epoch", "cross-entropy (nats)")
    assert single.get_legend() is None


def test_every_run_is_drawn_and_named_once():
    figure = FIGURES["loss of runs"]()
    assert len(lines(figure)) == 6
    for line, losses in zip(lines(figure)[:5], MANY.loss.T, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), losses)
        np.testing.assert_array_equal(line.get_xdata(), MANY.epoch)
    assert len(figure.axes[0].get_legend().get_texts()) == 2


def test_levels_and_a_logarithmic_axis():
    axis = FIGURES["loss with levels"]().axes[0]
    assert list(axis.get_lines()[1].get_ydata()) == [0.693, 0.693]
    assert texts(axis.texts) == ["ln 2"]
    assert axis.get_yscale() == "log"


def test_lines_differ_by_more_than_colour():
    drawn = lines(FIGURES["seven losses"]())[:5]
    assert len({line.get_color() for line in drawn}) == 5
    assert len({str(figures.style(index)["linestyle"]) for index in range(5)}) == 5


def test_the_boundary_shows_the_data_and_the_classes():
    figure = FIGURES["boundary of moons"]()
    axis = figure.axes[0]
    points = [c for c in axis.collections if isinstance(c, PathCollection)]
    for k, drawn in zip((0, 1), points, strict=True):
        rows = MOONS.Y_train[:, 0] == k
        np.testing.assert_array_equal(drawn.get_offsets(), MOONS.X_train[rows])
    assert texts(figure.legends[0].get_texts()) == ["class 0", "class 1"]
    assert figure.axes[-1].get_ylabel() == "probability of class 1"
    x1 = MOONS.X_train[:, 0]
    assert axis.get_xlim() == pytest.approx((x1.min() - 0.1, x1.max() + 0.1))


def test_the_boundary_lies_at_one_half():
    """A model that is 0.5 at x1 = 0.3: the dark line stands there."""
    step = {"step": lambda points: 1 / (1 + np.exp(-20 * (points[:, :1] - 0.3)))}
    axis = figures.decision_boundary(step, X, Y).axes[0]
    boundary = [c for c in axis.collections if not isinstance(c, PathCollection)][1]
    vertices = np.concatenate([path.vertices for path in boundary.get_paths()])
    np.testing.assert_allclose(vertices[:, 0], 0.3, atol=0.01)
    assert len(vertices) > 100


def test_the_histogram_counts_every_accepted_step():
    figure = FIGURES["two histograms"]()
    for axis, history in zip(figure.axes, (FIXED, SEARCH), strict=True):
        steps, counts = np.unique(history.step[:-1], return_counts=True)
        middles = [bar.get_x() + bar.get_width() / 2 for bar in axis.patches]
        np.testing.assert_allclose(middles, np.log2(steps), atol=1e-6)
        assert [bar.get_height() for bar in axis.patches] == list(counts)
        assert axis.get_xlabel() == "accepted step"
    assert figure.axes[0].get_ylabel() == "epochs"


def test_a_search_that_gave_up_has_no_step_to_count(monkeypatch):
    right = network.backward

    def uphill(*given, out):
        return np.negative(right(*given, out=out).vector, out=out.vector)

    monkeypatch.setattr(network, "backward", uphill)
    with pytest.warns(descent.DescentWarning):
        history = descent.train(NET, RUNS, X, Y, Armijo(), 3).history
    with pytest.raises(ValueError, match="no step was accepted"):
        figures.step_histogram({"gave up": history})
    axes = figures.step_histogram({"gave up": history, "search": SEARCH}).axes
    assert [sum(bar.get_height() for bar in axis.patches) for axis in axes] == [0, 30]


def test_the_drawing_has_a_circle_a_unit_and_a_line_a_weight():
    axis = FIGURES["network"]().axes[0]
    assert (len(axis.collections), len(axis.get_lines())) == (2 + 4 + 1, 2 * 4 + 4 * 1)
    units = ["$x_{1}$", "$x_{2}$", *(f"$a_{{{n}}}$" for n in (1, 2, 3, 4)), "ŷ"]
    assert texts(axis.texts) == units
    with pytest.raises(ValueError, match=r"layers \(2, 17, 1\) are too wide .*at most 16 units"):
        figures.network_drawing(Network((2, 17, 1)))


def test_figures_of_a_chapter_have_the_style_too():
    with figures.canvas(2, rows=3, sharey=True) as (figure, axes):
        assert axes.shape == (3, 2)
        assert plt.rcParams["axes.grid"] is True
    assert figure.get_facecolor() == (1, 1, 1, 1)
