# `make help` lists the targets. They write only to this folder: to .venv, .venv-*, build and dist.

PYTHON ?= python3
SECONDS ?= 60
FACTOR ?= 20
AGAINST ?= main
BUF ?= npx --yes --package=@bufbuild/buf@1.75.0 buf
VENV := .venv
BIN := $(VENV)/bin
include requirements/generators.mk
# The languages whose stubs are in git, and the tools that generate them. The build of the Java package generates its own.
LANGUAGES := python typescript go rust
STUBS := generated
STUBS_python := python/openresponses_grpc
STUBS_typescript := typescript/openresponses_grpc
STUBS_go := go/openresponses_grpc
STUBS_rust := rust/src/generated
NEEDS_python := $(PYTHON)
NEEDS_typescript := $(PYTHON) npm
NEEDS_go := $(PYTHON) go
NEEDS_rust := $(PYTHON) cargo
PROTOS := $(sort $(wildcard proto/openresponses_grpc/v1/*.proto))
SERVICES := $(filter %_service.proto,$(PROTOS))
# Three processes keep two cores busy, because many tests wait.
PARALLEL := --numprocesses 3 --dist worksteal
UNIT_TESTS := tests/accumulation tests/codec tests/framing --ignore tests/codec/test_memory_peak.py \
	$(addprefix tests/client/test_,cursor.py outbox.py recovery.py) tests/gateway/test_search.py \
	$(addprefix tests/store/test_,memory.py segment.py shares.py times.py) \
	$(addprefix tests/test_,contract.py position.py released.py vectors.py)
PROTOC := .venv-generate/bin/python -m grpc_tools.protoc --proto_path=proto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test check unit coverage ruff lint breaking types docs cli-reference generate \
	$(LANGUAGES:%=generate-%) descriptors check-generated dist check-wheel interop differential \
	faults faults-counts faults-measurements soak fuzz bench capacity lock clean

help: ## List the targets
	@echo "install, demo and test require Python 3.11 or newer, make and a package index."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Create .venv with the package and the command .venv/bin/openresponses

demo: install ## Start a server, publish the sample, and print it as a subscriber receives it
	@$(BIN)/python examples/demo.py

test: $(VENV)/installed-test ## Run the tests
	$(BIN)/python -m pytest $(PARALLEL)

check: $(VENV)/installed-test $(VENV)/installed-lint ## Run the targets ruff, types and unit in parallel; takes less than a minute
	@$(MAKE) --no-print-directory --jobs 3 ruff types unit

unit: $(VENV)/installed-test ## Run the tests of the codec, framing, accumulation and other code without I/O, with few examples
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal --hypothesis-profile few $(UNIT_TESTS)

coverage: $(VENV)/installed-test ## Run the tests and print the branch coverage; fails below the minimum in pyproject.toml
	mkdir -p build/coverage
	$(BIN)/python -m pytest $(PARALLEL) --cov

ruff: $(VENV)/installed-lint ## Lint the Python code
	$(BIN)/ruff check
	$(BIN)/ruff format --check

lint: ruff ## Lint the Python code and the contract (requires Node)
	$(BUF) lint
	$(BUF) format --diff --exit-code

breaking: ## Check the contract for breaking changes against main (AGAINST=COMMIT) and the last release (requires Node)
	git archive $(AGAINST) buf.yaml proto | $(BUF) breaking --against '-#format=tar'
	$(BUF) breaking --against tests/released/contract.binpb

types: $(VENV)/installed-lint ## Check the types
	$(BIN)/mypy

docs: $(VENV)/installed-docs build/descriptors.binpb ## Build the documentation site and the API references into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

cli-reference: $(VENV)/installed ## Update docs/cli.md from the command
	$(BIN)/python scripts/cli_reference.py > docs/cli.md

generate: $(LANGUAGES:%=generate-%) ## Generate the stubs for all languages from the contract

generate-python: .venv-generate/installed ## Generate the Python stubs
	rm -rf $(STUBS)/$(STUBS_python)
	mkdir -p $(STUBS)/python
	PATH="$(CURDIR)/.venv-generate/bin:$$PATH" $(PROTOC) \
		--python_out=$(STUBS)/python --mypy_out=quiet:$(STUBS)/python $(PROTOS)
	PATH="$(CURDIR)/.venv-generate/bin:$$PATH" $(PROTOC) \
		--grpc_python_out=$(STUBS)/python --mypy_grpc_out=quiet:$(STUBS)/python $(SERVICES)
	touch $(STUBS)/$(STUBS_python)/py.typed

generate-typescript: .venv-generate/installed build/generate-typescript/installed ## Generate the TypeScript stubs
	rm -rf $(STUBS)/$(STUBS_typescript)
	mkdir -p $(STUBS)/typescript
	$(PROTOC) --plugin=build/generate-typescript/node_modules/.bin/protoc-gen-es \
		--es_out=$(STUBS)/typescript --es_opt=target=js+dts,import_extension=js $(PROTOS)

generate-go: .venv-generate/installed build/generate-go/installed ## Generate the Go stubs
	rm -rf $(STUBS)/$(STUBS_go)
	mkdir -p $(STUBS)/go
	PATH="$(CURDIR)/build/generate-go:$$PATH" $(PROTOC) --go_out=$(STUBS)/go --go_opt=module=openresponses-grpc \
		--go-grpc_out=$(STUBS)/go --go-grpc_opt=module=openresponses-grpc $(PROTOS)

# With boxed fields, an event takes 240 bytes of memory instead of 2,464.
generate-rust: .venv-generate/installed build/generate-rust/installed ## Generate the Rust stubs
	rm -rf $(STUBS)/$(STUBS_rust)
	mkdir -p $(STUBS)/$(STUBS_rust)
	PATH="$(CURDIR)/build/generate-rust/bin:$$PATH" $(PROTOC) --prost_out=$(STUBS)/$(STUBS_rust) \
		--prost_opt=boxed=response,boxed=item --tonic_out=$(STUBS)/$(STUBS_rust) $(PROTOS)
	$(PROTOC) --include_imports --descriptor_set_out=$(STUBS)/$(STUBS_rust)/descriptors.binpb $(PROTOS)

descriptors: build/descriptors.binpb ## Write the contract's descriptor set to build/descriptors.binpb

build/descriptors.binpb: $(PROTOS) .venv-generate/installed
	mkdir -p $(@D)
	$(PROTOC) --include_imports --include_source_info --descriptor_set_out=$@ $(PROTOS)

# Skips languages whose tools are missing, except in CI.
missing = $(strip $(foreach tool,$(NEEDS_$1),$(if $(shell command -v $(tool)),,$(tool))))
SKIPPED = $(if $(CI),,$(foreach language,$(LANGUAGES),$(if $(call missing,$(language)),$(language))))
CHECKED = $(filter-out $(SKIPPED),$(LANGUAGES))

check-generated: ## Check that the stubs match the contract; if they do not, run make generate
	@$(foreach language,$(SKIPPED),echo "skipping $(language): $(call missing,$(language)) is not on the PATH";) true
	$(MAKE) STUBS=build/stubs $(CHECKED:%=generate-%)
	$(foreach language,$(CHECKED),diff --recursive --exclude __pycache__ \
		generated/$(STUBS_$(language)) build/stubs/$(STUBS_$(language)) &&) true

dist: .venv-lock/installed ## Build the source distribution and the wheel into dist/, and check their contents
	./scripts/build-dist .venv-lock/bin

check-wheel: $(VENV)/installed .venv-lock/installed ## Test the wheel with the oldest and the newest supported dependencies (PYTHONS=...)
	./scripts/check-wheel .venv-lock/bin/uv $(BIN)/python $(PYTHONS)

interop: $(VENV)/installed-interop ## Test the examples in other languages, gRPC tools, SDKs and a browser (requires all of them)
	$(BIN)/python -m pytest -m interop tests/interop

differential: $(VENV)/installed-test ## Compare the codec with the SDKs on generated inputs (requires Node)
	$(BIN)/python -m pytest -m differential tests/differential

faults: ## Kill, disconnect and overload servers for minutes, and count lost events (requires Linux)
	$(MAKE) faults-counts
	$(MAKE) faults-measurements

faults-counts: $(VENV)/installed-test ## Run the part of the fault tests that counts events, four tests at a time
	OPENRESPONSES_FAULTS=1 $(BIN)/python -m pytest -m "faults and not alone" --timeout 300 \
		--numprocesses 4 --dist worksteal tests/faults

faults-measurements: $(VENV)/installed-test ## Run the part that measures the service of others; run nothing else meanwhile
	OPENRESPONSES_FAULTS=1 $(BIN)/python -m pytest -m "faults and alone" --timeout 300 tests/faults

soak: $(VENV)/installed-test ## Run the fault tests FACTOR times as long (default 20: make soak FACTOR=100)
	OPENRESPONSES_FAULTS=$(FACTOR) $(BIN)/python -m pytest -m faults --timeout $$((300 * $(FACTOR))) tests/faults

fuzz: .venv-fuzz/installed ## Fuzz each reader for SECONDS (default 60: make fuzz SECONDS=600)
	./tests/fuzz/run .venv-fuzz/bin/python $(SECONDS)

bench: $(VENV)/installed-bench ## Benchmark the codec, the stream and the gateway; print tables and draw the chart
	$(BIN)/python -m benchmarks.bridge
	$(BIN)/python -m benchmarks.stream
	$(BIN)/python -m benchmarks.gateway

capacity: $(VENV)/installed-bench ## Measure the cost of events and streams, and extrapolate it (requires redis-server)
	$(BIN)/python -m benchmarks.capacity

lock: .venv-lock/installed ## Update the locked versions of the development dependencies, with hashes
	for group in test interop bench lint docs; do \
		.venv-lock/bin/uv pip compile --quiet --upgrade pyproject.toml --all-extras --group $$group --universal \
			--python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
			--output-file requirements/$$group.txt || exit 1; \
	done

clean: ## Remove everything that make created
	rm -rf .venv .venv-generate .venv-fuzz .venv-lock build dist
	rm -rf examples/*/build examples/*/target examples/typescript/node_modules generated/java/target

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is required; select it with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)  # also after an interruption
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-%: $(VENV)/installed requirements/%.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/$*.txt
	@touch $@

.venv-lock/installed:
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

.venv-fuzz/installed: pyproject.toml requirements/fuzz.txt
	$(PYTHON) -m venv --clear .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --only-binary atheris \
		--editable . --requirement requirements/fuzz.txt
	@touch $@

.venv-generate/installed: requirements/generators.mk
	$(PYTHON) -m venv --clear .venv-generate
	.venv-generate/bin/pip install --quiet --disable-pip-version-check $(GENERATORS_python)
	@touch $@

build/generate-typescript/installed: requirements/generators.mk
	npm install --prefix $(@D) --silent --ignore-scripts --no-audit --no-fund $(GENERATORS_typescript)
	@touch $@

build/generate-go/installed: requirements/generators.mk
	$(foreach generator,$(GENERATORS_go),GOBIN=$(CURDIR)/$(@D) go install $(generator) &&) touch $@

build/generate-rust/installed: requirements/generators.mk
	cargo install --quiet --debug --locked --root $(@D) $(GENERATORS_rust)
	@touch $@
