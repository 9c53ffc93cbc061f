# Everything a developer types. Each target does all its own set-up; nothing is written outside the checkout.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo story test check e2e faults bench lock migrations clean

help: ## Show this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v $(BIN)/uv >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

demo: $(READY) ## Run everything with the sample zone and print where to look
	@$(BIN)/zhuoluo demo

story: $(READY) ## Play the main job to its end without a person; the exit status says whether it held
	@$(BIN)/zhuoluo story

test: $(READY) ## Run the tests on real PostgreSQL, Valkey and a mock WeChat
	@$(BIN)/pytest

check: $(READY) ## Lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) ## Measure the hot paths against their limit and a peer, side by side
	@$(BIN)/python -m tests.bench

faults: $(READY) ## Hundreds of random schedules of faults: nothing lost, nobody told twice (FAULTS_SEED, FAULTS_ONLY)
	@$(BIN)/python -m tests.faults

lock: $(READY) ## Lock dependencies by version and hash, without download addresses
	@$(BIN)/uv pip compile pyproject.toml --group dev --group bench --universal --generate-hashes --no-header \
	  --no-emit-index-url --quiet --output-file requirements.lock

migrations: $(READY) ## Write the schema's next step from the models
	@$(BIN)/python -m deploy.migrations make

clean: ## Remove what was built and the local data
	@rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache
