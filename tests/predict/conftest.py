"""A run, and photographs that it has not seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.untrained_run import noise, untrained_run

SIZES = {"wide.png": (40, 96), "deep/tall.jpg": (96, 40)}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    return untrained_run(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of two images, one of them deeper."""
    for name, size in SIZES.items():
        path = tmp_path / "photographs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(*size)).save(path)
    return tmp_path / "photographs"
