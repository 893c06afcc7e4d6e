# Two commands on a fresh machine: `make demo` and `make test`. Everything installs into .venv from the hashed locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo web browser page picture looks test test-long fuzz kills chaos check format docs bench nulls simulated record score shipped-weights lock clean

# The lock files are the truth of what is installed: a stamp is renewed when they change.
$(VENV)/.run: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# Node comes from a wheel; the page is built again only when its sources changed.
$(VENV)/.node: $(VENV)/.run requirements-node.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-node.lock
	touch $@

web: $(VENV)/.node
	$(BIN)/python hatch_build.py

# The Chromium of the page's tests: the one on the machine, else Debian's package, else Playwright's download.
browser: $(VENV)/.dev
	$(BIN)/python tests/page/browser.py

# The page's tests alone, and the picture of the README remade in their browser.
page: $(VENV)/.dev web browser
	$(BIN)/python -m pytest tests/page -n 2 --dist worksteal
	$(BIN)/python -m pytest tests/page -m long

picture: $(VENV)/.dev web browser
	$(BIN)/python -m benchmarks.page picture

# Ends with the dashboard's address and keeps serving in a terminal; SERVE=0 does not.
demo: $(VENV)/.run web
	$(BIN)/liqscape demo $(if $(filter 0,$(SERVE)),,--serve)

test: check docs web browser
	$(BIN)/python -m pytest -m "not long" -n 2 --dist worksteal

# A thousand scripted faults over all venues beside a quiet run, on the virtual clock; prints how long each took to overcome.
chaos: $(VENV)/.dev
	$(BIN)/python -m pytest tests/rehearsal/test_chaos.py -m long -s

# The pictures that the page is compared with, made anew after a change that was meant: look at them before they are kept.
looks: $(VENV)/.dev web browser
	RENEW_LOOKS=1 $(BIN)/python -m pytest tests/page/test_page_looks.py

test-long: $(VENV)/.dev
	$(BIN)/python -m pytest -m long

# A million damaged payloads over all venues; another seed: LIQSCAPE_FUZZ_SEED=7 make fuzz
fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest -m long tests/venues/test_fuzz.py -q -n 0 -s

# 200 kill -9 of a recording process: what was acknowledged is there, once (about seven minutes).
kills: $(VENV)/.dev
	$(BIN)/python -m pytest -m long -s tests/recording/test_recording_kill.py

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

# Tables of the documentation that need no data: size of the tests of claims (about 15 minutes), the simulated exchange, truth.
nulls: $(VENV)/.dev
	$(BIN)/python -m benchmarks.nulls 400

simulated: $(VENV)/.dev
	$(BIN)/python -m benchmarks.calibration
	$(BIN)/python -m benchmarks.truth 60 1-20
	$(BIN)/python -m benchmarks.flow markets 1,2,3,4,5,6
	$(BIN)/python -m benchmarks.throttle 5 5,6,7,8 6000 third

# What follows needs the shared data, which are not part of this repository; `record` writes every page that rests on them.
record: score
	$(BIN)/python -m benchmarks.accuracy ../shared/data/btcusdt_backtest
	$(BIN)/python -m benchmarks.claims ../shared/data/btcusdt_backtest
	$(BIN)/python -m benchmarks.positions ../shared/data
	$(BIN)/python -m benchmarks.transfer ../shared/data
	$(BIN)/python -m benchmarks.cascade_history ../shared/data
	$(BIN)/python -m benchmarks.cascade_page

score: $(VENV)/.dev
	$(BIN)/python -m benchmarks.score ../shared/data/btcusdt_backtest

shipped-weights: $(VENV)/.dev
	$(BIN)/python -m benchmarks.ship_weights ../shared/data/btcusdt_backtest

# What the tests need is resolved first and holds the rest, so that both install into one place.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv $(LOCK) --group dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv $(LOCK) --constraint requirements-dev.lock pyproject.toml -o requirements.lock
	$(BIN)/uv $(LOCK) --group pyproject.toml:node -o requirements-node.lock

clean:
	rm -rf $(VENV) docs/_build demo web/node_modules src/liqscape/server/static
