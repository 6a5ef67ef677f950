# `make` or `make help` says what there is. Everything happens in this folder: in .venv, .venv-* and build.

PYTHON ?= python3
SECONDS ?= 60
FACTOR ?= 20
AGAINST ?= main
BUF ?= npx --yes --package=@bufbuild/buf@1.75.0 buf
VENV := .venv
BIN := $(VENV)/bin
include requirements/generators.mk
# The languages whose stubs are in git, and what on the PATH it takes to make them. Java's build makes its own.
LANGUAGES := python typescript go rust
NEEDS_python := $(PYTHON)
NEEDS_typescript := $(PYTHON) npm
NEEDS_go := $(PYTHON) go
NEEDS_rust := $(PYTHON) cargo
PROTOS := $(sort $(wildcard proto/openresponses_grpc/v1/*.proto))
SERVICES := $(filter %_service.proto,$(PROTOS))
PROTOC := .venv-generate/bin/python -m grpc_tools.protoc --proto_path=proto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint breaking types generate $(LANGUAGES:%=generate-%) descriptors check-generated \
	docs cli-reference check-wheel interop differential faults soak fuzz bench capacity lock clean

help: ## Say what there is
	@echo "Python 3.11 or newer, make and a package index are enough for install, demo and test."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Make .venv with the package: .venv/bin/openresponses works after it

demo: install ## Start a server, publish the sample, subscribe to it and show what arrives
	@$(BIN)/python examples/demo.py

test: $(VENV)/installed-test ## Run the tests, in two processes
	$(BIN)/python -m pytest --numprocesses 2

lint: $(VENV)/installed-lint ## Check the style of the Python code and of the contract (the latter needs Node)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BUF) lint
	$(BUF) format --diff --exit-code

breaking: ## Fail if the contract breaks main's (or AGAINST a commit) or a release's (needs Node)
	git archive $(AGAINST) buf.yaml proto | $(BUF) breaking --against '-#format=tar'
	$(BUF) breaking --against tests/released/contract.binpb

types: $(VENV)/installed-lint ## Check the types
	$(BIN)/mypy

docs: $(VENV)/installed-docs build/descriptors.binpb ## Build build/site: the documents, and the references of Python and the contract
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

cli-reference: $(VENV)/installed ## Write docs/cli.md anew from the command
	$(BIN)/python scripts/cli_reference.py > docs/cli.md

generate: $(LANGUAGES:%=generate-%) ## Make the stubs of all languages anew from the contract

generate-python: .venv-generate/installed ## Make the Python stubs
	rm -rf generated/python/openresponses_grpc
	PATH="$(CURDIR)/.venv-generate/bin:$$PATH" $(PROTOC) \
		--python_out=generated/python --mypy_out=quiet:generated/python $(PROTOS)
	PATH="$(CURDIR)/.venv-generate/bin:$$PATH" $(PROTOC) \
		--grpc_python_out=generated/python --mypy_grpc_out=quiet:generated/python $(SERVICES)
	touch generated/python/openresponses_grpc/py.typed

generate-typescript: .venv-generate/installed build/generate-typescript/installed ## Make the TypeScript stubs
	rm -rf generated/typescript/openresponses_grpc
	$(PROTOC) --plugin=build/generate-typescript/node_modules/.bin/protoc-gen-es \
		--es_out=generated/typescript --es_opt=target=js+dts,import_extension=js $(PROTOS)

generate-go: .venv-generate/installed build/generate-go/installed ## Make the Go stubs
	rm -rf generated/go/openresponses_grpc
	PATH="$(CURDIR)/build/generate-go:$$PATH" $(PROTOC) --go_out=generated/go --go_opt=module=openresponses-grpc \
		--go-grpc_out=generated/go --go-grpc_opt=module=openresponses-grpc $(PROTOS)

# Boxed, so that an event takes 240 bytes of memory instead of 2,464.
generate-rust: .venv-generate/installed build/generate-rust/installed ## Make the Rust stubs
	rm -rf generated/rust/src/generated
	mkdir -p generated/rust/src/generated
	PATH="$(CURDIR)/build/generate-rust/bin:$$PATH" $(PROTOC) --prost_out=generated/rust/src/generated \
		--prost_opt=boxed=response,boxed=item --tonic_out=generated/rust/src/generated $(PROTOS)
	$(PROTOC) --include_imports --descriptor_set_out=generated/rust/src/generated/descriptors.binpb $(PROTOS)

descriptors: build/descriptors.binpb ## Write build/descriptors.binpb, the contract's descriptor set, for tools

build/descriptors.binpb: $(PROTOS) .venv-generate/installed
	mkdir -p $(@D)
	$(PROTOC) --include_imports --include_source_info --descriptor_set_out=$@ $(PROTOS)

# Without its tools a language is left out, but not in CI.
missing = $(strip $(foreach tool,$(NEEDS_$1),$(if $(shell command -v $(tool)),,$(tool))))
LEFT_OUT = $(if $(CI),,$(foreach language,$(LANGUAGES),$(if $(call missing,$(language)),$(language))))

check-generated: ## Fail if the stubs are not what the contract generates
	@$(foreach language,$(LEFT_OUT),echo "$(language) is left out: there is no $(call missing,$(language)) on the PATH";) true
	$(MAKE) $(patsubst %,generate-%,$(filter-out $(LEFT_OUT),$(LANGUAGES)))
	@git add --intent-to-add generated
	git diff --exit-code -- generated

check-wheel: $(VENV)/installed-test ## Test the built wheel beside the oldest and the newest dependencies (with PYTHONS)
	./scripts/check-wheel $(BIN)/python $(PYTHONS)

interop: $(VENV)/installed-interop ## Test the examples in other languages, tools, SDKs and a browser against the server (needs all of them)
	$(BIN)/python -m pytest -m interop tests/interop

differential: $(VENV)/installed-test ## Hold the bridge against the SDKs on generated inputs (needs Node)
	$(BIN)/python -m pytest -m differential tests/differential

faults: $(VENV)/installed-test ## Kill, cut off and overload servers for minutes, and count what is lost (needs Linux)
	OPENRESPONSES_FAULTS=1 $(BIN)/python -m pytest -m "faults and not alone" --timeout 300 \
		--numprocesses 3 --dist worksteal tests/faults
	OPENRESPONSES_FAULTS=1 $(BIN)/python -m pytest -m "faults and alone" --timeout 300 tests/faults

soak: $(VENV)/installed-test ## The same FACTOR times as long (20 unless said: make soak FACTOR=100)
	OPENRESPONSES_FAULTS=$(FACTOR) $(BIN)/python -m pytest -m faults --timeout $$((300 * $(FACTOR))) tests/faults

fuzz: .venv-fuzz/installed ## Fuzz each reader for SECONDS (60 unless said: make fuzz SECONDS=600)
	./tests/fuzz/run .venv-fuzz/bin/python $(SECONDS)

bench: $(VENV)/installed-bench ## Measure the bridge, the stream and the gateway against others; print tables, draw the chart
	$(BIN)/python -m benchmarks.bridge
	$(BIN)/python -m benchmarks.stream
	$(BIN)/python -m benchmarks.gateway

capacity: $(VENV)/installed-bench ## Measure what events and streams cost, and what many of them need (needs redis-server)
	$(BIN)/python -m benchmarks.capacity

lock: .venv-lock/installed ## Lock the versions that development installs anew, with hashes
	for group in test interop bench lint docs; do \
		.venv-lock/bin/uv pip compile --quiet --upgrade pyproject.toml --all-extras --group $$group --universal \
			--python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
			--output-file requirements/$$group.txt || exit 1; \
	done

clean: ## Remove everything that make has made
	rm -rf .venv .venv-generate .venv-fuzz .venv-lock build dist
	rm -rf examples/*/build examples/*/target examples/typescript/node_modules generated/java/target

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-%: $(VENV)/installed requirements/%.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/$*.txt
	@touch $@

.venv-lock/installed:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

.venv-fuzz/installed: pyproject.toml requirements/fuzz.txt
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --only-binary atheris \
		--editable . --requirement requirements/fuzz.txt
	@touch $@

.venv-generate/installed: requirements/generators.mk
	$(PYTHON) -m venv .venv-generate
	.venv-generate/bin/pip install --quiet --disable-pip-version-check $(GENERATORS_python)
	@touch $@

build/generate-typescript/installed: requirements/generators.mk
	npm install --prefix $(@D) --silent --ignore-scripts --no-audit --no-fund $(GENERATORS_typescript)
	@touch $@

build/generate-go/installed: requirements/generators.mk
	$(foreach generator,$(GENERATORS_go),GOBIN=$(CURDIR)/$(@D) go install $(generator) &&) touch $@

build/generate-rust/installed: requirements/generators.mk
	cargo install --quiet --locked --root $(@D) $(GENERATORS_rust)
	@touch $@
