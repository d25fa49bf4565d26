# Every verb sets up what it needs: Python 3.11+ and make are enough. Works with GNU make 3.81 and any POSIX sh.
# Set-up talks on standard error, so that standard output belongs to the program.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

# Dozens of processes start from the same files: where this is set, each would compile all of them anew, for 4 s.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
DATA ?=
# Test processes: five for two cores, since they wait for servers as much as they compute, and no more than those
# servers are made for.
JOBS ?= $(shell echo $$(((5 * $$(getconf _NPROCESSORS_ONLN) + 1) / 2)))
# A file stays with one process, which starts its servers once; files in their order, those that wait the longest first.
PYTEST := $(BIN)/pytest -n $(JOBS) --maxprocesses 16 --dist loadfile --no-loadscope-reorder

# The environment, and what it was made from: a changed lock file syncs it again, otherwise nothing is done.
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
LOCK := pyproject.toml uv.lock
# One process has compiled what all test processes load; else each would, at the same time, what is new to all of them.
COMPILED := $(VENV)/.compiled

# uv from PATH if it understands our lock file, else a private one. PYTHON may name an interpreter; without it the first fitting one is taken.
UV_VERSION := 0.13.8
UV_HOME := .venv-uv
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 python)
FIND_PYTHON := python=; for candidate in $(PYTHONS); do \
	if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then \
		python=$$("$$candidate" -c 'import sys; print(sys.executable)'); break; fi; done; \
	if [ -z "$$python" ]; then \
		echo "RevenueFlow needs Python 3.11 to 3.14, and found none as: $(PYTHONS)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi
FIND_UV := uv=$$(ls $(UV_HOME)/bin/uv $(UV_HOME)/target/bin/uv 2>/dev/null | head -n 1); \
	[ -n "$$uv" ] || uv=$$(command -v uv) || uv=
SYNC := sync --frozen --extra embedded --quiet

.PHONY: help setup demo up test faults conformance check lint types imports size format bench eval clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(DEV_READY) ## make the environment (.venv) with everything, tools for development too
	@echo "Ready: $(VENV)" >&2

demo: $(RUN_READY) ## send the sample leads through a complete local system; ARGS=--once ends when they are done
	@$(BIN)/revenueflow demo $(ARGS)

up: $(RUN_READY) ## run a complete local system until Ctrl-C; ARGS="--port 8080"
	@$(BIN)/revenueflow up $(ARGS)

test: ## all checks and all tests; ARGS="-k name" for some
	@$(MAKE) -j 2 check $(COMPILED)
	@$(PYTEST) $(ARGS)

faults: $(DEV_READY) ## kill, freeze and unplug the parts of a running system; ARGS="--seeds 20" for the full matrix
	@$(BIN)/python -m tests.faults.campaign $(ARGS)

conformance: $(DEV_READY) ## MCP's official suite against our endpoint (docs/mcp.md); needs node and npm
	@$(BIN)/python -m tests.support.mcp_suite $(ARGS)

check: lint types imports size ## the four gates: ruff, mypy strict, import rules, sizes

lint: $(DEV_READY) ## ruff: rules and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted; run: make format" >&2; exit 1; }

types: $(DEV_READY)
	@$(BIN)/mypy

imports: $(DEV_READY)
	@$(BIN)/lint-imports --no-logo

size: $(DEV_READY)
	@$(BIN)/python -m tests.gates.size

$(COMPILED): $(DEV_READY)
	@$(BIN)/pytest --collect-only --quiet --no-summary >$@.partial || { cat $@.partial >&2; exit 1; }
	@mv $@.partial $@

format: $(DEV_READY) ## let ruff fix and format what it can
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: $(RUN_READY) ## measure ourselves (docs/benchmarks.md); ARGS=ingress, steps or pipeline, with its options
	@$(BIN)/python -m bench.$(if $(ARGS),$(ARGS),ingress)

eval: $(DEV_READY) ## measure grounding against its targets; DATA=folder of labelled claims (docs/grounding.md)
	@$(BIN)/python -m tests.evaluation.table $(DATA)

clean: ## remove the environments and caches; leaves your data alone
	rm -rf $(VENV) $(UV_HOME) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# To run: what is installed beyond that (the tools for development) may stay.
$(RUN_READY): $(LOCK)
	@$(MAKE) .uv >&2
	@echo "Setting up $(VENV) (once, and whenever uv.lock changes) ..." >&2
	@$(FIND_PYTHON); $(FIND_UV); UV_PROJECT_ENVIRONMENT=$(VENV) "$$uv" $(SYNC) --inexact --no-dev --python "$$python" >&2
	@touch $@

$(DEV_READY): $(LOCK)
	@$(MAKE) .uv >&2
	@echo "Setting up $(VENV) with development tools (once, and whenever uv.lock changes) ..." >&2
	@$(FIND_PYTHON); $(FIND_UV); UV_PROJECT_ENVIRONMENT=$(VENV) "$$uv" $(SYNC) --python "$$python" >&2
	@touch $(RUN_READY) $@

.PHONY: .uv
.uv:
	@$(FIND_PYTHON); $(FIND_UV); \
	if [ -n "$$uv" ] && "$$uv" $(SYNC) --dry-run --python "$$python" >/dev/null 2>&1; then exit 0; fi; \
	echo "Installing uv $(UV_VERSION) into $(UV_HOME) ..." >&2; \
	if "$$python" -m venv $(UV_HOME) >/dev/null 2>&1 && $(UV_HOME)/bin/python -m pip --version >/dev/null 2>&1; then \
		exec $(UV_HOME)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); fi; \
	rm -rf $(UV_HOME); \
	if "$$python" -m pip --version >/dev/null 2>&1; then \
		exec "$$python" -m pip install --quiet --disable-pip-version-check --target $(UV_HOME)/target uv==$(UV_VERSION); fi; \
	echo "$$python can neither make virtual environments nor run pip. Install one of them" >&2; \
	echo "(Debian, Ubuntu: apt install python3-venv), or uv, and try again." >&2; exit 1
