"""archive_predictions: all images of the test split, from all its shards, in one archive."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ssr.data.index import Image, Index
from ssr.data.pngs import PngWriter, read_labels

IMAGES = (
    Image("v", "v.jpg", 4, 3, "val", (1,), "val_0000"),
    Image("a", "a.jpg", 4, 3, "test", (), "test_0000"),
    Image("b", "b.jpg", 6, 2, "test", (), "test_0001"),
)


def test_every_image_of_the_test_split_is_archived_in_its_size(
    run_program: Callable[..., None], tmp_path: Path
) -> None:
    Index(IMAGES).write(tmp_path / "index.parquet")
    for label, image in enumerate(IMAGES[1:], start=1):
        with PngWriter(tmp_path / f"{image.shard}.zip") as writer:
            writer.add(image.id, np.full((image.height, image.width), label, np.uint8))
    run_program(
        "archive_predictions",
        *("--index", tmp_path / "index.parquet", "--folder", "my_set"),
        *("--predictions", tmp_path / "test_0000.zip", tmp_path / "test_0001.zip"),
        *("--output", tmp_path / "ssr.tar.gz"),
    )
    with tarfile.open(tmp_path / "ssr.tar.gz") as archive:
        archive.extractall(tmp_path)
        assert archive.getnames() == ["my_set/a.png", "my_set/b.png"]
    assert (read_labels(tmp_path / "my_set/a.png") == np.full((3, 4), 1)).all()
    assert (read_labels(tmp_path / "my_set/b.png") == np.full((2, 6), 2)).all()
