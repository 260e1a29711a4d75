"""Format `folder`: images/, labels.csv and, for evaluation, masks/.

labels.csv has the columns image (a file name in images/), labels (class names separated by
semicolons) and, if wanted, split. The id of an image is its file name without the suffix.
docs/own_data.md shows how to make one.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.source import SPLITS, Source
from ssr.errors import InputError

HEADER = ("image", "split", "labels")


@dataclass(frozen=True)
class _Row:
    """A line of labels.csv; `split` is None where it has no such column, `surplus` what is left."""

    image: str
    split: str | None
    labels: str
    surplus: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.image.removesuffix(PurePosixPath(self.image).suffix)


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split in the order of labels.csv; nothing is checked yet.

    Raises:
        InputError: labels.csv is missing or has another header; or it names no splits, and masks
            to make some are missing.
    """
    rows = _rows(settings)
    if rows and rows[0].split is None:
        return _divide([row.id for row in rows], settings)
    splits = settings.splits.model_dump()
    return {
        split: [row.id for row in rows if value is not None and row.split == value]
        for split, value in splits.items()
    }


def read_sources(settings: Data, ids: Collection[str], findings: Findings) -> dict[str, Source]:
    """Image file and label names of each of `ids`."""
    rows = _rows(settings)
    _check_rows(rows, settings, findings)
    found = {row.id: row for row in rows}
    return {image_id: _source(found[image_id]) for image_id in ids}


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


def _check_rows(rows: Sequence[_Row], settings: Data, findings: Findings) -> None:
    used = {None, *settings.splits.model_dump().values()}
    files: dict[str, str] = {}
    for row in rows:
        if row.split not in used:
            findings.warning("image whose split is not used", f"{row.image} ({row.split!r})")
        if row.surplus:
            example = f"{row.image} ({', '.join(row.surplus)})"
            findings.problem(
                "row with more cells than the header; a semicolon parts labels", example
            )
        if files.setdefault(row.id, row.image) != row.image:
            findings.problem("id of two files", f"{row.id} ({files[row.id]}, {row.image})")
    for name in _others(Path(settings.root, "images"), (row.image for row in rows)):
        findings.warning("file in images/ without a row in labels.csv, not used", name)
    for name in _stray_masks(settings, (row.id for row in rows)):
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


def _source(row: _Row) -> Source:
    labels = (label.strip() for label in row.labels.split(";"))
    return Source(f"images/{row.image}", tuple(label for label in labels if label))


def _rows(settings: Data) -> list[_Row]:
    path = Path(settings.root) / "labels.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(csv.reader(file), path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (data.root is {settings.root})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from error


def _read(lines: Iterator[list[str]], path: Path) -> list[_Row]:
    header = [name.strip() for name in next(lines, [])]
    labels = "label" if "label" in header else "labels"
    if missing := [name for name in ("image", labels) if name not in header]:
        raise InputError(
            f"{path}: the header must name image and labels, and may name split; "
            f"missing: {', '.join(missing)}; came {','.join(header) or 'nothing'}"
        )
    rows = []
    for line in lines:
        cells = [cell.strip() for cell in line]
        named = dict(zip(header, cells, strict=False))
        if any(cells):
            split = named.get("split", "") if "split" in header else None
            surplus = tuple(filter(None, cells[len(header) :]))
            rows.append(_Row(named.get("image", ""), split, named.get(labels, ""), surplus))
    return rows
