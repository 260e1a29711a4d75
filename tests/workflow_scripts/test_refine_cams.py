"""refine_cams: the program on a shard of stored CAMs, attention and superpixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssr.artefacts.store import Shards, ShardWriter, open_shards
from ssr.cams.refinement import image_affinity, patch_mask, refine
from ssr.config import Refinement
from ssr.maps import min_max

Run = Callable[..., None]
RANDOM = np.random.default_rng(0)
GRID, PATCH, PATCHES = (3, 4), 4, 12
CAMS = {"a": RANDOM.random((2, *GRID)) ** 3, "b": np.zeros((1, *GRID))}
CLASSES = {"a": [2, 5], "b": [1]}
ATTENTION = {
    name: RANDOM.random((PATCHES, PATCHES)).astype(np.float16) for name in ("clip", "dino")
}
SUPERPIXELS = np.arange(8, dtype=np.uint16).reshape(2, 4).repeat(6, 0).repeat(PATCH, 1)
REGIONS = np.array([0, 1, 2, 3, 3, 4, 1, 5], np.uint16)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    with (
        ShardWriter(tmp_path / "cams.zarr.zip") as cams,
        ShardWriter(tmp_path / "features.zarr.zip") as features,
        ShardWriter(tmp_path / "superpixels.zarr.zip") as superpixels,
    ):
        for name in CAMS:
            cams.add(name, {"cams": CAMS[name].astype("f4"), "classes": np.array(CLASSES[name])})
        for name in (*CAMS, "unlabelled"):
            attention = {f"{key}_attention": ATTENTION[key] for key in ATTENTION}
            features.add(name, {**attention, "grid": np.array(GRID, np.int32)})
            superpixels.add(name, {"labels": SUPERPIXELS, "regions": REGIONS})
    return tmp_path


def run_refinement(run_program: Run, folder: Path, **changes: Any) -> Shards:
    run_program(
        "refine_cams",
        *("--refinement", Refinement(**changes).canonical()),
        *("--features", folder / "features.zarr.zip"),
        *("--superpixels", folder / "superpixels.zarr.zip"),
        *("--cams", folder / "cams.zarr.zip", "--output", folder / "refined.zarr.zip"),
    )
    return open_shards([folder / "refined.zarr.zip"])


def test_every_cam_is_masked_and_spread(run_program: Run, shard: Path) -> None:
    settings = Refinement()
    refined = run_refinement(run_program, shard)
    assert refined.ids == ["a", "b"]
    affinity = image_affinity(ATTENTION["clip"], ATTENTION["dino"], settings)
    for name in refined.ids:
        maps = min_max(CAMS[name].astype(np.float32))
        mask = patch_mask(maps, REGIONS[SUPERPIXELS], settings)
        np.testing.assert_allclose(
            refined.read(name, "cams"), refine(maps, affinity, mask, settings.power), atol=1e-6
        )
        assert refined.read(name, "cams").dtype == np.float32
        assert refined.read(name, "classes").tolist() == CLASSES[name]


def test_without_affinity_the_map_is_only_scaled(run_program: Run, shard: Path) -> None:
    refined = run_refinement(run_program, shard, affinity="none")
    np.testing.assert_array_equal(refined.read("a", "cams"), min_max(CAMS["a"].astype(np.float32)))


def test_finer_maps_are_refined_as_their_means_on_the_grid(run_program: Run, shard: Path) -> None:
    expected = run_refinement(run_program, shard).read("a", "cams")
    with ShardWriter(shard / "cams.zarr.zip") as cams:
        finer = CAMS["a"].repeat(5, 1).repeat(3, 2).astype("f4")
        cams.add("a", {"cams": finer, "classes": np.array(CLASSES["a"])})
    refined = run_refinement(run_program, shard).read("a", "cams")
    np.testing.assert_allclose(refined, expected, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": "none"},
        {"mask": "box"},
        {"mask": "box+superpixel"},
        {"clip_weight": 1.0, "dino_weight": 0.0},
        {"sinkhorn_rounds": 0},
        {"power": 2},
    ],
)
def test_each_setting_changes_the_result(
    run_program: Run, shard: Path, changes: dict[str, Any]
) -> None:
    default = run_refinement(run_program, shard).read("a", "cams")
    changed = run_refinement(run_program, shard, **changes).read("a", "cams")
    assert np.isfinite(changed).all()
    assert np.abs(changed - default).max() > 1e-3


def test_an_image_without_features_is_refused(run_program: Run, shard: Path) -> None:
    with ShardWriter(shard / "features.zarr.zip") as writer:
        writer.add("other", {"clip_attention": ATTENTION["clip"]})
    with pytest.raises(SystemExit, match=r"error: image a is not in .*features"):
        run_refinement(run_program, shard)
    assert not (shard / "refined.zarr.zip").exists()
