"""The index: every image with its size, split, labels and shard, in one Parquet table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.errors import InputError
from ssr.files import replacing

_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("split", pa.string()),
        ("labels", pa.list_(pa.int32())),
        ("shard", pa.string()),
    ]
)


@dataclass(frozen=True)
class Image:
    """One image.

    `image` is relative to the root of the data set; `width` and `height` are those of the upright
    image; `labels` are its classes, ascending from 1, and empty where nothing is known of it: such
    an image is predicted but not learned from.
    """

    id: str
    image: str
    width: int
    height: int
    split: str
    labels: tuple[int, ...]
    shard: str


@dataclass(frozen=True)
class Index:
    """All images of a data set, ordered by split (train, tune, val) and id."""

    images: tuple[Image, ...]

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote.

        Raises:
            InputError: the file is missing, damaged or no index.
        """
        try:
            rows = pq.read_table(path, schema=_SCHEMA).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path}: cannot be read as an index ({error})") from error
        return cls(tuple(Image(**{**row, "labels": tuple(row["labels"])}) for row in rows))

    def write(self, path: str | Path) -> None:
        """Write a Parquet table; equal indices give equal bytes."""
        table = pa.Table.from_pylist([asdict(image) for image in self.images], schema=_SCHEMA)
        with replacing(path) as temporary:
            pq.write_table(table, temporary)

    def split(self, split: str) -> list[Image]:
        """The images of a split: train, tune or val."""
        return [image for image in self.images if image.split == split]

    def shard(self, name: str) -> list[Image]:
        """The images of a shard.

        Raises:
            InputError: no shard has this name.
        """
        images = [image for image in self.images if image.shard == name]
        if not images:
            shards = ", ".join(dict.fromkeys(image.shard for image in self.images))
            raise InputError(f"no shard is named {name}; there are {shards or 'none'}")
        return images
