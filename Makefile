# Everything runs in .venv, which is made on first use with the pinned versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demo-seeds test test-fast test-slow lint ready clean

$(READY): pyproject.toml constraints.txt extensions/ndx-sparse-latents/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nwbsparse needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e extensions/ndx-sparse-latents -e '.[test,lint]'
	touch $(READY)

demo: $(READY)
	$(BIN)/nwbsparse demo --out demo

demo-seeds: $(READY)
	$(BIN)/nwbsparse demo --out demo-seeds --seeds 10

test: $(READY)
	$(BIN)/python -m pytest -q -n auto

test-fast: $(READY)
	$(BIN)/python -m pytest -q -n auto -m "not slow and not files and not fits" tests

test-slow: $(READY)
	$(BIN)/python -m pytest -q -m slow

lint: $(READY)
	$(BIN)/ruff check src tests extensions
	$(BIN)/ruff format --check src tests extensions
	$(BIN)/pyright
	$(BIN)/lint-imports
	cd extensions/ndx-sparse-latents && ../../$(BIN)/validate_hdmf_spec spec -m nwb.schema.json

ready: $(READY)

clean:
	rm -rf $(VENV) demo demo-seeds
