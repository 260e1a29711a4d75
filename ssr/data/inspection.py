"""Look at every image and mask of a data set: is it there, whole, and of the right kind?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.images import measure_image
from ssr.data.masks import Masks, UnknownColourError
from ssr.data.sightings import Kind, Sightings
from ssr.data.source import Source
from ssr.errors import InputError
from ssr.labels import BACKGROUND, IGNORE
from ssr.running.processes import map_in_processes
from ssr.running.progress import progress

_FILES_PER_TASK = 64
Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True)
class Seen:
    """Height and width, of a mask its values, too; none if unreadable. Findings (kind, example)."""

    numbers: tuple[int, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


def inspect_images(
    settings: Data,
    sources: Mapping[str, Source],
    processes: int,
    findings: Findings,
    known: Sightings,
) -> dict[str, Size]:
    """Size of each image that can be used, by id; what is not `known` is opened once."""
    references = {image_id: source.image for image_id, source in sources.items()}

    def look(ids: Sequence[str]) -> Iterator[Seen]:
        paths = [Path(settings.root, references[image_id]) for image_id in ids]
        return map_in_processes(_look, paths, processes, chunk=_FILES_PER_TASK)

    sizes = {}
    for image_id, seen in _seen("image", references, look, known, findings):
        sizes[image_id] = (seen.numbers[0], seen.numbers[1])
    return sizes


def inspect_masks(
    settings: Data,
    sizes: Mapping[str, Size],
    masks: Masks,
    processes: int,
    findings: Findings,
    known: Sightings,
) -> dict[str, tuple[int, ...]]:
    """Classes 1..C in each mask that can be used, by id; what is not `known` is opened once.

    `sizes` are those of the images; a mask of any other image is passed over.
    """
    references = {i: reference for i, reference in masks.references.items() if i in sizes}

    def look(ids: Sequence[str]) -> Iterator[Seen]:
        look_at = partial(_look_at_mask, masks.of([]))
        own = [references[image_id] for image_id in ids]
        return map_in_processes(look_at, own, processes, chunk=_FILES_PER_TASK)

    shown, classes = {}, len(settings.classes)
    for image_id, seen in _seen("mask", references, look, known, findings):
        height, width, *values = seen.numbers
        name = references[image_id]
        if problem := _misfit(name, (height, width), values, sizes[image_id], classes):
            findings.problem(*problem)
            continue
        shown[image_id] = tuple(v for v in values if v not in (BACKGROUND, IGNORE))
        if IGNORE in values and not shown[image_id]:
            findings.warning(
                "mask without a class: 255 means ignore; for masks of 0 and 255 see "
                "data.mask_colours",
                name,
            )
    return shown


def _seen(
    kind: Kind,
    references: Mapping[str, str],
    look: Callable[[Sequence[str]], Iterator[Seen]],
    known: Sightings,
    findings: Findings,
) -> Iterator[tuple[str, Seen]]:
    """What is readable, in its order: what is known of it, else what `look` finds, for findings."""
    recalled = {i: known.recall(kind, reference) for i, reference in references.items()}
    new = [image_id for image_id, numbers in recalled.items() if numbers is None]
    looks = progress(look(new), len(new), f"checking {kind}s") if new else ()
    found = dict(zip(new, looks, strict=True))
    for image_id, numbers in recalled.items():
        seen = found[image_id] if numbers is None else Seen(numbers)
        for problem in seen.problems:
            findings.problem(*problem)
        for warning in seen.warnings:
            findings.warning(*warning)
        if not seen.problems and not seen.warnings:
            known.keep(kind, references[image_id], seen.numbers)
        if seen.numbers:
            yield image_id, seen


def _look(path: Path) -> Seen:
    if not path.is_file():
        return _problem("missing image", str(path))
    try:
        image = measure_image(path)
    except InputError as error:
        return _problem("unreadable image", str(error))
    if min(image.height, image.width) < 2:
        example = f"{path} ({image.height}×{image.width} pixels)"
        return _problem("image of less than two pixels a side", example)
    doubts = tuple((kind, f"{path} ({what})") for kind, what in image.doubts)
    return Seen((image.height, image.width), warnings=doubts)


def _look_at_mask(others: Masks, reference: str) -> Seen:
    """A mask that is read as `others` are."""
    try:
        mask = replace(others, references={"": reference}).load("")
    except UnknownColourError as error:
        return _problem("mask with a colour outside data.mask_colours", str(error))
    except InputError as error:
        return _problem("unreadable mask", str(error))
    pixels = mask.ravel()
    ends = np.append(pixels[:-1] != pixels[1:], True)  # of runs: few, where pixels are many
    return Seen((*mask.shape, *np.unique(pixels[ends]).tolist()))


def _misfit(
    name: str, size: Size, values: Sequence[int], of_image: Size, classes: int
) -> tuple[str, str] | None:
    """Why a mask can't be that of an image, kind and example, if there is a reason."""
    if size != of_image:
        sizes = f"mask {size[0]}×{size[1]}, image {of_image[0]}×{of_image[1]}"
        return "mask of another size than its image", f"{name} ({sizes})"
    wrong = next((value for value in values if value > classes and value != IGNORE), None)
    if wrong is not None:
        allowed = f"allowed 0 to {classes} and {IGNORE}"
        example = f"{name} (value {wrong}, {allowed}: data.classes lists all that masks show)"
        return "mask with values outside the classes", example
    return None


def _problem(kind: str, example: str) -> Seen:
    return Seen(problems=((kind, example),))
