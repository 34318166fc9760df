"""Self-checks of :ref:`ch-classes`: leaks in a split, the delta of softmax, a confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from labsupport.checks import Array
from labsupport.datasets import Parts
from labsupport.feedback import diagnosis
from labsupport.feedback.answers import array, call
from labsupport.feedback.judges import matched
from labsupport.feedback.verdict import Judge, Verdict, wrong
from labsupport.losses import softmax


def suspects_of(data: Parts) -> dict[str, Parts]:
    """Give three splits by letter, made of this one; two of them leak."""
    X_train, X_test = data.X_train.copy(), data.X_test
    Y_train = data.Y_train.copy()
    X_train[100:250], Y_train[100:250] = X_test[:150], data.Y_test[:150]
    copied = _scaled(data._replace(X_train=X_train, Y_train=Y_train), X_train)
    everything = np.vstack([data.X_train[:900], data.X_validation, data.X_test])
    turned = data._replace(X_train=data.X_train[:900], Y_train=data.Y_train[:900])
    return {"A": _scaled(turned, everything), "B": copied, "C": _scaled(turned, turned.X_train)}


def _scaled(data: Parts, by: Array) -> Parts:
    parts = {name: (getattr(data, name) - by.mean()) / by.std() for name in Parts._fields[::2]}
    return data._replace(**parts)


def _leak(data: Parts) -> str:
    known = {image.tobytes() for image in data.X_train}
    if any(image.tobytes() in known for image in data.X_test):
        return "same images"
    return "clean" if abs(data.X_train.mean()) < 1e-9 else "scale of all"


HINTS = {
    "clean": "no image of its test part is in its training part, and the mean of the training "
    "part is 0",
    "same images": "compare the rows of `X_test` with those of `X_train`",
    "scale of all": "a scale that was fitted to the training part leaves that part a mean of 0",
}


def leaks(leaks: object, *, parts: Parts) -> Verdict:
    """Judge which split leaks, and how, ex-leak."""
    answers = {letter: _leak(split) for letter, split in suspects_of(parts).items()}
    return matched("leaks", leaks, answers, HINTS, "Both leaks are found.")


def _warm(Z: Array, Y: Array, T: float) -> Array:
    D: Array = (softmax(Z / T) - Y) / (len(Y) * T)
    return D


def temperature(warm_delta: object) -> Verdict:
    """Judge the delta of a softmax with a temperature, ex-temperature."""
    rng = np.random.default_rng(71)
    cases: list[tuple[Any, ...]] = [
        (rng.normal(0, 2, (m, n)), np.eye(n)[rng.integers(0, n, m)], T)
        for m, n, T in ((4, 3, 2.0), (7, 10, 0.5), (5, 2, 3.0))
    ]
    slips = {
        "the slope of Z / T by Z is 1 / T: the chain rule asks for that factor": lambda Z, Y, T: (
            _warm(Z, Y, T) * T
        ),
        "the slope of Z / T by Z is 1 / T, not T": lambda Z, Y, T: _warm(Z, Y, T) * T * T,
        "the temperature belongs inside the softmax, too": lambda Z, Y, T: _warm(Z, Y, 1.0) / T,
        "the temperature is not used": lambda Z, Y, T: _warm(Z, Y, 1.0),
        "the logits are divided by T, not multiplied": lambda Z, Y, T: _warm(Z, Y, 1 / T),
        "the loss is a mean over the samples, so 1/m belongs to the delta": lambda Z, Y, T: (
            _warm(Z, Y, T) * len(Y)
        ),
        "the loss is a mean over the samples, not over all entries of Y": lambda Z, Y, T: (
            _warm(Z, Y, T) / Y.shape[1]
        ),
        "the sign is wrong: what the network said, minus what is so": lambda Z, Y, T: (
            -_warm(Z, Y, T)
        ),
        "the probabilities of a row add up to 1, not those of a column": lambda Z, Y, T: (
            (softmax(Z.T / T).T - Y) / (len(Y) * T)
        ),
    }
    name = "warm_delta"
    ordinary = diagnosis.function(name, warm_delta, _warm, cases, slips=slips)
    if not ordinary:
        return ordinary
    for Z, Y, T in cases:
        large = array(name, call(name, warm_delta, 500 * Z, Y, T))
        want = _warm(500 * Z, Y, T)
        if large.shape != want.shape or not np.allclose(large, want, rtol=1e-6, atol=1e-9):
            why = "wrong" if np.isfinite(large).all() else "not finite"
            cure = "take the largest of a row off before the exponential, and change nothing else"
            return wrong(f"`{name}` is right for small logits, and {why} for large ones: {cure}.")
    return ordinary


def _pair(C: Array) -> Array:
    both = np.triu(C + C.T, 1)
    return np.array(np.unravel_index(both.argmax(), both.shape))


def _largest(C: Array) -> Array:
    return np.array(np.unravel_index(C.argmax(), C.shape))


def _off_diagonal(C: Array) -> Array:
    one_way: Array = C - np.diag(np.diag(C))
    return one_way


def confused(most_confused: object) -> Verdict:
    """Judge the pair of classes that a confusion matrix confuses most, ex-confused."""
    rng = np.random.default_rng(72)
    cases = []
    for n, (i, j), upper in ((3, (0, 2), False), (4, (1, 2), True), (10, (4, 7), False)):
        C = rng.permutation(np.arange(2.0 * n * n))[: n * n].reshape(n, n) + 100 * np.eye(n)
        C[i, j] = C[j, i] = 2 * n * n - 1  # most in both directions together ...
        k = (j + 1) % n if (j + 1) % n != i else (j + 2) % n
        decoy = tuple(sorted((j, k), reverse=not upper))
        C[decoy], C[decoy[::-1]] = 2 * n * n + 5, 0  # ... but another pair in one
        cases.append((C,))
    slips = {
        "the diagonal holds what is right; leave it out": _largest,
        "both directions count: i for j and j for i": lambda C: _largest(_off_diagonal(C)),
        "both directions count, and `i < j`": lambda C: np.sort(_largest(_off_diagonal(C))),
        "only one direction counts here: above the diagonal": lambda C: _largest(np.triu(C, 1)),
        "that is only what lies below the diagonal": lambda C: _largest(np.tril(C, -1)),
        "the smaller class comes first": lambda C: _pair(C)[::-1],
        "the two need not have class 0 among them": lambda C: [0, 1 + (C + C.T)[0, 1:].argmax()],
        "a matrix may have more than three classes": lambda C: _pair(C[:3, :3]),
    }
    return diagnosis.function("most_confused", most_confused, _pair, cases, slips=slips)


CHECKS: dict[str, Judge] = {
    "ex-leak": leaks,
    "ex-temperature": temperature,
    "ex-confused": confused,
}
