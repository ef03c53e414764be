# One name a habit. Everything runs in .venv, built from the versions and hashes in requirements.lock.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Four workers on two cores, since tests wait for half of their time. A file's tests stay on one worker.
TEST_WORKERS ?= 4
PYTEST := $(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder -q
PIP := $(BIN)/pip -qq --disable-pip-version-check
# Every test that starts a command would compile all of ours again.
unexport PYTHONDONTWRITEBYTECODE
# Spark and the CDK are large, and of use only where Java and Node.js are.
SPARK := $(if $(shell command -v java),.venv/spark)
CDK := $(if $(shell command -v node),.venv/cdk)
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: demo docs pictures test test-large test-all fuzz proof-rotation proof-logs check format bench lock clean

demo: .venv/ready  ## Start the laptop's CloudFront with the bundled shop
	@$(BIN)/keyfront up $(ARGS)

test: .venv/ready  ## Run the tests that need no large program: three minutes
	@$(PYTEST) -m "not large" $(ARGS)

test-large: .venv/ready $(SPARK) $(CDK)  ## Run the others: with Terraform, Chromium, PostgreSQL, Java, FFmpeg, npm
	@$(PYTEST) -m large $(ARGS)

test-all: test test-large  ## Run every test

fuzz: .venv/ready  ## Fuzz the edge's request path, for minutes
	$(BIN)/pytest tests/edge/test_fuzz.py -n 0 --hypothesis-profile=fuzz $(ARGS)

proof-rotation: .venv/ready  ## Rotate keys under a load of signers and viewers, for minutes
	$(BIN)/python -m tests.account.rotation.proof

proof-logs: .venv/ready $(SPARK)  ## Compare DuckDB with Spark on a million rows of access logs, cell by cell
	$(BIN)/python -m tests.account.logs.proof $(ARGS)

check: .venv/ready  ## Format, lint, types, unused code, and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/vulture
	$(BIN)/python tools/rooms.py

format: .venv/ready  ## Write the format and the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/docs/ready  ## Write the documentation's site into build/site; its search works from disk too
	@$(BIN)/python tools/site_pages.py
	@.venv/docs/bin/zensical build --clean --strict
	@.venv/docs/bin/python tools/site_check.py

pictures: .venv/ready  ## Take the documentation's pictures again, with Chromium
	$(BIN)/python tools/pictures.py

bench: .venv/ready  ## One table: ours beside our peers, in one run
	$(BIN)/python -m benchmarks $(ARGS)

lock: .venv/ready  ## Choose versions anew and write their hashes
	$(PIP) install uv
	$(LOCK) --all-extras pyproject.toml -o requirements.lock
	echo "cdk-nag>=3.0" | \
	  $(LOCK) --no-config --extra cdk --constraint requirements.lock pyproject.toml - -o requirements-cdk.lock
	$(LOCK) --no-config --group pyproject.toml:docs -o requirements-docs.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "keyfront needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11 ...")'
	@echo "Making .venv (once)"
	@$(PYTHON) -m venv .venv
	@echo "Installing what requirements.lock names (a minute or two)"
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements.lock
	@echo "Installing keyfront from this folder"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 -x '/(aws_cdk|pyspark|sympy|networkx|tests)/' .venv/lib src >/dev/null || true
	@: > $@

.venv/spark: requirements-spark.lock .venv/ready
	@echo "Installing PySpark for its tests (once; half a minute)"
	@$(PIP) install --require-hashes --no-deps -r requirements-spark.lock && : > $@ || echo "PySpark's tests will not run"

.venv/cdk: requirements-cdk.lock .venv/ready
	@echo "Installing the CDK's library for its tests (once; half a minute)"
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements-cdk.lock && : > $@ || echo "The CDK's tests will not run"

.venv/docs/ready: requirements-docs.lock | .venv/ready
	@echo "Installing what the documentation's site is built with (once)"
	@$(PYTHON) -m venv .venv/docs
	@.venv/docs/bin/pip -qq --disable-pip-version-check install --no-compile --require-hashes -r requirements-docs.lock
	@: > $@
