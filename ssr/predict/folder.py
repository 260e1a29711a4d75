"""A folder of predictions: which image becomes which file, and what its pixels mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssr.artefacts.files import replacing
from ssr.data.images import SUFFIXES, open_image
from ssr.data.pngs import encode_png, read_labels, voc_palette
from ssr.errors import InputError
from ssr.running.digests import digest

_MEANING, _LABELS = "segmentation.json", "labels"
# Notes in each PNG: the SHA-256 of the image that it was made of, and its name.
_SOURCE, _NAME = "source-sha256", "source"
_OPACITY = 0.5
_QUALITY = 90


@dataclass(frozen=True)
class Wanted:
    """An image to be predicted, and the name of what is made of it, without a suffix."""

    image: Path
    name: str


def find_images(given: Sequence[Path], out: Path) -> list[Wanted]:
    """The images that were named, and those in folders that were named, however deep.

    Hidden ones, and what lies below `out`, are left out.

    Raises:
        InputError: one is not there, a folder holds none, or two would get one name.
    """
    known: dict[str, Path] = {}
    for wanted in (wanted for path in given for wanted in _images_of(path, out)):
        other = known.setdefault(wanted.name, wanted.image)
        if other.resolve() != wanted.image.resolve():
            raise InputError(
                f"{other} and {wanted.image} would both become {wanted.name}.png; "
                "predict them into two folders"
            )
    return [Wanted(image, name) for name, image in known.items()]


def _images_of(path: Path, out: Path) -> Iterator[Wanted]:
    if not path.is_dir():
        if not path.is_file():
            raise InputError(f"{path}: no such file or folder")
        yield Wanted(path, path.stem)
        return
    images = sorted(_below(path, out.resolve(), set()))
    if not images:
        raise InputError(
            f"{path}: holds no image; their names end in {', '.join(sorted(SUFFIXES))}"
        )
    for image in images:
        yield Wanted(image, str(image.relative_to(path).with_suffix("")))


def _below(folder: Path, out: Path, seen: set[Path]) -> Iterator[Path]:
    """Images in a folder and those in it, through links, too."""
    place = folder.resolve()
    if place == out or place in seen:
        return
    seen.add(place)
    # A folder itself comes before links to it.
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_symlink(), path.name)):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _below(path, out, seen)
        elif path.suffix.lower() in SUFFIXES:
            yield path


class Predictions:
    """The folder `out`: labels/{name}.png, overlays/{name}.jpg, and what their pixels mean.

    A file is whole or not there, so that what was begun can be continued.

    Args:
        out: it may hold predictions already, of the same segmenter and settings.
        classes: their names, "background" first.
        origin: whatever the predictions depend on, JSON-able.
        overlays: whether there are any.

    Raises:
        InputError: the folder holds something else.
    """

    def __init__(
        self, out: Path, classes: Sequence[str], origin: dict[str, Any], overlays: bool
    ) -> None:
        self._out = out
        self._overlays = overlays
        colours = voc_palette()[: len(classes)].tolist()
        meaning = {
            "classes": [
                {"index": index, "name": name, "colour": colour}
                for index, (name, colour) in enumerate(zip(classes, colours, strict=True))
            ],
            "made_by": origin,
        }
        self._claim(json.loads(json.dumps(meaning)))

    def _claim(self, meaning: dict[str, Any]) -> None:
        path = self._out / _MEANING
        try:
            if not path.exists():
                self._check_empty()
                with replacing(path) as temporary:
                    temporary.write_text(json.dumps(meaning, indent=1, ensure_ascii=False) + "\n")
            elif _parsed(path) != meaning:
                raise InputError(
                    f"{path}: these are predictions of another segmenter or with other settings; "
                    "choose another --out"
                )
        except OSError as error:
            raise InputError(f"--out {self._out}: {error.strerror}") from error

    def _check_empty(self) -> None:
        if not self._out.exists():
            return
        # What a killed run left behind is hidden.
        if not self._out.is_dir() or any(
            not each.name.startswith(".") for each in self._out.iterdir()
        ):
            raise InputError(f"{self._out}: exists and holds no predictions; choose another --out")

    def has(self, wanted: Wanted) -> bool:
        """Whether all that is to be made of an image is there.

        Raises:
            InputError: what is there was made of another image of this name.
        """
        try:
            with open_image(self._label_file(wanted.name)) as png:
                source = png.info.get(_SOURCE)
        except InputError:
            return False
        if source != digest(wanted.image):
            raise InputError(
                f"{self._label_file(wanted.name)}: is of another image than {wanted.image}; choose "
                "another --out, or delete it"
            )
        return not self._overlays or self._overlay_file(wanted.name).is_file()

    def write(self, wanted: Wanted, image: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """Write what was made of an image (H, W, 3), its labels (H, W)."""
        if self._overlays:
            picture = BytesIO()
            Image.fromarray(overlay(image, labels)).save(picture, "JPEG", quality=_QUALITY)
            self._write(self._overlay_file(wanted.name), picture.getvalue())
        notes = {_SOURCE: digest(wanted.image), _NAME: wanted.image.name}
        self._write(self._label_file(wanted.name), encode_png(labels, notes))

    def _write(self, path: Path, content: bytes) -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(content)

    def _label_file(self, name: str) -> Path:
        return self._out / f"{_LABELS}/{name}.png"

    def _overlay_file(self, name: str) -> Path:
        return self._out / f"overlays/{name}.jpg"


def is_predicted(folder: Path) -> bool:
    """Whether a folder holds predictions, and is not that of a run."""
    return (folder / _MEANING).is_file()


def read_predictions(folder: Path) -> tuple[list[str], Iterator[tuple[str, NDArray[np.uint8]]]]:
    """What `Predictions` wrote: the classes without the background; images and their labels.

    An image is named as its file was, below the folder in which it was found.

    Raises:
        InputError: the folder holds something else.
    """
    try:
        names = [each["name"] for each in _parsed(folder / _MEANING)["classes"]]
    except (LookupError, TypeError) as error:
        raise InputError(f"{folder / _MEANING}: is none that ssr predict wrote") from error
    paths = sorted((folder / _LABELS).rglob("*.png"))
    return names[1:], (_read(folder / _LABELS, path) for path in paths)


def _read(folder: Path, path: Path) -> tuple[str, NDArray[np.uint8]]:
    with open_image(path) as png:
        name = png.info.get(_NAME)
    if name is None:
        raise InputError(f"{path}: does not say of which image it is; predict again, elsewhere")
    return path.relative_to(folder).with_name(name).as_posix(), read_labels(path)


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError:
        return None


def overlay(image: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image (H, W, 3) uint8, its objects coloured by their labels (H, W) uint8."""
    painted = image.copy()
    objects = labels > 0
    colours = voc_palette()[labels[objects]].astype(np.float32)
    painted[objects] = (1 - _OPACITY) * image[objects] + _OPACITY * colours
    return painted
