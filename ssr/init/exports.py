"""Image-level labels as annotation tools export them, and as folders named after classes.

- CVAT: `annotations.xml` of "CVAT for images 1.1"; its ImageNet export is such folders
- Label Studio: one JSON of tasks with `annotations`
- FiftyOne: `labels.json` and `data/` of its FiftyOneImageClassificationDataset

An object that is drawn counts as a label of its image.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from ssr.annotation.json_files import read_json
from ssr.annotation.label_studio import before_upload, image_of
from ssr.data.findings import Findings
from ssr.data.images import SUFFIXES
from ssr.data.texts import read_text
from ssr.errors import InputError
from ssr.init.labelled import IMAGES, MASKS, PARTS, ImageFiles, Labelled
from ssr.running.digests import digest

CVAT, FIFTYONE = "annotations.xml", "labels.json"
# Folders in which CVAT and FiftyOne put what has no label.
_UNLABELLED = ("no_label", "_unlabeled")
# The results of Label Studio that name classes; not so "textarea", "rating" or "relation".
_NAMING = re.compile(r"choices|taxonomy|\w*labels")
# What an error shows of a folder.
_SHOWN = 8


def read_cvat(folder: Path, findings: Findings) -> list[Labelled]:
    """The images of "CVAT for images 1.1": tags, and labels of what is drawn.

    Raises:
        InputError: it is no such file.
    """
    path = folder / CVAT
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError, LookupError, ValueError) as error:
        raise InputError(f"{path}: is no XML ({error})") from error
    images = root.findall("image")
    if not images:
        raise InputError(f'{path}: names no image; export from CVAT as "CVAT for images 1.1"')
    files = ImageFiles(folder)
    found = [_labelled(files, image.get("name", ""), _drawn(image)) for image in images]
    _name_unused(files, (image.file for image in found), findings)
    return found


def read_label_studio(folder: Path, findings: Findings) -> list[Labelled]:
    """The tasks of Label Studio: choices, and labels of what is drawn, of all annotators.

    Raises:
        InputError: it is no such file, or was exported in short.
    """
    (path,) = _label_studio_files(folder)
    files, found = ImageFiles(folder), []
    for task in read_json(path):
        try:
            name, told = image_of(task["data"]), [*_told(task["annotations"])]
        except (LookupError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: is no export of Label Studio as JSON (not JSON-MIN): {error!r}"
            ) from error
        # Files that were uploaded have digits in front that the originals lack.
        image = _labelled(
            files,
            name if files.find(name) else before_upload(name),
            chain.from_iterable(told),
        )
        if not told and task["annotations"]:
            findings.warning("image whose task was skipped, without a label", image.file)
        if any(set(own) != set(told[0]) for own in told):
            kind = "image on which annotators differ, all their labels are taken"
            findings.warning(kind, image.file)
        found.append(image)
    _name_unused(files, (image.file for image in found), findings)
    return found


def read_fiftyone(folder: Path, findings: Findings) -> list[Labelled]:
    """The images of a FiftyOneImageClassificationDataset, of one label each or several.

    Raises:
        InputError: it is no such file.
    """
    path = folder / FIFTYONE
    content = read_json(path)
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, dict):
        raise InputError(f'{path}: wanted "classes" and "labels", as FiftyOne exports them')
    files, classes = ImageFiles(folder), content.get("classes") or []
    if not isinstance(classes, list):
        raise InputError(f'{path}: wanted a list of names as "classes"')
    targets = {name: _targets(path, target, classes) for name, target in labels.items()}
    found = [_labelled(files, name, own) for name, own in targets.items()]
    _name_unused(files, (image.file for image in found), findings)
    return found


def read_class_folders(folder: Path, findings: Findings) -> list[Labelled]:
    """The images in folders that are named after classes; equal files are one image.

    Raises:
        InputError: there are no two such folders.
    """
    root = folder / IMAGES if any(map(_images, _folders(folder / IMAGES))) else folder
    classes = [own for own in _folders(root) if own.name not in (IMAGES, MASKS) and _images(own)]
    if len(classes) < 2:
        raise InputError(_unknown(folder))
    # YOLO's layout, and others.
    if {own.name.casefold() for own in classes} <= {*chain(*PARTS.values())}:
        named = ", ".join(f"{own.name}/" for own in classes)
        raise InputError(
            f"{root}: {named} are parts of a data set, not classes; put the images into "
            "images/ and name parts and labels in labels.csv (docs/own_data.md)"
        )
    used = {
        image.relative_to(folder).as_posix(): image for own in classes for image in _images(own)
    }
    _name_unused(ImageFiles(folder), used, findings)
    files: dict[str, str] = {}
    labels: dict[str, list[str]] = {}
    for file, image in used.items():
        content, name = digest(image), image.parent.name
        if files.setdefault(content, file) != file:
            findings.warning("file that equals another, one image with the labels of both", file)
        labels.setdefault(content, []).extend([name] * (name not in _UNLABELLED))
    return [Labelled(file, tuple(dict.fromkeys(labels[own]))) for own, file in files.items()]


def reader(folder: Path) -> tuple[str, Callable[[Path, Findings], list[Labelled]]]:
    """What a folder without labels.csv holds, in words, and what reads it."""
    if (folder / CVAT).is_file():
        return f"CVAT's {CVAT}", read_cvat
    if (folder / FIFTYONE).is_file() and (folder / "data").is_dir():
        return f"FiftyOne's {FIFTYONE}", read_fiftyone
    if len(tasks := _label_studio_files(folder)) == 1:
        return f"Label Studio's {tasks[0].name}", read_label_studio
    return "folders named after classes", read_class_folders


def _labelled(files: ImageFiles, name: str, labels: Iterable[str]) -> Labelled:
    own = tuple(dict.fromkeys(label.strip() for label in labels))
    return Labelled(files.find(name) or f"{IMAGES}/{PurePosixPath(name).name}", own)


def _name_unused(files: ImageFiles, used: Iterable[str], findings: Findings) -> None:
    for file in sorted({*files.all} - {*used}):
        findings.warning("image that nothing labels, not used", file)


def _drawn(image: ElementTree.Element) -> Iterator[str]:
    """The labels of CVAT's tags and shapes."""
    return (label for part in image if (label := part.get("label")))


def _label_studio_files(folder: Path) -> list[Path]:
    """JSON files that begin as a list of tasks does."""
    return [
        path for path in sorted(folder.glob("*.json")) if read_text(path)[:1024].lstrip()[:1] == "["
    ]


def _told(annotations: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
    """The labels of each annotation that was not cancelled."""
    for each in annotations:
        if not each.get("was_cancelled"):
            results = ((result["type"], result.get("value", {})) for result in each["result"])
            named = (own[kind] for kind, own in results if _NAMING.fullmatch(kind))
            yield [_last(label) for labels in named for label in labels]


def _last(label: Any) -> str:
    """A label, of a taxonomy the last word of its path."""
    return str(label[-1] if isinstance(label, list) else label)


def _targets(path: Path, target: Any, classes: Sequence[str]) -> Iterator[str]:
    """Names of what FiftyOne has for an image: a name, an index, a label in braces, or a list."""
    if isinstance(target, list):
        for each in target:
            yield from _targets(path, each, classes)
    elif isinstance(target, dict):
        yield from _targets(path, target.get("label"), classes)
    elif isinstance(target, str):
        yield target
    elif type(target) is int and 0 <= target < len(classes):
        yield str(classes[target])
    elif target is not None:
        raise InputError(f"{path}: wanted a name or an index of classes, came {target!a}")


def _folders(folder: Path) -> list[Path]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if path.is_dir() and not path.name.startswith(".")]


def _images(folder: Path) -> list[Path]:
    paths = (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [path for path in paths if path.is_file() and path.suffix.lower() in SUFFIXES]


def _unknown(folder: Path) -> str:
    shown = [f"{path.name}{'/' * path.is_dir()}" for path in sorted(folder.iterdir())]
    came = ", ".join(shown[:_SHOWN]) + ", …" * (len(shown) > _SHOWN) or "nothing"
    return (
        f"{folder}: nothing says which classes are in which image. Wanted images/ and labels.csv; "
        "or two folders at least that are named after classes; or an export of COCO "
        "(annotations/instances_….json), VOC (JPEGImages/), CVAT for images (annotations.xml), "
        f"Label Studio (….json) or FiftyOne (labels.json and data/). Came {came}"
    )
