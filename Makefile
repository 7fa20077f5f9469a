# Each target makes its own environment in .venv; see scripts/setup.sh.
VENV := .venv

.PHONY: test
test:
	sh scripts/setup.sh test
	$(VENV)/bin/python -m pytest
