"""Image and text features before and after the alignment, and how near those of a class are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ssr.alignment.prototypes import Prototypes, mean_direction
from ssr.alignment.samples import Samples
from ssr.alignment.trained import load_aligner
from ssr.artefacts.arrays import load_arrays
from ssr.report.tables import MISSING, Table

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Pooled image features of S samples of classes, and the texts of all C classes.

    labels: (S,) int64, the class of each sample, from 0; images: before and after the alignment,
    (S, D) and (S, d) float32; texts: likewise (C, D) and (C, d). All are unit vectors.
    """

    labels: NDArray[np.int64]
    images: tuple[Vectors, Vectors]
    texts: tuple[Vectors, Vectors]


def read_features(prototypes: Path, heads: Path) -> Features:
    """Those of a finished alignment, without samples and texts of backgrounds.

    Args:
        prototypes: what cluster_prototypes wrote for the last round.
        heads: those that the aligned CAMs come from.

    Raises:
        InputError: a file is missing or damaged.
    """
    made = load_arrays(prototypes, Prototypes, "cluster_prototypes")
    classes = made.cluster_table.shape[1]
    samples = load_arrays(prototypes, Samples, "cluster_prototypes").foreground(classes)
    texts, (aligned, _) = made.texts[:classes], load_aligner(heads)
    images = samples.features, aligned.image(torch.from_numpy(samples.features)).numpy()
    return Features(samples.labels, images, (texts, aligned.text(torch.from_numpy(texts)).numpy()))


def cosines(features: Features) -> tuple[NDArray[np.int64], Vectors, Vectors]:
    """How near the samples of each class are to the texts.

    Returns:
        the n classes that have samples, (n,), from 0; the cosine between the mean of a class's
        samples and its text, before and after, (2, n); the mean of those to the texts of all
        other classes, (2, n), NaN where there is no other.
    """
    classes = np.unique(features.labels)
    own, others = [], []
    for images, texts in zip(features.images, features.texts, strict=True):
        means = np.stack([mean_direction(images[features.labels == each]) for each in classes])
        found = means @ texts.T  # (n, C)
        mine = found[np.arange(len(classes)), classes]
        own.append(mine)
        rest = len(texts) - 1
        others.append((found.sum(1) - mine) / rest if rest else np.full(len(classes), np.nan))
    return classes, np.stack(own), np.stack(others)


def cosine_table(features: Features, names: Sequence[str]) -> Table:
    """The `cosines` of every class, and their mean; `names` of all classes, background first."""
    classes, own, others = cosines(features)
    counts = np.bincount(features.labels, minlength=len(names) - 1)[classes]
    figures = np.concatenate([own, others]).T  # (n, 4)
    rows = [
        (names[index + 1], str(count), *map(_cosine, values))
        for index, count, values in zip(classes, counts, figures, strict=True)
    ]
    rows.append(("mean over classes", str(counts.sum()), *map(_cosine, figures.mean(0))))
    header = ("Class", "Samples", "Before", "After", "Others before", "Others after")
    notes = (
        "Between the text of a class and the mean of all its samples, the pooled image features of "
        "train from which CMPA learns, before and after CMPA's heads.",
        "Others: mean of the cosines between the same mean and the texts of all other classes. "
        "Where both rise or fall alike, classes are told apart no better.",
    )
    return Table("Cosine between text and images of each class", header, tuple(rows), notes)


def _cosine(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.3f}"
