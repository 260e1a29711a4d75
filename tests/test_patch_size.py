"""Patch sizes are told from names and JSON files alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.patch_size import check_patch_sizes, clip_patch_size, dino_patch_size
from tests.backbone_models import tiny_clip, tiny_dino


@pytest.mark.parametrize(
    ("model", "patch"), [("ViT-B-16", 16), ("ViT-L-14-336", 14), ("RN50", None), ("nothing", None)]
)
def test_clip_names(model: str, patch: int | None) -> None:
    assert clip_patch_size(model) == patch


@pytest.mark.parametrize(
    ("model", "patch"),
    [("vit_small_patch16_224", 16), ("vit_base_patch8_224.dino", 8), ("resnet50", None)],
)
def test_dino_names(model: str, patch: int | None) -> None:
    assert dino_patch_size(model) == patch


def test_json_files(tmp_path: Path) -> None:
    assert clip_patch_size(tiny_clip(tmp_path).model) == 8
    assert dino_patch_size(tiny_dino(tmp_path).model) == 8
    architecture_only = tmp_path / "plain.json"
    architecture_only.write_text('{"architecture": "vit_small_patch16_224"}')
    assert dino_patch_size(str(architecture_only)) == 16


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_broken_json_names_the_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"model\.json"):
        clip_patch_size(str(path))
    with pytest.raises(InputError, match=r"no file gone\.json"):
        dino_patch_size("gone.json")


@pytest.mark.parametrize("sizes", [(16, 16), (None, 16), (16, None)])
def test_equal_or_unknown_sizes_pass(sizes: tuple[int | None, int | None]) -> None:
    check_patch_sizes(*sizes, patch=16)


@pytest.mark.parametrize("sizes", [(16, 8), (8, 16), (8, 8), (None, 8)])
def test_different_grids_are_refused(sizes: tuple[int | None, int | None]) -> None:
    with pytest.raises(InputError, match=r"one grid.*images\.patch 16"):
        check_patch_sizes(*sizes, patch=16)


def test_settings_can_be_checked_without_torch() -> None:
    program = (
        "import sys; from ssr.patch_size import clip_patch_size; "
        "assert clip_patch_size('ViT-B-16') == 16; print('torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "False\n"
