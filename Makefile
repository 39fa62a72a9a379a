# Two commands for a newcomer: `make demo` and `make test`. Each sets up all it needs.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
RECIPE := digits_pareto

.PHONY: demo wheel test check docs design-table soak soak-faults clean

demo: .venv/installed
	$(BIN)/moat train recipes/$(RECIPE).toml
	$(BIN)/moat front results/$(RECIPE)

# dist/moat_robust-*.whl, to install into another environment.
wheel: .venv/bin/python
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# COV=1 counts the lines that the tests reach, which takes half as long again.
test: .venv/installed-dev .venv-docs/installed check
	$(BIN)/pytest --numprocesses=auto --dist=worksteal $(if $(COV),--cov --cov-report=term)

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/design_table.py --check

# The documentation as a site, in site/: open site/index.html. Every link and name must resolve.
docs: .venv-docs/installed
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

# docs/design.md's tables of floors, rooms and files, from the contract and the docstrings.
design-table: .venv/installed
	$(BIN)/python scripts/design_table.py

# Long versions of what the suite does for seconds: any tree for a recipe and a stored record.
CASES := 100000
soak: .venv/installed-dev
	MOAT_SOAK=$(CASES) $(BIN)/pytest tests/fuzz --timeout=0

# Every call of the disk that each command makes, refused or its last: an hour unless SECONDS says.
soak-faults: .venv/installed-dev
	MOAT_SOAK_SECONDS=$(or $(SECONDS),3600) $(BIN)/pytest tests/faults --timeout=0 --capture=no

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "moat needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv .venv

# moat and moat-photometric are the distributions' former names.
.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip uninstall -qq --yes moat moat-photometric
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-dev: pyproject.toml $(PLUGINS:%=%/pyproject.toml) | .venv/bin/python
	$(BIN)/python -m pip uninstall -qq --yes moat moat-photometric
	$(BIN)/python -m pip install --quiet --editable '.[dev]' $(PLUGINS:%=--editable %)
	touch $@ .venv/installed

.venv-docs/installed: docs/requirements.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --requirement docs/requirements.txt
	touch $@

clean:
	rm -rf .venv results
