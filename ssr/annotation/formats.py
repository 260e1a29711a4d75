"""Which tool's form a file or a folder is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ssr.annotation import coco, cvat, fiftyone, label_studio
from ssr.annotation.labelled import LabelledImage
from ssr.data.findings import Findings
from ssr.data.texts import read_text
from ssr.errors import InputError

Write = Callable[[Path, Iterable[LabelledImage], Sequence[str]], None]
Read = Callable[[Path, Sequence[str], Findings], Iterator[LabelledImage]]

WRITERS: dict[str, Write] = {
    "coco": coco.write,
    "cvat": cvat.write,
    "fiftyone": fiftyone.write,
    "label_studio": label_studio.write,
}
"""By the tool that reads what they write into an empty folder."""


def reader(path: Path) -> tuple[str, Path, Read]:
    """What an export is, in words; the file or folder of it that is read; and what reads it.

    Raises:
        InputError: it is none that is known.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.suffix.lower() == ".zip" or (path / cvat.LABELS).is_file():
        return "CVAT's masks", path, cvat.read
    if any((path / fiftyone.LABELS).rglob("*.png")):
        return "FiftyOne's masks", path, fiftyone.read
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    if len(files) == 1 and files[0].suffix.lower() == ".json":
        if read_text(files[0])[:1024].lstrip()[:1] == "[":
            return "Label Studio's tasks", files[0], label_studio.read
        return "COCO's instances", files[0], coco.read
    raise InputError(
        f"{path}: holds no masks that are known. Wanted one JSON of COCO or Label Studio; a zip of "
        'CVAT, exported as "Segmentation mask 1.1"; or a folder of FiftyOne, with labels/…png'
    )
