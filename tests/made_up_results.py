"""results/small as a run leaves it, where the rules put it, on four small scenes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from ssr.artefacts.store import ShardWriter
from ssr.config.settings import record
from ssr.data.index import Index
from tests import ROOT
from tests.report.finished_run import PATCH, finish_run, small_config, small_scenes

_PLACES = {
    "index.parquet": "index/index.parquet",
    "masks.parquet": "index/masks.parquet",
    "superpixels": "superpixels/ssr",
    "cams/initial_cam": "cams/initial/ssr",
    "cams/aligned_cam": "cams/aligned/ssr",
    "cams/refined_cam": "cams/refined/ssr",
    "pseudo_labels": "pseudo_labels/ssr",
    "logits": "logits/ssr",
    "predictions": "predictions/ssr",
    "evaluation": "evaluation",
    "alignment": "alignment",
    "segmenter": "segmenter",
}


def make_results(folder: Path) -> Path:
    """Make folder/results/small and folder/data; methods ssr, clip and clip_attention."""
    config = small_config(Path("data"), "ssr", "clip", "clip_attention")
    made = finish_run(folder, small_scenes(), config).results.rename(folder / "made")
    results = folder / "results/small"
    for source, target in _PLACES.items():
        (results / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made / source, results / target)
    _write_features(results)
    record(config, results)
    shutil.copytree(ROOT / "backbones", folder / "backbones")
    return results


def copy_with(results: Path, folder: Path, **changes: dict[str, object]) -> Path:
    """A copy in `folder`, whose index has other attributes of the images that are named."""
    shutil.copytree(results.parent.parent, folder, dirs_exist_ok=True)
    copy = folder / results.relative_to(results.parent.parent)
    path = copy / "index/index.parquet"
    images = (replace(image, **changes.get(image.id, {})) for image in Index.read(path).images)
    Index(tuple(images)).write(path)
    return copy


def _write_features(results: Path) -> None:
    """Attention of random rows, which sum to one."""
    random = np.random.default_rng(0)
    with ShardWriter(results / "features/ssr/val_0000.zarr.zip") as writer:
        for image in Index.read(results / "index/index.parquet").images:
            grid = (image.height // PATCH, image.width // PATCH)
            patches = grid[0] * grid[1]
            attention = random.dirichlet(np.ones(patches), (2, patches)).astype(np.float16)
            names = ("clip_attention", "dino_attention")
            arrays = dict(zip(names, attention, strict=True))
            writer.add(image.id, arrays | {"grid": np.array(grid, np.int32)})
