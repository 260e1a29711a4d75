"""What a folder holds, as the section `data` of the settings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
from ssr.init.labelled import IMAGES, MASKS, write_table
from ssr.init.masks import with_masks, with_tune

Values = dict[str, Any]

# What the parts of a data set are called, the likeliest first.
_SPLITS = {
    "train": ("train_aug", "train", "training", "trainval", "default"),
    "tune": ("tune", "tuning"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_VOC_LISTS = ("ImageSets/Segmentation", "ImageSets/Main")
_VOC_LABELS = "cls_labels.json"
_VOC_MASKS = ("SegmentationClassAug", "SegmentationClass")
# Stands for the classes until the labels have been read.
_ANY = ("any",)


def describe(folder: Path, doubts: list[str]) -> tuple[str, Values]:
    """What a folder holds, in words, and the section `data` that reads it.

    Where labels.csv is missing, it is written from what an annotation tool has exported. What is
    not used, and why, is added to `doubts`.

    Raises:
        InputError: nothing known is there, or it can't be read.
    """
    if (folder / "JPEGImages").is_dir():
        return "a PASCAL VOC folder", _voc(folder, doubts)
    if any((folder / coco.ANNOTATIONS).glob("instances_*.json")):
        return "COCO's images and instances files", _coco(folder, doubts)
    said = f"{IMAGES}/ and {TABLE}"
    if not (folder / TABLE).is_file():
        said, read = reader(folder)
        findings = Findings()
        images = read(folder, findings)
        doubts += findings.warnings
        for line in write_table(folder, images):
            print(f"written: {line}")
    return said, _folder(folder, doubts)


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
    files = sorted((folder / coco.ANNOTATIONS).glob("instances_*.json"))
    parts = [path.stem.removeprefix("instances_") for path in files]
    for part in parts:
        _link_images(folder, part)
    names, drawn = zip(*map(read_categories, files), strict=True)
    _classes(files[0], names[0])
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


def _link_images(folder: Path, part: str) -> None:
    """The images of instances_{part}.json lie in {part}/; annotation tools put them in images/."""
    places = (Path(IMAGES, part), Path(IMAGES))
    found = next((place for place in places if (folder / place).is_dir()), None)
    if not (folder / part).exists() and found:
        (folder / part).symlink_to(found)
        print(f"written: {folder / part} (a link to {found}/)")


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
    parts = {split: _first(sorted(names), usual) for split, usual in _SPLITS.items()}
    if parts["train"] is None:
        raise InputError(f"none of these names begins with train: {', '.join(sorted(names))}")
    return parts


def _first(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The name that is a usual one, or else begins with one, such as train2014."""
    same = (name for word in usual for name in names if name.casefold() == word)
    near = (name for word in usual for name in names if name.casefold().startswith(word))
    return next(chain(same, near), None)
