"""Self-checks of :ref:`ch-pytorch`. PyTorch is not imported: its tensors are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from labsupport import datasets, descent, network
from labsupport.checks import Array
from labsupport.feedback import diagnosis
from labsupport.feedback.answers import array, call, one_number
from labsupport.feedback.cases import Case
from labsupport.feedback.judges import close
from labsupport.feedback.verdict import (
    Judge,
    Unreadable,
    Verdict,
    is_open,
    right,
    unattempted,
    wrong,
)
from labsupport.network import Network, Parameters

NET = Network((2, 4, 1))
EPOCHS, RATE = 500, 0.5


def _trained(start: Parameters, epochs: int) -> Array:
    """Weights after training in NumPy, in the precision of `start`."""
    X, Y = datasets.xor()
    run = descent.train(NET, start, X, Y, descent.Fixed(RATE), epochs, progress=False)
    return run.parameters.vector.astype(np.float64)


def float32(single: Any, gap: object, *, start: Parameters) -> Verdict:
    """Judge a training in float32, and how far it ends from float64, ex-float32.

    The last digits depend on the machine: the training is judged by its size, `gap` by the
    student's own weights.
    """
    value = 1.0 if is_open(gap) else one_number("gap", gap)
    ours = _trained(start.astype(np.float32), EPOCHS) - _trained(start, EPOCHS)
    for epochs, allowed in ((1, 1e-5), (EPOCHS, 30 * abs(ours).max())):
        found, want = _weights(call("single", single, epochs)), _trained(start, epochs)
        apart = abs(found - want)
        if apart.max() > allowed:
            after = "one epoch" if epochs == 1 else f"{epochs} epochs"
            return wrong(
                f"The weights of `single` after {after} are further from float64 than rounding "
                "takes them: compare the start, the rate, the epochs, and transposes."
            )
    if np.array_equal(found, want.astype(np.float32)):
        return wrong("`single` was trained in float64 and rounded: data and module are float32.")
    if is_open(gap):
        return unattempted("gap")
    if value == 0:
        return wrong("`gap` is exactly 0: both sides are the same run, or of the same precision.")
    if value < 0:
        return wrong("`gap` is negative: take the absolute value before the maximum.")
    if value < 1e-12:
        return wrong("`gap` is a rounding error of float64: neither side was trained in float32.")
    if close(value, float(apart.max()), 0.2):  # a difference in float32 has two digits
        return right("`single` is float32, and `gap` how far it ends: most digits survive.")
    if close(value, float(apart.mean()), 0.1):
        return wrong("`gap`: that is the mean over the weights; the largest is asked for.")
    return wrong(f"`gap` is not that of these weights after {EPOCHS} epochs.")


def _weights(value: Any) -> Array:
    """Read weights in float32 and put them in a row."""
    parts = list(value) if isinstance(value, Parameters | list | tuple) else []
    tensors = [array("single(...)", part) for part in parts]
    if [t.size for t in tensors] != [2 * 4, 4, 4, 1]:
        kind = type(value).__name__
        said = f"`single` gives a {kind}; expected W1, b1, W2, b2, as `with_module` does."
        raise Unreadable(wrong(said))
    if any(t.dtype != np.float32 for t in tensors):
        said = f"`single` gives {tensors[0].dtype}; data and module are to be float32."
        raise Unreadable(wrong(said))
    return np.concatenate([t.ravel() for t in tensors]).astype(np.float64)


def transpose(by_hand: Any, *, start: Parameters) -> Verdict:
    """Judge a module that the weights of `start` were copied into by hand, ex-transpose."""
    if not hasattr(by_hand, "parameters") or not callable(by_hand):
        return wrong(f"`by_hand` is of type {type(by_hand).__name__}; expected an `nn.Sequential`.")
    name = "by_hand.parameters"
    copied = [array(f"{name}()", p) for p in call(name, list, call(name, by_hand.parameters))]
    wanted = [t.T if t.shape[0] > 1 else t[0] for t in start]
    if [t.shape for t in copied] != [t.shape for t in wanted]:
        shapes = ", ".join(str(t.shape) for t in copied)
        return wrong(f"The parameters of `by_hand` have shapes {shapes}: not those of a 2-4-1.")
    lines = []
    for name, mine, theirs in zip(start.named(), copied, wanted, strict=True):
        if not np.allclose(mine, theirs, rtol=1e-12, atol=0):
            lines.append(f"`{name}` {_copying(name, mine, theirs)}.")
    if lines:
        return wrong(*lines)
    rng = np.random.default_rng(4)
    X = 2 * rng.normal(size=(20, 2))
    points = next(iter(by_hand.parameters())).detach().new_tensor(X)
    output = array("by_hand(X)", call("by_hand", by_hand, points))
    wanted_output = network.predict(NET, start, X)
    if output.shape != wanted_output.shape:
        return wrong(f"The output of `by_hand` has shape {output.shape} for 20 samples.")
    if np.allclose(1 / (1 + np.exp(-output)), wanted_output, rtol=1e-9, atol=0):
        return wrong("The output of `by_hand` is that of `network.predict` before the sigmoid.")
    if not np.allclose(output, wanted_output, rtol=1e-9, atol=0):
        return wrong(
            "`by_hand` has the weights of `start`, but its output is not that of "
            "`network.predict`: look at the activations."
        )
    return right("`by_hand` has the weights of `start`, and so its outputs.")


def _copying(name: str, mine: Array, theirs: Array) -> str:
    if np.allclose(mine, theirs, rtol=1e-5):
        return "is right to seven digits: call `.double()` before you copy"
    if name[0] == "b":
        return "is not the bias of `start`: was it copied?"
    if mine.shape[0] > 1 and np.allclose(mine, mine[0]):
        return "has equal rows: `copy_` has broadcast a single row"
    if np.allclose(np.sort(mine.ravel()), np.sort(theirs.ravel())):
        return "has the right numbers in the wrong order: transpose, do not reshape"
    return "is not the weight of `start`: was it copied, under `torch.no_grad()`?"


def momentum(train_with_momentum: object) -> Verdict:
    """Judge training with momentum on XOR, ex-momentum."""
    X, Y = datasets.xor()
    rng, beta = np.random.default_rng(4), 0.6
    cases = [
        Case(NET, Parameters(NET.sizes, rng.normal(size=network.size(NET.sizes))), X, Y)
        for _ in range(3)
    ]

    def way(keep: float = 1.0, new: float = 1.0, late: bool = False, ahead: bool = False) -> Any:
        """Steps with v = keep * beta * v + new * g; `late` moves before, `ahead` is Nesterov's."""

        def steps(case: Case, rate: float) -> Iterator[Parameters]:
            w, v = case.parameters.vector.copy(), np.zeros(network.size(NET.sizes))
            while True:
                here = Parameters(NET.sizes, w)
                g = network.loss_and_gradient(NET, here, case.X, case.Y)[1].vector
                old, v = v, keep * beta * v + new * g
                w = w - rate * (old if late else g + keep * beta * v if ahead else v)
                yield Parameters(NET.sizes, w.copy())

        return steps

    slips = {
        "the momentum is not used: v must keep its value from epoch to epoch": way(keep=0.0),
        "0.9 is written into the function; use the argument `momentum`": way(keep=0.9 / beta),
        "the new gradient is added whole, not with 1 - momentum": way(new=1 - beta),
        "the new gradient is added whole, not with the factor momentum": way(new=beta),
        "v is used before the new gradient is added": way(late=True),
        "that is Nesterov's momentum; here w moves along v itself": way(ahead=True),
        "the old v is subtracted where it should be added": way(keep=-1.0),
        "the learning rate comes twice": way(new=diagnosis.RATE),
    }
    return diagnosis.training(
        "train_with_momentum",
        train_with_momentum,
        NET,
        lambda case, rate, epochs: (case.parameters, rate, beta, epochs),
        cases=cases,
        reference=way(),
        slips=slips,
    )


CHECKS: dict[str, Judge] = {
    "ex-float32": float32,
    "ex-transpose": transpose,
    "ex-momentum": momentum,
}
