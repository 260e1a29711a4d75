"""A run that is exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.config.settings import recorded
from ssr.predict.segmenter import TrainedSegmenter, open_segmenter
from tests.untrained_run import untrained_run


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    return untrained_run(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def segmenter(results: Path) -> TrainedSegmenter:
    return open_segmenter(results, recorded(results), device="cpu")
