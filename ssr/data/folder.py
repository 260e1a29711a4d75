"""Format `folder`: images/, labels.csv and, for evaluation, masks/.

labels.csv is a table (see ssr.data.tables) of the files in images/, with a column split if wanted.
The id of an image is its file name without the suffix. docs/own_data.md shows how to make one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.ids import is_plain
from ssr.data.source import SPLITS, Origin, Source
from ssr.data.tables import Row, Table, read_images, read_table, refuse_other_splits
from ssr.errors import InputError

TABLE = "labels.csv"
FOLDERS = ("images",)
"""Folders that belong to the format, besides that of masks."""


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split in the order of labels.csv; nothing is checked yet.

    Raises:
        InputError: labels.csv is missing or has another header; or it names no splits, and masks
            to make some are missing.
    """
    ids: dict[str | None, list[str]] = {}
    for image, part in _images(settings):
        ids.setdefault(part, []).append(_id(image))
    if not ids or None in ids:
        refuse_other_splits(Path(settings.root) / TABLE)
        return _divide(ids.get(None, []), settings)
    return {
        split: ids.get(value, []) if value is not None else []
        for split, value in settings.splits.model_dump().items()
    }


def list_files(settings: Data, _: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """labels.csv and the image of each id in a split, relative to the root."""
    used = {None, *settings.splits.model_dump().values()}
    yield TABLE
    for image, part in _images(settings):
        if part in used and (is_plain(image) or is_plain(_id(image))):
            yield f"images/{image}"


def list_origins(settings: Data, splits: Mapping[str, Iterable[str]]) -> dict[str, Origin]:
    """The image of each id, and its labels as they stand in labels.csv."""
    found = _sources(_table(settings).rows)
    ids = chain.from_iterable(splits.values())
    return {i: Origin((found[i].image,), found[i].labels) for i in ids}


def read_sources(settings: Data, ids: Collection[str], findings: Findings) -> dict[str, Source]:
    """Image file and label names of each of `ids`."""
    table = _table(settings)
    table.report(TABLE, findings)
    _check_rows(table.rows, settings, findings)
    found = _sources(table.rows)
    return {i: found[i] for i in ids}


def _divide(ids: Sequence[str], settings: Data) -> dict[str, list[str]]:
    """Splits of a table that names none: images with a mask go to tune and val in turn.

    At most half of all images do, and those evenly spaced by their ids; the others train. Without
    masks all train.
    """
    wanted = [split for split in ("tune", "val") if getattr(settings.splits, split) is not None]
    if settings.masks is None or not wanted:
        return {split: list(ids) if split == "train" else [] for split in SPLITS}
    folder = Path(settings.root) / settings.masks
    masked = sorted(set(ids) & {path.stem for path in folder.glob("*.png")})
    step = max(1, -(-len(masked) // max(1, len(ids) // 2)))
    held = masked[::step]
    if len(held) < len(wanted):
        stray = _stray_masks(settings, ids)
        others = f", and {len(stray)} other files there, such as {stray[0]!a}" if stray else ""
        raise InputError(
            f"{settings.root}/labels.csv has no column split, so {' and '.join(wanted)} are taken "
            f"from the images with a mask in {folder}: {len(wanted)} at least, half of the images "
            f"at most; came {len(masked)} of {len(ids)} images with a mask{others}. Without masks, "
            f"set data.masks: null"
        )
    part = {image_id: wanted[place % len(wanted)] for place, image_id in enumerate(held)}
    return {split: [i for i in ids if part.get(i, "train") == split] for split in SPLITS}


def _check_rows(rows: Sequence[Row], settings: Data, findings: Findings) -> None:
    used = {None, *settings.splits.model_dump().values()}
    parts = {_id(row.image): row.split for row in rows if row.split in used}
    files: dict[str, str] = {}
    for row in rows:
        if row.split not in used:
            findings.warning("image whose split is not used", f"{row.image} ({row.split!r})")
            if _id(row.image) in parts:
                example = f"{row.image} ({parts[_id(row.image)]}, {row.split})"
                findings.problem("image in a used and an unused split", example)
        if files.setdefault(_id(row.image), row.image) != row.image:
            findings.problem(
                "id of two files", f"{_id(row.image)} ({files[_id(row.image)]}, {row.image})"
            )
    for name in _others(Path(settings.root, "images"), (row.image for row in rows)):
        findings.warning("file in images/ without a row in labels.csv, not used", name)
    for name in _stray_masks(settings, (_id(row.image) for row in rows)):
        kind = "that is the mask of no image ({id}.png), not used"
        findings.warning(f"file in {settings.masks}/ {kind}", name)


def _stray_masks(settings: Data, ids: Iterable[str]) -> list[str]:
    """Files among the masks that none of the images has, such as `a.PNG` or `a_mask.png`."""
    if settings.masks is None:
        return []
    return _others(Path(settings.root, settings.masks), (f"{image_id}.png" for image_id in ids))


def _others(folder: Path, known: Iterable[str]) -> list[str]:
    """Names in a folder, if there is one, other than these and hidden ones."""
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return sorted(name for name in present - set(known) if not name.startswith("."))


def _sources(rows: Sequence[Row]) -> dict[str, Source]:
    return {_id(row.image): Source(f"images/{row.image}", row.labels) for row in rows}


def _id(image: str) -> str:
    stem, suffix = os.path.splitext(image)
    return image if suffix == "." else stem


def _images(settings: Data) -> Iterator[tuple[str, str | None]]:
    with _named(settings) as path:
        yield from read_images(path)


def _table(settings: Data) -> Table:
    with _named(settings) as path:
        return read_table(path)


@contextmanager
def _named(settings: Data) -> Iterator[Path]:
    """labels.csv; if it is missing, the setting is named, too."""
    path = Path(settings.root) / TABLE
    try:
        yield path
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (data.root is {settings.root})") from None
