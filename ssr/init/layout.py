"""What a folder holds, as the section `data` of the settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ssr.config import Data
from ssr.data import coco
from ssr.data.check import read_sources
from ssr.data.findings import Findings
from ssr.data.folder import TABLE
from ssr.data.instances import read_categories
from ssr.data.splits import split_ids
from ssr.data.tables import read_table
from ssr.errors import InputError
from ssr.init.exports import reader
from ssr.init.labelled import IMAGES, MASKS, PARTS, write_table
from ssr.init.masks import with_masks, with_tune

Values = dict[str, Any]

_VOC_LISTS = ("ImageSets/Segmentation", "ImageSets/Main")
_VOC_LABELS = "cls_labels.json"
_VOC_MASKS = ("SegmentationClassAug", "SegmentationClass")
# Stands for the classes until the labels have been read.
_ANY = ("any",)


def prepare(folder: Path, doubts: list[str]) -> list[str]:
    """Make a folder one that can be described; what it holds and what was written, in words.

    Where labels.csv is missing, it is written from what an annotation tool has exported; what is
    not clear there is added to `doubts`. COCO and VOC are read as they are.

    Raises:
        InputError: nothing known is there, or it can't be read.
    """
    if (folder / TABLE).is_file():
        return [f"{folder}: {IMAGES}/ and {TABLE}"]
    if _is_voc(folder):
        return [f"{folder}: a PASCAL VOC folder"]
    if parts := _coco_parts(folder):
        return [f"{folder}: COCO's images and instances files", *_link_images(folder, parts)]
    said, read = reader(folder)
    findings = Findings()
    written = write_table(folder, read(folder, findings))
    doubts += findings.warnings
    return [f"{folder}: {said}", *(f"written: {line}" for line in written)]


def describe(folder: Path, doubts: list[str]) -> Values:
    """The section `data` that reads a folder; what is not used, and why, is added to `doubts`.

    Raises:
        InputError: its labels or its parts can't be used.
    """
    if (folder / TABLE).is_file():
        return _folder(folder, doubts)
    return _voc(folder, doubts) if _is_voc(folder) else _coco(folder, doubts)


def _folder(folder: Path, doubts: list[str]) -> Values:
    if not (folder / IMAGES).is_dir():
        raise InputError(f"{folder / IMAGES}: no such folder; the images of {TABLE} lie there")
    table = read_table(folder / TABLE)
    classes = _classes(folder / TABLE, {name for row in table.rows for name in row.labels})
    values: Values = {"format": "folder", "root": str(folder), "classes": classes}
    if table.divided:
        values["splits"] = _parts({row.split or "" for row in table.rows})
    return with_masks(values, MASKS, doubts)


def _coco(folder: Path, doubts: list[str]) -> Values:
    parts = _coco_parts(folder)
    names, drawn = zip(*map(read_categories, parts.values()), strict=True)
    _classes(folder / coco.ANNOTATIONS, names[0])
    values: Values = {
        "format": "coco",
        "root": str(folder),
        "splits": _parts({*parts, *(path.name for path in folder.glob("test*/"))}),
        "classes": names[0],
    }
    try:
        if not all(drawn):
            raise InputError("some annotations have no outline")
        return with_tune(values | {"masks": coco.ANNOTATIONS})
    except InputError as error:
        doubts.append(f"{folder / coco.ANNOTATIONS}: no masks are drawn: {error}")
        return values | {"masks": None}


def _coco_parts(folder: Path) -> dict[str, Path]:
    """The instances file of each part."""
    files = sorted((folder / coco.ANNOTATIONS).glob("instances_*.json"))
    return {path.stem.removeprefix("instances_"): path for path in files}


def _link_images(folder: Path, parts: Collection[str]) -> Iterator[str]:
    """Link the folders in which images are looked for to those in which tools put them."""
    for part in parts:
        places = (Path(IMAGES, part), Path(IMAGES))
        found = next((place for place in places if (folder / place).is_dir()), None)
        if not (folder / part).exists() and found:
            (folder / part).symlink_to(found)
            yield f"written: {folder / part} (a link to {found}/)"


def _is_voc(folder: Path) -> bool:
    return (folder / "JPEGImages").is_dir()


def _voc(folder: Path, doubts: list[str]) -> Values:
    lists = next((folder / own for own in _VOC_LISTS if (folder / own).is_dir()), None)
    if lists is None:
        raise InputError(f"{folder}: has JPEGImages/, but no lists in {' or '.join(_VOC_LISTS)}")
    parts = _parts({path.stem for path in lists.glob("*.txt")})
    if lists.name == "Main":  # where a list is named by its path
        parts = {split: name and f"{_VOC_LISTS[1]}/{name}.txt" for split, name in parts.items()}
    labels = _VOC_LABELS if (folder / _VOC_LABELS).is_file() else None
    values: Values = {"format": "voc", "root": str(folder), "splits": parts, "labels_file": labels}
    values["classes"] = _labels_of(values)
    masks = next((name for name in _VOC_MASKS if (folder / name).is_dir()), _VOC_MASKS[0])
    return with_masks(values, masks, doubts)


def _labels_of(values: Values) -> list[str]:
    """The names of all labels of a VOC folder."""
    settings = Data(**values, masks=None, classes=_ANY)
    findings = Findings()
    ids = [*chain.from_iterable(split_ids(settings).values())]
    sources = read_sources(settings, ids, findings)
    findings.raise_problems(settings.root)
    names = {name for source in sources.values() for name in source.labels}
    if names and all(map(str.isdecimal, names)):
        raise InputError(
            f"{Path(settings.root, _VOC_LABELS)}: has numbers without names; wanted "
            '{"classes": ["background", …], "labels": {…}}'
        )
    return _classes(Path(settings.root), names)


def _classes(place: Path, names: Collection[str]) -> list[str]:
    """The names of labels as classes, sorted.

    Raises:
        InputError: there is none, or they can't be classes.
    """
    if not names:
        raise InputError(f"{place}: no image has a label")
    try:
        return list(Data(classes=tuple(sorted(names))).classes)
    except ValidationError as error:
        said = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        raise InputError(f"{place}: its labels cannot be classes: {said}") from error


def _parts(names: Collection[str]) -> dict[str, str | None]:
    """Which of the names plays which part.

    Raises:
        InputError: none is that of train.
    """
    parts = {split: _first(sorted(names), usual) for split, usual in PARTS.items()}
    if parts["train"] is None:
        raise InputError(f"none of these names begins with train: {', '.join(sorted(names))}")
    return parts


def _first(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The name that is a usual one, or else begins with one, such as train2014."""
    same = (name for word in usual for name in names if name.casefold() == word)
    near = (name for word in usual for name in names if name.casefold().startswith(word))
    return next(chain(same, near), None)
