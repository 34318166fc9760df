"""The self-checks of chapter 9 accept the guilty and say of everyone else why not."""

import pytest

from labsupport import feedback, zoo
from labsupport.bugs import BUGS

GUILTY = {letter: suspect.bug.name for letter, suspect in zoo.SUSPECTS.items()}


@pytest.mark.parametrize("pair", ["AB", "CD", "EF"])
def test_the_guilty(pair):
    names = [GUILTY[letter] for letter in pair]
    assert feedback.check(f"ex-suspects-{pair.lower()}", *names).passed
    swapped = feedback.check(f"ex-suspects-{pair.lower()}", *reversed(names))
    assert swapped.status == "wrong" and len(swapped.lines) == 2


@pytest.mark.parametrize("pair", ["AB", "CD", "EF"])
def test_open(pair):
    label, guilty = f"ex-suspects-{pair.lower()}", GUILTY[pair[0]]
    assert feedback.check(label, ..., ...).status == "open"
    assert feedback.check(label, guilty, ...).status == "open"
    assert feedback.check(label, "delta sign", ...).status == "wrong"


@pytest.mark.parametrize("letter", "ABCDEF")
@pytest.mark.parametrize("name", BUGS)
def test_every_other_name_is_refused_with_a_reason(letter, name):
    pair = next(pair for pair in ("AB", "CD", "EF") if letter in pair)
    answers = [name if other == letter else GUILTY[other] for other in pair]
    verdict = feedback.check(f"ex-suspects-{pair.lower()}", *answers)
    assert verdict.passed == (name == GUILTY[letter])
    if not verdict.passed:
        assert verdict.status == "wrong" and f"Suspect {letter}" in verdict.lines[0]
        assert name in verdict.lines[0] and f"`{GUILTY[letter]}`" not in verdict.lines[0]


@pytest.mark.parametrize("answer", ["no such bug", 3, ["no mean"]])
def test_what_is_no_name(answer):
    verdict = feedback.check("ex-suspects-ab", answer, GUILTY["B"])
    assert verdict.status == "wrong" and "no name in the zoo" in verdict.lines[0]


def test_the_reason_names_the_step_and_the_arrays():
    (line,) = feedback.check("ex-suspects-ef", GUILTY["E"], "update too early").lines
    assert (
        "the first step of `update too early` is wrong in W1, b1, W2, b2, that of F in no" in line
    )
    (line,) = feedback.check("ex-suspects-ef", GUILTY["E"], "stale cache").lines
    assert "though the same arrays are wrong" in line
    (line,) = feedback.check("ex-suspects-cd", "no hidden derivative", GUILTY["D"]).lines
    assert "though the same arrays are wrong" in line
    (line,) = feedback.check("ex-suspects-ab", "mask from output", GUILTY["B"]).lines
    assert "not possible on every network" in line
