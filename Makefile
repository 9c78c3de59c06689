# One command for each task. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON := .venv/bin/python3
# Keeps bytecode of the tools and tests out of the checkout.
export PYTHONDONTWRITEBYTECODE := 1

APP ?= fixtures/pip_django
IMAGE ?=
JSON ?=
CASE ?= cold
SECONDS ?= 600
API ?=
# Three workers keep two cores busy, since tests of builds often wait.
BUILDS := -n 3 --dist loadfile
# Where the host of Python's releases cannot be reached, .venv, tests and `make image` take Pythons from Go modules, and
# say so. What others may use (`make package`, `make builder`) does so only with GO_MODULES=1.
GO_MODULES ?=
GO_MODULES_FLAG := $(if $(GO_MODULES),--go-modules)
BASE ?=
BASES ?=
NAMES ?=
VERSION ?=
REGISTRY ?=
FROM ?=

.PHONY: help venv image explain materials verify verify-fixtures test lint types format unit phases long thorough frameworks lifecycles images scanners bases arm64 manifests collector real-packages matrix docs-test package release builder builder-index fixtures upgrade bench profile compat fuzz data docs clean

help: ## List the tasks
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

venv: ## Make or update .venv, the checkout's Python and packages
	@python3 tools/stage0.py --go-modules
	@$(PYTHON) -m tools.package.execd

image: venv fixtures ## Build APP into an image (an OCI image layout if no container engine is running)
	@$(PYTHON) -m tools.image "$(APP)"

explain: venv ## Print what a build of APP would choose, without building (IMAGE=...: and what it would reuse; JSON=1)
	@$(PYTHON) -m tools.explain $(if $(JSON),--json) $(if $(IMAGE),--image "$(IMAGE)") "$(APP)"

materials: venv ## Print what was downloaded for IMAGE, with digests, as JSON
	@PYTHONPATH=src $(PYTHON) -m tools.materials "$(IMAGE)"

verify: venv ## Build APP again, and compare it with IMAGE: equal, or the first difference and its likely cause
	@PYTHONPATH=src $(PYTHON) -m tools.verify "$(IMAGE)" --source "$(APP)"

verify-fixtures: venv fixtures ## Build each sample app here and on another machine, and compare (by hand: half an hour)
	@PYTHONPATH=src $(PYTHON) -m tools.verify --fixtures

test: lint types unit phases long ## Everything CI runs

lint: venv ## Check style and format
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check

types: venv ## Check types
	@$(PYTHON) -m mypy

format: venv ## Fix and format the code
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

unit: venv ## Run the unit tests: no process, no network
	@$(PYTHON) -m coverage erase
	@$(PYTHON) -m coverage run -m pytest -n 2 --dist worksteal -m "not thorough" tests/test_architecture.py tests/test_tree.py tests/unit
	@$(PYTHON) -m coverage combine --quiet
	@$(PYTHON) -m coverage report

phases: venv fixtures ## Test the package and builds with the real lifecycle, without Docker
	@$(PYTHON) -m pytest $(BUILDS) -m "not thorough and not frameworks and not matrix" tests/package tests/phases

thorough: venv fixtures ## Run the longer tests of that kind: every manager, real packages, other machines, interrupted builds
	@$(PYTHON) -m pytest $(BUILDS) -m "thorough and not matrix" tests/phases

matrix: venv fixtures ## Run further combinations of what `make long` covers once: lifecycles, managers, Pythons (by hand: 15 minutes)
	@$(PYTHON) -m pytest $(BUILDS) -m matrix tests/phases tests/lifecycles

long: venv fixtures ## Run all long tests, on all cores: thorough, lifecycles, images, docs-test and slow unit tests
	@$(PYTHON) -m pytest $(BUILDS) -m "thorough and not matrix" tests/phases tests/lifecycles tests/images tests/docs tests/package tests/unit

frameworks: venv fixtures ## Build and start the apps of large frameworks, one by one (by hand; half an hour; NAMES="ray or voila")
	@$(PYTHON) -m pytest -n 0 -m frameworks $(if $(NAMES),-k "$(NAMES)") tests/phases/test_large_frameworks.py

lifecycles: venv fixtures ## Test with the lifecycles of kpack, Tekton and others, phase by phase (builds them, a minute each)
	@$(PYTHON) -m pytest -n 2 --dist loadfile tests/lifecycles

images: venv fixtures ## Test with pack on a real Docker engine
	@$(PYTHON) -m pytest tests/images

scanners: venv fixtures ## Compare what syft and Trivy list with what is installed (by hand: 10 minutes, 15 the first time)
	@$(PYTHON) -m pytest tests/scanners

bases: venv ## Build and run sample apps on Debian 12 and 13, Ubuntu 22.04 to 26.04 and a run image without a shell, and compare (by hand; BASES="debian-13 ..."; first time 15 minutes)
	@$(PYTHON) -m tools.bases $(BASES)

arm64: venv ## Build and run sample apps for arm64 with an emulator, and compare them with amd64 (by hand; half an hour the first time)
	@$(PYTHON) -m tools.bases.arm64

manifests: venv ## Check the manifests for kpack and Tekton with the platforms' own types and an API server (by hand: some minutes the first time)
	@$(PYTHON) -m pytest -n 0 tests/manifests

collector: venv ## Read the spans of builds with an OpenTelemetry collector (by hand: builds it, some minutes the first time)
	@$(PYTHON) -m pytest -n 0 tests/collector

real-packages: venv fixtures ## Check that each server of development images reloads, and that each listed system package works in an image (by hand: half an hour)
	@$(PYTHON) -m pytest -n 0 tests/real_packages

docs-test: venv ## Build the documentation, and open every page in a browser
	@$(PYTHON) -m pytest tests/docs

package: venv ## Assemble the buildpack for every target into dist/ (API=0.12: for lifecycles from 0.21 on; OFFLINE=1: with Pythons, Poetry, Pipenv, PDM)
	@$(PYTHON) -m tools.package.assemble $(GO_MODULES_FLAG) $(if $(API),--api $(API)) $(if $(OFFLINE),--offline $(filter-out 1,$(OFFLINE)))

release: venv ## Make the files of release VERSION=0.2.0 in dist/release/: packages, checksums, SBOMs, payloads to sign (publishes nothing)
	@$(PYTHON) -m tools.release "$(VERSION)" $(GO_MODULES_FLAG)

builder: venv ## Create the builder image cnb-python/builder (BASE=ubuntu-24.04, ...: cnb-python/builder:ubuntu-24.04)
	@$(PYTHON) -m tools.package.builder $(GO_MODULES_FLAG) $(if $(BASE),--base $(BASE))

builder-index: venv ## Publish a builder for amd64 and arm64 as one image index to REGISTRY=registry.example/team (by hand; an emulator runs package scripts)
	@$(PYTHON) -m tools.package.builder_index "$(REGISTRY)" $(GO_MODULES_FLAG)

fixtures: venv ## Make the lock files of the sample apps
	@$(PYTHON) -m tools.fixtures

upgrade: venv fixtures ## Build sample apps with the package of commit FROM, then with this one, and show which layers move (by hand)
	@CNB_PYTHON_UPGRADE_FROM="$(FROM)" $(PYTHON) -m pytest -n 0 tests/phases/test_upgrade.py

bench: venv fixtures ## Measure; writes build/bench.json (python3 -m tools.bench.chart then draws docs/speed.svg)
	@$(PYTHON) -m tools.bench

profile: venv fixtures ## Print the steps of one build (CASE=cold, unchanged, view, source, dependency, ...); writes build/profile-CASE.json
	@$(PYTHON) -m tools.profile --case $(CASE)

compat: venv ## Compare linked with merged environments; writes docs/compatibility.md
	@$(PYTHON) -m tools.compat

fuzz: venv ## Mutate every file that the buildpack reads, for SECONDS with each reader (600)
	@PYTHONPATH=src $(PYTHON) -m tools.fuzz --seconds $(SECONDS)
	@$(PYTHON) -m tools.fuzz.go_tests --seconds $(SECONDS)

data: venv ## Update the table of Python releases and its changelog entry, the lock files of Poetry, Pipenv and PDM, and the digest of the base image
	@$(PYTHON) -m tools.lock --upgrade-package pbs-installer
	@python3 tools/stage0.py --go-modules
	@$(PYTHON) -m tools.pythons.update_table
	@$(PYTHON) -m tools.package.update_tools
	@$(PYTHON) -m tools.platforms.base_digest

docs: venv ## Write the generated pages of docs/, and build the site into build/docs
	@PYTHONPATH=src $(PYTHON) -m tools.docs.reference
	@$(PYTHON) -m tools.docs.site

clean: ## Remove everything that was made in the checkout (not the cache of built tools)
	@rm -rf build dist .venv .venv.new .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
