# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
# Every target makes the environment it needs, once; see `make help`.

VENV ?= .venv
VENV_OPENMMLAB ?= .venv-openmmlab
PYTHON ?=
PYTEST_WORKERS ?= auto
PYTEST_ARGS ?=
DEMO_ARGS ?=
TABLES_ARGS ?=
BENCH_ARGS ?=
PHOTOS ?=

# As many tests at a time as there are cores, at most 4 (each takes 1 to 2 GB).
PYTEST_PARALLEL = -n $(PYTEST_WORKERS) --maxprocesses 4 --dist worksteal

# The package is found here, whatever is installed: an environment elsewhere
# (VENV=) may serve several checkouts. `.venv` has a link to this one besides.
export PYTHONPATH := $(CURDIR)
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup setup-openmmlab lock demo demo-photos tables bench docs test coverage test-slow test-openmmlab lint format check clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /|/' \
	    | awk -F'|' '{ printf "make %-16s %s\n", $$1, $$2 }'
	@echo 'VENV=DIR keeps the environment elsewhere; PYTHON= names the interpreter that makes it;'
	@echo 'PYTEST_ARGS=, DEMO_ARGS=, TABLES_ARGS= and BENCH_ARGS= are passed on;'
	@echo 'PYTEST_WORKERS=N runs N tests at a time (0: in one process).'

setup:  ## make the environment (.venv)
	@tools/make_env.sh '$(VENV)' default

setup-openmmlab:  ## make the one with the original OpenMMLab packages
	@tools/make_env.sh '$(VENV_OPENMMLAB)' openmmlab

lock:  ## renew the exact versions that `make setup` installs
	rm -rf build/lock
	rm -f requirements/lock-*.txt
	@tools/make_env.sh build/lock default
	@tools/make_env.sh --lock build/lock

demo: setup  ## from image-level labels to a segmentation network, on PartWorld
	'$(VENV)/bin/python' tools/run_pipeline.py $(DEMO_ARGS)

demo-photos: setup  ## the method on photos: PHOTOS=folder or VOC2012, else on free ones
	PYTHON='$(VENV)/bin/python' tools/demo_photos.sh '$(PHOTOS)'

tables: setup  ## the tables of the paper on PartWorld, one seed
	'$(VENV)/bin/python' tools/reproduce_tables.py $(TABLES_ARGS)

bench: setup  ## cost against what a user would run instead; on an idle machine
	'$(VENV)/bin/python' tools/benchmarks/run.py $(BENCH_ARGS)

docs: setup  ## build the site of the documentation in build/site
	NO_MKDOCS_2_WARNING=1 '$(VENV)/bin/python' -m mkdocs build --quiet --strict

test: setup  ## run the tests
	'$(VENV)/bin/python' -m pytest $(PYTEST_PARALLEL) $(PYTEST_ARGS)

coverage: setup  ## run the quick tests; the method's lines that they run
	'$(VENV)/bin/python' -m pytest $(PYTEST_PARALLEL) -m 'not slow' --cov --cov-report=term $(PYTEST_ARGS)

test-slow: setup  ## run the tests that take more than a few seconds
	'$(VENV)/bin/python' -m pytest $(PYTEST_PARALLEL) -m slow $(PYTEST_ARGS)

test-openmmlab: setup-openmmlab  ## run the tests with the original packages
	'$(VENV_OPENMMLAB)/bin/python' -m pytest $(PYTEST_PARALLEL) $(PYTEST_ARGS)

lint: setup  ## check style, types, spelling, docstrings and the site
	'$(VENV)/bin/python' -m ruff check .
	'$(VENV)/bin/python' -m ruff format --check .
	'$(VENV)/bin/lint-imports' --no-cache
	'$(VENV)/bin/python' -m mypy mmfmwsss tools tests docs/hooks
	'$(VENV)/bin/python' -m vulture
	'$(VENV)/bin/python' -m codespell_lib
	'$(VENV)/bin/python' -m interrogate mmfmwsss tools
	$(MAKE) --no-print-directory docs

format: setup  ## mend what can be mended by a program
	'$(VENV)/bin/python' -m ruff check --fix .
	'$(VENV)/bin/python' -m ruff format .

check: lint coverage test-slow  ## what CI runs first: lint and all tests

clean:  ## remove caches; environments, data and results stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache build dist *.egg-info
	find mmfmwsss tools tests configs -name __pycache__ -prune -exec rm -rf {} +
