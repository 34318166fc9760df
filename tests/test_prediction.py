"""Predictions: in Python, and in a real browser by keyboard, without scripts, on paper."""

import pytest

from labsupport.widgets.prediction import Prediction
from tests.cases import repeated_ids, use_theme, width_of, write_page
from tests.conftest import broken_rules

FILES = ("prediction.css", "prediction.js")


def ask(loss=..., right=...):
    return Prediction(loss=("its loss <at the end>", loss), right=("right answers of four", right))


def test_answers_stand_beside_what_was_measured():
    asked = ask(right=3)
    assert repr(asked).splitlines()[1:] == [
        "its loss <at the end>: nothing yet",
        "right answers of four: 3",
    ]
    beside = asked.beside(loss="0.6931", right=2)
    assert "you said nothing yet, measured 0.6931" in repr(beside)
    assert "you said 3, measured 2" in repr(beside)
    assert "<td>3</td><td>2</td>" in beside._repr_html_()
    assert "&lt;at the end&gt;" in asked._repr_html_() and "<at" not in beside._repr_html_()


def test_errors_say_what_was_expected():
    with pytest.raises(TypeError, match=r"loss is 'its loss'; expected the question and your"):
        Prediction(loss="its loss")
    with pytest.raises(ValueError, match=r"measured: loss; expected one value for each of loss, r"):
        ask().beside(loss=1)


# In a browser


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    shown = ask()._repr_html_(), ask().beside(loss="0.6931", right="2 of 4")._repr_html_()
    return write_page(tmp_path_factory.mktemp("prediction") / "page.html", FILES, *shown)


def said(page):
    return page.locator(".prediction-beside td:nth-of-type(1)").all_text_contents()


@pytest.mark.slow
def test_what_is_written_stays_and_can_be_forgotten(visit, url):
    page = visit(url)
    assert said(page) == ["nothing yet"] * 2
    page.get_by_text("before").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("0.7")
    page.keyboard.press("Tab")
    page.keyboard.type("<b>all</b>")
    assert said(page) == ["0.7", "<b>all</b>"]
    page.reload()
    assert said(page) == ["0.7", "<b>all</b>"]
    assert page.get_by_label("its loss").input_value() == "0.7"
    page.get_by_role("button", name="Forget").click()
    assert said(page) == ["nothing yet"] * 2
    page.reload()
    assert page.get_by_label("its loss").input_value() == ""


@pytest.mark.slow
def test_without_scripts_and_on_paper_the_questions_are_text(visit, url):
    page = visit(url, java_script_enabled=False)
    assert "right answers of four" in page.locator(".prediction").inner_text()
    assert page.locator("input").count() == 0
    page = visit(url)
    page.get_by_label("its loss").fill("0.7")
    page.emulate_media(media="print")
    shown = [field.is_visible() for field in page.locator(".prediction input").all()]
    assert shown == [True, False]  # what was written, and a line to write on
    assert not page.get_by_role("button", name="Forget").is_visible()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_and_axe(visit, url, theme):
    page = visit(url, viewport={"width": 360, "height": 740})
    use_theme(page, theme)
    page.get_by_label("its loss").fill("x" * 60)
    assert width_of(page) <= 360
    assert repeated_ids(page) == 0
    assert broken_rules(page, "main") == ""
