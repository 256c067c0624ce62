# Everything runs in .venv, made on first use. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROWS ?= 200000
RUNS ?= 200
SEED ?= 1
KINDS ?= http,sqlite,mariadb,postgresql
LEDGERS ?= sqlite,postgresql

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix bench bundle faults docs sandbox golden clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

$(VENV)/.run: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "spgl needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@

setup: $(VENV)/.dev ## create .venv with everything for development

demo: $(VENV)/.run ## two nights: validate, push into a misbehaving sandbox, resume, repair, push again
	@$(BIN)/spgl demo --out demo-output

test: $(VENV)/.dev ## run the tests
	@$(BIN)/python -m pytest

check: $(VENV)/.dev ## ruff, mypy, house rules, drift of generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m spgl.docs --check
	@$(BIN)/python -m pytest tests/test_house.py

fix: $(VENV)/.dev ## format and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

faults: $(VENV)/.dev ## kill, cut and lie at random, compare source, ledger and target (RUNS=2000 SEED=1 KINDS=http LEDGERS=sqlite)
	@PYTHONPATH=.:tests $(BIN)/python tests/faults/campaign.py --runs $(RUNS) --seed $(SEED) --kinds $(KINDS) --ledgers $(LEDGERS)

docs: $(VENV)/.dev ## regenerate schemas and generated pages
	@$(BIN)/python -m spgl.docs

golden: $(VENV)/.dev ## rewrite golden files; review them as a diff
	@SPGL_GOLDEN=write $(BIN)/python -m pytest tests -k golden

$(VENV)/.bench: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[bench]'
	@touch $@

bench: $(VENV)/.bench ## print ratios against floors and peers, with aims (ROWS=1000000 for the full size)
	@$(BIN)/python -m benchmarks.validate --rows $(ROWS)
	@$(BIN)/python -m benchmarks.start
	@$(BIN)/python -m benchmarks.peers --rows $(ROWS)
	@$(BIN)/python -m benchmarks.push --all --scale 0.1
	@$(BIN)/python -m benchmarks.inspector --violations $(ROWS) --versions $(ROWS)

bundle: $(VENV)/.dev ## folder to install from without a network (PYTHONS="3.11 3.12" for more versions)
	@$(BIN)/python -m offline.bundle $(foreach version,$(PYTHONS),--python $(version))

sandbox: $(VENV)/.run ## run the stand-in national system on loopback
	@$(BIN)/spgl sandbox

clean: ## remove .venv and what demo and tests left
	@rm -rf $(VENV) demo-output build dist *.egg-info .mypy_cache .ruff_cache
