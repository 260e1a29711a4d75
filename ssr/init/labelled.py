"""Images and their labels before there is a labels.csv, and how they become one."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ssr.artefacts.files import replacing
from ssr.data.folder import TABLE
from ssr.data.images import SUFFIXES
from ssr.errors import InputError

IMAGES, MASKS = "images", "masks"
"""Folders of a data set of the format `folder`."""
PARTS = {
    "train": ("train_aug", "train", "training", "trainval", "default"),
    "tune": ("tune", "tuning"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
"""What the parts of a data set are called, the likeliest first."""
_PARTS_LABELS = ";"


@dataclass(frozen=True)
class Labelled:
    """An image and the names of its labels.

    `file` is relative to the folder; of an image that an export names and nobody finds, where it
    would be looked for: the check of the data set names it.
    """

    file: str
    labels: tuple[str, ...]


class ImageFiles:
    """The image files anywhere below a folder, but for masks and what is hidden.

    `all` are their names, relative to it.
    """

    def __init__(self, folder: Path) -> None:
        self._named: dict[str, list[str]] = {}
        # A link that an earlier call has made is no second image.
        images = {path.resolve(): path for path in sorted(_below(folder), reverse=True)}
        self.all = sorted(path.relative_to(folder).as_posix() for path in images.values())
        for file in self.all:
            for name in (PurePosixPath(file).name, PurePosixPath(file).stem):
                self._named.setdefault(name, []).append(file)

    def find(self, name: str) -> str | None:
        """The file of this name, with or without its suffix and the folders before it.

        Raises:
            InputError: several have it.
        """
        wanted = PurePosixPath(name)
        found = [
            file
            for file in self._named.get(wanted.name, [])
            if f"/{file}".endswith(f"/{name}")
            or f"/{PurePosixPath(file).with_suffix('')}".endswith(f"/{name}")
        ]
        if len(found) > 1:
            raise InputError(f"{name} may be any of {', '.join(found)}: their names must differ")
        return found[0] if found else None


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == MASKS:
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.suffix.lower() in SUFFIXES:
            yield path


def write_table(folder: Path, images: Sequence[Labelled]) -> list[str]:
    """Write labels.csv, and links in images/ to what lies elsewhere; what was written, in words.

    Raises:
        InputError: a label can't stand in the table, or a link would take a name that is taken.
    """
    if parted := sorted({name for own in images for name in own.labels if _PARTS_LABELS in name}):
        raise InputError(f"labels have no semicolon, which parts those of an image; came {parted}")
    names = _names([own.file for own in images])
    links = {name: file for file, name in names.items() if file != f"{IMAGES}/{name}"}
    _link(folder, links)
    with replacing(folder / TABLE) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("image", "labels"))
        writer.writerows((names[own.file], _PARTS_LABELS.join(own.labels)) for own in images)
    written = [f"{folder / TABLE} ({len(images)} images)"]
    return [*written, f"{folder / IMAGES}/ ({len(links)} links)"] if links else written


def _names(files: Sequence[str]) -> dict[str, str]:
    """What each file is called in images/; where two would be alike, with the folders before it."""
    stems = Counter(PurePosixPath(file).stem for file in files)
    names = {}
    for file in files:
        path = PurePosixPath(file)
        parts = [part for part in path.parts if part != IMAGES]
        names[file] = path.name if stems[path.stem] == 1 else "_".join(parts)
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        raise InputError(f"several images would be called {twice[0]}: their names must differ")
    return names


def _link(folder: Path, links: Mapping[str, str]) -> None:
    targets = {folder / IMAGES / name: os.path.join("..", file) for name, file in links.items()}
    for link, target in targets.items():
        if os.path.lexists(link) and not (link.is_symlink() and os.readlink(link) == target):
            raise InputError(f"{link}: is there already; it would become a link to {target}")
    for link, target in targets.items():
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(target)
