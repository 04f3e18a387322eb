# Everything starts here. A fresh machine needs Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_DIR ?= demo
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo ui test check lint bench soak evaluate train clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Rushes needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv -c constraints.txt

$(VENV)/.product: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[offline]'
	@touch $@

$(VENV)/.dev: $(VENV)/.product
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[dev,offline]'
	@touch $@

demo: $(VENV)/.product ## draw a sample library, index it, search it, render a supercut
	$(BIN)/rushes demo $(DEMO_DIR)

ui: $(VENV)/.product ## open the page on the demo archive
	$(BIN)/rushes ui $(DEMO_DIR)/archive

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## the everyday loop: lint, types, import contracts, quick tests
	$(PYTEST) -n 2 -q -m "not slow and not browser and not evaluation and not optin"

test: lint ## everything that must pass before a change lands
	@tests/e2e/install_chromium.sh
	$(PYTEST) -n 2 --dist loadscope -m "not optin" --cov --cov-report=term:skip-covered --cov-fail-under=80

bench: $(VENV)/.dev ## speed against what a user would write instead (long)
	$(BIN)/python -m tests.benchmarks

soak: $(VENV)/.dev ## the long crash and concurrency runs
	$(PYTEST) -m optin

evaluate: $(VENV)/.dev ## quality tables in full: demo encoder, drawn search sets, confidence, real footage
	$(PYTEST) -m evaluation -s

train: $(VENV)/.product ## train the demo encoder again (about half an hour)
	$(BIN)/python -m indexer.demo.train

clean: ## remove the environment and the demo
	rm -rf $(VENV) $(DEMO_DIR) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis .coverage*
