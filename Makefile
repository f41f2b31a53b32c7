# `make run` and `make test` are all that is needed; both install into .venv what they use, pinned and hashed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROJECT := pyproject.toml packaging/install.sh
PYTEST_ARGS ?=

.PHONY: help run test lint format types fuzz bench screenshot wheel docs mutate lava train-env lock clean
help:
	@echo 'make run         the window on the simulated camera (in the terminal where there is no display)'
	@echo 'make test        all tests, off-screen           make lint    format, lint and strict types'
	@echo 'make bench       measures this machine           make wheel   both distributions into dist/'
	@echo 'make screenshot  renews assets/screenshot.png    make lock    renews the pinned requirements'
	@echo 'make fuzz       a hundred thousand damaged files of all formats'
	@echo 'make docs        guide and reference as HTML     make mutate  do the tests notice every change of a figure?'
	@echo 'make lava        .venv-lava: Lava, Python 3.10   make train-env  .venv-train: PyTorch'
	@echo 'PYTHON=python3.12 make …  chooses the interpreter of .venv'

# A command of .venv needs one of the stamps; the one for development holds all of the other's versions and more.
$(VENV)/.installed: packaging/requirements.txt $(PROJECT)
	@packaging/install.sh $(PYTHON) $(VENV) packaging/requirements.txt
	@touch $@

$(VENV)/.installed-dev: packaging/requirements-dev.txt $(PROJECT)
	@packaging/install.sh $(PYTHON) $(VENV) packaging/requirements-dev.txt
	@touch $(VENV)/.installed $@

run: $(VENV)/.installed
	@$(BIN)/spikebridge

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fuzz: $(VENV)/.installed-dev
	PYTHONPATH=app:tests $(BIN)/python tests/fuzz_recordings.py

types: $(VENV)/.installed-dev
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed
	$(BIN)/spikebridge bench

screenshot: $(VENV)/.installed
	QT_QPA_PLATFORM=offscreen $(BIN)/spikebridge run sim:right_arm_clockwise --seed 5 --screenshot assets/screenshot.png --for 9

wheel: $(VENV)/.installed-dev
	$(BIN)/python packaging/build_wheels.py dist

docs: .venv-tools/.installed
	.venv-tools/bin/mkdocs build --strict --config-file packaging/mkdocs.yml
	@echo 'Open build/guide/index.html'

mutate: .venv-tools/.installed
	.venv-tools/bin/python packaging/mutate.py $(MODULES)

.venv-tools/.installed: packaging/requirements-tools.txt $(PROJECT)
	@packaging/install.sh $(PYTHON) .venv-tools packaging/requirements-tools.txt
	@touch $@

# Lava runs on Python 3.10 only. PyTorch 2.3.1 for x86_64 comes with CUDA libraries: 5.6 GB on disk.
LAVA_PYTHON ?= python3.10
lava: .venv-lava/.installed
.venv-lava/.installed: packaging/requirements-lava.txt packaging/install.sh
	@packaging/install.sh --no-project $(LAVA_PYTHON) .venv-lava packaging/requirements-lava.txt
	@touch $@

train-env: .venv-train/.installed
.venv-train/.installed: packaging/requirements-train.txt $(PROJECT)
	@packaging/install.sh $(PYTHON) .venv-train packaging/requirements-train.txt
	@touch $@

lock:
	packaging/lock.sh $(BIN)/python

clean:
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache
