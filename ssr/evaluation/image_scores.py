"""What each image adds to an evaluation: a Parquet table of confusions, and scores of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, seal, verify
from ssr.errors import InputError
from ssr.evaluation.metrics import Counts
from ssr.labels import IGNORE

_SCHEMA = pa.schema(
    [("id", pa.string()), ("truth", pa.uint8()), ("answer", pa.uint8()), ("pixels", pa.int32())]
)


def sparse(confusion: Counts) -> Counts:
    """Rows (n, 3) of truth, answer and pixels, where there are any; an abstention is 255.

    `confusion` is (classes, classes + 1) with abstentions in the last column, or square.
    """
    truth, answer = confusion.nonzero()
    answers = np.where(answer == len(confusion), IGNORE, answer)
    return np.stack([truth, answers, confusion[truth, answer]], axis=1)


def write_image_counts(path: Path, images: Mapping[str, Counts]) -> None:
    """Write the rows that `sparse` gave for each image, by id; equal counts give equal bytes."""
    rows = np.concatenate([np.zeros((0, 3), np.int64), *images.values()])
    ids = np.repeat(np.array(list(images), object), [len(one) for one in images.values()])
    table = pa.table([pa.array(ids, pa.string()), *rows.T], schema=_SCHEMA)
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata({b"seal": BLANK}), temporary)
        seal(temporary)


@dataclass(frozen=True)
class ImageScores:
    """Scores of M images, each from its own confusion alone; abstentions count nowhere.

    Attributes:
        ids: of the images, in the order of the evaluation. One without a known pixel is left out.
        iou: (M, classes) float64, NaN for classes neither in truth nor in answer.
        pairs: (M, 2) int64, truth and answer of the most frequent mistake; equal where there is
            none.
        wrong: (M,) int64, pixels of that mistake.
    """

    ids: list[str]
    iou: NDArray[np.float64]
    pairs: NDArray[np.int64]
    wrong: NDArray[np.int64]

    @property
    def miou(self) -> NDArray[np.float64]:
        """(M,) means over the classes that count; NaN where all pixels are abstentions."""
        known = np.isfinite(self.iou)
        return np.where(known, self.iou, 0).sum(1) / np.where(known.any(1), known.sum(1), np.nan)

    @classmethod
    def read(cls, path: Path, classes: int) -> Self:
        """Read what `write_image_counts` wrote, of `classes` classes with the background.

        Raises:
            InputError: the file is missing, damaged, or of other classes.
        """
        ids, rows = _read(path, classes)
        right, union = _areas(rows, len(ids), classes).transpose(1, 0, 2)
        iou = np.where(union > 0, right / np.maximum(union, 1), np.nan)
        return cls(ids, iou, *_worst(rows, len(ids)))


def read_areas(path: Path, classes: int) -> tuple[list[str], Counts]:
    """Ids of M images, and intersection and union of each class, (M, 2, classes) pixels.

    Raises:
        InputError: as `ImageScores.read`.
    """
    ids, rows = _read(path, classes)
    return ids, _areas(rows, len(ids), classes)


def beside(evaluation: Path) -> Path:
    """Where the counts of the images of an evaluation lie."""
    return evaluation.with_suffix(".images.parquet")


def _read(path: Path, classes: int) -> tuple[list[str], Counts]:
    """Ids of images, and rows (n, 4) of image, truth, answer and pixels, without abstentions."""
    verify(path)
    try:
        table = pq.read_table(path, schema=_SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as counts of images ({error})") from error
    encoded = table["id"].combine_chunks().dictionary_encode()
    image, truth, answer, pixels = (
        column.to_numpy().astype(np.int64)
        for column in (encoded.indices, *map(table.column, ("truth", "answer", "pixels")))
    )
    kept = answer != IGNORE
    if truth.size and max(truth.max(), answer[kept].max(initial=0)) >= classes:
        raise InputError(f"{path}: holds classes beyond the {classes} of the configuration")
    return encoded.dictionary.to_pylist(), np.stack([image, truth, answer, pixels], axis=1)[kept]


def _areas(rows: Counts, images: int, classes: int) -> Counts:
    """Intersection and union (images, 2, classes) from the rows that `_read` gives."""

    def add_up(chosen: Counts, column: int) -> Counts:
        places = chosen[:, 0] * classes + chosen[:, column]
        sums = np.bincount(places, chosen[:, 3], minlength=images * classes)
        return np.asarray(sums, np.int64).reshape(images, classes)

    right = add_up(rows[rows[:, 1] == rows[:, 2]], 1)
    return np.stack([right, add_up(rows, 1) + add_up(rows, 2) - right], axis=1)


def _worst(rows: Counts, images: int) -> tuple[Counts, Counts]:
    """Truth and answer (images, 2) of the most frequent mistake of each image, and its pixels."""
    pairs, pixels = np.zeros((images, 2), np.int64), np.zeros(images, np.int64)
    wrong = rows[rows[:, 1] != rows[:, 2]]
    ordered = wrong[wrong[:, 3].argsort(kind="stable")]  # the largest of an image comes last
    pairs[ordered[:, 0]] = ordered[:, 1:3]
    pixels[ordered[:, 0]] = ordered[:, 3]
    return pairs, pixels
