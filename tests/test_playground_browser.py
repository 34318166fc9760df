"""The playground in a real browser: its numbers against labsupport, and how it is used.

The page is opened from the disk, as a student without internet does. If BOOK_HTML names the built
book, the page in it is tried as well.
"""

import itertools
import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from labsupport import descent, network
from labsupport.network import Parameters
from labsupport.widgets import playground
from labsupport.widgets.playground import CHOICES, Playground
from tests.cases import repeated_ids, use_theme, width_of, write_page
from tests.conftest import broken_rules

SCRIPTS_FIRST = playground.FILES[::-1]  # the page must not care in which order they come
EPOCHS = 1000
UNDECIDED = {"light": (255, 255, 255, 255), "dark": (27, 32, 39, 255)}  # the plane where p = 0.5

pytestmark = pytest.mark.slow


def write(folder, *situations):
    shown = [s._repr_html_() for s in situations]
    return write_page(folder / "page.html", SCRIPTS_FIRST, *shown)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return write(tmp_path_factory.mktemp("playground"), Playground())


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def status(page):
    return page.locator(".playground").get_by_role("status").inner_text()


def wait(page, condition):
    """Wait for what a script says of the playground `p`, or of its status line `said`."""
    page.wait_for_function(
        "(() => { const p = document.querySelector('.playground').playground,"
        " said = document.querySelector('[role=status]').innerText;"
        f" return {condition}; }})()"
    )


def reading(page, name):
    pair = page.locator(".playground-reading div").filter(has_text=re.compile(f"^{name}"))
    return pair.locator("dd").inner_text()


def state(page):
    """What the page's network is at: epoch, loss and parameters."""
    return page.evaluate(
        "(({epoch, loss, here}) => ({epoch, loss, here: [...here]}))"
        "(document.querySelector('.playground').playground)"
    )


# Its numbers are those of labsupport

TRAIN = """([situation, epochs]) => {
  const box = document.querySelector(".playground"), core = window.Playground;
  const given = JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const sizes = [2, ...situation.hidden, 1], named = given.named[situation.start];
  const start = named ? named.vector
    : core.start(sizes, given.starts[situation.start], situation.seed);
  const run = core.create({...situation, ...given.data[situation.data], sizes, start,
    slope: given.slope, armijo: given.armijo});
  const losses = core.train(run, epochs);
  return {losses, start: [...start], end: [...run.here], stopped: run.stopped};
}"""


def trained(page, situation, epochs=EPOCHS, program=TRAIN):
    return page.evaluate(program, [asdict(situation), epochs])


def check_run(page, situation):
    """Every loss and every parameter at the end, as labsupport has them; give its history."""
    found, expected = trained(page, situation), situation.train(EPOCHS)
    assert len(found["losses"]) == len(expected.history.loss) == EPOCHS + 1
    assert np.abs(found["losses"] - expected.history.loss).max() < 1e-9
    assert np.abs(found["end"] - expected.parameters.vector).max() < 1e-9
    return expected.history


@pytest.fixture(scope="module")
def quiet_page(browser, url):
    page = browser.new_page()
    page.goto(url)
    yield page
    page.close()


# Each activation with each loss on both data sets, and every rule in turn.
PAIRS = enumerate(itertools.product(CHOICES["activation"], CHOICES["loss"]))
RUNS = [
    Playground(data, hidden, *pair, rule, 0.5 if rule == "fixed" else 8, "pytorch")
    for n, pair in PAIRS
    for data, hidden, rule in (
        ("xor", (4,), CHOICES["rule"][n % 2]),
        ("moons", (4, 3), CHOICES["rule"][n % 3]),
    )
]


def steady(situation):
    """The same from the first seed whose run a factor of 1 + 1e-13 on its start leaves alone.

    Of other runs two programs that are both right need not agree.
    """
    for seed in range(1, 20):
        found = replace(situation, seed=seed)
        net, start, data = found.network, found.parameters(), found.samples()
        near = Parameters(start.sizes, start.vector * (1 + 1e-13))
        trainings = [descent.train(net, p, *data, found.step_rule, EPOCHS) for p in (start, near)]
        one, other = (np.append(t.history.loss, t.parameters.vector) for t in trainings)
        whole = len(one) == len(other) == EPOCHS + 1 + len(start.vector)
        if whole and np.abs(one - other).max() < 1e-10:
            return found
    raise AssertionError(f"no steady run of {situation}")


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
@pytest.mark.parametrize("situation", RUNS, ids=lambda s: s.fragment[12:])
def test_a_thousand_epochs_are_those_of_labsupport(quiet_page, situation):
    history = check_run(quiet_page, steady(situation))
    assert situation.rule == "fixed" or np.nanmax(history.trials) > 1  # it did backtrack


@pytest.mark.parametrize("name", list(playground.NAMED))
def test_named_runs_are_those_of_labsupport(quiet_page, name):
    check_run(quiet_page, playground.named(name))


def test_a_wrong_constant_would_be_seen(quiet_page):
    """The comparison can fail: with the slope at 0.011 instead of 0.01 it does."""
    situation = Playground(activation="leaky_relu", loss="mse", start="pytorch")
    found = trained(quiet_page, situation, 50, TRAIN.replace("given.slope", "0.011"))
    assert np.abs(found["losses"] - situation.train(50).history.loss).max() > 1e-6


@pytest.mark.parametrize("start", CHOICES["start"])
def test_starts_are_those_of_labsupport(quiet_page, start):
    for seed, hidden in itertools.product((0, 1, 12345, 2**32 - 1), ((1,), (8, 8), (3, 5))):
        if start in playground.NAMED:
            situation = playground.named(start, seed=seed)
        else:
            situation = Playground(hidden=hidden, start=start, seed=seed)
        found = trained(quiet_page, situation, 0)["start"]
        assert np.abs(found - situation.parameters().vector).max() < 1e-12


@pytest.mark.filterwarnings("ignore::labsupport.history.DescentWarning")
@pytest.mark.parametrize(
    "situation",
    [
        Playground(start="zeros"),
        Playground(data="moons", activation="relu", hidden=(8, 8), rate=1e4),
        Playground(data="moons", rule="warm", rate=1e4, loss="mse"),
    ],
)
def test_runs_end_where_those_of_labsupport_end(quiet_page, situation):
    """For the same reason, after as many epochs; long steps go wrong in the same way."""
    found, history = trained(quiet_page, situation, 10), situation.train(10).history
    assert (found["stopped"] or "epochs") == str(history.stopped)
    assert len(found["losses"]) == int(history.stopped_at) + 1
    assert np.allclose(found["losses"], history.loss[: len(found["losses"])], rtol=1e-8)


# Using it


def test_one_step_in_three_parts(visit, url):
    page = visit(url)
    expected = Playground().train(1)
    press(page, "Forward")
    assert status(page).startswith("Forward. Sample 2, of class 1")
    assert reading(page, "Gradient norm") == "–"
    before = page.locator(".playground-node text").all_text_contents()
    press(page, "Backward")
    norm = float(reading(page, "Gradient norm"))
    assert np.isclose(norm, expected.history.gradient_norm[0], rtol=1e-2)
    assert page.locator(".playground-node text").all_text_contents() != before
    assert page.locator("line[class*=playground-slope]").count() == 12
    assert state(page)["epoch"] == 0  # nothing has moved
    press(page, "Update")
    assert reading(page, "Epoch") == "1"
    assert np.abs(state(page)["here"] - expected.parameters.vector).max() < 1e-14
    assert page.locator("line[class*=playground-weight]").count() == 12
    shown = page.locator(".playground-node text:not(.playground-input)").all_text_contents()
    assert shown == ["0", "1", "", "", "", "", ""]  # not computed yet
    press(page, "Forward")
    assert f"Mean loss {expected.history.loss[1]:.4g}" in status(page)


def test_the_numbers_shown_are_those_of_labsupport(visit, url):
    page = visit(url)
    situation = Playground()
    for _ in range(3):
        press(page, "One epoch")
    training = situation.train(3)
    loss, weights = training.history.loss[-1], training.parameters.weights[1][:, 0]
    right = 4 * network.accuracy(situation.network, training.parameters, *situation.samples())
    assert status(page) == f"Epoch 3: loss {loss:.4g}, {right:.0f} of 4 right."
    assert reading(page, "Loss") == f"{loss:.4g}"
    rows = page.locator(".playground-unit tbody tr").all_inner_texts()
    shown = [float(row.split("\t")[2].replace("−", "-")) for row in rows[:-1]]
    assert np.allclose(shown, weights, rtol=1e-3)


def test_train_pause_and_rewind(visit, url):
    page = visit(url)
    start = state(page)
    press(page, "Train")
    wait(page, "p.epoch > 50")
    press(page, "Pause")
    at = state(page)
    assert status(page).startswith("Paused. Epoch")
    assert np.abs(at["here"] - Playground().train(at["epoch"]).parameters.vector).max() < 1e-9
    page.wait_for_timeout(100)
    assert state(page) == at  # it stands still
    press(page, "Rewind")
    assert state(page) == start
    press(page, "New start")
    expected = Playground(seed=2).parameters().vector
    assert (np.array(state(page)["here"]) == expected).all()
    press(page, "Rewind")
    assert (np.array(state(page)["here"]) == expected).all()


def test_addresses_go_round(visit, url):
    page = visit(url)
    chosen = {"Data": "moons", "Activation": "leaky_relu", "Loss": "mse", "Step rule": "warm"}
    chosen |= {"Start": "he", "Units in layer 1": "3", "Units in layer 2": "5"}
    for label, option in chosen.items():
        page.get_by_label(label, exact=True).select_option(option)
    page.get_by_label("First trial").fill("2.5")
    page.get_by_label("Seed of the start").fill("77")
    page.get_by_label("Seed of the start").press("Enter")
    press(page, "One epoch")
    press(page, "One epoch")
    expected = Playground("moons", (3, 5), "leaky_relu", "mse", "warm", 2.5, "he", 77, 2)
    assert playground.read(page.url) == expected
    assert page.url.endswith(expected.fragment)
    at = state(page)
    other = visit(page.url)
    wait(other, "p.epoch == 2")
    assert state(other) == at
    wait(other, "said.includes('Paused')")
    press(other, "Copy link")
    assert other.get_by_label("To copy").input_value() == page.url
    press(other, "Copy for Python")
    line = other.get_by_label("To copy").input_value()
    assert line == f'playground.read("{expected.fragment}")'


@pytest.mark.parametrize(
    "situation", [playground.named("xor-relu"), playground.named("worked-example", epoch=100)]
)
def test_an_address_opens_its_situation_also_later(visit, url, situation):
    page = visit(url)
    page.evaluate("(fragment) => { location.hash = fragment; }", situation.fragment)
    done = "(e) => document.querySelector('.playground').playground.epoch === e"
    page.wait_for_function(done, arg=situation.epoch)
    page.wait_for_function("document.querySelectorAll('.playground-node').length < 7")
    expected = situation.train().parameters.vector
    assert np.abs(state(page)["here"] - expected).max() < 1e-9


def test_a_failed_start_shows_its_dead_unit(visit, url):
    page = visit(url + playground.named("xor-relu", epoch=1000).fragment)
    wait(page, "said.includes('Paused')")
    assert status(page) == "Paused. Epoch 1000: loss 0.6932, 2 of 4 right."
    assert page.locator(".playground-dead").count() == 1
    assert page.get_by_role("radio", name=re.compile("layer 1, unit 2.*dead")).count() == 1


def test_wrong_addresses_are_reported(visit, url):
    page = visit(url + "#playground?data=xor&activation=swish&seed=3&hidden=99&toString=1")
    assert "activation=swish, hidden=99, toString=1" in status(page)
    assert (state(page)["here"] == Playground(seed=3).parameters().vector).all()


def test_wrong_numbers_are_reported_and_not_taken(visit, url):
    page = visit(url)
    for label, wrong in (
        ("Learning rate", "-1"),
        ("Learning rate", ""),
        ("Seed of the start", "x"),
    ):
        field = page.get_by_label(label)
        kept = field.input_value()
        field.fill(wrong)
        field.press("Enter")
        assert f"kept {kept}" in status(page)
        assert field.input_value() == kept


def test_a_run_that_ends_says_why(visit, url):
    page = visit(url + Playground(start="zeros").fragment)
    press(page, "Train")
    wait(page, "said.includes('zero')")
    assert status(page).startswith("The gradient is exactly zero")
    assert page.get_by_role("button", name="Train", exact=True).count() == 1


def test_keyboard(visit, url):
    page = visit(url)
    page.evaluate("heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
    press(page, "Train")
    wait(page, "p.epoch > 0")
    page.keyboard.press("t")
    assert status(page).startswith("Paused")
    for key, said in {
        "r": "The same start again",
        "f": "Forward.",
        "b": "Backward.",
        "u": "Update.",
        "e": "Epoch 2:",
        "n": "A new start, seed 2",
    }.items():
        page.keyboard.press(key)
        assert status(page).startswith(said)
    assert page.evaluate("heard") == []  # the book hears of none of them
    page.keyboard.press("Control+b")
    assert "Backward" not in status(page)
    page.get_by_label("Seed of the start").focus()
    page.keyboard.press("b")  # in a field a letter is a letter
    assert "Backward" not in status(page)


def test_units_by_arrow_keys(visit, url):
    page = visit(url)
    page.locator(".playground-node[tabindex='0']").focus()
    caption = page.locator(".playground-unit caption")
    assert caption.inner_text().startswith("Output: z =")
    for key, title in {
        "ArrowRight": "Output",
        "ArrowLeft": "Layer 1, unit 1",
        "ArrowDown": "Layer 1, unit 2",
    }.items():
        page.keyboard.press(key)
        assert caption.inner_text().startswith(title)
        checked = page.get_by_role("radio", checked=True)
        assert checked.count() == 1
        assert checked.evaluate("(e) => e === document.activeElement")
    assert page.evaluate("window.scrollY") == 0
    assert len(page.locator(".playground-unit tbody tr").all()) == 3
    page.keyboard.press("e")  # the letters work here as well
    assert status(page).startswith("Epoch 1:")


def test_samples_by_number_and_by_mouse(visit, url):
    page = visit(url)
    field = page.get_by_label("Sample", exact=True)
    assert field.input_value() == "2"  # the first has no input that is not 0
    field.focus()
    page.keyboard.press("ArrowUp")
    assert "class 1" in page.locator(".playground-sample").inner_text()
    inputs = page.locator(".playground-node text:not(.playground-input)").all_text_contents()[:2]
    assert inputs == ["1", "0"]
    square = page.locator(".playground-one").nth(1).bounding_box()
    page.mouse.click(square["x"] + 3, square["y"] + 3)
    assert field.input_value() == "3"


def test_the_plane_is_coloured_by_the_network(visit, url):
    page = visit(url + Playground(epoch=1000).fragment)
    wait(page, "said.includes('Paused')")
    image = page.evaluate(
        "(() => { const c = document.querySelector('.playground canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; })()"
    )
    image = np.reshape(image, (48, 48, 4))
    middles = [12, 35]  # near 0 and 1 on an axis from -0.5 to 1.5
    for x, column in enumerate(middles):
        for y, row in enumerate(reversed(middles)):
            red, _, blue, _ = image[row, column]
            assert (red > blue) == (x != y), (x, y)
    assert page.locator(".playground-half").get_attribute("d").startswith("M")


def test_reduced_motion_draws_once(visit, url):
    page = visit(url, reduced_motion="reduce")
    page.evaluate(
        "count = 0; new MutationObserver(() => count += 1).observe("
        "document.querySelector('.playground-reading'), {childList: true, subtree: true})"
    )
    press(page, "Train 1000")
    wait(page, "said.includes('Paused')")
    assert state(page)["epoch"] == 1000
    assert page.evaluate("count") == 1
    assert page.evaluate("document.getAnimations().length") == 0
    press(page, "Forward")
    press(page, "Update")
    assert reading(page, "Epoch") == "1001"


def test_a_weight_of_zero_is_neither_above_nor_below(visit, url):
    page = visit(url + Playground(start="zeros").fragment)
    assert page.locator(".playground-weight-none").count() == 12
    press(page, "Backward")
    assert page.locator(".playground-slope-none").count() == 12
    page.get_by_label("Start", exact=True).select_option("normal")
    assert page.locator(".playground-weight-none").count() == 0


def test_a_comma_is_a_point(visit, url):
    page = visit(url)
    page.get_by_label("Learning rate").fill("0,25")
    page.keyboard.press("Enter")
    assert page.get_by_label("Learning rate").input_value() == "0.25"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit, url, scheme):
    page = visit(url, viewport={"width": 360, "height": 740}, has_touch=True)
    use_theme(page, scheme)
    train, plane = (
        page.locator(f".playground {at}").first.bounding_box() for at in ("button", "canvas")
    )
    assert plane["y"] + plane["height"] - train["y"] < 740  # what it changes is on the same screen
    page.locator("summary").click()
    press(page, "Copy link")
    assert width_of(page) <= 360
    for control in page.locator(".playground :is(button, select, summary)").all():
        assert control.bounding_box()["height"] >= 44, control.inner_text()
    unit = page.locator(".playground-reach").first.bounding_box()
    assert min(unit["width"], unit["height"]) >= 24


@pytest.mark.parametrize(
    ("scheme", "view"), [("light", "Forward"), ("dark", "Backward"), ("dark", "Update")]
)
def test_no_rule_of_accessibility_is_broken(visit, url, scheme, view):
    page = visit(url)
    use_theme(page, scheme)
    press(page, view)
    assert broken_rules(page, ".playground") == ""


def test_without_scripts_the_start_is_read(visit, url):
    page = visit(url, java_script_enabled=False)
    assert page.locator(".playground table").is_visible()
    assert "1.0861" in page.locator(".playground").inner_text()
    assert '"situation"' not in page.locator("main").inner_text()


def test_two_on_a_page_do_not_disturb_each_other(visit, tmp_path):
    other = Playground(seed=9)._repr_html_().replace('id="playground"', 'id="other"')
    shown = Playground()._repr_html_(), other
    address = write_page(tmp_path / "page.html", SCRIPTS_FIRST, *shown)
    page = visit(address + "#other?data=xor&seed=4")
    vectors = page.evaluate(
        "[...document.querySelectorAll('.playground')].map((e) => [...e.playground.here])"
    )
    assert vectors[0] == Playground().parameters().vector.tolist()
    assert vectors[1] == Playground(seed=4).parameters().vector.tolist()
    assert repeated_ids(page) == 0


def test_scripts_that_come_twice_do_no_harm(visit, tmp_path, monkeypatch):
    """As in JupyterLab, where each run of the cell brings them along."""
    monkeypatch.setenv("JPY_SESSION_NAME", "x.ipynb")
    page = visit(write(tmp_path, Playground(seed=3)))
    assert page.locator(".playground-panel").count() == 1
    assert page.get_by_role("button", name="Copy link").count() == 0
    press(page, "One epoch")
    assert "#" not in page.url  # the address there is JupyterLab's


@pytest.mark.book
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_page_of_the_book(visit, built, width, scheme):
    book_url = built("chapters/playground.html")
    page = visit(book_url, color_scheme=scheme, viewport={"width": width, "height": 800})
    assert width_of(page) <= width
    assert broken_rules(page, ".playground") == ""
    edges = page.locator(".playground-network line")
    assert "none" not in edges.evaluate_all("(all) => all.map((e) => getComputedStyle(e).stroke)")
    page.get_by_role("link", name="All zero.").click()
    wait(page, "p.here.every((entry) => entry === 0)")
    pixels = page.evaluate(
        "[...document.querySelector('.playground canvas').getContext('2d')"
        ".getImageData(0, 0, 48, 48).data]"
    )
    assert set(zip(*[iter(pixels)] * 4, strict=True)) == {UNDECIDED[scheme]}
    page.get_by_role("link", name="A record that failed.").click()
    wait(page, "p.setup.start.length === 13")
    assert playground.read(page.url) == playground.named("xor-relu")
    page.get_by_role("button", name="Train", exact=True).focus()
    for key in ("e", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.url.split("#")[0] == book_url  # no key turned a page
    assert reading(page, "Epoch") == "1"
