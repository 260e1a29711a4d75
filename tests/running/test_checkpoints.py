"""Checkpoints that were damaged after they were written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ssr.running.checkpoints import newest, save
from tests.damage import flipped_bits

STATE = {"iteration": 2, "model": {"weight": torch.linspace(0, 1, 50)}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path, 1, {"iteration": 1})
    save(tmp_path, 2, STATE)
    return tmp_path


def test_no_flipped_bit_changes_what_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "iteration_00000002.pt"
    passed_over = 0
    for _ in flipped_bits(path):
        state = newest(folder)
        assert state is not None
        passed_over += state["iteration"] == 1
        if state["iteration"] == 2:
            assert torch.equal(state["model"]["weight"], STATE["model"]["weight"])
    assert passed_over > 50
    assert "trying an older one" in capsys.readouterr().err
