# `make demo` and `make test` need nothing but Python 3.10-3.13, make and a package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Files of tests in two processes. Most tests keep one core busy.
PARALLEL := -n 2 --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test test-core test-training check format bench clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

demo: $(VENV)/.core ## Make meshes from the example photos with the engine that every machine can run
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev build/gltf-validator/.done ## Everything: lint, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PARALLEL) --cov

test-core: $(VENV)/.test ## The tests that need no torch and no browser
	$(BIN)/python -m pytest $(PARALLEL) --core

test-training: $(VENV)/.training ## The project that made the networks of lite: lint, types, tests
	cd training && ../$(BIN)/ruff check . && ../$(BIN)/ruff format --check .
	$(BIN)/mypy --config-file training/pyproject.toml
	cd training && ../$(BIN)/python -m pytest $(PARALLEL)

check: $(VENV)/.dev ## Lint and types only
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(VENV)/.dev ## Repair what the linter can repair
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(VENV)/.core ## Speed and memory of the lite engine; docs/benchmarks.md names the others
	$(BIN)/python benchmarks/lite_speed.py

$(VENV)/.core: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.core
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/.core
	$(PIP) install --quiet -c constraints.txt -e '.[dev,hunyuan,ui]'
	touch $@

$(VENV)/.training: training/pyproject.toml $(VENV)/.dev
	$(PIP) install --quiet -c constraints.txt -e '.[dev,hunyuan]' -e 'training[test]'
	touch $@

# Khronos' validator is an npm package; without npm the tests that need it say so and are skipped.
build/gltf-validator/.done:
	mkdir -p build/gltf-validator
	if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --prefix build/gltf-validator gltf-validator@2.0.0-dev.3.10; fi
	touch $@

clean: ## Remove everything that make has installed
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache
