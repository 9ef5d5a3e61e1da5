# Everything from nothing but Python 3.11 or later: `make test` and `make demo` set themselves up, the first time.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help test demo setup lint unit interop bench oldest peers wheel clean

# PYTHON=/some/python make …   takes that one; else the first of these that is new enough.
PYTHON ?=
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11
# How many processes run tests, and what else to tell pytest: make test PYTEST_ARGS='-k echo'.
JOBS ?= 2
PYTEST_ARGS ?=
# A test that takes longer than pyproject.toml allows ends with its process; the others go on in another one. From pytest 9.0 on.
END_WHAT_HANGS := -o faulthandler_exit_on_timeout=true
BENCH ?=

VENV := .venv
RUN := $(VENV)/bin/python -m
READY := $(VENV)/.ready
PEERS := build/peers
OLDEST := build/oldest
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# $(call environment,FOLDER): a new virtual environment there, with a pip that knows editable installs and dependency groups.
define environment
python=
for candidate in $(PYTHONS); do
    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi
done
if [ -z "$$python" ]; then
    echo "make: no Python 3.11 or later among: $(PYTHONS). Install one (apt-get install python3), or name it: PYTHON=/path/to/python make $(MAKECMDGOALS)" >&2
    exit 1
fi
if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "make: this Python has no venv module, installing the package python3-venv"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv ca-certificates >/dev/null
    else
        echo "make: this Python has no venv module. Install it, then try again:  sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
"$$python" -m venv --clear $(1)
$(1)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
endef

help:  ## this list
	grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

test: lint  ## lint, then all tests, those with real peers too (they skip where a peer is not installed)
	$(RUN) pytest -n $(JOBS) --dist loadfile $(END_WHAT_HANGS) $(PYTEST_ARGS)

demo: $(READY)  ## see all of it at work in half a minute
	$(VENV)/bin/dicomsim demo

setup: $(READY)  ## only set up .venv, with dicomsim installed in it from here

$(READY): pyproject.toml
	echo "setting up $(VENV) (once, about a minute)"
	if ! $(VENV)/bin/python -c 'import pip' 2>/dev/null; then
	$(call environment,$(VENV))
	fi
	$(VENV)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	touch $@

lint: $(READY)  ## ruff, mypy strict and the layers of the package
	echo "ruff";          $(RUN) ruff check --quiet
	echo "mypy";          $(RUN) mypy --no-error-summary
	echo "lint-imports";  report=$$($(VENV)/bin/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }

unit: $(READY)  ## the tests that need nothing but this checkout
	$(RUN) pytest -n $(JOBS) --dist loadfile -m 'not interop' --durations=10 --durations-min=0.25 $(PYTEST_ARGS)

interop: $(READY)  ## the tests against real peers
	$(RUN) pytest -n $(JOBS) --dist loadfile tests/interop $(PYTEST_ARGS)

bench: $(READY) peers  ## the benchmarks, beside pynetdicom and DCMTK; one: make bench BENCH=wire
	command -v dcmsend >/dev/null || bash .ci/install dcmtk || true  # what cannot be measured without it says so
	$(RUN) tests.benchmarks $(BENCH)

peers:  ## pynetdicom, a peer to test against, in an environment of its own (the others are Debian's: see .ci/run)
	if ! "$${DICOMSIM_PEER_PYTHON:-$(PEERS)/bin/python}" -c 'import pynetdicom, sqlalchemy' 2>/dev/null; then
	echo "setting up $(PEERS)"
	$(call environment,$(PEERS))
	$(PEERS)/bin/python -m pip install --quiet --group peers
	fi

oldest:  ## the unit tests with the oldest releases that pyproject.toml allows
	$(call environment,$(OLDEST))
	$(OLDEST)/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' | sed 's/>=/==/' > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --editable '.[dev]' --constraint $(OLDEST)/constraints.txt
	# the published schema is worded as today's pydantic does it
	$(OLDEST)/bin/python -m pytest -n $(JOBS) --dist loadfile -m 'not interop' --deselect tests/scenario/test_schema.py::test_the_published_schema_is_current $(PYTEST_ARGS)

wheel: $(READY)  ## build the wheel into dist
	$(RUN) pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## forget .venv, build and all caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find dicomsim tests -name __pycache__ -prune -exec rm -rf {} +
