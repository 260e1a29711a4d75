"""Format `coco`: folders of images and their instances files, as they are unpacked.

A split is a folder such as `train2014`, described by annotations/instances_train2014.json, or a
list such as `train.txt`: lines `id index index …`, indices from 0, with ids such as
COCO_train2014_000000000009 that name their folder. What is derived from an instances file (see
ssr.data.instances) lies in one folder as `train2014.txt`, such a list, and `train2014.zip`, masks.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.ids import ALLOWED, is_plain
from ssr.data.label_files import name_of, read_label_file, read_list
from ssr.data.source import Source
from ssr.errors import InputError

ANNOTATIONS = "annotations"
"""Folder of the instances files; as `data.masks`, it has the masks drawn from them."""
FOLDERS = (ANNOTATIONS,)
"""Folders that belong to the format, besides those of masks and images."""
_DERIVED = "annotations"
_LIST_SUFFIX = ".txt"
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


def instances_file(settings: Data, folder: str) -> Path:
    """The file that describes a folder of images."""
    return Path(settings.root) / ANNOTATIONS / f"instances_{folder}.json"


def derived_labels(folder: str) -> str:
    """Where the labels of a folder lie, below the results."""
    return f"{_DERIVED}/{folder}{_LIST_SUFFIX}"


def derived_masks(folder: str) -> str:
    """Where the masks of a folder lie, below the results."""
    return f"{_DERIVED}/{folder}.zip"


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split: all images of its folder, or the lines of its list.

    Raises:
        InputError: a folder or a list is missing.
    """
    splits = settings.splits.model_dump()
    return {
        split: [image_id for image_id, _ in _files(settings, name)] if name else []
        for split, name in splits.items()
    }


def labelled_folders(settings: Data) -> list[str]:
    """Folders whose labels are derived from their instances files.

    Raises:
        InputError: the name of one can't be that of what is derived.
    """
    if settings.labels_file is not None:
        return []
    names = [settings.splits.train, settings.splits.tune, settings.splits.val]
    return _unique(name for name in names if name and not _is_list(name))


def masked_folders(settings: Data) -> list[str]:
    """Folders whose masks are derived from their instances files; none in other formats.

    Raises:
        InputError: the name of one can't be that of what is derived.
    """
    if settings.format != "coco" or settings.masks != ANNOTATIONS:
        return []
    names = [settings.splits.train, settings.splits.tune, settings.splits.val]
    folders = (
        _file_of(image_id).rpartition("/")[0]
        for name in filter(_is_list, filter(None, names))
        for image_id in _read(settings, name)
    )
    return _unique([*(n for n in names if n and not _is_list(n)), *folders])


def _unique(folders: Iterable[str]) -> list[str]:
    """The folders without repetition; files in the results are named after them."""
    found = list(dict.fromkeys(folders))
    for folder in found:
        if not is_plain(folder):
            raise InputError(f"folder of COCO's images {folder!a}: wanted {ALLOWED}")
    return found


def read_sources(
    settings: Data, ids: Collection[str], findings: Findings, derived: Path
) -> dict[str, Source]:
    """Image file and label names of each of `ids`.

    Args:
        settings: of the data set.
        ids: of images in the splits.
        findings: takes what is wrong.
        derived: folder of what was derived from the instances files.

    Raises:
        InputError: a list or a labels file is missing or of another form.
    """
    names = _names(settings)
    files = _all_files(settings)
    labels = _labels(settings, names, files, findings, derived)
    return {image_id: Source(files[image_id], labels.get(image_id, ())) for image_id in ids}


def list_files(settings: Data, splits: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The image of each id, and lists or files of labels, relative to the root."""
    files = _all_files(settings)
    yield from (files[image_id] for ids in splits.values() for image_id in ids)
    if settings.labels_file is not None:
        yield settings.labels_file
    else:
        yield from filter(_is_list, _names(settings))


def mask_archives(settings: Data, derived: Path) -> list[str]:
    """Where the derived masks of each folder lie."""
    return [_archive(derived, folder) for folder in masked_folders(settings)]


def mask_references(sources: Mapping[str, Source], derived: Path) -> dict[str, str]:
    """Where the derived mask of each image lies, as ssr.data.masks writes it."""
    return {
        image_id: f"{_archive(derived, own.image.rpartition('/')[0])}!{image_id}.png"
        for image_id, own in sources.items()
    }


def _archive(derived: Path, folder: str) -> str:
    return f"{derived.absolute()}/{folder}.zip"


def _names(settings: Data) -> list[str]:
    """The folders and lists that are splits."""
    return list(dict.fromkeys(filter(None, settings.splits.model_dump().values())))


def _all_files(settings: Data) -> dict[str, str]:
    """Image file, relative to the root, of every id of a folder or list."""
    return {image: file for name in _names(settings) for image, file in _files(settings, name)}


def _is_list(name: str) -> bool:
    return name.endswith(_LIST_SUFFIX)


def _files(settings: Data, name: str) -> list[tuple[str, str]]:
    """Id and image file, relative to the root, of everything in a folder or list."""
    if _is_list(name):
        return [(image_id, _file_of(image_id)) for image_id in _read(settings, name)]
    try:
        files = sorted(os.listdir(Path(settings.root) / name))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{Path(settings.root) / name}: no such folder of images") from None
    parts = ((*os.path.splitext(file), file) for file in files)
    return [
        (stem, f"{name}/{file}")
        for stem, suffix, file in parts
        if suffix.lower() in _IMAGE_SUFFIXES
    ]


def _file_of(image_id: str) -> str:
    prefix, _, folder = image_id.rpartition("_")[0].partition("_")
    if prefix != "COCO" or not folder:
        raise InputError(
            f"{image_id}: in a list, ids name their folder, as COCO_train2014_000000000009 does"
        )
    return f"{folder}/{image_id}.jpg"


def _read(settings: Data, name: str) -> dict[str, tuple[int, ...]]:
    path = Path(settings.root) / name
    try:
        return read_list(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such list") from None


def _labels(
    settings: Data, names: list[str], files: Mapping[str, str], findings: Findings, derived: Path
) -> dict[str, tuple[str, ...]]:
    if settings.labels_file is not None:
        path = Path(settings.root) / settings.labels_file
        return read_label_file(path, settings.classes, findings)
    indices = {}
    for name in names:
        if _is_list(name):
            indices.update(_read(settings, name))
        elif name != settings.splits.test:
            listed = read_list(derived / f"{name}{_LIST_SUFFIX}")
            _compare(name, listed, files, findings)
            indices.update(listed)
    return {
        image_id: tuple(name_of(index, settings.classes) for index in own)
        for image_id, own in indices.items()
    }


def _compare(
    folder: str, listed: Collection[str], files: Mapping[str, str], findings: Findings
) -> None:
    """Find what only one of a folder and its instances file has."""
    for image_id in listed:
        if image_id not in files:
            findings.problem("missing image", f"{folder}/{image_id}")
    for image_id, file in files.items():
        if file.startswith(f"{folder}/") and image_id not in listed:
            findings.problem(f"image that instances_{folder}.json does not list", file)
