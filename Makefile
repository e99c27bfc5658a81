# sipdum: `make help` lists what there is. Everything runs in .venv, which `make setup` makes and keeps up to date.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON3 ?= python3
SECONDS ?= 60
VENV := .venv/bin

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

setup:  ## makes .venv: finds, downloads or builds a free-threaded CPython and installs what is needed
	@$(PYTHON3) -m bootstrap

demo: setup  ## a server and a caller on loopback, thousands of calls, and a table of how it went
	@$(VENV)/dum demo

test: setup  ## the tests, with the GIL off (ARGS="tests/stm -x" passes arguments to pytest)
	@SIPDUM_EXPECT_FREE_THREADED="$$(sed -n 's/^free_threaded = //p' .venv/set-up.txt)" $(VENV)/python -m pytest $(ARGS)

check: lint types test  ## everything a commit has to pass: ruff, mypy --strict, tests

lint: setup  ## ruff: rules and format
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check

types: setup  ## mypy --strict on everything
	@$(VENV)/mypy .

stress: setup  ## the long concurrent tests, for SECONDS=60
	@SIPDUM_STRESS_SECONDS=$(SECONDS) $(VENV)/python -m pytest tests/stress $(ARGS)

fuzz: setup  ## coverage-guided bad input to the message, SDP and framing codecs, for SECONDS=60
	@$(VENV)/python -m tests.fuzz $(SECONDS) $(ARGS)

figures: setup  ## draws the diagrams in docs/ from the tables of the state machines
	@$(VENV)/python -m dum.draw docs/figures

coverage: setup  ## branch coverage of the tests
	@$(VENV)/coverage run -m pytest $(ARGS)
	@$(VENV)/coverage combine --quiet
	@$(VENV)/coverage report --skip-covered --show-missing

perf: setup  ## the benchmarks in perf/
	@$(VENV)/python -m perf

clean:  ## removes .venv and everything made by tools (builds of CPython in the user's cache stay)
	@rm -rf .venv .venv.lock build dist *.egg-info .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo test check lint types stress fuzz figures coverage perf clean
