"""extract_features: the program on a shard of images of two shapes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ssr.artefacts.store import open_shards
from ssr.config import Backbones, Features, Images
from tests.backbone_models import tiny_clip, tiny_dino

Run = Callable[..., None]


def extract(run_program: Run, folder: Path, output: Path, patch: int = 8) -> None:
    backbones = Backbones(clip=tiny_clip(folder), dino=tiny_dino(folder))
    shard = ["--index", folder / "index.parquet", "--root", folder, "--shard", "train_0000"]
    settings = ["--backbones", backbones.canonical(), "--images", Images(patch=patch).canonical()]
    settings += ["--features", Features(clip_attention_blocks=2).canonical()]
    device = ["--device", "cpu"]
    run_program("extract_features", *shard, *settings, *device, "--output", output)


def test_store_holds_the_features_of_the_shard(run_program: Run, shard_folder: Path) -> None:
    first, second = shard_folder / "first.zarr.zip", shard_folder / "second.zarr.zip"
    extract(run_program, shard_folder, first)
    extract(run_program, shard_folder, second)
    assert first.read_bytes() == second.read_bytes()
    shards = open_shards([first])
    assert sorted(shards.ids) == ["tall", "wide"]
    assert shards.read("wide", "grid").tolist() == [3, 6]
    assert shards.read("tall", "grid").tolist() == [6, 3]
    assert shards.read("tall", "tokens").shape == (19, 32)
    assert shards.read("tall", "clip_attention").shape == (18, 18)


def test_other_patch_size_is_refused_before_anything_runs(
    run_program: Run, shard_folder: Path
) -> None:
    with pytest.raises(SystemExit, match=r"error: images\.patch: must be CLIP.s patch 8; came 16"):
        extract(run_program, shard_folder, shard_folder / "features.zarr.zip", patch=16)
    assert not list(shard_folder.glob("*features*"))
