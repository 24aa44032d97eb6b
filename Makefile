# make demo: the four systems, built, run and compared on the embedded default. make test: the tests.
# Both make .venv and install into it first; nothing has to be there but Linux, Python 3.11 or newer, and pip.

PYTHON ?= python3
# Another package index for PyTorch's CPU wheels, where the usual one has CUDA builds only: make TORCH_INDEX=URL demo
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test test-slurm check format benchmarks install lock clean

demo: $(INSTALLED)
	$(BIN)/python -m bench run experiment=pocket

test: $(INSTALLED)
	$(BIN)/python -m pytest

# Installs Slurm (Debian's slurm-wlm and munge) where it is missing, and starts it for as long as the tests take.
test-slurm: $(INSTALLED)
	$(BIN)/python -m pytest -m slurm tests/slurm

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmarks: $(INSTALLED)
	$(BIN)/python -m tests.benchmarks

install: $(INSTALLED)

$(INSTALLED): requirements/cpu.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Python 3.11 or newer is needed, $(PYTHON) is older; say make PYTHON=python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-deps $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements/cpu.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import torch' || \
		{ echo "make: PyTorch does not load: this index has its CUDA builds; say make TORCH_INDEX=URL with CPU builds" >&2; exit 2; }
	touch $@

lock: $(INSTALLED)
	@echo "# Every package of the CPU install, exactly; made by \`make lock\` on Linux x86-64, Python 3.11, installed without"
	@echo "# looking at dependencies: vLLM's CPU build asks for torchvision, torchaudio and torchcodec, which text needs not."
	@$(BIN)/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/+cpu$$//'

clean:
	rm -rf $(VENV) build *.egg-info
