"""The figures: drawn without a warning, with names on the axes, and nothing left behind."""

import base64
import io
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.pylabtools import print_figure
from lxml import etree
from matplotlib.collections import PathCollection
from PIL import Image

from labsupport import datasets, descent, drawing, figures, network
from labsupport.descent import Armijo, Fixed
from labsupport.network import Network, initialise
from labsupport.widgets import film
from tests.cases import CHAPTERS, code_cells

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


def step_at(place):
    """A model that is 0.5 at x1 = place, and 1 to the right of it."""
    return lambda points: 1 / (1 + np.exp(-20 * (points[:, :1] - place)))


FRAMES = {epoch: step_at(0.1 * k) for k, epoch in enumerate((0, 3, 5, 8, 13, 21))}
LOSSES = np.geomspace(0.7, 0.01, 30)

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
    "film": lambda: film.strip(FRAMES, LOSSES, X, Y),
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
    shared = axes[-1].get_shared_x_axes()  # then the lowest one is labelled
    alone = [axis for axis in axes if axis is axes[-1] or not shared.joined(axis, axes[-1])]
    assert all(axis.get_xlabel() or not axis.axison for axis in alone)
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


def line_at_one_half(axis):
    boundary = [c for c in axis.collections if not isinstance(c, PathCollection)][1]
    return np.concatenate([path.vertices for path in boundary.get_paths()])


def test_the_boundary_lies_at_one_half():
    """A model that is 0.5 at x1 = 0.3: the dark line stands there."""
    vertices = line_at_one_half(figures.decision_boundary({"": step_at(0.3)}, X, Y).axes[0])
    np.testing.assert_allclose(vertices[:, 0], 0.3, atol=0.01)
    assert len(vertices) > 100


def test_each_frame_of_a_film_shows_its_epoch():
    figure = FIGURES["film"]()
    planes, curves = figure.axes[::2], figure.axes[1::2]
    assert texts(figure.texts) == [f"epoch {n}: loss {LOSSES[n]:.3f}" for n in FRAMES]
    for k, (epoch, plane, curve) in enumerate(zip(FRAMES, planes, curves, strict=True)):
        np.testing.assert_allclose(line_at_one_half(plane)[:, 0], 0.1 * k, atol=0.01)
        whole, so_far, dot = (line.get_xydata() for line in curve.get_lines())
        np.testing.assert_array_equal(whole[:, 1], LOSSES[:22])  # to the last frame
        np.testing.assert_array_equal(so_far, whole[: epoch + 1])
        np.testing.assert_array_equal(dot, [[epoch, LOSSES[epoch]]])
        assert curve.get_ylim() == curves[0].get_ylim()


def image_of(figure):
    """The image of a figure as a notebook stores it, cut off behind what is drawn."""
    return Image.open(io.BytesIO(print_figure(figure, bbox_inches="tight")))


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_every_frame_of_a_film_takes_the_same_room(columns):
    """A player cuts the image into equal parts: in each stand two axes, row by row."""
    figure = film.strip(FRAMES, LOSSES, X, Y, columns)
    wide, high = (round(120 * inches) for inches in film.FRAME)
    rows = 6 // columns
    assert image_of(figure).size == (columns * wide, rows * high)
    figure.draw_without_rendering()
    for n, axis in enumerate(figure.axes):
        row, column = divmod(n // 2, columns)
        box = axis.get_tightbbox()
        assert column * wide <= box.x0 < box.x1 <= (column + 1) * wide
        assert (rows - row - 1) * high <= box.y0 < box.y1 <= (rows - row) * high


def test_a_film_needs_full_rows_and_a_loss_a_frame():
    with pytest.raises(ValueError, match="6 frames; expected some full rows of 4"):
        film.strip(FRAMES, LOSSES, X, Y, columns=4)
    with pytest.raises(ValueError, match="0 frames; expected some full rows of 3"):
        film.strip({}, LOSSES, X, Y)
    with pytest.raises(ValueError, match="a frame of epoch 21; there are losses of 21 epochs"):
        film.strip(FRAMES, LOSSES[:21], X, Y)


def test_a_film_in_a_chapter_says_its_columns_and_rows():
    """By the class from which the player knows where to cut."""
    found = 0
    for path in CHAPTERS.glob("*.md"):
        for cell in code_cells(path.stem, "ipynb"):
            image = cell.metadata.get("mystnb", {}).get("image", {})
            assert ("film.strip(" in cell.source) == ("film" in image.get("classes", "").split())
            if "film.strip(" in cell.source:
                (data,) = (o.data["image/png"] for o in cell.outputs if "image/png" in o.data)
                size = Image.open(io.BytesIO(base64.b64decode(data))).size
                pixels = [round(120 * inches) for inches in film.FRAME]
                columns, rows = (n / frame for n, frame in zip(size, pixels, strict=True))
                assert image["classes"] == f"film film-{columns:.0f}x{rows:.0f}"
                assert columns % 1 == rows % 1 == 0 and 12 <= columns * rows <= 20
                found += 1
    assert found


def test_the_histogram_counts_every_accepted_step():
    figure = FIGURES["two histograms"]()
    for axis, history in zip(figure.axes, (FIXED, SEARCH), strict=True):
        steps, counts = np.unique(history.step[:-1], return_counts=True)
        middles = [bar.get_x() + bar.get_width() / 2 for bar in axis.patches]
        np.testing.assert_allclose(middles, np.log2(steps), atol=1e-6)
        assert [bar.get_height() for bar in axis.patches] == list(counts)
    assert figure.axes[-1].get_xlabel() == "accepted step"
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
    units = ["$x_{1}$", "$x_{2}$", *(f"$a_{{{n}}}$" for n in (1, 2, 3, 4)), "$p$"]
    letters = ["$X$", "$Z_1$, $A_1$", "$W_1$, $b_1$", "$Z_2$, $P$", "$W_2$, $b_2$"]
    assert sorted(texts(axis.texts)) == sorted(units + letters)
    with pytest.raises(ValueError, match=r"layers \(2, 17, 1\) are too wide .*at most 16 units"):
        figures.network_drawing(Network((2, 17, 1)))


def test_figures_of_a_chapter_have_the_style_too():
    with figures.canvas(2, rows=3, sharey=True) as (figure, axes):
        assert axes.shape == (3, 2)
        assert plt.rcParams["axes.grid"] is True
    assert figure.get_facecolor()[3] == 0  # the page is its ground


# As SVG


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"film"}))  # which stays a PNG
def test_it_is_stored_alike_in_every_run(name):
    text = drawing.svg(FIGURES[name]())
    assert text == drawing.svg(FIGURES[name]())
    drawn = etree.fromstring(text)
    assert drawn.get("class") == "lab-figure" and not re.search(r"20\d\d-\d\d", text)


def test_text_stays_text():
    with figures.canvas() as (figure, axes):
        axes[0, 0].set(title="at 0.4771", xlabel="the weight $w_{10}$", xlim=(0, 0.01))
    drawn = etree.fromstring(drawing.svg(figure))
    words = ["".join(text.itertext()) for text in drawn.iter("{*}text")]
    assert {"at 0.4771", "the weight w10", "0.002"} <= set(words)


def test_letters_of_two_names_stay_apart():
    """Matplotlib writes letters of one style behind each other, wherever they stand."""
    with figures.canvas() as (figure, axes):
        axes[0, 0].set(xlabel="$Z_1, A_1$")
    drawn = etree.fromstring(drawing.svg(figure))
    (name,) = (t for t in drawn.iter("{*}text") if "Z" in "".join(t.itertext()))
    assert [part.text for part in name] == ["Z", "1", ",", "A", "1"]
    places = [float(part.get("x")) for part in name]
    assert places == sorted(set(places))


def test_a_page_chooses_the_colours_of_lines_and_words_but_not_of_samples():
    """What stands on the shaded plane keeps its colours: the plane is the same in the dark."""
    with figures.canvas() as (figure, axes):
        for k in range(5):
            axes[0, 0].plot([0, k], label=str(k), **figures.style(k))
        axes[0, 0].text(0, 0, "x", bbox={"facecolor": figures.PAPER})
        figures.name_ends(axes[0, 0])
    text = drawing.svg(figure)
    bare = re.sub(r"var\(--figure-(\w+), #\w+\)", r"\1", text)
    assert set(re.findall(r"#[0-9a-f]{6}\b", bare)) == set()
    used = set(re.findall(r"(?:fill|stroke): ([a-z]+)", bare))
    assert used - {"none"} == set(drawing.COLOURS.values()) - {"grey"}
    samples = drawing.svg(FIGURES["boundary"]())
    assert f"fill: {figures.BLUE}; stroke: #ffffff" in samples
    assert "<image" in samples  # the plane


def test_a_notebook_stores_svg_and_nothing_else(capsys):
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    with capture_output() as shown:
        shell.displayhook(FIGURES["two histograms"]())
    (output,) = shown.outputs
    assert set(output.data) == {"image/svg+xml", "text/plain"}
    assert output.data["text/plain"] == "<Figure with 2 axes>"
    InteractiveShell.clear_instance()


def test_names_stand_at_the_ends_of_their_lines_and_apart():
    with figures.canvas() as (figure, axes):
        for k, end in enumerate((3.0, 1.0, 1.01)):
            axes[0, 0].plot([0, end], label=f"to {end}", **figures.style(k))
        axes[0, 0].plot([0, 2])  # without a label
        figures.name_ends(axes[0, 0], gap=13)
    names = axes[0, 0].texts
    assert texts(names) == ["to 1.0", "to 1.01", "to 3.0"]
    assert [name.xy[1] for name in names] == [1.0, 1.01, 3.0]
    assert [name.get_color() for name in names] == [figures.ORANGE, figures.GREEN, figures.BLUE]
    figure.draw_without_rendering()
    low, middle, high = (name.get_window_extent().y0 * 72 / figure.dpi for name in names)
    assert middle - low > 11 and high - middle > 11
