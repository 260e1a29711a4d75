"""train_jointly: the program on two images, their stored features and samples of CMPA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from ssr.alignment.heads import starting_heads
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples
from ssr.artefacts.arrays import save_arrays
from ssr.artefacts.store import ShardWriter, open_shards
from ssr.backbones.text import TextEmbeddings
from ssr.config import AlignedCams, Alignment, Labels, Prediction, Refinement, Segmenter
from ssr.data.index import Index
from tests.backbone_models import PATCH, tiny_clip

ALIGNING = Alignment(iterations=1, batch_size=4, width=8, layers=1, learning_rate=1e-3)
SEGMENTER = {"width": 16, "heads": 2, "crop_size": 32, "batch_size": 2, "iterations": 2}
RANDOM = np.random.default_rng(0)
TEXTS = np.eye(4, 24, dtype=np.float32)


@pytest.fixture
def folder(shard_folder: Path) -> Path:
    """What the program reads, in one folder."""
    names = np.array(["cat", "dog", "sky", "grass"])
    TextEmbeddings(TEXTS[:2], TEXTS[2:], names, np.float32(9)).write(shard_folder / "texts.npz")
    labels = np.arange(8) % 4
    features = TEXTS[labels] + 0.1 * RANDOM.standard_normal((8, 24)).astype(np.float32)
    samples = Samples(np.array([str(number) for number in range(8)]), labels, features)
    heads = starting_heads(ALIGNING, samples, torch.from_numpy(TEXTS), seed=0)
    prototypes = make_prototypes(heads, samples, TEXTS, 2, 2, seed=0)
    save_arrays(shard_folder / "prototypes.npz", samples, prototypes)
    with (
        ShardWriter(shard_folder / "features.zarr.zip") as stored,
        ShardWriter(shard_folder / "superpixels.zarr.zip") as superpixels,
    ):
        for image in Index.read(shard_folder / "index.parquet").split("train"):
            grid = np.array([-(-side // PATCH) for side in (image.height, image.width)], np.int32)
            count = int(grid.prod())
            attention = RANDOM.random((2, count, count)).astype(np.float16)
            arrays = {"clip_attention": attention[0], "dino_attention": attention[1], "grid": grid}
            tokens = RANDOM.standard_normal((count + 1, 32)).astype(np.float16)
            stored.add(image.id, {**arrays, "tokens": tokens})
            pixels = np.zeros(grid * PATCH, np.uint16)
            pixels[::2] = 1
            superpixels.add(image.id, {"labels": pixels, "regions": np.arange(2, dtype=np.uint16)})
    return shard_folder


def train(run_program: Callable[..., None], folder: Path, **changes: Any) -> Path:
    settings = Segmenter(**(SEGMENTER | {"warmup": 1, "joint": True}))
    out = folder / "out"
    run_program(
        *("train_jointly", "--index", folder / "index.parquet", "--root", folder),
        *("--classes", "cat", "dog", "--backbone", tiny_clip(folder).canonical()),
        *("--text", folder / "texts.npz", "--segmenter", settings.canonical(), "--seed", 0),
        *("--alignment", ALIGNING.canonical(), "--prototypes", folder / "prototypes.npz"),
        *("--cams", AlignedCams().canonical(), "--features", folder / "features.zarr.zip"),
        *("--refinement", Refinement(**changes).canonical()),
        *("--superpixels", folder / "superpixels.zarr.zip"),
        *("--labels", Labels(threshold=0.4).canonical(), "--work", out / "work"),
        *("--output", out / "model.safetensors", "--description", out / "model.json"),
    )
    return out


def test_trains_exports_and_predicts_through_the_heads(
    run_program: Callable[..., None], folder: Path
) -> None:
    out = train(run_program, folder)
    assert not list(out.glob("work/*/*.pt")), "checkpoints are cleared after the export"
    heads = "decode_head.patch_text.heads"
    last = load_file(out / "model.safetensors")[f"{heads}.image.layers.3.weight"]
    assert last.any(), "it started at zero"
    run_program(
        *("predict_logits", "--index", folder / "index.parquet", "--root", folder),
        *("--shard", "train_0000", "--prediction", Prediction().canonical()),
        *("--model", out / "model.safetensors", "--description", out / "model.json"),
        *("--output", out / "logits.zarr.zip"),
    )
    assert np.isfinite(open_shards([out / "logits.zarr.zip"]).read("wide", "logits")).all()


def test_equal_runs_give_equal_files_and_other_labels_another_work_folder(
    run_program: Callable[..., None], folder: Path
) -> None:
    out = train(run_program, folder)
    files = [out / name for name in ("model.safetensors", "model.json", "history.csv")]
    first = [path.read_bytes() for path in files]
    train(run_program, folder)
    assert [path.read_bytes() for path in files] == first
    train(run_program, folder, power=2)
    assert len(list((out / "work").iterdir())) == 2
