# `make` lists the targets. Everything happens inside .venv, made on the first use.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types doctest docs docs-check notebooks bench rivals format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[plots,notebooks,tests]'
	@touch $@

demo: $(STAMP)  ## train LeNet on handwritten digits and write curves, mistakes and the gradient graph to out/
	$(BIN)/chalkgrad train --data digits --model lenet --out out

test: $(STAMP)  ## run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(STAMP)  ## ruff, as CI runs it
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP)  ## mypy on the packages
	$(BIN)/mypy

doctest: $(STAMP)  ## examples in docstrings and in README.md
	$(BIN)/python -m pytest -n $(WORKERS) --doctest-modules autograd nn optim
	$(BIN)/python -m pytest tests/test_readme.py

notebooks: $(STAMP)  ## generate the .ipynb files from their sources and execute them
	$(BIN)/jupytext --quiet --to notebook --update notebooks/*.py
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=300 notebooks/*.ipynb

docs: $(STAMP)  ## write docs/operators.md from the table of operators
	$(BIN)/python docs/operators.py

docs-check: $(STAMP)  ## fail when docs/operators.md is not what the table says
	$(BIN)/python docs/operators.py --check

bench: $(STAMP)  ## measure everything against PyTorch: prints it, writes docs/performance.md (needs torch in .venv)
	$(BIN)/python -m benchmarks

rivals:  ## install the other libraries that bench compares with, in an environment of their own
	$(PYTHON) -m venv .rivals
	.rivals/bin/python -m pip install --quiet jax mygrad autograd micrograd tinygrad

check: lint types test doctest docs-check notebooks  ## all of it: what CI runs

clean:  ## remove the environment and what was generated
	rm -rf $(VENV) .rivals out build *.egg-info .pytest_cache .mypy_cache .ruff_cache
