# Everything runs in .venv, made and kept up to date by itself. The commands that matter: run, test, check, bench.
PYTHON ?= python3
BIN := .venv/bin
PIN := --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help run test check lint types imports ui bench lock interop clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

run: .venv/installed ui ## start the broker: prints the address, and on the first start the demo users
	@$(BIN)/python -m tools.run

test: .venv/installed ui ## every test that can run on this machine
	$(BIN)/python -m pytest

check: lint types imports test ## what a reviewer would check

lint: .venv/installed ui
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.ui lint test

types: .venv/installed
	$(BIN)/mypy

imports: .venv/installed
	$(BIN)/lint-imports

ui: .venv/installed
	@$(BIN)/python -m tools.ui

bench: .venv/installed ## measure, as ratios within one run, and keep the table in docs/benchmarks.md
	$(BIN)/python -m tools.bench --markdown docs/benchmarks.md

lock: .venv/installed ## pin the newest dependencies that setup.cfg allows
	$(BIN)/python -m piptools compile --quiet --upgrade --strip-extras $(PIN) -o requirements.txt setup.cfg
	$(BIN)/python -m piptools compile --quiet --upgrade --strip-extras $(PIN) --extra dev -c requirements.txt -o requirements-dev.txt setup.cfg

interop: .venv/installed ## install QuickFIX for tests/interop and a bench: compiles C++ for about five minutes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-interop.txt

clean: ## remove what was made, but never the run directory
	rm -rf .venv web/ui/dist web/ui/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/installed: requirements-dev.txt setup.cfg
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hedgerow needs Python 3.11 or later, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . # its adapters are entry points
	@touch $@
