"""Look at every image and mask of a data set: is it there, whole, and of the right kind?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.images import measure_image
from ssr.data.masks import Masks, UnknownColourError
from ssr.data.source import Source
from ssr.errors import InputError
from ssr.labels import BACKGROUND, IGNORE
from ssr.running.processes import map_in_processes
from ssr.running.progress import progress

_FILES_PER_TASK = 64


@dataclass(frozen=True)
class Seen:
    """Size of an image, zero if unreadable, and the findings (kind, example) on the way."""

    height: int = 0
    width: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SeenMask:
    """Classes 1..C in a mask, None if it can't be used, and the findings on the way."""

    shown: tuple[int, ...] | None = None
    problems: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Job:
    """What one process looks at: the mask of an image of this size."""

    id: str
    height: int
    width: int
    masks: Masks
    classes: int


def inspect_images(
    settings: Data, sources: Mapping[str, Source], processes: int, findings: Findings
) -> dict[str, Seen]:
    """What was seen of each image, by id; each is opened once."""
    paths = [Path(settings.root, source.image) for source in sources.values()]
    looks = map_in_processes(_look, paths, processes, chunk=_FILES_PER_TASK)
    seen = dict(zip(sources, progress(looks, len(paths), "checking images"), strict=True))
    _report(seen.values(), findings)
    return seen


def inspect_masks(
    settings: Data,
    sizes: Mapping[str, tuple[int, int]],
    masks: Masks,
    processes: int,
    findings: Findings,
) -> dict[str, tuple[int, ...]]:
    """Classes 1..C in each mask that can be used, by id; each is opened once.

    `sizes` are height and width of the images; a mask of any other image is passed over.
    """
    classes = len(settings.classes)
    jobs = [
        _Job(image_id, *sizes[image_id], masks.of([image_id]), classes)
        for image_id in masks.ids
        if image_id in sizes
    ]
    looks = map_in_processes(_look_at_mask, jobs, processes, chunk=_FILES_PER_TASK)
    seen = list(progress(looks, len(jobs), "checking masks"))
    _report(seen, findings)
    pairs = zip(jobs, seen, strict=True)
    return {job.id: look.shown for job, look in pairs if look.shown is not None}


def _report(seen: Iterable[Seen | SeenMask], findings: Findings) -> None:
    for look in seen:
        for kind, example in look.problems:
            findings.problem(kind, example)
        for kind, example in look.warnings:
            findings.warning(kind, example)


def _look(path: Path) -> Seen:
    if not path.is_file():
        return Seen(problems=(("missing image", str(path)),))
    try:
        image = measure_image(path)
    except InputError as error:
        return Seen(problems=(("unreadable image", str(error)),))
    if min(image.height, image.width) < 2:
        example = f"{path} ({image.height}×{image.width} pixels)"
        return Seen(problems=(("image of less than two pixels a side", example),))
    doubts = tuple((kind, f"{path} ({what})") for kind, what in image.doubts)
    return Seen(image.height, image.width, warnings=doubts)


def _look_at_mask(job: _Job) -> SeenMask:
    name = job.masks.references[job.id]
    try:
        mask = job.masks.load(job.id)
    except UnknownColourError as error:
        return _problem("mask with a colour outside data.mask_colours", str(error))
    except InputError as error:
        return _problem("unreadable mask", str(error))
    if mask.shape != (job.height, job.width):
        sizes = f"mask {mask.shape[0]}×{mask.shape[1]}, image {job.height}×{job.width}"
        return _problem("mask of another size than its image", f"{name} ({sizes})")
    values = np.flatnonzero(Image.fromarray(mask).histogram())  # numpy's unique would sort or hash
    if (wrong := values[(values > job.classes) & (values != IGNORE)]).size:
        allowed = f"allowed 0 to {job.classes} and {IGNORE}"
        example = f"{name} (value {wrong[0]}, {allowed}: data.classes lists all that masks show)"
        return _problem("mask with values outside the classes", example)
    shown = tuple(values[(values != BACKGROUND) & (values != IGNORE)].tolist())
    if IGNORE in values and not shown:
        kind = (
            "mask without a class: 255 means ignore; for masks of 0 and 255 see data.mask_colours"
        )
        return SeenMask(shown, warnings=((kind, name),))
    return SeenMask(shown)


def _problem(kind: str, example: str) -> SeenMask:
    return SeenMask(problems=((kind, example),))
