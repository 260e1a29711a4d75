"""The index: every image with its size, split, labels and shard, in one Parquet table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, seal, verify
from ssr.data.ids import ALLOWED, is_plain
from ssr.errors import InputError

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
    image; `labels` are its classes, ascending from 1, and empty where nothing is known of it, or it
    would train but is a single patch: such an image is predicted but not learned from.

    Raises:
        InputError: `id` can't be the name of a file, or `image` leads out of the data set: files
            are named after the one, and opened by the other, wherever an index came from.
    """

    id: str
    image: str
    width: int
    height: int
    split: str
    labels: tuple[int, ...]
    shard: str

    def __post_init__(self) -> None:
        if not is_plain(self.id):
            raise InputError(f"image id {self.id!a}: wanted {ALLOWED}")
        if self.image.startswith("/") or ".." in self.image.split("/"):
            raise InputError(f"image {self.image!a}: wanted a path below the data set's root")


class Index:
    """All images of a data set, ordered by split (train, tune, val, test) and id.

    Kept as a table, or in its file: a job that works on one shard makes `Image`s of that shard
    alone, and reads only the row groups, of a million images each, that hold some of it.
    """

    _file: pq.ParquetFile | None = None
    _reading: AbstractContextManager[object] = nullcontext()

    def __init__(self, images: Sequence[Image]) -> None:
        columns = {name: [getattr(image, name) for image in images] for name in _SCHEMA.names}
        self._table = pa.table(columns, schema=_SCHEMA)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote.

        Raises:
            InputError: the file is missing, damaged or no index.
        """
        verify(Path(path))
        index = cls.__new__(cls)  # making a table from lists would import pandas
        try:
            # pq.read_table would import pandas, which takes longer than a job on a small shard.
            index._file = pq.ParquetFile(path)
            # Two threads in one file of pyarrow's crash, or wait for ever.
            index._reading = Lock()
            if not index._file.schema_arrow.equals(_SCHEMA):
                raise ValueError(f"its columns are {index._file.schema_arrow.names}")
        except (OSError, ValueError, pa.ArrowException) as error:
            raise InputError(f"{path}: cannot be read as an index ({error})") from error
        return index

    def write(self, path: str | Path, contents: str = "") -> None:
        """Write a Parquet table; equal indices of files with equal `contents` give equal bytes.

        `contents` stands for those of all images and labels: a picture that is replaced by one of
        the same name and size is another index. Where parts are not told apart (`ssr.data.parts`),
        all that rests on it is then made anew.
        """
        with replacing(path) as temporary:
            # Below one megabyte Snakemake compares content, so that an equal index reruns nothing
            # where its date counts: with ids stored by what differs from the one before, that of
            # COCO stays below.
            pq.write_table(
                self._table.replace_schema_metadata({b"seal": BLANK, b"contents": contents}),
                temporary,
                compression="zstd",
                compression_level=12,
                use_dictionary=["width", "height", "split", "labels", "shard"],
                column_encoding={"id": "DELTA_BYTE_ARRAY", "image": "DELTA_BYTE_ARRAY"},
            )
            seal(temporary)

    @cached_property
    def _table(self) -> pa.Table:
        assert self._file is not None  # as it is in `__init__`
        with self._reading:
            return self._file.read()

    @property
    def images(self) -> tuple[Image, ...]:
        """All images."""
        return tuple(_images(self._table))

    def split(self, split: str) -> list[Image]:
        """The images of a split: train, tune, val or test."""
        return self._where("split", split)

    def shard(self, name: str) -> list[Image]:
        """The images of a shard.

        Raises:
            InputError: no shard has this name.
        """
        images = self._where("shard", name)
        if not images:
            shards = ", ".join(dict.fromkeys(self._table["shard"].to_pylist()))
            raise InputError(f"no shard is named {name}; there are {shards or 'none'}")
        return images

    def _where(self, column: str, value: str) -> list[Image]:
        """The images with a value in a column; Arrow's own filter would import pandas."""
        found: list[Image] = []
        with self._reading:
            for rows in self._rows(column, value):
                start = 0
                for own, run in groupby(rows[column].to_pylist()):
                    length = sum(1 for _ in run)
                    if own == value:
                        found += _images(rows.slice(start, length))
                    start += length
        return found

    def _rows(self, column: str, value: str) -> Iterable[pa.Table | pa.RecordBatch]:
        """The table; of a file, bit by bit, the row groups that may have a value in a column."""
        if self._file is None:
            return [self._table]
        groups, place = self._file.metadata, _SCHEMA.get_field_index(column)
        held = (groups.row_group(n).column(place).statistics for n in range(groups.num_row_groups))
        chosen = [n for n, own in enumerate(held) if own is None or own.min <= value <= own.max]
        return self._file.iter_batches(row_groups=chosen)


def _images(rows: pa.Table | pa.RecordBatch) -> list[Image]:
    return [Image(**{**row, "labels": tuple(row["labels"])}) for row in rows.to_pylist()]
