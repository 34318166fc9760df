"""Does a loss curve belong to its model? What an instructor can ask of a report. :ref:`ch-lies`."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labsupport import network
from labsupport.checks import Array
from labsupport.history import History
from labsupport.network import Network, Parameters

MARGIN = 0.1
"""An answer nearer to 0.5 than this is no answer."""


@dataclass(frozen=True, repr=False)
class Audit:
    """What `audit` found; as the last line of a cell it is shown.

    Attributes
    ----------
    findings : tuple of str
        What does not fit, a sentence each.
    unchecked : tuple of str
        What could not be looked at, because it was not given.
    """

    findings: tuple[str, ...]
    unchecked: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __repr__(self) -> str:
        head = f"{len(self.findings)} found:" if self.findings else "Nothing found."
        lines = [*self.findings, *(f"not checked: {what}" for what in self.unchecked)]
        wrapped = [textwrap.fill(f"- {line}", 76, subsequent_indent="  ") for line in lines]
        return "\n".join([head, *wrapped])


def audit(
    history: History | npt.ArrayLike,
    net: Network,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    start: Parameters | None = None,
    end: Parameters | None = None,
    claimed_accuracy: float | None = None,
    tolerance: float = 1e-6,
) -> Audit:
    """Compare a loss curve with the network that it is said to come from.

    Parameters
    ----------
    history : History, or (s,)
        The history of one run, or only its losses, the first before any step.
    net : Network
        What is said to have been trained.
    X, Y : (m, n_in), (m, n_out)
        The data.
    start : Parameters, optional
        The parameters before training. If they were not kept: many fresh draws of the stated
        initialiser, with a runs axis. The first loss must then lie among theirs, which a true one
        of 1000 draws misses once in 500 times.
    end : Parameters, optional
        The parameters after training.
    claimed_accuracy : float, optional
        Share of samples that are said to be right, from 0 to 1.
    tolerance : float
        Largest relative error of a loss; 1e-3 for losses printed with few digits.

    Returns
    -------
    Audit
        What does not fit, and what was not looked at.

    Raises
    ------
    ValueError, TypeError
        A history of many runs or without any loss, data or parameters that do not fit the network,
        or a claim that is no share.

    Notes
    -----
    Nothing found does not mean that nothing is wrong: a forged curve with the right ends passes.
    """
    losses = np.asarray(history.loss if isinstance(history, History) else history, dtype=float)
    if losses.ndim != 1 or losses.size == 0:
        raise ValueError(
            f"the losses have shape {losses.shape}; expected (s,), at least one. Of many runs, "
            "pass the losses of one: history.loss[:, 0]."
        )
    if claimed_accuracy is not None and not 0 <= claimed_accuracy <= 1:
        raise ValueError(f"claimed_accuracy is {claimed_accuracy}; expected a share from 0 to 1.")
    found, unchecked = _curve(losses, net, np.asarray(Y, dtype=float)), []
    if isinstance(history, History):
        found += _costs(history)
    else:
        unchecked.append("the cost, because only losses are given")
    if start is None:
        unchecked.append("the first loss, because no start is given")
    else:
        found += _first(losses[0], network.loss_value(net, start, X, Y), tolerance)
    if end is None:
        unchecked.append("the last loss and the answers, because no end is given")
    else:
        found += _last(losses[-1], net, end, X, Y, claimed_accuracy, tolerance)
    return Audit(tuple(found), tuple(unchecked))


def _differ(one: float, other: float, tolerance: float) -> bool:
    return not abs(one - other) <= tolerance * abs(other)  # a nan differs


def chance(net: Network, Y: npt.ArrayLike) -> float:
    """Compute the loss of the best constant answer: what a network that ignores X can reach."""
    Y = np.asarray(Y, dtype=float)
    mean = Y.mean(axis=0)
    with np.errstate(divide="ignore"):
        if net.loss == "bce_with_logits":
            constant = np.log(mean) - np.log1p(-mean)
        elif net.loss == "softmax_cross_entropy":
            constant = np.log(mean)
        else:
            constant = mean
    if not np.isfinite(constant).all():
        return 0.0  # a single class: to answer it always is right
    return float(net.loss_function.value(np.broadcast_to(constant, Y.shape), Y))


def _curve(losses: Array, net: Network, Y: Array) -> list[str]:
    """What the losses alone give away."""
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        return [f"Loss number {bad[0]} is {losses[bad[0]]}: the training diverged."]
    level = chance(net, Y)
    if losses[-1] > 0.99 * level:
        return [
            f"The last loss is {losses[-1]:.4f}; to give every sample the same answer costs "
            f"{level:.4f}. Nothing was learned."
        ]
    return []


def _costs(history: History) -> list[str]:
    """Passes that were made and not counted, and a beginning that is missing."""
    found = []
    if history.epoch[0] != 0:
        found.append(f"The first record is of epoch {history.epoch[0]}: the beginning is missing.")
    full_batch = np.isfinite(history.gradient_norm).all()  # a trial on k of m samples costs k/m
    trials = np.nansum(history.trials)  # at the recorded epochs: at most what was made in all
    if full_batch and trials > history.forwards[-1]:
        found.append(
            f"The steps took at least {trials:.0f} trials, a forward pass each, and only "
            f"{history.forwards[-1]:.0f} forward passes are counted."
        )
    return found


def _first(loss: float, starts: Array, tolerance: float) -> list[str]:
    """The first loss against that of the start, or of many possible ones."""
    if starts.ndim == 0:
        fits, truth = not _differ(loss, float(starts), tolerance), f"that of the start {starts:.4g}"
    else:
        fits = starts.min() <= loss <= starts.max()
        truth = f"{starts.size} fresh draws have {starts.min():.4g} to {starts.max():.4g}"
    if fits:
        return []
    hint = " A second training of a trained model begins so low." if loss < starts.min() else ""
    return [f"The first loss is {loss:.4g}, {truth}: the curve does not begin there.{hint}"]


def _last(
    loss: float,
    net: Network,
    end: Parameters,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    claimed: float | None,
    tolerance: float,
) -> list[str]:
    """The last loss and the answers against those of the model at hand."""
    found = []
    if end.runs:
        raise ValueError(f"end has runs {end.runs}; expected one network: end.run(0).")
    truth = float(network.loss_value(net, end, X, Y))
    if _differ(loss, truth, tolerance):
        found.append(
            f"The last loss is {loss:.4g}, that of the model {truth:.4g}: it is another model."
        )
    share = float(network.accuracy(net, end, X, Y))
    if claimed is not None and abs(claimed - share) > 0.5 / len(np.asarray(Y)):
        found.append(f"The claimed accuracy is {claimed:.0%}, that of the model {share:.0%}.")
    if not net.loss_function.classes and np.isin(Y, (0, 1)).all():
        near = abs(network.predict(net, end, X) - 0.5)
        if (near < MARGIN).any():
            found.append(
                f"{(near < MARGIN).any(axis=-1).sum()} of {len(near)} answers lie within {MARGIN} "
                f"of 0.5, the nearest within {max(near.min(), 1e-12):.0e}: they decide nothing."
            )
    return found
