#!/usr/bin/env bash
# As in the Makefile: a source release that needs numpy to build, and OpenCV without windows.
set -euo pipefail
pip install --no-build-isolation fast_slic==0.4.0
pip uninstall --quiet --yes opencv-python
pip install --no-deps --force-reinstall opencv-python-headless==5.0.0.93
