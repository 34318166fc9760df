"""Self-checks of :ref:`ch-bugs`: the six suspects, and a backward pass to put right."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from labsupport import network, zoo
from labsupport.bugs import BUGS
from labsupport.feedback import diagnosis
from labsupport.feedback.cases import Case
from labsupport.feedback.verdict import (
    Judge,
    Verdict,
    is_open,
    right,
    together,
    unattempted,
    wrong,
)
from labsupport.gradcheck.agreement import relative_error
from labsupport.lines import Bug

NET = network.Network((3, 4, 5, 2))
SAMPLES, RATE = 7, 0.5
REPAIRED = network.Network((2, 4, 4, 1), "tanh", "sigmoid", "bce")


@cache
def _footprint(bug: Bug) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the arrays whose implied gradient is wrong, at the first and the second step."""
    rng, memory, found = np.random.default_rng(9), dict[str, Any](), []
    here = network.initialise(NET, rng, "pytorch")
    X, Y = rng.normal(size=(SAMPLES, 3)), rng.random((SAMPLES, 2))
    for _ in range(2):
        true = network.loss_and_gradient(NET, here, X, Y)[1].named()
        after = zoo.step(bug, NET, here, X, Y, RATE, memory)
        claimed = network.Parameters(NET.sizes, (here.vector - after.vector) / RATE).named()
        found.append(tuple(n for n, g in true.items() if relative_error(claimed[n], g) > 1e-6))
        here = after.copy()
    return found[0], found[1]


def _suspect(letter: str, name: object) -> Verdict:
    """Judge one accusation: compare where the accused and the suspect are wrong."""
    if is_open(name):
        return unattempted(f"suspect_{letter.lower()}")
    if not isinstance(name, str) or name not in BUGS:
        return wrong(f"Suspect {letter}: {name!r} is no name in the zoo. Take one from the tables.")
    accused, guilty = BUGS[name], zoo.SUSPECTS[letter].bug
    if accused is guilty:
        return right(f"Suspect {letter}: it is `{name}`.")
    if not accused.applies(NET, SAMPLES):
        return wrong(
            f"Suspect {letter}: `{name}` is not possible on every network, and {letter} is wrong "
            "on 3-4-5-2 with sigmoids and the cross-entropy, on any number of samples."
        )
    for step, theirs, found in zip(
        ("first", "second"), _footprint(accused), _footprint(guilty), strict=True
    ):
        if theirs != found:
            return wrong(
                f"Suspect {letter} is not `{name}`: on 3-4-5-2 the {step} step of `{name}` is "
                f"wrong in {_listed(theirs)}, that of {letter} in {_listed(found)}."
            )
    return wrong(
        f"Suspect {letter} is not `{name}`, though the same arrays are wrong. Compare by how much, "
        "with 4 samples and with 7, and at two learning rates."
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if names else "no array"


def suspects_ab(suspect_a: object, suspect_b: object) -> Verdict:
    """Judge the names given to suspects A and B, ex-suspects-ab."""
    return together(_suspect("A", suspect_a), _suspect("B", suspect_b))


def suspects_cd(suspect_c: object, suspect_d: object) -> Verdict:
    """Judge the names given to suspects C and D, ex-suspects-cd."""
    return together(_suspect("C", suspect_c), _suspect("D", suspect_d))


def suspects_ef(suspect_e: object, suspect_f: object) -> Verdict:
    """Judge the names given to suspects E and F, ex-suspects-ef."""
    return together(_suspect("E", suspect_e), _suspect("F", suspect_f))


def repaired(repaired: object) -> Verdict:
    """Judge the backward pass that was broken, ex-repair, on other widths than its own."""

    def arguments(case: Case) -> tuple[Any, ...]:
        return list(case.parameters.weights), list(case.cache.A), case.Y

    return diagnosis.gradient("repaired", repaired, REPAIRED, arguments)


CHECKS: dict[str, Judge] = {
    "ex-suspects-ab": suspects_ab,
    "ex-suspects-cd": suspects_cd,
    "ex-suspects-ef": suspects_ef,
    "ex-repair": repaired,
}
