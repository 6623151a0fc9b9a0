# All the set-up there is: each target makes .venv first, and only anew when the lock has changed.
PYTHON ?= python3
LOCK := envs/requirements.lock
BIN := .venv/bin
MARK := .venv/lock-installed
# The lock is whole, so no dependency is looked up, and its two halves (most of the bytes are GPU libraries) go in at once.
LOCKED := -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r
PIP := $(BIN)/python $(LOCKED)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONHASHSEED := 0
unexport PYTHONDONTWRITEBYTECODE # pip leaves the compiling to the first import, which must then be kept

PYTEST := python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: run test test-whole test-slurm test-browser test-crate test-storage check-gpu pdf soak lint format env slurm browser crate storage bench lock rulegraph example invalidation schema reference clean

run: env ## the default study, to results/default/report/index.html
	snakemake --cores all --resources gpu=4

test: env ## the quick tests
	$(PYTEST)

test-whole: env ## small studies run whole, several minutes: again to the same bytes, elsewhere, a look at a time, the tutorial, photographs, edits of code, data of one's own
	$(PYTEST) tests/whole/check_*.py

test-slurm: slurm ## a study on a Slurm of one node; root on Debian, where it installs the packages of Slurm
	python -m pytest -rs tests/slurm/check_slurm.py

test-browser: browser ## the report in Chromium; with PAGE=FILE that page too; installs Chromium on Debian as root
	python -m pytest -rs tests/browser/check_*.py

test-crate: crate ## the record of a run by a validator of RO-Crates, which fetches the contexts of its profile
	$(CRATE)/bin/python -m pytest -rs tests/report/test_crate.py

test-storage: storage ## a study whose files are kept in a bucket, of a server on this machine; and a plan for Kubernetes
	$(STORAGE)/bin/python -m pytest -rs tests/storage/check_storage.py

check-gpu: env ## what a GPU computes, against the CPU; without one, what can be checked on the CPU
	python benchmarks/check_gpu.py

RUN ?= default
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
pdf: ## the report of RUN as results/RUN/report/index.pdf, by a headless Chromium
	$(or $(CHROMIUM),$(error no Chromium here; name one: make pdf CHROMIUM=/path/to/it)) --headless --disable-gpu \
		$(if $(filter 0,$(shell id -u)),--no-sandbox) --no-pdf-header-footer --virtual-time-budget=10000 \
		--print-to-pdf=results/$(RUN)/report/index.pdf file://$(CURDIR)/results/$(RUN)/report/index.html

N ?= 20
soak: env ## a small study that is killed N times at random moments, and compared with an undisturbed one
	PYTHONPATH=workflow_scripts:tests/support python tests/soak.py --faults $(N)

lint: env ## style of Python and of rules
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint

format: env ## fix what lint reports, where a tool can
	ruff check --fix .
	ruff format .
	snakefmt Snakefile rules

env: $(MARK) ## .venv from the lock

# Of two that are started at once the second waits, and then finds it done. macOS has no flock.
$(MARK): $(LOCK)
ifndef ALONE
	@$(if $(shell command -v flock 2>/dev/null),flock $(LOCK)) $(MAKE) --no-print-directory $@ ALONE=yes
else
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "make: $(PYTHON) is not Python 3.11 to 3.13; name one that is: make run PYTHON=python3.12"; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv
	awk '/^[a-z]/ {file = /^(nvidia|cuda|triton)/ ? "gpu" : "rest"} file {print > ".venv/" file ".txt"}' $(LOCK)
	$(PIP) .venv/gpu.txt & gpu=$$!; $(PIP) .venv/rest.txt && wait $$gpu
	touch $(MARK)
endif

slurm: .venv/slurm-installed ## what profiles/slurm needs besides, into .venv

.venv/slurm-installed: $(MARK) envs/slurm.lock
	$(PIP) envs/slurm.lock
	touch $@

browser: .venv/browser-installed ## what the tests of the page need besides, into .venv

.venv/browser-installed: $(MARK) envs/browser.lock
	$(PIP) envs/browser.lock
	touch $@

# An environment of its own on top of .venv, which it finds by a .pth file.
define on_top_of_venv
	rm -rf $(1)
	$(PYTHON) -m venv $(1)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/selfdoubt.pth"
endef

# Not into .venv: botocore wants an older dateutil, and both plugins would be loaded at each start of Snakemake.
STORAGE := .venv-storage
storage: $(STORAGE)/installed ## what profiles/s3 and profiles/kubernetes need besides, as .venv-storage

$(STORAGE)/installed: $(MARK) envs/storage.lock
	$(call on_top_of_venv,$(STORAGE))
	$(STORAGE)/bin/python $(LOCKED) envs/storage.lock
	touch $@

# Not into .venv: the validator wants an older rich.
CRATE := .venv-crate
crate: $(CRATE)/installed ## a validator of RO-Crates, as .venv-crate

$(CRATE)/installed: $(MARK) envs/crate.lock
	$(call on_top_of_venv,$(CRATE))
	$(CRATE)/bin/python $(LOCKED) envs/crate.lock
	touch $@

# Both sides of a comparison use the same torch.
PEERS := .venv-peers
bench: $(PEERS)/installed ## every comparison of benchmarks/, into docs/benchmarks.md
	$(PEERS)/bin/python benchmarks/run.py

$(PEERS)/installed: $(MARK) benchmarks/requirements.txt benchmarks/requirements-alone.txt
	$(call on_top_of_venv,$(PEERS))
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/requirements-alone.txt
	touch $@

lock: ## compile the locks from pyproject.toml, and write the conda files from it (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 \
		--no-annotate --quiet --output-file $(LOCK)
	uv pip compile --group slurm --no-deps --universal --generate-hashes --python-version 3.11 \
		--no-annotate --quiet --output-file envs/slurm.lock
	uv pip compile --group browser --no-deps --universal --generate-hashes --python-version 3.11 \
		--no-annotate --quiet --output-file envs/browser.lock
	sed -n 's/^\([a-z0-9.-]*==[^ ;\\]*\).*/\1/p' $(LOCK) | grep -v ^python-dateutil > $(STORAGE).txt # which .venv has
	uv pip compile --group storage --constraint $(STORAGE).txt --universal --generate-hashes --python-version 3.11 \
		--no-annotate --quiet --output-file envs/storage.lock --custom-compile-command "make lock" \
		$$(sed 's/\(.*\)==.*/--no-emit-package \1/' $(STORAGE).txt)
	sed -n 's/^\([a-z0-9.-]*==[^ ;\\]*\).*/\1/p' $(LOCK) | grep -v ^rich== > $(CRATE).txt # which .venv has
	uv pip compile --group crate --constraint $(CRATE).txt --universal --generate-hashes --python-version 3.11 \
		--no-annotate --quiet --output-file envs/crate.lock --custom-compile-command "make lock" \
		$$(sed 's/\(.*\)==.*/--no-emit-package \1/' $(CRATE).txt)
	python3 envs/write_conda_files.py

rulegraph: env ## regenerate the rule graph in README.md
	python docs/rulegraph.py --write

example: env ## redraw the worked example of docs/metrics.md
	python docs/risk_coverage_example.py

invalidation: env ## regenerate docs/invalidation.md from tests/support/edits.py
	python docs/invalidation.py --write

schema: env ## regenerate docs/config.schema.json, by which editors complete the keys of a config
	python docs/config_schema.py --write

reference: env ## regenerate docs/config.md and docs/methods.md from the settings and docstrings
	python docs/reference.py --write

clean: ## all results
	rm -rf results/* .snakemake
	git checkout -- results/README.md
