"""Format `folder`: images/, labels.csv and, for evaluation, masks/.

labels.csv has the header `image,split,labels`: a file name in images/, a split, and class names
separated by semicolons. The id of an image is its file name without the suffix.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.source import Source
from ssr.errors import InputError

HEADER = ("image", "split", "labels")


@dataclass(frozen=True)
class _Row:
    image: str
    split: str
    labels: str

    @property
    def id(self) -> str:
        return self.image.removesuffix(PurePosixPath(self.image).suffix)


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split in the order of labels.csv; nothing is checked yet.

    Raises:
        InputError: labels.csv is missing or has another header.
    """
    rows = _rows(settings)
    splits = settings.splits.model_dump()
    return {
        split: [row.id for row in rows if value is not None and row.split == value]
        for split, value in splits.items()
    }


def read_sources(settings: Data, ids: Collection[str], findings: Findings) -> dict[str, Source]:
    """Image file and label names of each of `ids`."""
    used = set(settings.splits.model_dump().values())
    rows = _rows(settings)
    for row in rows:
        if row.split not in used:
            findings.warning("image whose split is not used", f"{row.image} ({row.split!r})")
    found = {row.id: row for row in rows}
    return {image_id: _source(found[image_id]) for image_id in ids}


def _source(row: _Row) -> Source:
    labels = (label.strip() for label in row.labels.split(";"))
    return Source(f"images/{row.image}", tuple(label for label in labels if label))


def _rows(settings: Data) -> list[_Row]:
    path = Path(settings.root) / "labels.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := set(HEADER) - set(reader.fieldnames or ()):
                raise InputError(
                    f"{path}: the header must name {', '.join(HEADER)}; "
                    f"{', '.join(sorted(missing))} is missing"
                )
            return [_Row(*((row[key] or "").strip() for key in HEADER)) for row in reader]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (data.root is {settings.root})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from error
