"""segment_superpixels: the program on a shard of two images."""

from collections.abc import Callable
from pathlib import Path

from ssr.artefacts.store import open_shards
from ssr.config import Images, Superpixels

Run = Callable[..., None]


def segment(run_program: Run, folder: Path, output: Path, seed: int = 0) -> None:
    shard = ["--index", folder / "index.parquet", "--root", folder, "--shard", "train_0000"]
    settings = ["--images", Images(patch=8).canonical()]
    settings += ["--superpixels", Superpixels(segments=12, colour_regions=4).canonical()]
    run_program("segment_superpixels", *shard, *settings, "--seed", seed, "--output", output)


def test_store_holds_superpixels_on_the_patch_grid(run_program: Run, shard_folder: Path) -> None:
    first, second = shard_folder / "first.zarr.zip", shard_folder / "second.zarr.zip"
    segment(run_program, shard_folder, first)
    segment(run_program, shard_folder, second)
    assert first.read_bytes() == second.read_bytes()
    shards = open_shards([first])
    assert shards.ids == ["wide", "tall"]
    assert shards.read("wide", "labels").shape == (24, 48)
    assert shards.read("tall", "labels").shape == (48, 24)
    labels, regions = shards.read("tall", "labels"), shards.read("tall", "regions")
    assert shards.read("tall", "colours").shape == (labels.max() + 1, 3)
    assert regions.shape == (labels.max() + 1,)
    assert regions.max() == 3
