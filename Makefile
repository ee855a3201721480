# Everything a clone needs. Each of demo, test and check installs first what is missing (scripts/setup).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/solidity/bin:$(PATH)
# Among its backends eth-hash would take pycryptodome, which is six times slower.
export ETH_HASH_BACKEND := pysha3

PYTEST := pytest --numprocesses auto --maxprocesses 8 --dist loadfile --durations 12 --durations-min 5

.PHONY: help help-more setup demo check format test test-python forge test-long audit test-data bench sybil snapshots lock clean

help: ## this page; `make help-more` adds examples
	@printf 'Optimist: an optimistic rollup for margined derivatives\n\n'
	@awk 'BEGIN {FS = ":.*## "} /^#= / {printf "\n%s\n", substr($$0, 4)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

help-more: ## the same with examples
	@awk 'BEGIN {FS = ":.*## "} /^#= / {printf "\n%s\n", substr($$0, 4)} \
	  /^[a-z-]+:.*## / {printf "\n  make %-12s %s\n", $$1, $$2} /^#> / {printf "       %s\n", substr($$0, 4)}' Makefile

#= See it
demo: ## install, then play the story: trades, a crash, two lies caught and proven on L1
#> make demo && .venv/bin/python -m devnet.check build/demo.json
#> PRICES=klines.csv make demo     the market follows your 1-minute klines
#> FAULT=none make demo            nobody lies (then .venv/bin/python -m devnet.check build/demo.json must refuse)
	@begun=$$SECONDS; scripts/setup; installed=$$SECONDS; code=0; \
	python -m devnet story || code=$$?; \
	echo "demo: install $$((installed - begun)) s, run $$((SECONDS - installed)) s"; exit $$code

#= Trust it
check: ## formatting, lint, types, layers, house rules; no test of behaviour
#> make check
	@scripts/setup
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo
	pytest --quiet tests/lint
	cd solidity && forge fmt --check
	cd solidity && forge lint

test: ## everything that fits 15 minutes on 2 cores: forge, then pytest
#> make test
#> make test PYTHON=python3.12     on another interpreter
	@scripts/setup
	@$(MAKE) forge test-python
	@echo; echo "Left to make test-long: forge fuzz and invariant runs of the profile 'long', and"
	@pytest --quiet --collect-only -m long | sed -n 's/::.*//p' | sort | uniq -c || true

forge: ## the contracts' own tests, fuzzing and invariants, with gas against its snapshot
#> cd solidity && bin/forge test --match-contract Inbox -vvv
	@scripts/setup
	cd solidity && FORGE_SNAPSHOT_CHECK=true forge test | tee ../build/forge.log
	@grep -q ' [1-9][0-9]* tests passed, 0 failed' build/forge.log || { echo "forge ran no test"; exit 1; }

test-python: ## pytest alone
#> .venv/bin/pytest tests/unit/stf -x -q
#> .venv/bin/pytest tests/property -q --hypothesis-seed=7
	@scripts/setup
	$(PYTEST)

test-long: audit ## what `make test` leaves out: audit, and large random runs, minutes to hours
#> HYPOTHESIS_PROFILE=long .venv/bin/pytest -m long tests/parity
	@scripts/setup
	cd solidity && FOUNDRY_PROFILE=long forge test
	HYPOTHESIS_PROFILE=long $(PYTEST) -m long --timeout 3600

audit: ## slither with every finding reviewed, and halmos proofs of the game's contracts
#> make audit
#> PROOFS=ListsProof make audit     PROOFS= make audit runs slither alone
	@scripts/setup
	scripts/audit

test-data: ## replay what others have measured: DATA=<folder of market data and reference cases>
#> DATA=~/data make test-data
	@scripts/setup
	@[ -d "$${DATA:-}" ] || { echo "name the folder: DATA=<folder> make test-data"; exit 2; }
	pytest -m data --timeout 3600

bench: ## measure: orders on disk beside anvil, memory, trace commitment, hashing
#> make bench
#> LOAD_SECONDS=1800 .venv/bin/pytest -m bench -s --timeout 7200 tests/bench/test_load.py -k memory
	@scripts/setup
	pytest -m bench --capture=no --timeout 3600

sybil: ## a hundred Sybils against one honest player on anvil: delay, gas, money (build/sybil.json)
#> make sybil
#> .venv/bin/python -m tests.support.sybil --sybils 10
	@scripts/setup
	python -m tests.support.sybil

#= Change it
setup: ## install everything into .venv and solidity/node_modules
#> make setup PYTHON=/opt/python3.12/bin/python3.12
	@scripts/setup

format: ## let the formatters do their work
	@scripts/setup
	ruff check --fix-only --quiet .
	ruff format .
	cd solidity && forge fmt

snapshots: ## regenerate what is generated and committed: ABIs, storage layouts, sizes, gas
#> make snapshots && git diff optimist/l1/abi solidity/snapshots
	@scripts/setup
	python -m devnet.snapshots
	python -m tests.support.step_gas
	python -m tests.support.step_vectors
	cd solidity && FORGE_SNAPSHOT_EMIT=true forge test >../build/forge.log || { cat ../build/forge.log; exit 1; }

lock: ## resolve pyproject.toml anew on Python 3.11 and 3.12 into constraints.txt
#> PYTHONS="/opt/a/python3.11 /opt/b/python3.12" make lock
	scripts/lock

clean: ## remove what was built; .venv and node_modules stay
	rm -rf build solidity/out solidity/cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find optimist challenger devnet tests -name __pycache__ -prune -exec rm -rf {} +
