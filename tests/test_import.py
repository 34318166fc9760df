"""What importing loads, in which direction, and that nothing touches the global generators."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import labsupport

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACT = SETTINGS["tool"]["importlinter"]["contracts"][0]
FLOORS = [sorted(re.findall(r"\w+", layer)) for layer in reversed(CONTRACT["layers"])]
MODULES = sorted(name for floor in FLOORS for name in floor)
LINT = Path(sys.executable).with_name("lint-imports")


def fresh(code):
    """Run code in a new interpreter; give what it prints, as JSON."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return json.loads(run.stdout)


def test_an_import_upwards_would_be_found(tmp_path):
    """A copy of the contract with the two lowest floors swapped is broken."""
    low, next_floor = CONTRACT["layers"][-1], CONTRACT["layers"][-2]
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    swapped = text.replace(f'"{low}"', "LOW").replace(f'"{next_floor}"', f'"{low}"')
    settings = tmp_path / "pyproject.toml"
    settings.write_text(swapped.replace("LOW", f'"{next_floor}"'), encoding="utf-8")
    run = subprocess.run(
        [LINT, "--no-cache", "--config", settings], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "labsupport.checks" in run.stdout


@pytest.mark.parametrize("told", ["labsupport/__init__.py", "README.md", "reference/api.md"])
def test_the_floors_are_told_alike(told):
    text = (ROOT / told).read_text("utf-8")
    if told.endswith("api.md"):
        parts = re.split(r"^## ", text, flags=re.M)[1:]
        found = [sorted(set(re.findall(r"automodule:: labsupport\.(\w+)", p))) for p in parts]
    else:
        items = re.findall(r"^\d\. .*?: (.*(?:\n {3}.*)*)", text, flags=re.M)
        found = [sorted(re.findall(r"`(\w+)`", item)) for item in items]
    assert found == FLOORS


def loaded_by(statement):
    return set(fresh(f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"))


def test_importing_the_package_loads_nothing():
    heavy = {"numpy", "scipy", "sklearn", "tqdm", "torch", "matplotlib"}
    assert not loaded_by("import labsupport") & heavy


@pytest.mark.parametrize(
    "module", sorted({*MODULES} - {"drawing", "figures", "parallel", "torch_twin"})
)
def test_importing_a_module_loads_neither_torch_nor_matplotlib(module):
    loaded = loaded_by(f"import labsupport.{module}")
    assert f"labsupport.{module}" in loaded
    assert not loaded & {"torch", "matplotlib", "sklearn", "IPython"}


def test_a_wheel_carries_scripts_styles_and_types(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(ROOT / "labsupport", source / "labsupport")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    code = "import json, zipfile, sys; print(json.dumps(zipfile.ZipFile(sys.argv[1]).namelist()))"
    listed = subprocess.run([sys.executable, "-c", code, wheel], capture_output=True, check=True)
    inside = set(json.loads(listed.stdout))
    folder = ROOT / "labsupport"
    wanted = [p for p in folder.rglob("*") if p.suffix in (".py", ".js", ".css", ".typed")]
    assert {p.relative_to(ROOT).as_posix() for p in wanted} <= inside


USE = """
import json, random, numpy as np, sklearn.datasets, torch  # what they draw at import is theirs

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
for record in records.RECORDS.values():
    record.seeded and record.start()
twin, loss = torch_twin.module(net, start), torch_twin.loss(net)
optimiser = torch_twin.ArmijoSGD(twin.parameters(), descent.Armijo(64.0))
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
    assert labsupport.__version__ == SETTINGS["project"]["version"] == version("labsupport")


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
