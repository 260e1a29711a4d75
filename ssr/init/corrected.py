"""The command `ssr import`: masks that were corrected in an annotation tool, back in masks/."""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path, PurePosixPath

import numpy as np

from ssr.annotation.formats import reader
from ssr.annotation.label_studio import before_upload
from ssr.annotation.labelled import LabelledImage
from ssr.artefacts.files import replacing
from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.images import SUFFIXES, measure_image
from ssr.data.pngs import encode_png, read_labels
from ssr.data.source import Source
from ssr.data.splits import split_ids
from ssr.errors import InputError
from ssr.init.check import read_config
from ssr.init.check import read_labels as read_image_labels
from ssr.init.labelled import MASKS
from ssr.predict.folder import is_predicted
from ssr.running.places import require_workflow

# Formats whose masks lie in a folder as {id}.png.
_FORMATS = ("folder", "voc")

Masks = dict[str, bytes]
"""PNGs of indices by the ids of their images."""


def main(arguments: argparse.Namespace) -> int:
    """Write the masks of an export below the data set of a file of settings: all, or none.

    Raises:
        InputError: all that is wrong with them, or masks that differ are there and `--replace` was
            not given.
    """
    require_workflow()
    config = read_config(arguments.settings)
    before = _sides(config.data)
    folder = _folder(config.data)
    with tempfile.TemporaryDirectory() as derived:
        sources = read_image_labels(config, Path(derived)).sources
    _write(folder, _read(arguments.export, config.data, sources), arguments.replace)
    data = read_config(arguments.settings).data
    _warn_of_other_sides(before, _sides(data))
    if data.masks is None:
        print(f"{arguments.settings}: say data.masks: {folder.name}, so that they are used")
    print(f"next:\n  ssr init --check {shlex.quote(str(arguments.settings))}")
    return 0


def _sides(data: Data) -> dict[str, str]:
    """The split of each image; none where there are too few masks to make splits of."""
    try:
        return {own: split for split, ids in split_ids(data).items() for own in ids}
    except InputError:
        return {}


def _warn_of_other_sides(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    moved = [own for own, split in after.items() if {before.get(own), split} == {"tune", "val"}]
    if moved:
        print(
            f"warning: {len(moved)} images change between tune and val, for labels.csv has no "
            "column split: figures before and after can't be compared",
            file=sys.stderr,
        )


def _folder(data: Data) -> Path:
    if data.format not in _FORMATS:
        raise InputError(
            f"data.format: masks are brought back into a data set of {' or '.join(_FORMATS)}; came "
            f"{data.format}"
        )
    if data.mask_colours:
        raise InputError("data.mask_colours: masks that are brought back are indices; came colours")
    return Path(data.root, data.masks or MASKS)


def _read(export: Path, data: Data, sources: Mapping[str, Source]) -> Masks:
    if is_predicted(export):
        raise InputError(f"{export}: are predictions; ssr export --masks takes them to a tool")
    said, path, read = reader(export)
    print(f"{export}: {said}")
    findings = Findings()
    masks = _matched(read(path, data.classes, findings), data, sources, findings)
    for warning in findings.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    findings.raise_problems(str(export), "export")
    if not masks:
        raise InputError(f"{export}: holds no mask")
    return masks


def _matched(
    images: Iterable[LabelledImage], data: Data, sources: Mapping[str, Source], findings: Findings
) -> Masks:
    """The masks of the images of the data set; what does not fit it becomes a problem."""
    found: Masks = {}
    for image in images:
        own = next((name for name in _ids(image.name) if name in sources), None)
        if own is None:
            findings.problem("mask of an image that the data set lacks", image.name)
        elif own in found:
            findings.problem("image with two masks", image.name)
        else:
            size = measure_image(Path(data.root, sources[own].image))
            if image.labels.shape != (size.height, size.width):
                came = "×".join(map(str, image.labels.shape))
                example = f"{image.name} ({came}, the image {size.height}×{size.width})"
                findings.problem("mask of another size than its image", example)
            found[own] = encode_png(image.labels)
    return found


def _ids(name: str) -> Iterator[str]:
    """What an image may be called in the data set, by the name that a tool has for it."""
    file = PurePosixPath(name)
    for own in (file.name, file.stem) if file.suffix.lower() in SUFFIXES else (file.name,):
        yield from (own, before_upload(own))


def _write(folder: Path, masks: Masks, replace: bool) -> None:
    files = {name: folder / f"{name}.png" for name in masks}
    there = {name for name, file in files.items() if os.path.lexists(file)}
    equal = {name for name in there if _equal(files[name], masks[name])}
    others = sorted(there - equal)
    if others and not replace:
        raise InputError(
            f"{folder}: holds other masks of {len(others)} of {len(masks)} images, such as "
            f"{files[others[0]].name}; nothing was written. --replace puts them aside"
        )
    aside = _free(folder)
    for name in others:
        aside.mkdir(exist_ok=True)
        files[name].rename(aside / files[name].name)
    for name in masks.keys() - equal:
        with replacing(files[name]) as temporary:
            temporary.write_bytes(masks[name])
    print(f"written: {folder} ({len(masks) - len(equal)} masks; {len(equal)} were there before)")
    if others:
        print(f"put aside: {aside} ({len(others)} masks)")


def _equal(file: Path, mask: bytes) -> bool:
    try:
        return np.array_equal(read_labels(file), read_labels(io.BytesIO(mask)))
    except InputError:
        return False


def _free(folder: Path) -> Path:
    """A name beside a folder that nothing has."""
    names = (folder.with_name(f"{folder.name}_before_{number}") for number in count(1))
    return next(path for path in names if not path.exists())
