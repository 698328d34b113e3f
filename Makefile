# What is run while working on orch, and before it lands. CONTRIBUTING.md says when to run what.
# BIN: the folder of the environment's commands. WORKERS: processes that run tests at once.
# TESTS: files or folders, instead of all. SEED: of `make deep`.
# COUNT, KINDS: of `make fuzz`.
# SCENARIOS: some of `make client`, or --short. VERSION: another release of Claude Code for it.
BIN ?= .venv/bin
WORKERS ?= 3
SEED ?= 0
SCENARIOS ?=
COUNT ?= 20000
KINDS ?=

TESTS ?=

# pytest ends with 5 where nothing was collected: nothing was tested, so it is red.
pytest = $(BIN)/python -m pytest -n $(WORKERS) $(1) || { code=$$?; \
	[ $$code -ne 5 ] || echo "no test was collected: $(1)" >&2; exit $$code; }
export SEED

.PHONY: help setup quick lint types contracts test check deep fuzz client bench bench-peers docs schema pictures snapshots

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## make .venv with everything that is needed
	python3 -m venv .venv
	.venv/bin/pip install -q -e '.[dev]'

quick: lint ## lint and the fast tests: under a minute on two cores
	$(call pytest,-m 'not screens and not slow' $(TESTS))

lint: ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: ## mypy and pyright
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

contracts: ## imports point one way
	$(BIN)/lint-imports

test: ## the tests, as the README runs them; TESTS=tests/record for some
	$(call pytest,$(TESTS))

check: lint types contracts ## everything that must hold before a change lands, all tests with the wide ones
	export ORCH_TESTS=wide; $(call pytest,$(TESTS))

deep: ## many more examples from a seed: make deep SEED=7
	export ORCH_TESTS=deep; $(call pytest,--timeout 1800 -m 'hypothesis or deep' $(TESTS))

fuzz: ## bad input of every kind: make fuzz SEED=7 COUNT=2000 KINDS="exports rows"
	$(BIN)/python -m tests.fuzz --seed $(SEED) --count $(COUNT) $(KINDS)

client: ## runs of the real Claude Code, and what was recorded of them: make client VERSION=2.1.340
	$(BIN)/python -m tests.client $(if $(VERSION),--version $(VERSION)) $(SCENARIOS)

bench: ## the speed budgets, measured; nothing fails on time
	$(BIN)/python -m tests.bench.run

bench-peers: ## packing and counting against repomix, which npm installs
	$(BIN)/python -m tests.bench.peers $(if $(PAIRS),--pairs $(PAIRS))

docs: ## write docs/commands.md from the commands, and the JSON Schemas of their answers
	$(BIN)/python -m tests.generate.commands --write
	$(BIN)/python -m tests.generate.json_schemas --write

schema: ## write assets/execution_db.schema.sql and hub.schema.sql from the models and the tables of the search
	$(BIN)/python -m tests.generate.schema --write
	$(BIN)/python -m tests.generate.hub_schema --write

pictures: ## make the README's pictures again
	$(BIN)/python -m tests.screens.screenshots

snapshots: ## take the pictures of the screens again; look at each before it is committed
	export ORCH_TESTS=wide; $(call pytest,-m screens --snapshot-update $(TESTS))
