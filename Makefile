SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/solidity/node_modules/.bin:$(PATH)
export ETH_HASH_BACKEND := pysha3 # eth-hash would prefer pycryptodome, which is six times slower
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## this page
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: check
check: ## formatting, lint, types, layers
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo
