# redub: everything from a bare checkout, with Python 3.11 to 3.13, pip and npm; no root.
#   make demo                 dub a sample that redub makes itself into French
#   make demo SOURCE=my.mp4   dub yours
#   make stack                a standing redub: server, database, S3 store, workers, receiver
#   make test                 lint, types, layers, tests
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first Python on the path that redub supports; name another with PYTHON=...
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
TO ?= fr

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "redub needs Python 3.11, 3.12 or 3.13 on the path (or PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# torch first and with its own needs, which differ between CPU and CUDA builds; the rest is locked as it stands.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock torch setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(VENV)/.installed ## Make .venv from the lock

weights: install ## Bring the weights for dubbing English into French
	$(BIN)/redub weights pull --for fr

demo: weights ## Dub SOURCE (default: a sample made here) into TO (default: fr), into OUT
	@if [ -n "$(SOURCE)" ]; then source="$(SOURCE)"; else \
		source="$(OUT)/sample/lecture.mp4"; \
		test -f "$$source" || $(BIN)/python -m benchmarks.sample "$$source"; fi; \
	$(BIN)/redub dub "$$source" --to "$(TO)" --out "$(OUT)"
	$(BIN)/redub show

lint: install ## Style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint weights ## All checks that CI runs: lint, types, layers and every test but the slow ones
	@# Two processes of one thread each, a file to a process: networks this small gain nothing from a second thread.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: weights ## The suites that take minutes: kill and resume, real dubs, synthesis heard back
	$(BIN)/python -m pytest -m slow

test-nemo: install ## The Parakeet adapter, in an environment of its own with NeMo
	$(PYTHON) -m venv build/nemo-venv
	build/nemo-venv/bin/python -m pip install --quiet --constraint requirements.lock torch setuptools
	build/nemo-venv/bin/python -m pip install --quiet --no-deps --requirement requirements.lock --requirement requirements-nemo.lock
	build/nemo-venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	build/nemo-venv/bin/python -m pytest -m "slow or not slow" tests/models/asr -k parakeet

test-ray: weights ## Dubs whose tasks Ray runs, in an environment of its own with Ray
	$(PYTHON) -m venv build/ray-venv
	build/ray-venv/bin/python -m pip install --quiet --constraint requirements.lock torch setuptools
	build/ray-venv/bin/python -m pip install --quiet --no-deps --requirement requirements.lock --requirement requirements-ray.lock
	build/ray-venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	build/ray-venv/bin/python -m pytest -m "slow or not slow" -k ray tests/flows/test_task_runners.py tests/e2e/test_dub_task_runners.py

stack: weights ## Database, S3 store, Prefect server, workers and receiver on this machine, until Ctrl-C
	$(BIN)/python -m flows.cli.stack up

stack-down: install ## End the stack that another terminal brought up; what it kept stays
	$(BIN)/python -m flows.cli.stack down

bench: weights ## Time and memory of a dub, stage by stage: prints the table that docs/benchmarks.md holds
	$(BIN)/python -m benchmarks.dub_speed

clean: ## Remove what make made
	rm -rf $(VENV) $(OUT) build

.PHONY: help install weights demo lint test test-slow test-nemo test-ray stack stack-down bench clean
