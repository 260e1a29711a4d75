"""A tiny data set with masks, and stores of what the stages made of it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from ssr.artefacts.store import ShardWriter
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import PngWriter, encode_png
from ssr.labels import IGNORE

CLASSES = ("cat", "dog", "owl")
SIZES = {
    ("train_0000", "a"): (24, 32),
    ("train_0000", "b"): (30, 20),
    ("train_0001", "c"): (24, 24),
    ("tune_0000", "d"): (32, 40),
    ("tune_0000", "e"): (16, 40),
}


def make_folder(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """Write images, masks and index; each image shows a cat on the left and a dog on the right.

    Returns:
        the masks by image id, each with an unknown first row.
    """
    masks = {}
    images = []
    for (shard, name), (height, width) in SIZES.items():
        mask = np.zeros((height, width), np.uint8)
        mask[height // 4 :, : width // 3] = 1
        mask[height // 3 :, width // 2 :] = 2
        mask[0] = IGNORE
        masks[name] = mask
        (folder / f"{name}_mask.png").write_bytes(encode_png(mask))
        Picture.fromarray(paint(mask)).save(folder / f"{name}.png")
        split = shard.partition("_")[0]
        images.append(Image(name, f"{name}.png", width, height, split, (1, 2), shard))
    Index(tuple(images)).write(folder / "index.parquet")
    references = {name: f"{name}_mask.png" for name in masks}
    Masks(references, folder).write(folder / "masks.parquet")
    return masks


def paint(labels: NDArray) -> NDArray[np.uint8]:
    """An image with one colour per label."""
    colours = np.array([[40, 90, 200], [200, 60, 40], [60, 200, 50], [220, 220, 220]], np.uint8)
    return colours[np.where(labels == IGNORE, 0, labels)]


def shard_ids(shard: str) -> list[str]:
    """Images of a shard."""
    return [name for folder, name in SIZES if folder == shard]


def write_cams(folder: Path, shard: str, strength: float = 3.0, seed: int = 0) -> Path:
    """A store of raw CAMs of cat and dog on a grid of 4-pixel patches: the truth and noise."""
    random = np.random.default_rng(seed)
    path = folder / "cams" / f"{shard}.zarr.zip"
    with ShardWriter(path) as writer:
        for name in shard_ids(shard):
            mask = np.array(Picture.open(folder / f"{name}_mask.png"))[2::4, 2::4]
            cams = np.stack([mask == 1, mask == 2]).astype(np.float32)
            cams += 0.5 * random.random(cams.shape, np.float32)
            writer.add(name, {"cams": strength * cams, "classes": np.array([1, 2])})
    return path


def write_logits(folder: Path, shard: str) -> Path:
    """A store of logits of all classes on a grid of 4-pixel patches."""
    path = folder / "logits" / f"{shard}.zarr.zip"
    with ShardWriter(path) as writer:
        for name in shard_ids(shard):
            mask = np.array(Picture.open(folder / f"{name}_mask.png"))[2::4, 2::4]
            logits = 4 * np.stack([mask == label for label in range(4)]).astype(np.float16)
            writer.add(name, {"logits": logits})
    return path


def write_labels(folder: Path, shard: str, labels: dict[str, NDArray[np.uint8]]) -> Path:
    """A zip file of label maps."""
    path = folder / "labels" / f"{shard}.zip"
    with PngWriter(path) as writer:
        for name in shard_ids(shard):
            writer.add(name, labels[name])
    return path
