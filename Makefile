# Everything runs in a virtual environment that is made on first use: .venv, or .venv-3.12 for PYTHON=python3.12.
# Its versions are those of constraints/, which has a file for each Python that is tested.
PYTHON ?= python3
FOUND := $(shell .ci/find-python $(PYTHON))
VERSION := $(shell $(FOUND) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(VERSION))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PINNED := constraints/$(VERSION).txt
# what depends on which zarr is here (docs/reference/zarr.md): reading, results, the extension
ZARR_TESTS := tests/io/zarr tests/io/nwb/test_read.py tests/io/test_unit_digests.py tests/contract/test_readers.py \
	tests/contract/test_annotated.py tests/annotated/test_golden_files.py tests/annotated/test_datasets.py \
	tests/results extensions/ndx-sparse-latents/src/pynwb/tests

.PHONY: demo demo-seeds test test-fast test-slow test-zarr lint ready clean

$(READY): pyproject.toml $(wildcard constraints/*.txt) extensions/ndx-sparse-latents/pyproject.toml
	@test -f $(PINNED) || { echo "nwbsparse is tested with Python 3.11, 3.12 and 3.13; $(PYTHON) is \
	'$(VERSION)'. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(FOUND) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINNED) \
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

test-zarr: $(READY)
	$(BIN)/python -m pytest -q -n auto $(ZARR_TESTS)

test-slow: $(READY)
	$(BIN)/python -m pytest -q -m slow

lint: $(READY)
	$(BIN)/ruff check src tests extensions
	$(BIN)/ruff format --check src tests extensions
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	cd extensions/ndx-sparse-latents && ../../$(BIN)/validate_hdmf_spec spec -m nwb.schema.json

ready: $(READY)

clean:
	rm -rf .venv .venv-3.* demo demo-seeds
