# All commands of the manual: `make help`. The environment is made on demand, in .venv.

PYTHON ?= python3
VENV = .venv
PORT = 8000
# One or more chapters for `make refresh` and `make nbval`; empty means all of them.
CHAPTERS =

BIN = $(VENV)/bin
READY = $(VENV)/.ready
HTML = _build/html
BUILT = _build/.built
# What the book is made of. A chapter counts by its .ipynb half, which holds the outputs.
SOURCES = _config.yml _toc.yml references.bib \
  $(wildcard *.md _static/* _static/fonts/* bookbuild/*.py labsupport/*.py labsupport/*/*.py labsupport/widgets/* \
  reference/*.md chapters/*.ipynb)
NOTEBOOKS = $(if $(CHAPTERS),$(CHAPTERS:%=chapters/%.ipynb),chapters)
# The stages of `make test`, the quick ones first. Each is a target of its own.
STAGES = lint types unit nbval html pages

.PHONY: help book pdf test lab serve refresh bench check clean $(STAGES)
.DEFAULT_GOAL := help

help:
	@echo "make book     build the HTML pages from the stored outputs"
	@echo "make pdf      print the whole book into _build/book.pdf, with a Chromium"
	@echo "make lab      open the chapters in JupyterLab"
	@echo "make serve    show the built pages on http://localhost:$(PORT) (PORT=8000)"
	@echo "make test     run every check: $(STAGES)"
	@echo "make check    check in a hurry: lint, types, pairs and the fast unit tests"
	@echo "make refresh  run all chapters and store their outputs (CHAPTERS=03-numpy-backprop: one)"
	@echo "make bench    measure labsupport against its peers"
	@echo "make clean    delete the built pages and the caches; the environment stays"
	@echo
	@echo "The stages of make test can be run one at a time, such as make nbval CHAPTERS=01-aim."
	@echo "The first command that needs it makes the environment, in $(VENV), with PYTHON=$(PYTHON)."

# The environment. A failed installation leaves no .ready, so the next make tries again.
$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "The manual needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

# The book. Always built from nothing, which takes seconds: only then are all warnings seen, all
# sidebars right, and no page left over. -W makes warnings errors, -n reports every dead reference.
$(BUILT): $(READY) $(SOURCES)
	@rm -rf _build
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@touch $@

book: $(BUILT)
	@echo "The book is in $(HTML)/index.html"

pdf: $(BUILT)
	$(BIN)/python -m bookbuild.pdf $(HTML) _build/book.pdf

lab: $(READY)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/chapters

serve: book
	@echo "http://localhost:$(PORT) until Ctrl-C"
	@$(BIN)/python -m bookbuild.serve $(HTML) $(PORT)

refresh: $(READY)
	$(BIN)/python -m scripts.refresh $(CHAPTERS)

bench: $(READY)
	$(BIN)/python -m benchmarks

# The checks.
test: $(READY)
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

pages: $(BUILT)
	BOOK_HTML=$(HTML) $(BIN)/pytest -q -n 2 -m book

clean:
	rm -rf _build .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find bookbuild chapters labsupport scripts tests -name __pycache__ -prune -exec rm -rf {} +
