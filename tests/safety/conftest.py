from pathlib import Path

import pytest

from tests.malice import assert_works


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The folder that a payload makes; that it does so has been seen."""
    assert_works(tmp_path / "trace")
    return tmp_path / "trace"
