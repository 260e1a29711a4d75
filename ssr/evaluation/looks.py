"""Which heads of an alignment give the best CAMs on the tuning split (`alignment.stop: tune`)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.artefacts.files import replacing
from ssr.evaluation.evaluation import LEVELS, best_threshold, count_maps
from ssr.evaluation.metrics import Counts, best, sweep


@dataclass(frozen=True)
class Look:
    """CAMs after so many iterations: their mIoU, in [0, 1], at their best threshold."""

    iteration: int
    threshold: float
    miou: float


def look_at(
    images: Iterable[tuple[NDArray, Iterable[NDArray], NDArray]],
    iterations: Sequence[int],
    classes: int,
) -> list[Look]:
    """Score the CAMs of all `iterations` (L) in one pass over the images.

    Args:
        images: of each its mask (H, W), its raw CAMs (K, h, w) of every iteration, and the classes
            (K,) of these, from 1.
        iterations: since the start of the alignment.
        classes: number of classes including the background.

    Raises:
        InputError: the masks hold no labelled pixel, or do not fit.
    """
    totals = np.zeros((len(iterations), classes, classes, LEVELS), np.int64)
    for truth, cams, present in images:
        for total, maps in zip(totals, cams, strict=True):
            total += count_maps(truth, maps, present, classes)
    return [_look(*each) for each in zip(iterations, totals, strict=True)]


def _look(iteration: int, histogram: Counts) -> Look:
    scores = sweep(histogram)
    return Look(iteration, best_threshold(scores), scores[best(scores)].means["miou"])


def choose(looks: Sequence[Look]) -> Look:
    """The look with the largest mIoU; the earliest of equals."""
    return min(looks, key=lambda look: (-look.miou, look.iteration))


def write_looks(path: Path, looks: Sequence[Look]) -> None:
    """What was seen, as CSV with a row for each look."""
    with replacing(path) as temporary, temporary.open("w", newline="") as stream:
        names = [field.name for field in fields(Look)]
        csv.writer(stream).writerows([names, *map(astuple, looks)])
