# One command each for set-up, demo, test, check and bench. Every one sets up what it needs first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench screenshots constraints clean

help:
	@echo 'make demo         the whole system on this machine, in a few minutes'
	@echo 'make test         every test, on a real Kafka and Redis'
	@echo 'make check        ruff, mypy, import-linter, pins, licences, known vulnerabilities'
	@echo 'make bench        throughput, latency and hot paths beside what others use (JSON=1 for JSON)'
	@echo 'make screenshots  pictures of every page of the console, taken behind a demo (about 6 minutes)'
	@echo 'make setup        everything into .venv/'
	@echo 'make constraints  resolve the dependencies anew'

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt ops/setup.sh
	@PYTHON='$(PYTHON)' bash ops/setup.sh

demo: setup
	@$(BIN)/fraudstream demo

test: setup
	@bash ops/browser.sh
	@$(BIN)/python -m pytest $(TESTS)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python ops/supply_chain.py pins
	@$(BIN)/python ops/supply_chain.py licences
	@$(BIN)/python ops/supply_chain.py audit

bench: setup
	@$(BIN)/python -m bench $(if $(JSON),--json)

screenshots: setup
	@bash ops/browser.sh
	@$(BIN)/python ops/screenshots.py demo

constraints:
	@bash ops/resolve.sh

clean:
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
