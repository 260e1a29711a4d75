"""Format `voc`: a PASCAL VOC folder, as it is unpacked.

Images are JPEGImages/*.jpg, splits the lists in ImageSets/Segmentation/*.txt. Labels come from
`labels_file`, JSON that gives each id its class names or indices, or else from Annotations/*.xml.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.source import Source
from ssr.errors import InputError


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split in the order of its list; nothing is checked yet.

    Raises:
        InputError: a list is missing.
    """
    splits = settings.splits.model_dump()
    return {split: _list(settings, name) if name else [] for split, name in splits.items()}


def read_sources(settings: Data, ids: Collection[str], findings: Findings) -> dict[str, Source]:
    """Image file and label names of each of `ids`.

    Raises:
        InputError: the labels file is missing or of another form.
    """
    if settings.labels_file is None:
        folder = Path(settings.root) / "Annotations"
        labels = {image_id: _annotated(folder / f"{image_id}.xml", findings) for image_id in ids}
    else:
        labels = _labels_file(Path(settings.root) / settings.labels_file, settings.classes)
    return {
        image_id: Source(f"JPEGImages/{image_id}.jpg", labels.get(image_id, ())) for image_id in ids
    }


def _list(settings: Data, name: str) -> list[str]:
    folder = Path(settings.root) / "ImageSets" / "Segmentation"
    try:
        lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lists = ", ".join(sorted(path.stem for path in folder.glob("*.txt"))) or "none"
        raise InputError(f"{folder / name}.txt: no such list; {folder} has {lists}") from None
    return [line.strip() for line in lines if line.strip()]


def _annotated(path: Path, findings: Findings) -> tuple[str, ...]:
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        findings.problem("missing annotation", str(path))
        return ()
    except ElementTree.ParseError as error:
        findings.problem("annotation that is no XML", f"{path} ({error})")
        return ()
    return tuple(name.text or "" for name in root.iterfind("object/name"))


def _labels_file(path: Path, classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Label names by id, from `{id: [name or index, …]}` or `{"classes": […], "labels": {…}}`.

    An index counts in the file's own classes (with "background" as 0), else in data.classes from 1.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (data.labels_file)") from None
    except ValueError as error:
        raise InputError(f"{path}: is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must map image ids to lists of labels")
    names = content.get("classes", ["background", *classes])
    if not isinstance(names, list) or names[:1] != ["background"]:
        raise InputError(f'{path}: "classes" must be a list that starts with "background"')
    labels = content.get("labels", content)
    if not isinstance(labels, dict) or not all(isinstance(own, list) for own in labels.values()):
        raise InputError(f"{path}: must map image ids to lists of labels")
    return {
        image_id: tuple(_name(label, names) for label in own) for image_id, own in labels.items()
    }


def _name(label: Any, names: Sequence[str]) -> str:
    """The class name of an index; what is no foreground index is left to the check of names."""
    if isinstance(label, int) and 0 < label < len(names):
        return names[label]
    return str(label)
