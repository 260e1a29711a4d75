"""Segmentation quality from one dataset-level confusion matrix, and a one-pass threshold sweep.

Definitions follow Table 5 of SSR (AAAI 2026): per class IoU, precision TP/(TP+FP), recall
TP/(TP+FN) and confusion ratio FP/TP; the tables print their unweighted means over all classes
including the background. Pixels whose truth is 255 count nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssr.errors import InputError
from ssr.labels import BACKGROUND, IGNORE

Counts = NDArray[np.int64]


def count_confusion(truth: NDArray, prediction: NDArray, classes: int) -> Counts:
    """Count pixels by (true class, predicted class).

    Args:
        truth: (H, W) integers below `classes`, or 255 where nobody knows.
        prediction: (H, W) integers below `classes`, or 255 where the labeller abstained.
        classes: number of classes including the background.

    Returns:
        (classes, classes + 1) int64; rows are the truth, the last column counts abstentions.
        Matrices of several images add up.

    Raises:
        InputError: the shapes differ, or a value is neither a class nor 255.
    """
    if truth.shape != prediction.shape:
        raise InputError(f"mask is {truth.shape} pixels, the labels are {prediction.shape}")
    known = truth != IGNORE
    rows = _indices(truth[known], classes, "masks")
    abstained = prediction[known] == IGNORE
    columns = _indices(np.where(abstained, 0, prediction[known]), classes, "labels")
    columns[abstained] = classes
    flat = np.bincount(rows * (classes + 1) + columns, minlength=classes * (classes + 1))
    return flat.reshape(classes, classes + 1)


def _indices(values: NDArray, classes: int, name: str) -> Counts:
    """`values` as int64, all of them below `classes`."""
    if values.size and values.max() >= classes:
        raise InputError(
            f"the {name} hold the value {values.max()}, allowed: 0 to {classes - 1} and {IGNORE}"
        )
    return values.astype(np.int64)


@dataclass(frozen=True)
class Scores:
    """Per-class and mean quality; every array is (classes,) float64, NaN where left out.

    Attributes:
        iou, precision, recall: in [0, 1]; NaN for `absent` classes. A class that is in the truth
            but never predicted has precision 0, one that is predicted but not in the truth has
            recall 0.
        confusion_ratio: FP/TP, not negative; NaN for `absent` and `never_right` classes.
        absent: classes neither in the truth nor in the prediction; left out of every mean.
        only_predicted: classes that are predicted but not in the truth. They count 0 in the means,
            as in torchmetrics and mmsegmentation's mIoU; CLIP-ES leaves them out.
        never_right: other classes without one right pixel; FP/TP would be infinite, so they are
            left out of the mean confusion ratio (and count 0 in the other means).
        background_taken_for_object: share of true background pixels predicted as an object.
        object_taken_for_background: share of true object pixels predicted as background.
        confusion_among_objects: share of object pixels predicted as some object, but the wrong one.
    """

    iou: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    confusion_ratio: NDArray[np.float64]
    absent: tuple[int, ...]
    only_predicted: tuple[int, ...]
    never_right: tuple[int, ...]
    background_taken_for_object: float
    object_taken_for_background: float
    confusion_among_objects: float

    @property
    def means(self) -> dict[str, float]:
        """Unweighted means over the classes that count; NaN if none does."""
        return {
            "miou": _mean(self.iou),
            "precision": _mean(self.precision),
            "recall": _mean(self.recall),
            "confusion_ratio": _mean(self.confusion_ratio),
        }

    @property
    def miou_true_classes(self) -> float:
        """Mean IoU over the classes that the truth holds, CLIP-ES's; NaN where it is empty."""
        return _mean(np.delete(self.iou, self.only_predicted))

    @property
    def errors(self) -> dict[str, float]:
        """The three shares that say what kind of mistake prevails; NaN where nothing is there."""
        return {
            "background_taken_for_object": self.background_taken_for_object,
            "object_taken_for_background": self.object_taken_for_background,
            "confusion_among_objects": self.confusion_among_objects,
        }


def score(confusion: Counts) -> Scores:
    """Quality of a square confusion matrix (classes, classes), rows the truth."""
    right = np.diag(confusion).astype(np.float64)
    predicted = confusion.sum(axis=0)
    true = confusion.sum(axis=1)
    absent = (predicted + true) == 0
    never_right = (right == 0) & ~absent
    objects = confusion[1:, 1:]
    return Scores(
        iou=_ratio(right, predicted + true - right, absent),
        precision=_ratio(right, predicted, absent),
        recall=_ratio(right, true, absent),
        confusion_ratio=_ratio(predicted - right, right, absent | never_right),
        absent=_listed(absent),
        only_predicted=_listed((true == 0) & ~absent),
        never_right=_listed(never_right),
        background_taken_for_object=_share(confusion[0, 1:].sum(), true[0]),
        object_taken_for_background=_share(confusion[1:, 0].sum(), true[1:].sum()),
        confusion_among_objects=_share(objects.sum() - np.trace(objects), objects.sum()),
    )


def all_background(confusion: Counts) -> Counts:
    """The confusion matrix (classes, classes) of calling every pixel of the same truth background.

    The least that a labelling is worth: it needs no image. `confusion` is (classes, classes) or
    (classes, classes + 1).
    """
    truth = confusion.sum(axis=1)
    blank = np.zeros((len(truth), len(truth)), np.int64)
    blank[:, BACKGROUND] = truth
    return blank


def objects_as_one(confusion: Counts) -> Counts:
    """The confusion matrix (2, 2) of background and object, whichever class that is.

    `confusion` is (classes, classes). The mIoU of the outcome is the FB-IoU of few-shot
    segmentation: the mean of the background's IoU and that of all classes as one.
    """
    parts = [BACKGROUND, BACKGROUND + 1]
    return np.add.reduceat(np.add.reduceat(confusion, parts, axis=0), parts, axis=1)


def _ratio(part: NDArray, whole: NDArray, left_out: NDArray) -> NDArray[np.float64]:
    """part / whole, 0 where both are 0, NaN where left out."""
    return np.where(left_out, np.nan, part / np.maximum(whole, 1))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _mean(values: NDArray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _listed(flags: NDArray) -> tuple[int, ...]:
    return tuple(np.flatnonzero(flags).tolist())


def thresholds(levels: int) -> NDArray[np.float32]:
    """Background scores 1/levels, 2/levels, … (levels - 1)/levels.

    0 and 1 are left out: there a constant score has no counterpart (1 - max)^α, see
    `ssr.labelling.pseudo_labels.exponent`.
    """
    return (np.arange(1, levels) / levels).astype(np.float32)


def count_levels(
    truth: NDArray, winner: NDArray, strength: NDArray[np.float32], classes: int, levels: int
) -> Counts:
    """Joint histogram from which `confusion_at` reads the confusion matrix of every threshold.

    Args:
        truth: (H, W) integers below `classes`, or 255 where nobody knows.
        winner: (H, W) foreground class with the largest activation, 1 … classes - 1.
        strength: (H, W) float32, the activation of the winner in [0, 1].
        classes: number of classes including the background.
        levels: fineness of the sweep, see `thresholds`.

    Returns:
        (classes, classes, levels) int64 by (truth, winner, number of thresholds below strength).
        Histograms of several images add up.

    Raises:
        InputError: the shapes differ, or the mask holds a value that is neither a class nor 255.
    """
    if truth.shape != winner.shape:
        raise InputError(f"mask is {truth.shape} pixels, the activation map {winner.shape}")
    known = truth != IGNORE
    rows = _indices(truth[known], classes, "masks")
    # Side "left" counts the thresholds strictly below: a tie goes to the background.
    level = np.searchsorted(thresholds(levels), strength[known], side="left")
    flat = (rows * classes + winner[known]) * levels + level
    histogram = np.bincount(flat, minlength=classes * classes * levels)
    return histogram.reshape(classes, classes, levels)


def confusion_at(histogram: Counts, threshold: int) -> Counts:
    """Confusion matrix (classes, classes) when `thresholds(levels)[threshold]` is the background.

    A pixel is background unless its strength exceeds the threshold.
    """
    confusion = histogram[..., threshold + 1 :].sum(axis=-1)
    confusion[:, BACKGROUND] += histogram[..., : threshold + 1].sum(axis=(1, 2))
    return confusion


def sweep(histogram: Counts) -> list[Scores]:
    """Scores at every threshold of `thresholds(levels)`."""
    return [score(confusion_at(histogram, index)) for index in range(histogram.shape[-1] - 1)]


def best(scores: Sequence[Scores]) -> int:
    """Index of the largest mIoU; the first of equals.

    Raises:
        InputError: there is no labelled pixel to judge by.
    """
    values = np.array([item.means["miou"] for item in scores])
    if np.isnan(values).all():
        raise InputError("no threshold can be chosen: the masks hold no labelled pixel")
    return int(np.nanargmax(values))
