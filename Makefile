# Two commands on a fresh machine: `make run` shows the first look at two real models, `make test` checks all.
PYTHON ?= python3
VENV ?= .venv
OUT ?= first-look
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check

.PHONY: run full demo test check docs clean

run: $(VENV)/.ready-models  ## quick first look, a few minutes on 2 cores; accepts the Gemma terms
	$(VENV)/bin/limitset run --quick --get-models --accept-licence --out $(OUT)

full: $(VENV)/.ready-models  ## full first look: all questions, more wordings and seeds
	$(VENV)/bin/limitset run --get-models --accept-licence --out $(OUT)-full

demo: $(VENV)/.ready-models  ## false twins, one minute, no model
	$(VENV)/bin/limitset demo --out demo

test: $(VENV)/.ready-dev  ## everything that CI checks
	VENV=$(VENV) scripts/check --all

check: $(VENV)/.ready-dev  ## the fast part
	VENV=$(VENV) scripts/check

docs: $(VENV)/.ready-dev
	$(VENV)/bin/zensical build --clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-models: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable '.[models]'
	touch $@

$(VENV)/.ready-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable '.[dev,ray]'
	touch $@ $(VENV)/.ready-models

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
