"""Self-checks of :ref:`ch-momentum`: heavy ball, Nesterov, Adam."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.judges import matched
from labsupport.feedback.verdict import Judge, Verdict

Slopes: TypeAlias = Callable[[Array], Array]


def best_momentum(best_momentum: object) -> Verdict:
    """Judge the momentum of the smallest rate, by condition number, ex-best-momentum."""

    def q(kappa: float) -> float:
        return float((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1))

    return diagnosis.function(
        "best_momentum",
        best_momentum,
        lambda kappa: q(kappa) ** 2,
        [(4.0,), (25.0,), (100.0,), (1e4,)],
        slips={
            "that is the rate, and the momentum of Nesterov's method; square it": q,
            "the condition number comes in by its root": lambda kappa: q(kappa**2) ** 2,
            "that is the rate of gradient descent": lambda kappa: q(kappa**2),
            "that is the rate of Nesterov's method": lambda kappa: 1 - kappa**-0.5,
            "that is the best step for curvatures from 1": lambda kappa: 4 / (1 + kappa**0.5) ** 2,
        },
    )


def _valleys(*settings: tuple[float, ...]) -> list[tuple[Any, ...]]:
    """Quadratics in some variables, each with a start: (gradient, x, *settings)."""
    rng = np.random.default_rng(23)
    made = []
    for n, setting in zip((1, 3, 4, 2), settings, strict=True):
        B = rng.normal(size=(n, n))
        A = B @ B.T / n + 0.5 * np.eye(n)
        made.append((partial(np.matmul, A), rng.normal(size=n), *setting))
    return made


def _ball(
    gradient: Slopes,
    x: Array,
    alpha: float,
    beta: float,
    steps: int,
    keep: float = 1.0,
    new: Callable[[float], float] = lambda beta: 1.0,
    ahead: bool = False,
    twice: bool = False,
) -> Array:
    """The heavy ball, or Nesterov's method where it is stored ahead; with a slip."""
    v = np.zeros_like(x)
    for _ in range(steps):
        g = gradient(x)
        v = keep * beta * v + new(beta) * g * (alpha if twice else 1.0)
        x = x - alpha * (g + beta * v if ahead else v)
    return x


SETTINGS = (0.1, 0.8, 1), (0.1, 0.8, 2), (0.2, 0.6, 5), (0.05, 0.9, 9)


def heavy_ball(two_points: object) -> Verdict:
    """Judge the heavy ball from its last two points, ex-heavy-ball."""
    return diagnosis.function(
        "two_points",
        two_points,
        _ball,
        _valleys(*SETTINGS),
        slips={
            "nothing is kept of the last move: is the point before remembered?": partial(
                _ball, keep=0.0
            ),
            "the last move is subtracted where it should be added": partial(_ball, keep=-1.0),
            "the new slope is added whole, not with 1 - beta (dampening)": partial(
                _ball, new=lambda beta: 1 - beta
            ),
            "the slope is taken ahead: that is Nesterov's method": _look_ahead,
            "that stores the point ahead: Nesterov's method": partial(_ball, ahead=True),
            "the rate comes twice": partial(_ball, twice=True),
            "the last move comes with the rate again: it has it already": _doubly_short,
            "the last move is added whole, without beta": lambda g, x, a, b, n: _ball(
                g, x, a, 1.0, n
            ),
        },
    )


def _look_ahead(gradient: Slopes, x: Array, alpha: float, beta: float, steps: int) -> Array:
    v = np.zeros_like(x)
    for _ in range(steps):
        v = beta * v + gradient(x - alpha * beta * v)
        x = x - alpha * v
    return x


def _doubly_short(gradient: Slopes, x: Array, alpha: float, beta: float, steps: int) -> Array:
    return _ball(gradient, x, alpha, alpha * beta, steps)


def nesterov(stored_ahead: object) -> Verdict:
    """Judge Nesterov's method in the form that libraries store, ex-nesterov."""
    return diagnosis.function(
        "stored_ahead",
        stored_ahead,
        partial(_ball, ahead=True),
        _valleys(*SETTINGS),
        slips={
            # Also where v is used before the new slope is added: g + beta * old is the new v.
            "that is the heavy ball: y moves along g + beta v, the new slope in v already": _ball,
            "that is the point x, not the point ahead": _look_ahead,
            "the velocity is not kept from step to step": partial(_ball, keep=0.0, ahead=True),
            "the new slope is added whole, not with 1 - beta (dampening)": partial(
                _ball, new=lambda beta: 1 - beta, ahead=True
            ),
            "the rate is in the velocity already": partial(_ball, twice=True, ahead=True),
            "v is added whole; y moves along g + beta v": _whole_ahead,
        },
    )


def _whole_ahead(gradient: Slopes, x: Array, alpha: float, beta: float, steps: int) -> Array:
    v = np.zeros_like(x)
    for _ in range(steps):
        g = gradient(x)
        v = beta * v + g
        x = x - alpha * (g + v)
    return x


def _adam(
    gradient: Slopes,
    x: Array,
    alpha: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    steps: int,
    first: bool = True,
    second: bool = True,
    inside: bool = False,
    early: bool = False,
    root: bool = True,
    from_zero: bool = False,
    kept: bool = True,
    plain: bool = False,
) -> Array:
    """Adam, with a slip: corrections left out, epsilon in another place, no root, ..."""
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for t in range(2 if from_zero else 1, steps + (2 if from_zero else 1)):
        g = gradient(x)
        if not kept:
            mean, square = np.zeros_like(x), np.zeros_like(x)
        mean = beta1 * mean + (1.0 if plain else 1 - beta1) * g
        square = beta2 * square + (1.0 if plain else 1 - beta2) * g * g
        top = mean / (1 - beta1**t) if first else mean
        below = square / (1 - beta2**t) if second else square
        if early:
            x = x - alpha * top / ((np.sqrt(square) + epsilon) / np.sqrt(1 - beta2**t))
            continue
        size = np.sqrt(below + epsilon) if inside else (np.sqrt(below) if root else below) + epsilon
        x = x - alpha * top / size
    return x


def adam(my_adam: object) -> Verdict:
    """Judge Adam, ex-adam."""
    settings = (
        *((0.1, 0.9, 0.99, 1e-2, 1), (0.1, 0.9, 0.99, 1e-2, 2)),
        *((0.05, 0.8, 0.95, 0.1, 6), (0.2, 0.7, 0.9, 1e-3, 12)),
    )
    return diagnosis.function(
        "my_adam",
        my_adam,
        _adam,
        _valleys(*settings),
        slips={
            "neither mean is corrected: divide by 1 - beta**t": partial(
                _adam, first=False, second=False
            ),
            "the mean of the slopes is not corrected": partial(_adam, first=False),
            "the mean of the squares is not corrected": partial(_adam, second=False),
            "the two betas have changed places": lambda g, x, a, b1, b2, *rest: _adam(
                g, x, a, b2, b1, *rest
            ),
            "epsilon stands inside the root": partial(_adam, inside=True),
            "epsilon is added before the correction": partial(_adam, early=True),
            "the root of the mean square is missing": partial(_adam, root=False),
            "t begins at 1 in the first step, not at 2": partial(_adam, from_zero=True),
            "the means are not kept from step to step": partial(_adam, kept=False),
            "a new slope enters with 1 - beta, in both means": partial(_adam, plain=True),
            "0.9 and 0.999 are written into the function; use its arguments": (
                lambda g, x, a, b1, b2, *rest: _adam(g, x, a, 0.9, 0.999, *rest)
            ),
            "1e-8 is written into the function; use `epsilon`": (
                lambda g, x, a, b1, b2, epsilon, steps: _adam(g, x, a, b1, b2, 1e-8, steps)
            ),
            "the last of the steps is missing": lambda g, x, a, b1, b2, epsilon, steps: _adam(
                g, x, a, b1, b2, epsilon, steps - 1
            ),
        },
    )


def _tilted(slopes: Slopes, x: Array) -> Array:
    return slopes(x) + 1.0


def _decayed(
    gradient: Slopes,
    x: Array,
    alpha: float,
    decay: float,
    steps: int,
    of: str = "x",
    rate: bool = True,
    sign: float = 1.0,
) -> Array:
    """Adam with weight decay: of x itself, or in a wrong place."""
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        short = x * (1 - sign * decay * (alpha if rate else 1.0))
        g = gradient(short if of == "x first" else x)
        pull = sign * decay * x
        if of == "slopes":
            g = g + pull
        mean = 0.9 * mean + 0.1 * (g + pull if of == "mean" else g)
        square = 0.999 * square + 0.001 * g * g
        step = mean / (1 - 0.9**t) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        if of == "new x":
            x = (x - alpha * step) * (1 - alpha * decay)
        else:
            x = (short if of in ("x", "x first") else x) - alpha * step
    return x


def weight_decay(decoupled: object) -> Verdict:
    """Judge Adam with decoupled weight decay, ex-weight-decay."""
    # Adam does not see a common factor in all slopes: the minimum must not be where x decays to.
    settings = (0.1, 0.5, 1), (0.1, 0.5, 2), (0.05, 2.0, 6), (0.2, 0.3, 12)
    cases = [(partial(_tilted, of), *rest) for of, *rest in _valleys(*settings)]
    return diagnosis.function(
        "decoupled",
        decoupled,
        _decayed,
        cases,
        slips={
            "the decay is in the slopes, where Adam divides it by their size: shorten x itself": (
                partial(_decayed, of="slopes")
            ),
            "the decay is in the mean of the slopes, and remembered there: shorten x itself": (
                partial(_decayed, of="mean")
            ),
            "the decay comes without the rate: x loses alpha * decay of itself": partial(
                _decayed, rate=False
            ),
            "the decay makes x longer: subtract it": partial(_decayed, sign=-1.0),
            "nothing decays: that is Adam": partial(_decayed, sign=0.0),
            "the new x is shortened; shorten the old one, then step": partial(_decayed, of="new x"),
            "the slopes are taken after the decay; take them before": partial(
                _decayed, of="x first"
            ),
        },
    )


def unknown_curves(steps: int = 60) -> dict[str, Array]:
    """Give the distances to the minimum of three descents on a parabola, by letter."""

    def curve(go: Callable[[int], Array]) -> Array:
        return np.array([float(abs(go(n)[0])) for n in range(steps + 1)])

    def same(x: Array) -> Array:
        return x

    start = np.ones(1)
    return {
        "A": curve(lambda n: _ball(same, start, 0.1, 0.85, n)),
        "B": curve(lambda n: _adam(same, start, 0.1, 0.9, 0.999, 1e-8, n)),
        "C": curve(lambda n: _ball(same, start, 0.1, 0.0, n)),
    }


def who_drew(drew: object) -> Verdict:
    """Judge which rule drew which curve, ex-who-drew."""
    answers = {"A": "heavy ball", "B": "Adam", "C": "gradient descent"}
    hints = {
        "heavy ball": "its first step is as long as gradient descent's, the next ones are longer",
        "Adam": "look at the first steps: do they depend on the slope?",
        "gradient descent": "look at its factor from step to step: it never changes",
    }
    return matched("drew", drew, answers, hints, "Each of the three is right.")


CHECKS: dict[str, Judge] = {
    "ex-best-momentum": best_momentum,
    "ex-adam": adam,
    "ex-heavy-ball": heavy_ball,
    "ex-nesterov": nesterov,
    "ex-weight-decay": weight_decay,
    "ex-who-drew": who_drew,
}
