from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.export.command import main


def call(results: Path, **given: object) -> int:
    usual = {
        "method": None,
        "onnx": None,
        "mmsegmentation": None,
        "masks": None,
        "results": results,
    }
    return main(argparse.Namespace(**usual | given))


def test_the_files_that_are_written_are_named(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(results, mmsegmentation=tmp_path / "mmseg") == 0
    names = ("config.py", "checkpoint.pth", "clip.json", "clip.safetensors")
    said = capsys.readouterr().out.splitlines()
    assert said == [f"written: {tmp_path}/mmseg/{name}" for name in names]


def test_a_method_without_a_segmenter_is_told_which_have_one(results: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^method clip trains no segmenter; allowed: ssr$"):
        call(results, method="clip", onnx=tmp_path / "clip.onnx")
