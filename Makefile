# One command per chore. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON := .venv/bin/python3
# Bytecode of the tools and tests is not worth a dirty checkout.
export PYTHONDONTWRITEBYTECODE := 1

APP ?= fixtures/pip_django
API ?=

.PHONY: help venv image test lint types format unit phases thorough images docs-test package builder fixtures bench compat data docs clean

help: ## List the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

venv: ## Make or renew .venv, the checkout's own interpreter and packages
	@python3 tools/stage0.py
	@$(PYTHON) -m tools.package.execd

image: venv fixtures ## Build APP into an image (an OCI image directory where no container engine answers)
	@$(PYTHON) -m tools.image "$(APP)"

test: lint types unit docs-test phases thorough images ## Everything CI runs

lint: venv ## Check style and format
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check

types: venv ## Check types
	@$(PYTHON) -m mypy

format: venv ## Rewrite the code in the one format
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

unit: venv ## Test the parts: no process, no network
	@$(PYTHON) -m coverage erase
	@$(PYTHON) -m coverage run -m pytest -n 2 --dist worksteal tests/test_architecture.py tests/unit
	@$(PYTHON) -m coverage combine --quiet
	@$(PYTHON) -m coverage report

phases: venv fixtures ## Test the package, and detect and build under the real lifecycle, without Docker
	@$(PYTHON) -m pytest -n 2 --dist loadfile -m "not thorough" tests/package tests/phases

thorough: venv fixtures ## The longer tests of that kind: every manager, real packages, odd machines, broken-off builds
	@$(PYTHON) -m pytest -n 2 --dist loadfile -m thorough tests/phases

images: venv fixtures ## Test with pack on a real Docker engine
	@$(PYTHON) -m pytest tests/images

docs-test: venv ## Build the documentation, and open every page in a browser
	@$(PYTHON) -m pytest tests/docs

package: venv ## Assemble the buildpack for every target into dist/ (API=0.10: older lifecycles; OFFLINE=1: Pythons, Poetry, Pipenv, PDM inside)
	@$(PYTHON) -m tools.package.assemble $(if $(API),--api $(API)) $(if $(OFFLINE),--offline $(filter-out 1,$(OFFLINE)))

builder: venv ## Create the builder image cnb-python/builder
	@$(PYTHON) -m tools.package.builder

fixtures: venv ## Make the fixtures' lock files from their pinned inputs
	@$(PYTHON) -m tools.fixtures

bench: venv fixtures ## Measure; writes build/bench.json (python3 -m tools.bench.chart then draws docs/speed.svg)
	@$(PYTHON) -m tools.bench

compat: venv ## Compare linked with merged environments; writes docs/compatibility.md
	@$(PYTHON) -m tools.compat

data: venv ## Rewrite the tables of Python releases, and what Poetry, Pipenv and PDM need
	@$(PYTHON) -m tools.pythons.update_table
	@$(PYTHON) -m tools.package.update_tools

docs: venv ## Rewrite the pages of docs/ that are generated, and build the site into build/docs
	@PYTHONPATH=src $(PYTHON) -m tools.docs.reference
	@$(PYTHON) -m tools.docs.site

clean: ## Remove what was made in the checkout (not the cache of real tools)
	@rm -rf build dist .venv .venv.new .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
