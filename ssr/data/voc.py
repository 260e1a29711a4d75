"""Format `voc`: a PASCAL VOC folder, as it is unpacked.

Images are JPEGImages/*.jpg, splits are lists in ImageSets/Segmentation/*.txt, or elsewhere.
Labels come from `labels_file` (see ssr.data.label_files), or else from Annotations/*.xml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.label_files import read_label_file, read_lines
from ssr.data.source import Origin, Source
from ssr.errors import InputError

FOLDERS = ("JPEGImages", "Annotations", "ImageSets/Segmentation")
"""Folders that belong to the format, besides that of masks."""
_LIST_SUFFIX = ".txt"


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split in the order of its list; nothing is checked yet.

    Raises:
        InputError: a list is missing.
    """
    splits = settings.splits.model_dump()
    return {split: _list(settings, name) if name else [] for split, name in splits.items()}


def read_sources(settings: Data, ids: Collection[str], findings: Findings) -> dict[str, Source]:
    """Image file and label names of each of `ids`; the test split needs no labels.

    Raises:
        InputError: the labels file is missing or of another form.
    """
    if settings.labels_file is None:
        test = set(list_ids(settings)["test"])
        labels = {
            image_id: _annotated(Path(settings.root) / _annotation(image_id), findings)
            for image_id in ids
            if image_id not in test
        }
    else:
        path = Path(settings.root) / settings.labels_file
        labels = read_label_file(path, settings.classes, findings)
    return {image_id: Source(_image(image_id), labels.get(image_id, ())) for image_id in ids}


def list_files(settings: Data, splits: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The image of each id and the files of labels, relative to the root."""
    yield from (_image(image_id) for ids in splits.values() for image_id in ids)
    if settings.labels_file is not None:
        yield settings.labels_file
        return
    labelled = (ids for split, ids in splits.items() if split != "test")
    yield from (_annotation(image_id) for ids in labelled for image_id in ids)


def list_origins(settings: Data, splits: Mapping[str, Iterable[str]]) -> dict[str, Origin]:
    """The image of each id and the file that has its labels."""

    def files(image_id: str, split: str) -> tuple[str, ...]:
        if settings.labels_file is not None:
            return (_image(image_id), settings.labels_file)
        return (_image(image_id), *(() if split == "test" else (_annotation(image_id),)))

    return {i: Origin(files(i, split)) for split, ids in splits.items() for i in ids}


def list_path(settings: Data, name: str) -> Path:
    """The file of a list: in ImageSets/Segmentation, or, with its suffix, a path from the root."""
    root = Path(settings.root)
    if name.endswith(_LIST_SUFFIX):
        return root / name
    return root / "ImageSets" / "Segmentation" / f"{name}{_LIST_SUFFIX}"


def _image(image_id: str) -> str:
    return f"JPEGImages/{image_id}.jpg"


def _annotation(image_id: str) -> str:
    return f"Annotations/{image_id}.xml"


def _list(settings: Data, name: str) -> list[str]:
    path = list_path(settings, name)
    try:
        lines = read_lines(path)
    except FileNotFoundError:
        shown = "name" if name.endswith(_LIST_SUFFIX) else "stem"  # as it would be written
        others = sorted(getattr(other, shown) for other in path.parent.glob(f"*{_LIST_SUFFIX}"))
        lists = ", ".join(others) or "none"
        raise InputError(f"{path}: no such list; {path.parent} has {lists}") from None
    return [line.strip() for line in lines if line.strip()]


def _annotated(path: Path, findings: Findings) -> tuple[str, ...]:
    try:
        root = ElementTree.parse(path).getroot()
    except (FileNotFoundError, NotADirectoryError):
        findings.problem("missing annotation", str(path))
        return ()
    # Expat opens no file that an XML names and bounds what its entities grow to; texts in an
    # encoding that it does not know raise the other errors.
    except (OSError, ElementTree.ParseError, LookupError, ValueError) as error:
        findings.problem("annotation that is no XML", f"{path} ({error})")
        return ()
    return tuple(name.text or "" for name in root.iterfind("object/name"))
