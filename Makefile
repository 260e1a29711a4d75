# make demo: set-up and the whole method on the demo data set.   make inspect: look at it.   make test: set-up and all checks.   make bench: ours beside the field's ways.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
RESULTS ?= results/demo
VENV := .venv
READY := $(VENV)/ready

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH :=
# Python compiles what it imports; pip would compile everything, a third of what the set-up takes.
# Many containers tell Python to keep nothing of that: every job would compile all it imports anew.
export PIP_COMPILE ?= 0
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo inspect test bench format clean

demo: $(READY)
	snakemake --cores all
	@python -m workflow_scripts.print_summary results/demo
	@echo "next:   make inspect, or change a setting in config.yaml and make demo again"

inspect: $(READY)
	python -m ssr.command inspect $(RESULTS)

test: $(READY)
	ruff format --check .
	ruff check .
	mypy
	snakefmt --check Snakefile rules
	snakemake --lint
	pytest --numprocesses 3 --max-worker-restart 0

bench: $(READY)
	python -m benchmarks.bench $(if $(IMAGES),--images $(IMAGES))

format: $(READY)
	ruff format .
	ruff check --fix .
	snakefmt Snakefile rules

clean:
	rm -rf $(VENV) .snakemake results data

# fast_slic is a source release whose build needs numpy and an old Cython at hand. mmcv asks for
# the OpenCV that draws windows, which a machine without X11 can't load: take the other one.
$(READY): pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info[:2] != (3, 11) and 'Python 3.11 is needed, this is ' + sys.version)"
	$(PYTHON) -m venv $(VENV)
	pip install --quiet "setuptools>=77,<81" wheel "cython<3" numpy==2.4.6
	pip install --quiet --no-build-isolation --editable ".[dev,onnx,slic]"
	pip uninstall --quiet --yes opencv-python
	pip install --quiet --no-deps --force-reinstall opencv-python-headless==5.0.0.93
	touch $@
