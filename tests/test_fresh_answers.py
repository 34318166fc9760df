"""Answers drawn afresh, right ones and wrong ones: none refused, none passed, no reason made up.

Right answers are written in many styles out of exchangeable parts; wrong ones have two slips
planted in such a program, or some change of its syntax tree, or are backward passes as they were
published. What a verdict claims is then tested on networks that the verdict has not seen.
"""

import ast
import itertools
import re

import numpy as np
import pytest
import torch

from labsupport import feedback, network
from labsupport.bugs import BUGS, too_early
from labsupport.feedback import cases
from labsupport.lines import CORRECT, both
from labsupport.network import Network, Parameters

LABELS = ["dW1", "db1", "dW2", "db2"]
GRADIENT = [bug for bug in BUGS.values() if bug.gradient]

# Programs, out of exchangeable parts

HIDDEN = {
    "tanh": ("np.tanh(Z1)", ["(1 - A1**2)", "(1 + A1) * (1 - A1)", "1 / np.cosh(Z1) ** 2"]),
    "sigmoid": ("1 / (1 + np.exp(-Z1))", ["A1 * (1 - A1)", "(A1 - A1**2)"]),
    "relu": ("np.maximum(Z1, 0)", ["(Z1 > 0)", "(A1 > 0)", "np.where(Z1 > 0, 1.0, 0.0)"]),
}
SIGMOID = "1 / (1 + np.exp(-Z2))"
OUTPUT = {
    ("sigmoid", "bce"): (SIGMOID, ["(P - Y)"]),
    ("identity", "bce_with_logits"): (SIGMOID, ["(P - Y)"]),
    ("sigmoid", "mse"): (SIGMOID, ["2 * (P - Y) * P * (1 - P)", "(P - Y) * 2 * (P - P**2)"]),
    ("identity", "mse"): ("Z2", ["2 * (P - Y)", "((P - Y) + (P - Y))"]),
    ("identity", "softmax_cross_entropy"): (
        "np.exp(Z2) / np.exp(Z2).sum(axis=1, keepdims=True)",
        ["(P - Y)"],
    ),
}
PRODUCTS = ["{a} @ {b}", "np.dot({a}, {b})", "np.matmul({a}, {b})", "({b}.T @ {a}.T).T"]
PRODUCTS += ["np.einsum('ij,jk->ik', {a}, {b})", "np.tensordot({a}, {b}, 1)"]
SUMS = ["{D}.sum(axis=0)", "np.sum({D}, axis=0, keepdims=True)", "np.ones(len({D})) @ {D}"]
SUMS += ["np.einsum('ij->j', {D})", "sum({D})", "np.add.reduce({D})[None, :]"]
SAMPLES = ["len(X)", "X.shape[0]", "Y.shape[0]", "float(len(Y))", "np.size(X, 0)"]
RETURNS = [
    "[dW1, db1, dW2, db2]",
    "(dW1, db1, dW2, db2)",
    "([dW1, dW2], [db1, db2])",
    "[(dW1, db1), (dW2, db2)]",
    "{'db2': db2, 'dW2': dW2, 'db1': db1, 'dW1': dW1}",
    "{'biases': [db1, db2], 'weights': [dW1, dW2]}",
    "namedtuple('Gradients', 'W1 W2 b1 b2')(dW1, dW2, db1, db2)",
    "{'nabla_w1': dW1, 'nabla_b1': db1, 'nabla_w2': dW2, 'nabla_b2': db2}",
    "{'0.weight': dW1, '0.bias': db1, '2.weight': dW2, '2.bias': db2}",
    "Parameters.of(dW1, db1, dW2, db2)",
    "object_array(dW1, db1, dW2, db2)",
    "[t.tolist() for t in (dW1, db1, dW2, db2)]",
    "[torch.tensor(t, requires_grad=True) for t in (dW1, db1, dW2, db2)]",
    "[np.matrix(t) for t in (dW1, db1, dW2, db2)]",
    "[np.squeeze(db2) if t is db2 else t for t in (dW1, db1, dW2, db2)]",
]
ROWS = """
def backward(net, parameters, X, Y):
    W1, b1, W2, b2 = parameters
    m = {m}
    Z1 = {XW1} + b1
    A1 = {hidden}
    Z2 = {A1W2} + b2
    P = {output}
    D2 = {delta} / m
    dW2 = {A1D2}
    db2 = {sum2}
    D1 = ({D2W2}) * {slope}
    dW1 = {XD1}
    db1 = {sum1}
    return {result}
"""
MEAN_LAST = ROWS.replace(" / m\n", "\n").replace(
    "    return", "    dW1, db1, dW2, db2 = (t / m for t in (dW1, db1, dW2, db2))\n    return"
)
LOOP = """
def backward(net, parameters, X, Y):
    W1, b1, W2, b2 = parameters
    m = {m}
    dW1, db1, dW2, db2 = (np.zeros_like(t) for t in parameters)
    for x, y in zip(X, Y):
        X1, Y1 = x[None, :], y[None, :]
        Z1 = X1 @ W1 + b1
        A1 = {hidden}
        Z2 = A1 @ W2 + b2
        P = {output}
        D2 = ({delta_row}) / m
        D1 = D2 @ W2.T * {slope}
        dW2 += np.outer(A1, D2)
        db2 += D2
        dW1 += np.outer(x, D1)
        db1 += D1
    return {result}
"""
COLUMNS = """
def backward(net, parameters, X, Y):
    W1, b1, W2, b2 = (np.array(t.T) for t in parameters)
    x, y, m = X.T, Y.T, {m}
    Z1 = W1 @ x + b1
    A1 = {hidden}
    Z2 = W2 @ A1 + b2
    P = {output_columns}
    D2 = ({delta_columns}) / m
    D1 = (W2.T @ D2) * {slope}
    dW1, db1, dW2, db2 = (
        (D1 @ x.T).T, D1.sum(axis=1), (D2 @ A1.T).T, D2.sum(axis=1, keepdims=True).T
    )
    return {result}
"""
FLOAT32 = ROWS.replace("= parameters\n", "= parameters.astype(np.float32)\n").replace(
    "    m =", "    X, Y = X.astype(np.float32), Y.astype(np.float32)\n    m ="
)
MATRIX = ROWS.replace("    m =", "    W1, b1, W2, b2 = map(np.asarray, (W1, b1, W2, b2))\n    m =")
TORCH = """
def backward(net, parameters, X, Y):
    W1, b1, W2, b2 = (torch.tensor(t, requires_grad=True) for t in parameters)
    X, Y = torch.tensor(X), torch.tensor(Y)
    Z1 = X @ W1 + b1
    A1 = {hidden_torch}
    Z2 = A1 @ W2 + b2
    P = {output_torch}
    loss = {loss_torch} / len(X)
    loss.backward()
    dW1, db1, dW2, db2 = W1.grad, b1.grad, W2.grad, b2.grad
    return {result_torch}
"""
LISTS = """
def product(A, B):
    return [[sum(a * b for a, b in zip(row, column)) for column in zip(*B)] for row in A]

def backward(net, parameters, X, Y):
    W1, b1, W2, b2 = (t.tolist() for t in parameters)
    m = {m}
    Z1 = np.array(product(X.tolist(), W1)) + b1
    A1 = {hidden}
    Z2 = np.array(product(A1.tolist(), W2)) + b2
    P = {output}
    D2 = {delta} / m
    D1 = np.array(product(D2.tolist(), list(zip(*W2)))) * {slope}
    turn = lambda M: list(zip(*M.tolist()))
    dW1, dW2 = product(turn(X), D1.tolist()), product(turn(A1), D2.tolist())
    db1, db2 = [sum(column) for column in zip(*D1)], [[sum(column) for column in zip(*D2)]]
    return [dW1, db1, dW2, db2]
"""
STYLES = {
    "rows": ROWS,
    "mean last": MEAN_LAST,
    "samples one by one": LOOP,
    "columns": COLUMNS,
    "float32": FLOAT32,
    "matrix": MATRIX,
    "autograd": TORCH,
    "plain lists": LISTS,
}
TORCH_PARTS = {
    "tanh": "torch.tanh(Z1)",
    "sigmoid": "torch.sigmoid(Z1)",
    "relu": "torch.relu(Z1)",
    "bce": "-(Y * P.log() + (1 - Y) * (1 - P).log()).sum()",
    "bce_with_logits": "F.binary_cross_entropy_with_logits(Z2, Y, reduction='sum')",
    "mse": "((P - Y) ** 2).sum()",
    "softmax_cross_entropy": "-(Y * torch.log_softmax(Z2, 1)).sum()",
}


def object_array(*arrays):
    together = np.empty(len(arrays), dtype=object)
    together[:] = arrays
    return together


def function_of(source):
    """What a program defines, with what a notebook imports."""
    space = {"np": np, "torch": torch, "F": torch.nn.functional, "Parameters": Parameters}
    space["object_array"] = object_array
    exec("from collections import namedtuple", space)
    exec(source, space)
    return space["backward"]


def a_network(rng):
    hidden, (output, loss) = rng.choice(list(HIDDEN)), list(OUTPUT)[rng.integers(len(OUTPUT))]
    return Network((2, 2, 2), str(hidden), output, loss)


def a_program(rng, style, net, plain=False):
    """The source of a right backward pass; `plain` is without einsum and the like."""

    def one(choices):
        return choices[0 if plain else rng.integers(len(choices))]

    def product(a, b):
        return one(PRODUCTS).format(a=a, b=b)

    (hidden, slopes), (output, deltas) = HIDDEN[net.hidden], OUTPUT[net.output, net.loss]
    delta = one(deltas)
    result = "[dW1, db1, dW2, db2]" if plain else one(RETURNS)
    return STYLES[style].format(
        m=one(SAMPLES),
        **{"XW1": product("X", "W1"), "A1W2": product("A1", "W2"), "A1D2": product("A1.T", "D2")},
        **{"D2W2": product("D2", "W2.T"), "XD1": product("X.T", "D1")},
        **{"sum1": one(SUMS).format(D="D1"), "sum2": one(SUMS).format(D="D2")},
        **{"hidden": hidden, "slope": one(slopes), "output": output, "delta": delta},
        delta_row=delta.replace("Y", "Y1"),
        output_columns=output.replace("axis=1", "axis=0"),
        delta_columns=delta.replace("Y", "y"),
        hidden_torch=TORCH_PARTS[net.hidden],
        output_torch="torch.sigmoid(Z2)" if "exp(-Z2)" in output else "Z2",
        loss_torch=TORCH_PARTS[net.loss],
        result=result,
        result_torch="[dW1, db1, dW2, db2]" if plain or "t in" in result else result,
    )


# Right answers


def check(student, net):
    return feedback.gradient("backward", student, net)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("style", STYLES)
def test_no_right_answer_is_refused(style):
    rng = np.random.default_rng(sum(style.encode()))
    for n in range(50):
        net = a_network(rng)
        source = a_program(rng, style, net)
        said = check(function_of(source), net)
        assert said.passed, (n, net, source, said)


# What a verdict claims, tested on networks that it has not seen


class Seen:
    """What a function gives on fresh networks, beside what is right."""

    def __init__(self, student, net):
        self.tried = []
        fresh = cases.draw(net, np.random.default_rng(77), 5)
        for case in fresh:
            want, mine = cases.expected(case), case.copy()
            try:
                with np.errstate(all="ignore"):
                    value = student(mine.network, mine.parameters, mine.X, mine.Y)
                got = [in_place(t) for t in cases.tensors("backward", value, want)]
            except Exception:
                continue
            one, other = (
                np.concatenate([c.parameters.vector, c.X.flat, c.Y.flat]) for c in (mine, case)
            )
            if np.array_equal(one, other):
                self.tried.append((case, got, want))
        self.complete = len(self.tried) == len(fresh)

    def all(self, holds, labels=LABELS):
        """Whether something holds of a result, the right one and its case, for all labels."""
        return all(
            len(got) == len(LABELS) and holds(got[k], want[k], case)
            for case, got, want in self.tried
            for k in map(LABELS.index, labels)
        )

    def is_right(self):
        return self.complete and self.all(lambda g, w, case: near(g, w))

    def good(self):
        return {label for label in LABELS if self.all(lambda g, w, case: near(g, w), [label])}

    def put(self, change):
        """The same, with the results changed."""
        seen = object.__new__(Seen)
        seen.tried = [(case, change(got), want) for case, got, want in self.tried]
        return seen

    def lets(self, bug):
        return any(bug.applies(case.network, case.samples) for case, _, _ in self.tried)

    def come_of(self, bug):
        """Whether a bug gives these numbers, wherever the shape is one that it can have."""
        compared = []
        for case, got, _ in self.tried:
            for g, b in zip(got, gradient_of(bug, case), strict=True):
                if g.size == 1 or g.size == b.size == max(b.shape):
                    g = np.broadcast_to(g.ravel(), b.size).reshape(b.shape)
                if g.shape == b.shape:
                    compared.append(near(g, b))
        return bool(compared) and all(compared)

    def with_rate(self, bug):
        """A bug, and W moved too early beside it, at the rate that fits the first network."""
        case, got, _ = self.tried[0]
        still, moved = (gradient_of(both(bug, too_early(r)), case)[0] for r in (0.0, 1.0))
        rate = np.vdot(got[0] - still, moved - still) / np.vdot(moved - still, moved - still)
        return both(bug, too_early(rate))


def in_place(array):
    """A bias may come as (n,), and the only entry of an array as a number."""
    return array.reshape(1, -1) if array.ndim == 1 else array


def gradient_of(bug, case):
    return list(bug.gradient(case.network, case.parameters, case.cache, case.Y))


def near(one, other, tolerance=1e-5):
    tolerance = 1e-2 if one.dtype == np.float32 else tolerance
    alike = one.shape == other.shape
    return alike and np.linalg.norm(one - other) <= tolerance * np.linalg.norm(other) + 1e-9


def slips_hold(line, seen):
    """Whether each slip alone, or the two together, give these numbers."""
    named = [bug for bug in BUGS.values() if bug.slip in line]
    late = BUGS["update too early"]
    if line.startswith("The likely slip:") and "; and one more" not in line:
        made = [seen.with_rate(CORRECT) if bug is late else bug for bug in named]
        return bool(made) and all(map(seen.come_of, made))
    if "; and one more" in line:
        here = [bug for bug in GRADIENT if seen.lets(bug)]
        if named == [late]:
            return any(seen.come_of(seen.with_rate(bug)) for bug in here)
        pairs = (pair for bug in here for pair in ((named[0], bug), (bug, named[0])))
        return any(seen.come_of(both(*pair)) for pair in pairs)
    one, other = sorted(named, key=lambda bug: bug is late)
    if other is late:
        return seen.come_of(seen.with_rate(one))
    return seen.come_of(both(one, other)) or seen.come_of(both(other, one))


ARRAYS = r"((?:`d[Wb][12]`(?:, )?)+) (?:is|are|has|have) "
CERTAIN = [  # of one call, or without a claim that other networks could refute
    *(r"shape \(.*\) where \(.*\) is needed", "off by .* of (its|their) size", "nan or infinity"),
    *(
        "stopped with ",
        "^Write the shapes",
        "^It was tried on",
        "changes `(X|Y|parameters)`, which",
    ),
    *(r"gives \d arrays; expected 4", "gives (None|lists of|something beside)", "gave a "),
    *("^`.*` is None", "is of type", "^Is it the"),
]


def holds(line, seen):
    """Whether a line of a verdict is so on the fresh networks."""
    good = seen.good()
    if line.startswith("The likely slip"):
        return slips_hold(line, seen)
    if found := re.fullmatch("Right already: (.*)\\.", line):
        return set(re.findall(r"d[Wb]\d", found[1])) <= good
    if found := re.fullmatch("`backward` gives (d.*|some.*); expected dW1, db1, .* order\\.", line):
        places = enumerate(found[1].split(", "))
        known = [(k, LABELS.index(name)) for k, name in places if name in LABELS]
        return known and all(near(g[k], w[p]) for _, g, w in seen.tried for k, p in known)
    if found := re.match("`(d[Wb])(.)` is the first that is wrong", line):
        k = LABELS.index(found[1] + found[2])
        return LABELS[k] not in good and {LABELS[k ^ 1], *LABELS[2 * (k // 2 + 1) :]} <= good
    if line.startswith("The last layer is wrong already"):
        return not good & {"dW2", "db2"}
    if line.startswith("Layer 1 is wrong, what is behind it is right"):
        return good == {"dW2", "db2"}
    if found := re.match(ARRAYS + r"(?:(.*) times too (large|small)|the (wrong) sign)(.*)", line):
        labels, factor, size, wrong, rest = found.groups()
        sign = -1 if wrong or "sign is wrong" in rest else 1
        power = -1 if size == "small" else 1
        labels = re.findall(r"d[Wb]\d", labels)
        number, m = (factor or "1").removesuffix("m") or 1.0, (factor or "").endswith("m")
        r = sign * float(number) ** power
        return seen.all(lambda g, w, c: near(g, r * c.samples ** (m * power) * w, 0.01), labels)
    if found := re.match(ARRAYS + r"zero everywhere|" + ARRAYS + r"right to (\d) digits", line):
        labels = re.findall(r"d[Wb]\d", line)
        off = 10.0 ** (1 - int(found[3])) if found[3] else 0.0
        return seen.all(lambda g, w, c: near(g, w if off else 0 * w, off), labels)
    return any(re.search(known, line) for known in CERTAIN)


def false_claims(said, student, net):
    """The lines of a verdict that do not hold, or that are of a kind that nobody tests."""
    seen, lines = Seen(student, net), []
    for line in said.lines:
        if (found := re.match("`backward` gives (dW.*|db.*); expected", line)) and said.lines[1:]:
            at = found[1].split(", ")
            seen = seen.put(lambda got, at=at: [got[at.index(label)] for label in LABELS])
        elif found := re.fullmatch(ARRAYS + "transposed\\.", line):
            turned = [label in found[1] for label in LABELS]
            seen = seen.put(
                lambda got, t=turned: [g.T if f else g for g, f in zip(got, t, strict=True)]
            )
        else:
            lines.append(line)
    assert not said and said.status == "wrong"
    if not lines:  # nothing but the form
        return [] if seen.all(lambda g, w, case: near(g, w)) else list(said.lines)
    return [line for line in lines if not holds(line, seen)]


# Wrong answers: two slips

PLANTED = {  # by the name of the bug: what is written for what
    "no mean": (r"(D2 = .*) / m\n", r"\1\n"),
    "mean over outputs": (r"(D2 = .*) / m\n", r"\1 / Y.size\n"),
    "delta sign": (r"\(P - Y\)", "(Y - P)"),
    "MSE delta": (r"D2 = (\(P - Y\))", r"D2 = \1 * P * (1 - P)"),
    "no factor 2": (r"D2 = 2 \* ", "D2 = "),
    "no output derivative": (r"( 2 \* \(. - .\)) \* P \* \(1 - P\)", r"\1"),
    "mean twice": (
        "    return",
        "    dW1, db1, dW2, db2 = dW1 / m, db1 / m, dW2 / m, db2 / m\n    return",
    ),
    "bias mean": (r"(D.)\.sum\(axis", r"\1.mean(axis"),
    "bias wrong axis": (r"(D.)\.(\w+)\(axis=0\)", r"\1.\2(axis=1)"),
    "bias no axis": (r"(D.)\.(\w+)\(axis=.\)", r"\1.\2()"),
    "last sample": (r"(\w+)\.T @ (D.)\n(.*)D.\.(.*)", r"\1[-1:].T @ \2[-1:]\n\3\2[-1:].\4"),
    "Z for A": (r"A1\.T @ D2|A1(\[-1:\])\.T @ D2", r"Z1\1.T @ D2"),
    "transposed dW": (r"dW(.) = (.*)\.T @ (.*)", r"dW\1 = \3.T @ \2"),
    "no hidden derivative": (r"(D1 = \(.*?\)) \* .*", r"\1"),
    "derivative of A": (r"\(1 - A1\*\*2\)", "(1 - np.tanh(A1) ** 2)"),
    "mask from output": (r"\(Z1 > 0\)", "(A1 >= 0)"),
    "transposed W": (r"@ W2\.T", "@ W2"),
    "reshaped W": (r"@ W2\.T", "@ W2.reshape(W2.T.shape)"),
    "update too early": (r"    D1 =", "    W2 = W2 - 0.3 * dW2\n    D1 ="),
}


def planted_pairs():
    """Sources with two slips at once, their networks, and the names of the slips."""
    rng = np.random.default_rng(5)
    nets = [Network((2, 2, 2), h, o, loss) for h in HIDDEN for o, loss in OUTPUT]
    for one, other in itertools.permutations(PLANTED, 2):
        for net in rng.permutation(np.array(nets, dtype=object))[:2]:
            source = a_program(rng, "rows", net, plain=True)
            first = re.sub(*PLANTED[one], source)
            second = re.sub(*PLANTED[other], first)
            fits = all(
                BUGS[n].applies(Network((3, 3, 3), net.hidden, net.output, net.loss), 3)
                for n in (one, other)
            )
            if fits and source != first != second and re.sub(*PLANTED[other], source) != source:
                yield second, net, {one, other}


@pytest.mark.slow
def test_two_slips_are_refused_and_nothing_false_is_said():
    count, told = 0, {"both": 0, "one": 0, "none": 0}
    for source, net, names in planted_pairs():
        student = function_of(source)
        said = check(student, net)
        if said.passed:  # the two cancel each other
            assert Seen(student, net).is_right(), (source, net)
            continue
        assert not false_claims(said, student, net), (source, net, said)
        hit = sum(BUGS[name].slip in repr(said) for name in names)
        hit += "transposed dW" in names and "are transposed." in repr(said)
        told[["none", "one", "both"][hit]] += 1
        count += 1
    assert count > 400
    assert told["both"] > 0.75 * count and told["none"] < 0.05 * count, told


def test_what_a_verdict_claims_is_tested():
    """The claims of a verdict on one function do not hold of another."""
    net, rng = Network((2, 2, 2), "tanh", "sigmoid", "bce"), np.random.default_rng(1)
    source = a_program(rng, "rows", net, plain=True)
    slips = ("no mean", "delta sign", "bias mean", "no hidden derivative", "Z for A", "reshaped W")
    students = [function_of(re.sub(*PLANTED[name], source)) for name in slips]
    students.append(lambda *given: [3 * t for t in students[0](*given)])
    students.append(lambda *given: [t * (1 + 1e-4) for t in function_of(source)(*given)])
    students.append(lambda *given: function_of(source)(*given)[::-1])
    verdicts = [check(student, net) for student in students]
    for (k, student), (j, said) in itertools.product(enumerate(students), enumerate(verdicts)):
        assert bool(false_claims(said, student, net)) == (j != k), (j, k)


# Wrong answers: changes of the syntax tree

NAMES = ["X", "Y", "W1", "b1", "W2", "b2", "Z1", "A1", "Z2", "P", "D1", "D2", "dW1", "db1", "m"]
OPERATORS = [ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow]


def other_expressions(node, rng):
    """What may stand in the place of an expression, by mistake."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right, ast.BinOp(node.right, node.op, node.left))
        yield ast.BinOp(node.left, OPERATORS[rng.integers(len(OPERATORS))](), node.right)
    elif isinstance(node, ast.Attribute):
        yield node.value if node.attr == "T" else ast.Attribute(node.value, "mean", ast.Load())
    elif isinstance(node, ast.Name):
        yield from (ast.Name(str(rng.choice(NAMES)), ast.Load()) for _ in range(2))
        yield from (ast.Attribute(node, "T", ast.Load()), ast.UnaryOp(ast.USub(), node))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield from (ast.Constant(node.value + 1), ast.Constant(1 - node.value), ast.Constant(None))
    elif isinstance(node, ast.Call):
        plain = [a for a in node.args[:1] if not isinstance(a, ast.Starred)]
        yield from (*plain, ast.UnaryOp(ast.USub(), node))
    elif isinstance(node, ast.Compare):
        yield ast.Compare(node.left, [ast.Lt()], node.comparators)
    elif isinstance(node, ast.List | ast.Tuple):
        k = rng.integers(len(node.elts))
        turned = [*node.elts[k:], *node.elts[:k]]
        yield from (type(node)(turned, ast.Load()), type(node)(node.elts[:-1], ast.Load()))


def mutant(source, rng):
    """The source with one expression or statement changed."""
    tree = ast.parse(source)
    slots, bodies = [], []
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if field == "body" and isinstance(value, list):
                bodies.append(value)
            if isinstance(value, ast.expr) and isinstance(
                getattr(value, "ctx", None), ast.Load | None
            ):
                slots.append((node, field, value))
    if rng.random() < 0.1:
        body = bodies[rng.integers(len(bodies))]
        k = int(rng.integers(len(body)))
        body.insert(k, body.pop(int(rng.integers(len(body)))))
    else:
        node, field, value = slots[rng.integers(len(slots))]
        others = list(other_expressions(value, rng))
        if others:
            setattr(node, field, others[rng.integers(len(others))])
    return ast.unparse(ast.fix_missing_locations(tree))


def mutants(seed, count):
    """Sources with one or two changes, and their networks; all of them say something else."""
    rng, known = np.random.default_rng(seed), set()
    styles = ["rows", "mean last", "samples one by one", "columns", "plain lists"]
    while len(known) < count:
        net, style = a_network(rng), str(rng.choice(styles))
        source = ast.unparse(ast.parse(a_program(rng, style, net, plain=True)))
        changed = mutant(source, rng)
        if rng.random() < 0.5:
            changed = mutant(changed, rng)
        if changed != source and changed not in known:
            known.add(changed)
            yield changed, net


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_mutant_is_refused_unless_it_is_right_and_nothing_false_is_said(seed):
    passed, wrong = [], 0
    for source, net in mutants(seed, 200):
        student = function_of(source)
        said = check(student, net)
        if Seen(student, net).is_right():
            assert said, (source, net, said)
        elif said:
            passed.append(source)
        else:
            wrong += "stopped with" not in repr(said)
            assert not false_claims(said, student, net), (source, net, said)
    assert wrong > 50  # that run to their end
    assert not passed


# Wrong and right answers: backward passes as they were published, in the names of this book


def eleven_lines(net, P, X, Y):
    """A. Trask, "A neural network in 11 lines of Python": errors are targets minus outputs."""
    l1, l2 = outputs(net, P, X)
    l2_delta = (Y - l2) * (l2 * (1 - l2))
    l1_delta = l2_delta.dot(P.weights[1].T) * (l1 * (1 - l1))
    return X.T.dot(l1_delta), l1_delta.sum(0), l1.T.dot(l2_delta), l2_delta.sum(0)


def one_by_one(net, P, X, Y):
    """M. Nielsen, network.py: columns, half the square, sums over the batch, biases first."""
    nabla_b, nabla_w = (
        [np.zeros(b.T.shape) for b in P.biases],
        [np.zeros(W.T.shape) for W in P.weights],
    )
    for x, y in zip(X[:, :, None], Y[:, :, None], strict=True):
        a1, a2 = (a.T for a in outputs(net, P, x.T))
        delta = (a2 - y) * a2 * (1 - a2)
        nabla_b[-1] += delta
        nabla_w[-1] += np.dot(delta, a1.T)
        delta = np.dot(P.weights[1], delta) * a1 * (1 - a1)
        nabla_b[-2] += delta
        nabla_w[-2] += np.dot(delta, x.T)
    return nabla_b, nabla_w


def with_examples(net, P, X, Y):
    """ "Learning PyTorch with examples": the sum of the squares, without biases."""
    h_relu, y_pred = outputs(net, P, X)
    grad_y_pred = 2.0 * (y_pred - Y)
    grad_h = grad_y_pred.dot(P.weights[1].T).copy()
    grad_h[h_relu <= 0] = 0
    return X.T.dot(grad_h), h_relu.T.dot(grad_y_pred)


def minimal_case(net, P, X, Y, strength=1e-3):
    """CS231n, "a minimal neural network case study": with a penalty on the weights."""
    hidden_layer, scores = outputs(net, P, X)
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    dscores = probs.copy()
    dscores[range(len(X)), Y.argmax(axis=1)] -= 1
    dscores /= len(X)
    dW2, db2 = np.dot(hidden_layer.T, dscores), np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, P.weights[1].T)
    dhidden[hidden_layer <= 0] = 0
    dW, db = np.dot(X.T, dhidden), np.sum(dhidden, axis=0, keepdims=True)
    return dW + strength * P.weights[0], db, dW2 + strength * P.weights[1], db2


def from_scratch(net, P, X, Y):
    """D. Britz, "Implementing a neural network from scratch": without the mean."""
    a1, scores = outputs(net, P, X)
    delta3 = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    delta3[range(len(X)), Y.argmax(axis=1)] -= 1
    delta2 = delta3.dot(P.weights[1].T) * (1 - np.power(a1, 2))
    return {
        "dW1": np.dot(X.T, delta2),
        "db1": np.sum(delta2, axis=0),
        "dW2": (a1.T).dot(delta3),
        "db2": np.sum(delta3, axis=0, keepdims=True),
    }


def planar_data(net, P, X, Y):
    """The course on deep learning by A. Ng, week 3: columns, and the mean in every gradient."""
    m, A1, A2 = len(X), *(A.T for A in outputs(net, P, X))
    dZ2 = A2 - Y.T
    dW2, db2 = (1 / m) * np.dot(dZ2, A1.T), (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(P.weights[1], dZ2) * (1 - np.power(A1, 2))
    dW1, db1 = (1 / m) * np.dot(dZ1, X), (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1.T, "db1": db1.T, "dW2": dW2.T, "db2": db2.T}


def planar_columns(net, P, X, Y):
    """The same, as it stands there: columns come back."""
    return {name: t.T for name, t in planar_data(net, P, X, Y).items()}


def of_tutorials(net, P, X, Y):
    """numpy-tutorials, MNIST: the mask of the ReLU is made of its output, with >=; no mean."""
    layer_1, layer_2 = outputs(net, P, X)
    layer_2_delta = layer_2 - Y
    layer_1_delta = np.dot(layer_2_delta, P.weights[1].T) * (layer_1 >= 0)
    return (
        X.T @ layer_1_delta,
        layer_1_delta.sum(0),
        layer_1.T @ layer_2_delta,
        layer_2_delta.sum(0),
    )


def outputs(net, P, X):
    return network.forward(net, P, X).A[1:]


def published(loss, output, hidden):
    return Network((2, 2, 2), hidden, output, loss)


SQUARES, SOFTMAX = ("mse", "sigmoid", "sigmoid"), ("softmax_cross_entropy", "identity", "relu")
PUBLISHED = [  # and what of the verdict is known
    (planar_data, ("bce", "sigmoid", "tanh"), "is right on 4 random cases"),
    (planar_columns, ("bce", "sigmoid", "tanh"), "`dW1`, `db1`, `dW2`, `db2` are transposed."),
    (lambda *given: minimal_case(*given, 0), SOFTMAX, "is right on 4 random cases"),
    (minimal_case, SOFTMAX, "Right already: `db1`, `db2`."),
    (from_scratch, (*SOFTMAX[:2], "tanh"), BUGS["no mean"].slip),
    (eleven_lines, SQUARES, "are 0.5 m times too large, and the sign is wrong: the 1/m is mi"),
    (one_by_one, SQUARES, "gives db1, db2, dW1, dW2; expected dW1, db1, dW2, db2, in this"),
    (with_examples, ("mse", "identity", "relu"), "`backward` gives 2 arrays; expected 4"),
    (of_tutorials, ("mse", "identity", "relu"), "`dW2`, `db2` are 0.5 m times too large"),
]


@pytest.mark.parametrize(("student", "spec", "line"), PUBLISHED)
def test_a_published_backward_pass(student, spec, line):
    net = published(*spec)
    said = check(student, net)
    assert line in repr(said), said
    assert said.passed == Seen(student, net).is_right()
    assert said or not false_claims(said, student, net)


# Whole trainings

UPDATES = {  # by the name of the bug, None for what is right: the lines after the gradient
    None: ["W{k} = W{k} - rate * dW{k}; b{k} = b{k} - rate * db{k}"],
    "update sign": ["W{k} = W{k} + rate * dW{k}; b{k} = b{k} + rate * db{k}"],
    "rate twice": ["W{k} = W{k} - rate * rate * dW{k}; b{k} = b{k} - rate**2 * db{k}"],
    "biases frozen": ["W{k} = W{k} - rate * dW{k}"],
    "zero grad forgotten": [
        "V{k} = V{k} + dW{k}; v{k} = v{k} + db{k}",
        "W{k} = W{k} - rate * V{k}; b{k} = b{k} - rate * v{k}",
    ],
    "start moves along": ["W{k} -= rate * dW{k}; b{k} -= rate * db{k}"],
}


def a_training(source, update):
    """The program of a backward pass, as a loop that trains."""
    _, unpack, *body, _ = source.strip().splitlines()
    moves = [line.format(k=k) for line in UPDATES[update] for k in (1, 2)]
    loop = [f"    {line}" for line in [*body, *(f"    {move}" for move in moves)]]
    lines = ["def backward(parameters, X, Y, rate, epochs):", unpack, "    V1 = v1 = V2 = v2 = 0.0"]
    return "\n".join([*lines, "    for _ in range(epochs):", *loop, "    return W1, b1, W2, b2"])


def train(source, net):
    def arguments(case, rate, epochs):
        return case.parameters, case.X, case.Y, rate, epochs

    return feedback.training("train", function_of(source), net, arguments)


@pytest.mark.slow
def test_trainings():
    """Right ones pass; of wrong ones each slip that is named was planted, or is its twin."""
    rng, count, told = np.random.default_rng(6), 0, 0
    twins = {"mask from output": "no hidden derivative", "update sign": "delta sign"}
    for net in [Network((2, 2, 2), h, o, loss) for h in HIDDEN for o, loss in OUTPUT]:
        source = a_program(rng, "rows", net, plain=True)
        right = a_program(rng, "rows", net).rsplit("    return", 1)[0] + "    return"
        assert train(a_training(right, None), net)
        for update, slip in itertools.product(UPDATES, [None, *rng.permutation(list(PLANTED))[:6]]):
            planted = re.sub(*PLANTED[slip], source) if slip else source
            known = [slip] * (planted != source) + [update] * bool(update)
            here = Network((3, 3, 3), net.hidden, net.output, net.loss)
            fits = all(BUGS[name].applies(here, 3) for name in known)
            if not known or not fits or slip in ("update too early", "mean twice"):
                continue
            said = train(a_training(planted, update), net)
            if {update, slip} == {"update sign", "delta sign"}:
                assert said.passed  # they cancel each other
                continue
            assert said.status == "wrong", (planted, update)
            names = {update} if update == "start moves along" else set(known)  # that comes first
            names |= {b for a, b in twins.items() if a in names} | {
                a for a, b in twins.items() if b in names
            }
            found = {bug.name for bug in BUGS.values() if bug.slip in repr(said)}
            count, told = count + 1, told + bool(found)
            assert found <= names, (net, said)
    assert count > 400 and told > 0.8 * count
