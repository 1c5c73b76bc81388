# `make demo` and `make test` set up .venv by themselves.
#
# PYTHON=python3.12   the interpreter to start from (3.11 or newer)
# VENV=/tmp/venv      an environment elsewhere
# PIP_FLAGS=...       more flags for pip install

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
BIN := $(VENV)/bin
READY := $(VENV)/.lora-wizard-ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-setup lint types docs pictures clean

help:
	@echo "make demo       train a LoRA on the model that comes along, and see what it learned"
	@echo "make test       lint, types and the tests"
	@echo "make test-slow  the long tests: 200 kills, 10,000 pictures, the base model's full score"
	@echo "make test-setup what is installed where; asks the package index"
	@echo "make docs       write docs/options.md and docs/from-kohya.md from the definitions"
	@echo "make pictures   draw the screens that the README shows"
	@echo "make clean      remove $(VENV) and caches of tools"

demo: $(READY)
	@$(BIN)/lora-wizard demo

test: $(READY) lint types
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test-setup: $(READY)
	@$(BIN)/python -m pytest -m setup

test-slow: $(READY)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(READY)
	@$(BIN)/basedpyright --pythonpath $(BIN)/python

docs: $(READY)
	@$(BIN)/python -m lora_wizard.core.config.options_doc
	@$(BIN)/python -m lora_wizard.core.config.kohya_doc

pictures: $(READY)
	@$(BIN)/python docs/screens.py

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# A torch that the interpreter (or an existing $(VENV)) already has is kept: it was built for this
# machine's GPU. Only where there is none does the pin in constraints.txt choose one.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "lora-wizard needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 2; }
	@if [ ! -x $(BIN)/python ]; then \
	  echo "Setting up $(VENV) (a minute or two, once)"; \
	  $(PYTHON) -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null \
	    && site=--system-site-packages || site=; \
	  $(PYTHON) -m venv $$site $(VENV) || exit 1; \
	  if [ -n "$$site" ]; then \
	    $(PYTHON) -c 'import importlib.metadata as m; print(m.distribution("torch").locate_file(""))' \
	      > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/outer.pth"; \
	  fi; \
	fi
	@if $(BIN)/python -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; \
	  then grep -v '^torch==' constraints.txt > $(VENV)/constraints.txt; \
	  else cp constraints.txt $(VENV)/constraints.txt; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c $(VENV)/constraints.txt $(PIP_FLAGS) -e '.[dev]'
	@touch $@
