"""Run the chapters that draw chance again, from other seeds, and count what still holds.

    python -m scripts.replicate                          5 other seeds, every such chapter
    python -m scripts.replicate --seeds 20 15-fair-race  20 seeds, one chapter

Such a chapter says `SEED = 0` in one cell and makes each generator from it. Here it runs with SEED
at 1000, 2000, ...; each assertion is counted instead of stopping the run. What a proof promises
says `# always` and may never fail; what else fails in more than one of twenty seeds is worded too
strongly. The counts go to benchmarks/replication.json, which a page of the book prints. Finished
runs are kept in _build/replicate, so that an interrupted command goes on where it was.
"""

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import signal
import sys
import time
import warnings
from datetime import date
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
ENOUGH = 0.95  # share of seeds in which a claim about chance must hold


def cells(chapter: Path) -> list[str]:
    """Give the code cells of a chapter's text."""
    import jupytext

    found = jupytext.read(chapter, fmt="md:myst").cells
    return [cell.source for cell in found if cell.cell_type == "code"]


def draws_chance(code: list[str]) -> bool:
    """Whether a chapter makes a generator of its own."""
    return any("default_rng(" in cell for cell in code)


def seed_problems(code: list[str]) -> list[str]:
    """What keeps a chapter that draws chance from being run from other seeds."""
    text = "\n".join(code)
    stated = len(re.findall(r"^SEED = \d+", text, re.MULTILINE))
    problems = [] if stated == 1 else [f"SEED is stated {stated} times, not once"]
    for call in re.findall(r"default_rng\(([^()]*)\)", text):
        if "SEED" not in call and not re.fullmatch(r"\w*seed\w*", call):
            problems.append(f"default_rng({call}) does not begin at SEED")
    return problems


class Counting(ast.NodeTransformer):
    """Let every assertion of a cell speak: `assert x` becomes a note, and the run goes on."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.claims: list[str] = []

    def _noted(self, node: ast.stmt, claim: ast.expr, held: list[ast.stmt]) -> ast.Try:
        always = "# always" in self.lines[node.lineno - 1]
        text = ast.unparse(claim)
        self.claims.append(text)

        def note(value: ast.expr) -> ast.stmt:
            name = ast.Name("__note__", ast.Load())
            return ast.Expr(ast.Call(name, [ast.Constant(text), ast.Constant(always), value], []))

        body = [*held, note(ast.Constant(True))] if held else [note(claim)]
        failed = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [])
        failed.body = [note(ast.Constant(False))]
        new = ast.Try(body, [failed], [], [])
        return ast.fix_missing_locations(ast.copy_location(new, node))

    def visit_Assert(self, node: ast.Assert) -> ast.Try:
        return self._noted(node, node.test, [])

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        name = call.func.attr if isinstance(call, ast.Call) and hasattr(call.func, "attr") else ""
        return self._noted(node, call, [node]) if name.startswith("assert_") else node


def run(code: list[str], seed: int) -> dict[str, list[bool]]:
    """Run a chapter's cells from a seed; give of each assertion whether it held and always must.

    A cell that raises anything else stops the chapter: what it did not reach has not held.
    """
    os.environ["TQDM_DISABLE"] = "1"
    import matplotlib

    matplotlib.use("agg")
    from IPython.display import display

    found: dict[str, list[bool]] = {}

    def note(text: str, always: bool, held: object) -> None:
        before = found.get(text, [True, always])
        found[text] = [before[0] and bool(held), before[1] or always]

    namespace = {"__name__": "__main__", "__note__": note, "display": display}
    for number, source in enumerate(code, start=1):
        source = re.sub(r"^SEED = \d+", f"SEED = {seed}", source, flags=re.MULTILINE)
        tree = Counting(source).visit(ast.parse(source))
        try:
            with open(os.devnull, "w") as nowhere:
                said, sys.stdout = sys.stdout, nowhere
                try:
                    exec(compile(tree, f"cell {number}", "exec"), namespace)
                finally:
                    sys.stdout = said
        except Exception as error:
            found[f"cell {number} runs ({type(error).__name__})"] = [False, False]
            break
    return found


def claims(code: list[str]) -> list[str]:
    """Give the text of every assertion of a chapter, in its order."""
    found: list[str] = []
    for source in code:
        counting = Counting(source)
        counting.visit(ast.parse(source))
        found += counting.claims
    return list(dict.fromkeys(found))


@cache
def state(chapter: Path) -> str:
    """Name the state of a chapter and of all that it runs."""
    files = [chapter, *sorted((ROOT / "labsupport").rglob("*.py")), Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def result(chapter: Path, seed: int, kept: Path) -> Path:
    """Name the file of a run."""
    return kept / f"{chapter.stem}-{seed}-{state(chapter)}.json"


def task(job: tuple[Path, list[str], int]) -> str:
    """Run once and keep the result."""
    target, code, seed = job
    os.chdir(target.parents[2] / "chapters")  # where a notebook runs
    warnings.simplefilter("ignore")
    draft = target.with_suffix(".tmp")
    draft.write_text(json.dumps(run(code, seed)), encoding="utf-8")
    os.replace(draft, target)
    return target.stem


def table(chapter: Path, seeds: list[int], kept: Path) -> dict[str, object]:
    """Count, for each assertion of a chapter, in how many seeds it held."""
    runs = [json.loads(result(chapter, seed, kept).read_text("utf-8")) for seed in seeds]
    texts = claims(cells(chapter)) + [t for r in runs for t in r if t.startswith("cell ")]
    rows = []
    for text in dict.fromkeys(texts):
        seen = [r.get(text, [False, False]) for r in runs]
        if text.startswith("cell "):  # a cell that stopped: it is noted only where it did
            seen = [r.get(text, [True, False]) for r in runs]
        held = sum(ok for ok, _ in seen)
        rows.append({"claim": text, "held": held, "always": any(always for _, always in seen)})
    return {"seeds": seeds, "date": date.today().isoformat(), "claims": rows}


def too_strong(entry: dict[str, object]) -> list[str]:
    """The claims of a chapter's table that hold too rarely."""
    n = len(entry["seeds"])  # type: ignore[arg-type]
    return [
        f"held {row['held']} of {n}{', and must always' if row['always'] else ''}: {row['claim']}"
        for row in entry["claims"]  # type: ignore[attr-defined]
        if row["held"] < (n if row["always"] else ENOUGH * n)
    ]


def unsaved(chapter: Path) -> bool:
    """Whether the two halves of a pair differ in their code."""
    notebook = json.loads(chapter.with_suffix(".ipynb").read_text("utf-8"))
    stored = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    return stored != cells(chapter)


def check_tree(names: list[str], pages: dict[str, Path]) -> str | None:
    """Say what keeps the chapters from being replicated, if anything does."""
    chance = [name for name, page in pages.items() if draws_chance(cells(page))]
    for name in names:
        if name not in chance:
            return f"no chapter {name} that draws chance; expected one of: {', '.join(chance)}."
        if problems := seed_problems(cells(pages[name])):
            return f"{name}: {problems[0]}."
        if unsaved(pages[name]):
            return f"{name}: its two halves differ; run make refresh CHAPTERS={name} first."
    return None


def store(tables: dict[str, dict[str, object]], known: list[str], stored: Path) -> None:
    """Put the tables of some chapters into the file, in one step; forget chapters that are gone."""
    before = json.loads(stored.read_text("utf-8"))["chapters"] if stored.exists() else {}
    packages = ("numpy", "scipy", "scikit-learn", "torch")
    book = {
        "versions": {"Python": platform.python_version(), **{p: version(p) for p in packages}},
        "chapters": {k: v for k, v in sorted((before | tables).items()) if k in known},
    }
    draft = stored.with_name(f".{stored.name}.tmp")
    draft.write_text(json.dumps(book, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, stored)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Replicate the chapters named, or all that draw chance; return the exit status."""
    parser = argparse.ArgumentParser(prog="replicate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many other seeds (default 5)")
    parser.add_argument("chapters", nargs="*", help="names such as 15-fair-race; none: all")
    asked = parser.parse_args(arguments)
    if asked.seeds < 1:
        parser.error(f"--seeds is {asked.seeds}; expected at least 1.")
    pages = {page.stem: page for page in sorted((root / "chapters").glob("*.md"))}
    chance = [name for name, page in pages.items() if draws_chance(cells(page))]
    names = [Path(name).stem for name in asked.chapters] or chance
    if problem := check_tree(names, pages):
        parser.error(problem)
    seeds, kept = [1000 * k for k in range(1, asked.seeds + 1)], root / "_build" / "replicate"
    kept.mkdir(parents=True, exist_ok=True)
    for thread in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(thread, "1")
    jobs = [
        (result(pages[name], seed, kept), pages[name], seed) for seed in seeds for name in names
    ]
    jobs = [(path, cells(page), seed) for path, page, seed in jobs if not path.exists()]
    begin = time.monotonic()
    # Ctrl-C reaches this process only; leaving the block ends the workers.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    with get_context("spawn").Pool(WORKERS, signal.signal, ignore, maxtasksperchild=1) as pool:
        for done, what in enumerate(pool.imap_unordered(task, jobs), start=1):
            minutes = (time.monotonic() - begin) / 60
            print(f"{done:3} of {len(jobs)}, {minutes:4.1f} min: {what}", flush=True)
    tables = {name: table(pages[name], seeds, kept) for name in names}
    store(tables, chance, root / "benchmarks" / "replication.json")
    weak = {name: found for name in names if (found := too_strong(tables[name]))}
    for name, found in weak.items():
        print(f"{name}:", *found, sep="\n  ")
    count = sum(len(entry["claims"]) for entry in tables.values())  # type: ignore[arg-type]
    print(f"{count} claims, {sum(map(len, weak.values()))} too strong, from {len(seeds)} seeds.")
    return 1 if weak else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("replicate: interrupted; what is finished is kept, and the next call goes on")
