"""feed_back_logits: the program on a shard that a segmenter has predicted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ssr.artefacts.store import ShardWriter, open_shards
from ssr.data.index import Image, Index

LABELS = {"one": (2,), "two": (1, 3), "unknown": ()}


def test_labelled_images_have_the_probabilities_of_their_classes(
    run_program: Callable[..., None], tmp_path: Path
) -> None:
    images = [Image(name, "", 24, 16, "val", own, "val_0000") for name, own in LABELS.items()]
    Index(tuple(images)).write(tmp_path / "index.parquet")
    logits = np.zeros((4, 4, 6), np.float16)
    logits[2, :, 3:] = np.log(3)
    with ShardWriter(tmp_path / "logits.zarr.zip") as writer:
        for image in images:
            writer.add(image.id, {"logits": logits})
    run_program(
        *("feed_back_logits", "--index", tmp_path / "index.parquet", "--shard", "val_0000"),
        *("--logits", tmp_path / "logits.zarr.zip", "--output", tmp_path / "cams.zarr.zip"),
    )
    cams = open_shards([tmp_path / "cams.zarr.zip"])
    assert cams.ids == ["one", "two"]
    assert cams.read("two", "classes").tolist() == [1, 3]
    halves = np.where(np.arange(6) < 3, 1 / 2, 3 / 4)
    np.testing.assert_allclose(cams.read("one", "cams"), np.tile(halves, (1, 4, 1)), rtol=1e-3)
    np.testing.assert_allclose(cams.read("two", "cams"), np.full((2, 4, 6), 1 / 3), rtol=1e-6)
