# What is run while working on orch, and before it lands. CONTRIBUTING.md says when to run what.
# BIN: the folder of the environment's commands. WORKERS: processes that run tests at once.
BIN ?= .venv/bin
WORKERS ?= 3
SEED ?= 0

PYTEST = $(BIN)/python -m pytest -n $(WORKERS)
export SEED

.PHONY: help setup quick lint types contracts test check deep bench docs snapshots

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## make .venv with everything that is needed
	python3 -m venv .venv
	.venv/bin/pip install -q -e '.[dev]'

quick: lint ## lint and the fast tests: under a minute on two cores
	$(PYTEST) -m 'not screens and not slow'

lint: ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: ## mypy and pyright
	$(BIN)/mypy
	$(BIN)/pyright

contracts: ## imports point one way
	$(BIN)/lint-imports

test: ## all tests, as the README runs them
	$(PYTEST)

check: lint types contracts test ## everything that must hold before a change lands

deep: ## many more examples from a seed: make deep SEED=7
	ORCH_TESTS=deep $(PYTEST) -m 'hypothesis or deep'

bench: ## the speed budgets, measured; nothing fails on time
	$(BIN)/python -m tests.bench.run

docs: ## write docs/commands.md from the commands
	$(BIN)/python -m tests.generate.commands --write

snapshots: ## take the pictures of the screens again; look at each before it is committed
	$(PYTEST) -m screens --snapshot-update
