# Every target makes .venv by itself when it is missing or out of date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests wait as much as they compute. Files go in their own order, in which those with few and long tests come first.
# What Python compiles is kept, whatever the environment says: tests start hundreds of programs.
test test-slow: export PYTHONDONTWRITEBYTECODE =
test test-slow: export PYTHONPYCACHEPREFIX = $(CURDIR)/build/pycache
TESTERS = $(shell $(BIN)/python -c 'import os; print(2 * (os.cpu_count() or 1))')

.PHONY: help demo serve test test-package test-slow check schema format bench bench-sdk bench-ingest bench-mail bench-steps bench-testing mail-gallery clean

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(READY): pyproject.toml constraints.txt
	@echo "Making $(VENV) with the exact versions of constraints.txt ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fast,socks,server,parquet,dev]'
	@touch $@

demo: $(READY) ## Watch an event become an email, in a minute
	@$(BIN)/python examples/demo.py

serve: $(READY) ## Run the server until Ctrl-C, on the demo's data
	@$(BIN)/loopwright serve

test: $(READY) ## Run the tests
	@echo "Running the tests against real PostgreSQL, HTTP, SMTP and Chromium ..."
	@$(BIN)/pytest --quiet --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder -m "not slow and not package"

test-package: $(READY) ## Build the package and try each way to install it, the lowest versions too
	@echo "Building the package, and installing it into clean environments ..."
	@$(BIN)/pytest --quiet -m package tests/package

test-slow: $(READY) ## Run the tests that start, kill and restart whole programs, and the examples
	@echo "Killing and restarting, again and again ..."
	@$(BIN)/pytest --quiet --numprocesses auto --dist loadfile -m slow

check: $(READY) ## Format, lint, types, and whether generated files are current
	@echo "Checking format ..." && $(BIN)/ruff format --check --quiet .
	@echo "Checking style ..." && $(BIN)/ruff check --quiet .
	@echo "Checking that the sync client is the async one's twin ..." && $(BIN)/python tools/make_sync.py --check
	@echo "Checking types with mypy ..." && $(BIN)/mypy
	@echo "Checking types with pyright ..." && $(BIN)/pyright --level error

schema: $(READY) ## Write down anew what schema the migrations make
	@$(BIN)/python -m tools.schema_snapshot

format: $(READY) ## Put every file in order
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet . && $(BIN)/python tools/make_sync.py

bench: bench-sdk bench-ingest bench-mail bench-steps ## Measure everything and write benchmarks/README.md

bench-sdk: $(READY) ## Measure the SDK beside its peers
	@$(BIN)/python -m benchmarks.sdk.run && $(BIN)/python -m benchmarks.sdk.file_import

bench-ingest: $(READY) ## Measure the server's way from HTTP to PostgreSQL
	@$(BIN)/python -m benchmarks.ingest.run && $(BIN)/python -m benchmarks.ingest.webhooks

bench-mail: $(READY) ## Measure email from queued rows to an SMTP server
	@$(BIN)/python -m benchmarks.mail.run

bench-steps: $(READY) ## Measure steps of workflow runs beside a bare queue
	@$(BIN)/python -m benchmarks.steps.run --write

bench-testing: $(READY) ## Measure what the test kit costs a suite
	@$(BIN)/python -m benchmarks.testing.run

mail-gallery: $(READY) ## Show every tag of LMX as screenshots: light, dark, phone, right to left, Outlook
	@$(BIN)/python -m tools.mail_gallery build/mail-gallery

clean: ## Remove what was made, the demo's data too
	rm -rf $(VENV) build .loopwright
