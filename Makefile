# Each target installs what it needs into .venv, from the extras in pyproject.toml.
# make PYTHON=... chooses the Python that .venv is made from; make test ARGS="-k mixing" runs a part.

VENV := .venv
PYTHON_HERE := $(VENV)/bin/python
ARGS :=

# Not empty where windows can be shown; elsewhere Xvfb stands in.
DESKTOP := $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname -s))
UNDER_XVFB := $(if $(DESKTOP),,sh scripts/xvfb.sh)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test bench docs pictures lint clean

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

demo: $(VENV)/installed-all ## Fit a real mixture in napari; without a display: into demo-output/
	$(UNDER_XVFB) $(PYTHON_HERE) scripts/demo.py $(if $(DESKTOP),,--output demo-output)

test: $(VENV)/installed-test ## Run the whole test suite in two processes, the GUI's tests included
	$(UNDER_XVFB)
	$(PYTHON_HERE) -m pytest -n 2 --dist loadfile $(ARGS)

bench: $(VENV)/installed-bench ## Run every benchmark: against its peers and against the limit
	set -e; for file in benchmarks/bench_*.py; do $(PYTHON_HERE) "$$file"; done

docs: $(VENV)/installed-docs ## Build the documentation into docs/_build/html
	$(PYTHON_HERE) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

pictures: $(VENV)/installed-all ## Make the pictures of the documentation again
	$(UNDER_XVFB) $(PYTHON_HERE) scripts/pictures.py
	$(PYTHON_HERE) scripts/figures.py

lint: $(VENV)/installed-lint ## Check style and types
	$(PYTHON_HERE) -m ruff check .
	$(PYTHON_HERE) -m ruff format --check .
	$(PYTHON_HERE) -m mypy

clean: ## Remove what the others left, but for .venv
	rm -rf .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf build demo-output dist docs/_build
	find benchmarks docs scripts src tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/installed-%: pyproject.toml scripts/environment.sh
	@sh scripts/environment.sh $(VENV) $*
	@touch $@
