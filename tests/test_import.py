"""What importing loads, in which direction, and that nothing touches the global generators."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import labsupport

FOLDER = Path(labsupport.__file__).parent

# A module imports only from lines above its own; the lines are the floors, the lowest first.
FLOORS = [
    ["arrays", "tables", "verdict"],
    ["activations", "agreement", "datasets", "differences", "history", "initialisers", "losses"]
    + ["parameters", "rules"],
    ["mistakes", "slider", "stepper", "tensors"],
    ["network"],
    ["bugs", "descent", "figures", "gradcheck", "probes", "torch_armijo", "trials"],
    ["audit", "diagnosis", "torch_records", "torch_twin", "zoo"],
    ["records"],
    ["playground"],
    ["exercises"],  # a folder: the self-checks, a module for each chapter
    ["feedback"],
]
FLOOR = {module: floor for floor, modules in enumerate(FLOORS) for module in modules}
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
HEAVY = {module for module in MODULES if module.startswith("torch_")} | {"figures"}


def imports(source):
    """All modules that a source imports, those inside functions too, as dotted names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield from (f"labsupport.{node.module or alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upwards(module, source):
    """The imports that point to the same floor or a higher one."""
    inside = {name.split(".")[1] for name in imports(source) if name.startswith("labsupport.")}
    return sorted(name for name in inside if FLOOR[name] >= FLOOR[module])


def outside(source):
    return {name.split(".")[0] for name in imports(source)}


def fresh(code):
    """Run code in a new interpreter; give what it prints, as JSON."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return json.loads(run.stdout)


def loaded_by(statement):
    return set(fresh(f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"))


def test_every_module_has_its_floor():
    assert sorted(FLOOR) == sorted([*MODULES, "exercises"])


@pytest.mark.parametrize("path", sorted((FOLDER / "exercises").glob("*.py")), ids=lambda p: p.stem)
def test_exercises_import_downwards(path):
    source = path.read_text("utf-8")
    assert upwards("exercises", source) == []
    assert not outside(source) & {"torch", "matplotlib"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downwards(module):
    assert upwards(module, (FOLDER / f"{module}.py").read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from labsupport import figures",
        "from labsupport.figures import style",
        "import labsupport.descent",
        "from . import gradcheck",
        "from .descent import train",
        "def f():\n    from labsupport import torch_twin",
    ],
)
def test_an_import_upwards_would_be_found(line):
    assert len(upwards("network", line)) == 1
    assert upwards("network", "from labsupport import arrays\nimport numpy as np") == []


@pytest.mark.parametrize("module", MODULES)
def test_only_torch_twin_needs_torch_and_only_figures_matplotlib(module):
    packages = outside((FOLDER / f"{module}.py").read_text("utf-8"))
    assert ("torch" in packages) == module.startswith("torch_")
    assert ("matplotlib" in packages) == (module == "figures")


def test_importing_the_package_loads_nothing():
    heavy = {"numpy", "scipy", "sklearn", "tqdm", "torch", "matplotlib"}
    assert not loaded_by("import labsupport") & heavy


@pytest.mark.parametrize("module", sorted(set(MODULES) - HEAVY))
def test_importing_a_module_loads_neither_torch_nor_matplotlib(module):
    loaded = loaded_by(f"import labsupport.{module}")
    assert f"labsupport.{module}" in loaded
    assert not loaded & {"torch", "matplotlib", "sklearn", "IPython"}


def test_figures_do_not_load_torch():
    loaded = loaded_by("import labsupport.figures")
    assert "matplotlib" in loaded
    assert "torch" not in loaded


USE = """
import json, random, numpy as np, torch

def states():
    name, keys, *rest = np.random.get_state()
    return [[name, keys.tolist(), rest], torch.get_rng_state().tolist(), random.getstate()]

def same(before):
    return [one == other for one, other in zip(before, states(), strict=True)]

before = states()
from labsupport import datasets, descent, figures, gradcheck, network, records, torch_twin
imported = same(before)
split = datasets.moons(samples=40)
net = network.Network((2, 3, 1), output="identity", loss="bce_with_logits")
rng = np.random.default_rng(1)
start = network.initialise(net, rng, "pytorch")
X, Y = split.X_train, split.Y_train
for batch_size in (None, 8):
    descent.train(net, start, X, Y, descent.Armijo(64.0), 3, batch_size=batch_size, rng=rng)
twin, loss = torch_twin.module(net, start), torch_twin.loss(net)
optimiser = torch_twin.ArmijoSGD(twin.parameters(), first=64.0)
def closure():
    optimiser.zero_grad()
    value = loss(twin(torch_twin.as_tensor(X)), torch_twin.as_tensor(Y))
    value.backward()
    return value
optimiser.step(closure)
assert optimiser.trials > 1
figures.decision_boundary({"": lambda P: network.predict(net, start, P)}, X, Y)
used = same(before)
np.random.rand(), torch.rand(1), random.random()
print(json.dumps([imported, used, same(before)]))
"""


def test_the_global_generators_are_left_alone():
    imported, used, after_one_draw_each = fresh(USE)
    assert all(imported)
    assert all(used)
    assert not any(after_one_draw_each)  # so the comparison can fail


def test_the_version_is_that_of_the_package():
    text = (FOLDER.parent / "pyproject.toml").read_text("utf-8")
    assert labsupport.__version__ == tomllib.loads(text)["project"]["version"]


def test_training_in_a_plain_process_needs_no_seed():
    """Two interpreters, the same generator: the same parameters to the last bit."""
    code = """
import json, numpy as np
from labsupport import datasets, descent, network
net = network.Network((2, 4, 1))
start = network.initialise(net, np.random.default_rng(7))
end = descent.train(net, start, *datasets.xor(), descent.Fixed(0.5), 50).parameters
print(json.dumps(end.vector.tolist()))
"""
    first, second = fresh(code), fresh(code)
    assert first == second
    assert np.isfinite(first).all()
