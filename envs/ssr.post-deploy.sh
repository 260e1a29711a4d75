#!/usr/bin/env bash
# fast_slic is a source release whose build needs the environment's own numpy and Cython.
set -euo pipefail
pip install --no-build-isolation fast_slic==0.4.0
