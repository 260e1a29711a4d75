"""CVAT's "Segmentation mask 1.1": a zip of colour PNGs, and a map of labels to colours."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssr.annotation.labelled import LabelledImage, understood
from ssr.artefacts.archives import new_archive, write_entry
from ssr.data.findings import Findings
from ssr.data.images import load_image
from ssr.data.pngs import voc_palette
from ssr.errors import InputError

FILE = "masks.zip"
LABELS = "labelmap.txt"
_LIST, _LISTS = "ImageSets/Segmentation/default.txt", "ImageSets/Segmentation/*.txt"
_MASKS, _OBJECTS = "SegmentationClass/", "SegmentationObject/"
_SUFFIX = ".png"
# Bytes of an entry: a small archive might stand for more than memory holds.
_LARGEST = 2**28
Files = dict[str, Path | zipfile.Path]


def write(folder: Path, images: Iterable[LabelledImage], classes: Sequence[str]) -> None:
    """Write masks.zip, in VOC's colours; what an image shows of a class is one object.

    Without objects, the background would be taken for a label that the task must have.
    """
    palette = voc_palette()
    names = []
    with new_archive(folder / FILE) as archive:
        for image in images:
            names.append(str(PurePosixPath(image.name).with_suffix("")))
            coloured = io.BytesIO()
            Image.fromarray(palette[image.labels]).save(coloured, "PNG")
            for place in (_MASKS, _OBJECTS):
                write_entry(archive, f"{place}{names[-1]}{_SUFFIX}", coloured.getvalue())
        lines = ["# label:color_rgb:parts:actions"]
        for name, index in understood(classes).items():
            lines.append(f"{name}:{','.join(map(str, palette[index].tolist()))}::")
        write_entry(archive, LABELS, _text(lines))
        write_entry(archive, _LIST, _text(names))


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def read(path: Path, classes: Sequence[str], findings: Findings) -> Iterator[LabelledImage]:
    """The masks of a zip as CVAT exports it, or of a folder into which it was unpacked.

    Raises:
        InputError: it is no such zip or folder.
    """
    files = _files(path)
    if LABELS not in files:
        raise InputError(f'{path}: has no {LABELS}; export from CVAT as "Segmentation mask 1.1"')
    colours = _colours(f"{path}/{LABELS}", _content(files[LABELS]))
    masks = {
        name.removeprefix(_MASKS).removesuffix(_SUFFIX): file
        for name, file in sorted(files.items())
        if name.startswith(_MASKS) and name.endswith(_SUFFIX)
    }
    for name in _listed(files):
        if name not in masks:
            findings.warning("image that the export lists and has no mask of, not used", name)
    for name, file in masks.items():
        try:
            pixels = load_image(io.BytesIO(_content(file)))
            yield LabelledImage(name, _indices(pixels, colours, understood(classes)))
        except InputError as error:
            findings.problem("mask that can't be read", f"{name} ({error})")


def _listed(files: Files) -> list[str]:
    return [
        line.strip()
        for name, file in files.items()
        if fnmatch(name, _LISTS)
        for line in _content(file).decode(errors="replace").splitlines()
    ]


def _files(path: Path) -> Files:
    if path.is_dir():
        return {each.relative_to(path).as_posix(): each for each in path.rglob("*")}
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"{path}: is no zip file ({error})") from error
    if large := [each.filename for each in archive.infolist() if each.file_size > _LARGEST]:
        raise InputError(f"{path}: {large[0]} is larger than a mask of any image")
    return {name: zipfile.Path(archive, name) for name in archive.namelist()}


def _content(file: Path | zipfile.Path) -> bytes:
    try:
        return file.read_bytes()
    # Of what is damaged, encrypted or packed in an unknown way.
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise InputError(f"{file.name}: can't be read ({error})") from error


def _colours(place: str, content: bytes) -> dict[int, str]:
    """The names of the colours 0xRRGGBB."""
    colours: dict[int, str] = {}
    try:
        for line in content.decode("utf-8-sig").splitlines():
            if line.strip() and not line.startswith("#"):
                name, colour, *_ = line.rsplit(":", 3)
                red, green, blue = map(int, colour.split(","))
                known = colours.setdefault((red << 16) + (green << 8) + blue, name)
                if known != name:
                    raise ValueError(f"{known} and {name} have one colour")
    except ValueError as error:
        raise InputError(f"{place}: wanted lines of label:red,green,blue:: ({error})") from error
    return colours


def _indices(
    pixels: NDArray[np.uint8], colours: Mapping[int, str], known: Mapping[str, int]
) -> NDArray[np.uint8]:
    """Indices (H, W) of the colours (H, W, 3)."""
    packed = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    found, places = np.unique(packed, return_inverse=True)
    names = [colours.get(colour, f"#{colour:06x}") for colour in found.tolist()]
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"{', '.join(unknown)} is no class")
    return np.array([known[name] for name in names], np.uint8)[places].reshape(packed.shape)
