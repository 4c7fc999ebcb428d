# What a person types: `make demo` shows kindlehl, `make test` proves it. Both set everything up by themselves.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export PYTHON VENV

.PHONY: help demo test deep simulate kills storm check bench docs site requirements clean

help:
	@echo 'make demo          set up, import a sample, show it, leave Markdown, CSV and PDF in demo/'
	@echo 'make test          set up and run the tests'
	@echo 'make deep          the laws and machines with many more histories; half an hour'
	@echo 'make simulate      20,000 histories of a household: hours; FIRST and LAST choose a part'
	@echo 'make kills         kill -9 at each point of sync with ten seeds, and at 300 moments; half an hour'
	@echo 'make storm         100 storms on the network between devices and a server; half an hour'
	@echo 'make check         lint, formatting, types, import contracts, site, packaging'
	@echo 'make bench         the benchmarks'
	@echo 'make docs          write the generated parts of docs/ anew'
	@echo 'make site          the documentation as a site, in site/'
	@echo 'make requirements  compile the hashed requirements (needs uv)'
	@echo 'make clean         remove what the other commands made'
	@echo
	@echo 'Another Python: make clean demo PYTHON=python3.13'

# A stamp file stands for a finished set-up; the directory itself would also stand for a half-made one.
# pyproject.toml is named because a new entry point needs a new install.
$(VENV)/.base: requirements/base.txt pyproject.toml tools/setup.sh
	@tools/setup.sh base
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@tools/setup.sh dev
	@touch $@

demo: $(VENV)/.base
	@tools/system-packages.sh
	@tools/demo.sh

test: $(VENV)/.dev
	@tools/system-packages.sh
	$(BIN)/pytest $(PYTEST_ARGS)

# Before an issue is called done: what the tests try on hundreds of histories, on thousands.
deep: $(VENV)/.dev
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest -n auto tests/contract/test_vault.py tests/contract/test_editing.py \
	    tests/contract/test_library.py tests/unit/domain

# What the ledger has of this very code is not lived again.
simulate: $(VENV)/.dev
	$(BIN)/python tests/simulation $(or $(FIRST),0) $(or $(LAST),20000)

kills: $(VENV)/.dev
	KINDLEHL_POINT_SEEDS=10 KINDLEHL_KILLS=300 $(BIN)/pytest -s tests/system/test_sync_kills.py $(PYTEST_ARGS)

storm: $(VENV)/.dev
	KINDLEHL_STORMS=100 $(BIN)/pytest -s tests/system/test_sync_storm.py $(PYTEST_ARGS)

# The last line proves the contracts themselves, and the wheel that people would install.
check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/properdocs build --strict --quiet
	$(BIN)/pytest tests/unit/test_packaging.py tests/contract/test_walls.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks

docs: $(VENV)/.dev
	$(BIN)/python tools/commands_page.py
	$(BIN)/python tools/completion_table.py
	$(BIN)/python tools/schema_page.py
	$(BIN)/python tools/configuration_page.py

site: docs
	$(BIN)/properdocs build --strict --quiet

requirements:
	@tools/requirements.sh

clean:
	rm -rf $(VENV) demo dist build site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
