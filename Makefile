# `make` or `make help` says what there is. Everything happens in this folder: in .venv, .venv-* and build.

PYTHON ?= python3
SECONDS ?= 60
FACTOR ?= 20
BUF ?= npx --yes --package=@bufbuild/buf@1.75.0 buf
VENV := .venv
BIN := $(VENV)/bin
GENERATED := generated/python
PROTOS := $(sort $(wildcard proto/openresponses/v1/*.proto))
SERVICES := $(filter %_service.proto,$(PROTOS))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint types generate-python check-generated check-wheel differential faults soak fuzz \
	bench clean

help: ## Say what there is
	@echo "Python 3.11 or newer, make and a package index are enough for install, demo and test."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Make .venv with the package: .venv/bin/openresponses works after it

demo: install ## Start a server, publish the sample, subscribe to it and show what arrives
	@$(BIN)/python examples/demo.py

test: $(VENV)/installed-test ## Run the tests
	$(BIN)/python -m pytest

lint: $(VENV)/installed-lint ## Check the style of the Python code and of the contract (the latter needs Node)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BUF) lint
	$(BUF) format --diff --exit-code

types: $(VENV)/installed-lint ## Check the types
	$(BIN)/mypy

generate-python: .venv-generate/installed ## Make the Python stubs anew from the contract
	rm -rf $(GENERATED)/openresponses
	PATH="$(CURDIR)/.venv-generate/bin:$$PATH" .venv-generate/bin/python -m grpc_tools.protoc --proto_path=proto \
		--python_out=$(GENERATED) --mypy_out=quiet:$(GENERATED) $(PROTOS)
	PATH="$(CURDIR)/.venv-generate/bin:$$PATH" .venv-generate/bin/python -m grpc_tools.protoc --proto_path=proto \
		--grpc_python_out=$(GENERATED) --mypy_grpc_out=quiet:$(GENERATED) $(SERVICES)
	touch $(GENERATED)/openresponses/py.typed

check-generated: generate-python ## Fail if the stubs are not what the contract generates
	@git add --intent-to-add generated
	git diff --exit-code -- generated

check-wheel: $(VENV)/installed-test ## Test the built wheel beside the oldest and the newest dependencies
	./scripts/check-wheel $(BIN)/python

differential: $(VENV)/installed-test ## Hold the bridge against the SDKs on generated inputs (needs Node)
	$(BIN)/python -m pytest -m differential tests/differential

faults: $(VENV)/installed-test ## Kill, cut off and overload servers for minutes, and count what is lost (needs Linux)
	OPENRESPONSES_FAULTS=1 $(BIN)/python -m pytest -m faults --timeout 300 tests/faults

soak: $(VENV)/installed-test ## The same FACTOR times as long (20 unless said: make soak FACTOR=100)
	OPENRESPONSES_FAULTS=$(FACTOR) $(BIN)/python -m pytest -m faults --timeout $$((300 * $(FACTOR))) tests/faults

fuzz: .venv-fuzz/installed ## Fuzz each reader for SECONDS (60 unless said: make fuzz SECONDS=600)
	./tests/fuzz/run .venv-fuzz/bin/python $(SECONDS)

bench: $(VENV)/installed-bench ## Measure the bridge and the stream against others, and print the tables
	$(BIN)/python -m benchmarks.bridge
	$(BIN)/python -m benchmarks.stream

clean: ## Remove everything that make has made
	rm -rf .venv .venv-generate .venv-fuzz build dist

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-%: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.venv-fuzz/installed: pyproject.toml requirements/fuzz.txt
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --only-binary atheris \
		--editable . --requirement requirements/fuzz.txt
	@touch $@

.venv-generate/installed: requirements/generate.txt
	$(PYTHON) -m venv .venv-generate
	.venv-generate/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
