"""Look at every image and mask of a data set: is it there, whole, and of the right kind?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.images import measure_image
from ssr.data.masks import Masks, UnknownColourError
from ssr.data.source import Source
from ssr.errors import InputError
from ssr.labels import BACKGROUND, IGNORE
from ssr.running.processes import map_in_processes
from ssr.running.progress import progress

_IMAGES_PER_TASK = 64


@dataclass(frozen=True)
class _Job:
    """What one process looks at: an image and, where there is one, its mask."""

    id: str
    image: Path
    masks: Masks
    classes: int


@dataclass(frozen=True)
class Seen:
    """Size of an image, zero if unreadable, and the findings (kind, example) on the way.

    `shown` are the classes 1..C in its mask, None without a mask that can be used.
    """

    height: int = 0
    width: int = 0
    shown: tuple[int, ...] | None = None
    problems: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


def inspect_images(
    settings: Data,
    sources: Mapping[str, Source],
    masks: Masks,
    processes: int,
    findings: Findings,
) -> dict[str, Seen]:
    """What was seen of each image, by id; what is wrong with it or its mask goes to `findings`.

    Each file is opened once.
    """
    root = Path(settings.root)
    jobs = [
        _Job(image_id, root / source.image, masks.of([image_id]), len(settings.classes))
        for image_id, source in sources.items()
    ]
    looks = map_in_processes(_look, jobs, processes, chunk=_IMAGES_PER_TASK)
    seen = dict(zip(sources, progress(looks, len(jobs), "checking images"), strict=True))
    for look in seen.values():
        for kind, example in look.problems:
            findings.problem(kind, example)
        for kind, example in look.warnings:
            findings.warning(kind, example)
    return seen


def _look(job: _Job) -> Seen:
    if not job.image.is_file():
        return Seen(problems=(("missing image", str(job.image)),))
    try:
        image = measure_image(job.image)
    except InputError as error:
        return Seen(problems=(("unreadable image", str(error)),))
    if min(image.height, image.width) < 2:
        example = f"{job.image} ({image.height}×{image.width} pixels)"
        return Seen(problems=(("image of less than two pixels a side", example),))
    doubts = tuple((kind, f"{job.image} ({what})") for kind, what in image.doubts)
    if not job.masks.ids:
        return Seen(image.height, image.width, warnings=doubts)
    seen = _look_at_mask(job, image.height, image.width)
    return replace(seen, warnings=(*doubts, *seen.warnings))


def _look_at_mask(job: _Job, height: int, width: int) -> Seen:
    name = job.masks.references[job.id]
    problem = partial(_problem, height, width)
    try:
        mask = job.masks.load(job.id)
    except UnknownColourError as error:
        return problem("mask with a colour outside data.mask_colours", str(error))
    except InputError as error:
        return problem("unreadable mask", str(error))
    if mask.shape != (height, width):
        sizes = f"mask {mask.shape[0]}×{mask.shape[1]}, image {height}×{width}"
        return problem("mask of another size than its image", f"{name} ({sizes})")
    values = np.unique(mask)
    if (wrong := values[(values > job.classes) & (values != IGNORE)]).size:
        allowed = f"allowed 0 to {job.classes} and {IGNORE}"
        example = f"{name} (value {wrong[0]}, {allowed})"
        return problem("mask with values outside the classes", example)
    shown = tuple(values[(values != BACKGROUND) & (values != IGNORE)].tolist())
    if IGNORE in values and not shown:
        kind = (
            "mask without a class: 255 means ignore; for masks of 0 and 255 see data.mask_colours"
        )
        return Seen(height, width, shown, warnings=((kind, name),))
    return Seen(height, width, shown)


def _problem(height: int, width: int, kind: str, example: str) -> Seen:
    return Seen(height, width, problems=((kind, example),))
