# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types contracts tests lock accuracy oracles cel-agreement bench-import teams clearing fuzz secrets oscal-check report-check formats-doc detections-doc frameworks-doc screenshots schema snapshots sample engines histories clean

demo: $(READY)
	@$(BIN)/remit demo

test:
	@$(MAKE) --no-print-directory -j3 --output-sync=target lint types contracts
	@$(MAKE) --no-print-directory tests

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
# Where Python leaves no compiled modules behind, every start would compile all it loads: they lie ready instead.
	@$(BIN)/python -m compileall -q -j 0 -x '/(\.venv|tests)/' .
	@touch $@

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports --no-cache

# A worker more than there are cores: tests that wait for another process leave theirs to one that does not.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
tests: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

accuracy: $(READY)
	$(BIN)/python -m benchmarks.accuracy

oracles: $(READY)
	$(BIN)/python -m benchmarks.oracles $(ARGS)

# Needs the extra `referee` (part of the development environment); a smaller run: ARGS="--conditions 200 --seed 7".
cel-agreement: $(READY)
	$(BIN)/python -m benchmarks.cel_agreement $(ARGS)

# Set MB=100 for a smaller file; the yardsticks are named where they are absent (see benchmarks/README.md).
MB ?= 500
bench-import: $(READY)
	$(BIN)/python -m benchmarks.import_speed --mb $(MB)

# Ten minutes; a shorter run: ARGS="--seconds 60 --seed 7".
teams: $(READY)
	$(BIN)/python -m benchmarks.teams $(ARGS)

# Needs tmux.
clearing: $(READY)
	$(BIN)/python -m benchmarks.clearing $(ARGS)

fuzz: $(READY)
	$(BIN)/python -m benchmarks.fuzz

secrets: $(READY)
	$(BIN)/python -m benchmarks.secrets

# Installs compliance-trestle into an environment that is thrown away; other versions: ARGS="--version 1.2.2".
oscal-check: $(READY)
	$(BIN)/python -m benchmarks.oscal_check $(ARGS)

formats-doc: $(READY)
	$(BIN)/python -m benchmarks.formats_page > docs/formats.md.new
	@mv docs/formats.md.new docs/formats.md

detections-doc: $(READY)
	$(BIN)/python -m benchmarks.detections_pages

frameworks-doc: $(READY)
	$(BIN)/python -m benchmarks.framework_pages

# Fetches axe-core and the Nu checker with npm; a page of your own: ARGS=pack/report.html.
CHECKS := .cache/report-check
report-check: $(READY)
	@npm install --prefix $(CHECKS) --ignore-scripts --no-audit --no-fund --no-save axe-core@4 vnu-jar >/dev/null
	$(BIN)/python -m benchmarks.report_check $(ARGS)

# The engines of histories that are too large for the development environment, in a folder that is thrown away. Spark needs Java 17.
ENGINES := .cache/engines
engines: $(READY)
	@rm -rf $(ENGINES)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(ENGINES) 'chdb>=4,<5' chdb-core 'pyspark>=4,<5' py4j
	PYTHONPATH=$(ENGINES) $(BIN)/pytest -p no:xdist tests/test_histories.py; status=$$?; rm -rf $(ENGINES); exit $$status

# What travels from an engine as a history grows; other engines: ARGS="--engine chdb" where the package is installed.
histories: $(READY)
	$(BIN)/python -m benchmarks.histories $(ARGS)

# Pictures of every screen for the docs, drawn by the program over the sample day.
screenshots: $(READY)
	$(BIN)/python -m tui.screenshots docs/screens

# After adding a migration or changing a table.
schema: $(READY)
	$(BIN)/python -m benchmarks.new_store tables > store/tables.txt.new
	@mv store/tables.txt.new store/tables.txt
	$(BIN)/python -m benchmarks.new_store store > store/new_store.sql.new
	@mv store/new_store.sql.new store/new_store.sql
	$(BIN)/python -m benchmarks.new_store citus > docs/citus.sql.new
	@mv docs/citus.sql.new docs/citus.sql

# After a screen was changed on purpose: read the diff.
snapshots: $(READY)
	$(BIN)/python -m tests.test_tui_sizes

sample: $(READY)
	$(BIN)/python -m samplegen --out sample_data

# Needs `uv` (pip install uv); only for changing dependencies.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
