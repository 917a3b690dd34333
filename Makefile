# `make demo` and `make test` need nothing but Python 3.10-3.13, make and a package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two processes, each with one test after another. Most tests keep one core busy.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile -c constraints.txt
# What pip does not do, on all cores. Some packages hold files that are no Python of this version.
COMPILE := $(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true

.PHONY: help demo test test-core test-training check check-training pytest pytest-training format bench clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

demo: $(VENV)/.core ## Make meshes from the example photos with the engine that every machine can run
	$(BIN)/python examples/demo.py

test: check pytest ## Everything: lint, types, tests

pytest: $(VENV)/.dev build/gltf-validator/.done ## The tests, with coverage
	$(BIN)/python -m pytest $(PARALLEL) --cov

test-core: $(VENV)/.test ## The tests that need no torch and no browser
	$(BIN)/python -m pytest $(PARALLEL) --core

test-training: check-training pytest-training ## The project that made the networks of lite: lint, types, tests

pytest-training: $(VENV)/.training
	cd training && ../$(BIN)/python -m pytest $(PARALLEL)

check: $(VENV)/.dev ## Lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check-training: $(VENV)/.training
	cd training && ../$(BIN)/ruff check . && ../$(BIN)/ruff format --check .
	$(BIN)/mypy --config-file training/pyproject.toml

format: $(VENV)/.dev ## Repair what the linter can repair
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(VENV)/.core ## Speed and memory of the lite engine; docs/benchmarks.md names the others
	$(BIN)/python benchmarks/lite_speed.py

# Stamps: what is installed. One call of pip for each, which finds versions that suit all of it. A larger set brings the
# smaller ones with it.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e .
	$(COMPILE)
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[test]'
	$(COMPILE)
	touch $(VENV)/.core $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[dev,hunyuan,ui]'
	$(COMPILE)
	touch $(VENV)/.core $(VENV)/.test $@

$(VENV)/.training: training/pyproject.toml pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[dev,hunyuan,ui]' -e 'training[test]'
	$(COMPILE)
	touch $(VENV)/.core $(VENV)/.test $(VENV)/.dev $@

# Khronos' validator is an npm package; without npm the tests that need it say so and are skipped.
build/gltf-validator/.done:
	mkdir -p build/gltf-validator
	if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --prefix build/gltf-validator gltf-validator@2.0.0-dev.3.10; fi
	touch $@

clean: ## Remove everything that make has installed
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache
