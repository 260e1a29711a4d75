"""Hold CAMs, logits and label maps against the masks; the outcome as one JSON document.

The only part of the library, besides the report, that reads masks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, seal
from ssr.artefacts.store import open_shards
from ssr.data.index import Image
from ssr.data.masks import Masks
from ssr.data.pngs import open_pngs
from ssr.errors import InputError
from ssr.evaluation.image_scores import sparse
from ssr.evaluation.metrics import (
    Counts,
    Scores,
    all_background,
    best,
    confusion_at,
    count_confusion,
    count_levels,
    objects_as_one,
    score,
    thresholds,
)
from ssr.labelling.pseudo_labels import enlarge, strongest
from ssr.labels import BACKGROUND
from ssr.maps import upsample
from ssr.running.processes import map_in_processes
from ssr.running.progress import progress

LEVELS = 100
"""Fineness of the threshold sweep."""
NO_MAPS = np.zeros((0, 1, 1), np.float32), np.zeros(0, np.int64)
"""The CAMs, and the classes, of an image without labels."""


@dataclass(frozen=True)
class Shard:
    """A file with what is evaluated, and the masks of its images.

    `labels` are the classes, from 1, of its images. Of those that have none there are neither CAMs
    nor pseudo-labels: they count as all background.
    """

    path: Path
    masks: Masks
    labels: Mapping[str, tuple[int, ...]]


def pair_with_masks(paths: Sequence[Path], images: Sequence[Image], masks: Masks) -> list[Shard]:
    """Give each file the masks of its images.

    Args:
        paths: stores or zip files, each named after its shard.
        images: all images of the split.
        masks: of the data set.

    Raises:
        InputError: an image has no mask, or there is not one file for each shard.
    """
    files = {path.name.partition(".")[0]: path for path in paths}
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for image in images:
        if image.id not in masks.ids:
            raise InputError(f"image {image.id} ({image.split}) has no mask to evaluate by")
        found.setdefault(image.shard, {})[image.id] = image.labels
    if files.keys() != found.keys():
        raise InputError(f"wanted the shards {sorted(found)}, came the files {sorted(files)}")
    return [Shard(files[name], masks.of([*own]), own) for name, own in found.items()]


@dataclass(frozen=True)
class Tally:
    """Counts of some images together, and the confusion of each (`image_scores.sparse`)."""

    total: Counts
    images: Mapping[str, Counts]


def count(counter: Callable[[Shard], Tally], shards: Sequence[Shard], processes: int) -> Tally:
    """Sum of `counter`, one of the functions below, over all shards; progress on stderr."""
    total = np.zeros((), np.int64)
    images: dict[str, Counts] = {}
    counts = map_in_processes(counter, shards, processes)
    for tally in progress(counts, len(shards), "shards"):
        total = total + tally.total
        images.update(tally.images)
    return Tally(total, images)


def count_cams(
    shard: Shard, *, classes: int, levels: int = LEVELS, threshold: int | None = None
) -> Tally:
    """Joint histogram (see `ssr.evaluation.metrics.count_levels`) of a store of CAMs.

    Each image's confusion is that at `threshold`, a position in the sweep; none without it.
    """
    store = open_shards([shard.path])

    def one(image: str, truth: NDArray) -> Counts:
        if not shard.labels[image]:
            return count_maps(truth, *NO_MAPS, classes, levels)
        maps, present = store.read(image, "cams"), store.read(image, "classes")
        return count_maps(truth, maps, present, classes, levels)

    at = None if threshold is None else partial(confusion_at, threshold=threshold)
    return _tally(shard, one, at)


def count_maps(
    truth: NDArray, maps: NDArray, present: NDArray, classes: int, levels: int = LEVELS
) -> Counts:
    """Joint histogram (see `ssr.evaluation.metrics.count_levels`) of the CAMs of one image.

    truth: (H, W), its mask; maps: (K, h, w), raw; present: (K,), their classes, from 1.
    """
    winner, strength = strongest(enlarge(maps, truth.shape), present)
    return count_levels(truth, winner, strength, classes, levels)


def best_threshold(scores: Sequence[Scores]) -> float:
    """The threshold, in 0..1, with the largest mIoU; `scores` are those of the whole sweep."""
    return round(float(thresholds(LEVELS)[best(scores)]), 6)


def count_labels(shard: Shard, *, classes: int) -> Tally:
    """Confusion matrix (see `metrics.count_confusion`) of a zip file of label maps."""
    labels = open_pngs([shard.path])

    def one(image: str, truth: NDArray) -> Counts:
        if not shard.labels[image] and image not in labels:
            return count_confusion(truth, np.full_like(truth, BACKGROUND), classes)
        return count_confusion(truth, labels.read(image), classes)

    return _tally(shard, one, lambda confusion: confusion)


def count_logits(shard: Shard, *, classes: int) -> Tally:
    """Two confusion matrices (2, classes, classes + 1) of a store of logits (classes, h, w).

    Enlarged, the largest wins: among all classes, then among the background and the labels of the
    image. Of an image without labels nothing is known, so that all its classes stay. Each image's
    confusion is that among all classes.
    """
    store = open_shards([shard.path])

    def one(image: str, truth: NDArray) -> Counts:
        enlarged = upsample(store.read(image, "logits"), truth.shape)
        labels = shard.labels[image]
        given = np.array([BACKGROUND, *(labels or range(BACKGROUND + 1, classes))])
        answers = enlarged.argmax(axis=0), given[enlarged[given].argmax(axis=0)]
        return np.stack([count_confusion(truth, answer, classes) for answer in answers])

    return _tally(shard, one, lambda confusions: confusions[0])


def _tally(
    shard: Shard,
    one: Callable[[str, NDArray], Counts],
    confusion: Callable[[Counts], Counts] | None,
) -> Tally:
    """`one` (image id, mask) of every image of a shard, of which `confusion` is kept by image."""
    total = np.zeros((), np.int64)
    images: dict[str, Counts] = {}
    for image in shard.masks.ids:
        try:
            counts = one(image, shard.masks.load(image))
        except InputError as error:
            raise InputError(f"image {image}: {error}") from None
        total = total + counts
        if confusion:
            images[image] = sparse(confusion(counts))
    return Tally(total, images)


def quality(confusion: Counts, names: Sequence[str]) -> dict[str, Any]:
    """All figures of one confusion matrix, ready for JSON.

    Args:
        confusion: (classes, classes + 1) int64 whose last column counts abstentions, or square
            where there are none.
        names: of the classes, background first.
    """
    if confusion.shape[1] == len(names):
        confusion = np.pad(confusion, ((0, 0), (0, 1)))
    counted, abstained = confusion[:, :-1], confusion[:, -1]
    scores = score(counted)
    return {
        **scores.means,
        "miou_true_classes": scores.miou_true_classes,
        "fb_iou": score(objects_as_one(counted)).means["miou"],
        **scores.errors,
        "labelled": _labelled(confusion),
        "miou_all_pixels": _miou_all_pixels(confusion),
        "all_background_miou": score(all_background(confusion)).means["miou"],
        "absent_classes": [names[index] for index in scores.absent],
        "only_predicted_classes": [names[index] for index in scores.only_predicted],
        "never_right_classes": [names[index] for index in scores.never_right],
        "per_class": _per_class(scores, counted, names),
        "classes": list(names),
        "confusion": counted.tolist(),
        "abstained": abstained.tolist(),
    }


def curve(scores: Sequence[Scores], levels: int = LEVELS) -> dict[str, list[float]]:
    """The means and error shares at every threshold, ready for JSON."""
    rows = [{**item.means, **item.errors} for item in scores]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {"thresholds": [round(float(value), 6) for value in thresholds(levels)], **columns}


def write_evaluation(path: Path, document: Mapping[str, Any]) -> None:
    """Write an evaluation as sealed JSON; what is not a number becomes null."""
    content = {**_without_nan(document), "seal": BLANK}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, allow_nan=False) + "\n")
        seal(temporary)


def _labelled(confusion: Counts) -> float:
    """Share of the known pixels that got a label at all."""
    total = confusion.sum()
    return float(confusion[:, :-1].sum() / total) if total else math.nan


def _miou_all_pixels(confusion: Counts) -> float:
    """Mean IoU when an abstention counts as a mistake."""
    # Abstentions as a class of their own, which the truth never holds and no mean includes.
    square = np.vstack([confusion, np.zeros_like(confusion[:1])])
    iou = score(square).iou[:-1]
    return float(np.nanmean(iou)) if np.isfinite(iou).any() else math.nan


def _per_class(scores: Scores, counted: Counts, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "iou": scores.iou[index],
            "precision": scores.precision[index],
            "recall": scores.recall[index],
            "confusion_ratio": scores.confusion_ratio[index],
            "pixels": int(counted[index].sum()),
        }
        for index, name in enumerate(names)
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    return value
