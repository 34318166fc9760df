"""Self-checks of :ref:`ch-machines`: shards, bytes of a step, what parted the workers."""

from __future__ import annotations

import hashlib

import numpy as np

from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.judges import matched
from labsupport.feedback.verdict import Judge, Verdict

RUNS = {
    "A": "own shuffle",
    "B": "another seed",
    "C": "last batch dropped",
    "D": "forgotten reduce",
}
SAMPLES, WORKERS, BATCH = 15, 3, 6


def shard_weights(loss_weights: object) -> Verdict:
    """Judge the factors of the losses of unequal shards, ex-shard-weights."""
    return diagnosis.function(
        "loss_weights",
        loss_weights,
        lambda sizes: len(sizes) * sizes / sizes.sum(),
        [(np.array(sizes, float),) for sizes in ([300, 100], [5, 5, 5], [1, 2, 3, 4], [7])],
        slips={
            "these weights add up to one, and DDP divides by the workers again": (
                lambda sizes: sizes / sizes.sum()
            ),
            "with all weights equal DDP leaves the plain mean": lambda sizes: sizes / sizes,
            "the sizes have to be divided by the number of samples": lambda sizes: sizes,
            "that makes small shards count more: it is upside down": (
                lambda sizes: sizes.sum() / (len(sizes) * sizes)
            ),
            "the number of workers comes in twice": (
                lambda sizes: len(sizes) ** 2 * sizes / sizes.sum()
            ),
            "a sum over the workers would need these; DDP takes a mean, over its workers": (
                lambda sizes: sizes * sizes / sizes.sum()
            ),
        },
    )


def bytes_a_step(bytes_sent: object) -> Verdict:
    """Judge what a worker sends in a step, ex-bytes-a-step."""
    return diagnosis.function(
        "bytes_sent",
        bytes_sent,
        lambda p, n, size: 2 * (p - 1) / p * n * size,
        [(2, 65, 8), (3, 65, 8), (8, 1_863_690, 4), (1, 100, 4)],
        slips={
            "that is one of the two rounds: the sums have to be handed round too": (
                lambda p, n, size: (p - 1) / p * n * size
            ),
            "a pass sends a p-th of the gradient, and a single worker is asked about": (
                lambda p, n, size: 2 * (p - 1) * n * size
            ),
            "that is what rank 0 sends when all goes through it": (
                lambda p, n, size: (p - 1) * n * size
            ),
            "those are numbers; bytes are asked for": lambda p, n, size: 2 * (p - 1) / p * n,
            "those are bits; bytes are asked for": lambda p, n, size: 16 * (p - 1) / p * n * size,
            "a part makes p - 1 passes a round, not p": lambda p, n, size: 2 * n * size,
            "that is one pass of the ring": lambda p, n, size: n * size / p,
        },
    )


def unknown_runs() -> dict[str, list[dict[str, list[str] | list[int]]]]:
    """Give what three workers report of four runs, each with a mistake, by letter.

    They fit a plane to 15 samples in batches of 6.
    """
    X = np.random.default_rng(3).normal(size=(SAMPLES, 2))
    y = X @ np.array([2.0, -1.0]) + 0.1 * np.random.default_rng(4).normal(size=SAMPLES)

    def run(mistake: str) -> list[dict[str, list[str] | list[int]]]:
        ranks = range(WORKERS)
        one, two = ([r * (mistake == name) for r in ranks] for name in ("another seed", RUNS["A"]))
        w = [np.random.default_rng(5 + one[r]).normal(size=2) for r in ranks]
        order = [np.random.default_rng(9 + two[r]).permutation(SAMPLES) for r in ranks]
        end = SAMPLES // BATCH * BATCH if mistake == "last batch dropped" else SAMPLES
        prints, rows = [[_hash(w[r])] for r in ranks], [list[int]() for _ in ranks]
        for begin in range(0, end, BATCH):
            parts = []
            for r in ranks:
                batch = order[r][begin : min(begin + BATCH, end)]
                mine = np.array_split(batch, WORKERS)[r]
                rows[r] += mine.tolist()
                parts.append(2 * X[mine].T @ (X[mine] @ w[r] - y[mine]) / len(batch))
            for r in ranks:
                step = parts[r] if mistake == "forgotten reduce" else sum(parts)
                w[r] = w[r] - 0.1 * step
                prints[r].append(_hash(w[r]))
        return [{"fingerprints": prints[r], "rows": rows[r]} for r in ranks]

    return {letter: run(mistake) for letter, mistake in RUNS.items()}


def _hash(w: Array) -> str:
    return hashlib.sha256(w.tobytes()).hexdigest()[:8]


def which_mistake(was: object) -> Verdict:
    """Judge which run has which mistake, ex-which-mistake."""
    hints = {
        "another seed": "look at the fingerprints before the first step",
        "forgotten reduce": "are the replicas equal at first, and equal later?",
        "last batch dropped": f"count the rows of all workers: are they {SAMPLES}?",
        "own shuffle": "is there a row that two workers used, and one that nobody did?",
    }
    return matched("was", was, RUNS, hints, "Each of the four is right.")


CHECKS: dict[str, Judge] = {
    "ex-shard-weights": shard_weights,
    "ex-bytes-a-step": bytes_a_step,
    "ex-which-mistake": which_mistake,
}
