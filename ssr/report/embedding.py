"""t-SNE of image and text features before and after the alignment (Fig. 6 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from ssr.report.curves import MARKERS
from ssr.report.features import Features, Vectors
from ssr.report.files import PAGE_INCHES

MOST_SAMPLES = 600
"""So many image features are shown at most."""

MOST_CLASSES = 20
"""So many classes are shown at most: five colours, four shapes."""

# The sixth colour is another blue.
_COLOURS = 5


@dataclass(frozen=True)
class Embedding:
    """Where features lie in the plane, before and after the alignment.

    classes: (C,) int64, the classes shown, from 1; labels: (S,) int64, the class of each image
    feature; images: (2, S, 2) and texts: (2, C, 2) float32, before and after.
    """

    classes: NDArray[np.int64]
    labels: NDArray[np.int64]
    images: Vectors
    texts: Vectors


def embed(features: Features, seed: int) -> Embedding:
    """Embed the pooled image features and the class texts of a finished alignment.

    The most frequent classes are shown, and of their samples a choice by `seed`, which is that of
    t-SNE, too.
    """
    classes, chosen = choose(features.labels, len(features.texts[0]), seed)
    planes = [
        _plane(images[chosen], texts[classes], seed)
        for images, texts in zip(features.images, features.texts, strict=True)
    ]
    return Embedding(
        classes + 1,
        features.labels[chosen] + 1,
        np.stack([plane[: len(chosen)] for plane in planes]),
        np.stack([plane[len(chosen) :] for plane in planes]),
    )


def choose(
    labels: NDArray[np.int64], classes: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The most frequent of `classes` (numbered from 0), and which of their samples to show.

    labels: (S,). Both results ascend.
    """
    counts = np.bincount(labels, minlength=classes)
    order = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    frequent = np.sort(order[counts[order] > 0])
    rows = np.flatnonzero(np.isin(labels, frequent))
    count = min(len(rows), MOST_SAMPLES)
    return frequent, np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))


def draw_embedding(embedding: Embedding, names: Sequence[str]) -> Figure:
    """Dots: image features; large outlined shapes: the text of the class.

    names: of all classes, background first.
    """
    figure = Figure(figsize=(PAGE_INCHES, 3.9), layout="constrained")
    for axes, title, images, texts in zip(
        figure.subplots(1, 2), ("before", "after"), embedding.images, embedding.texts, strict=True
    ):
        axes.set_title(f"{title} alignment")
        axes.set_xticks([])
        axes.set_yticks([])
        _scatter(axes, embedding, names, images, texts)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    return figure


def _plane(images: Vectors, texts: Vectors, seed: int) -> Vectors:
    """t-SNE (S + C, 2) of unit vectors (S, d) and (C, d) together."""
    together = np.concatenate([images, texts])
    perplexity = min(30.0, (len(together) - 1) / 3)
    plane: Vectors = TSNE(
        perplexity=perplexity, init="pca", random_state=seed, n_jobs=1
    ).fit_transform(together)
    return plane


def _scatter(
    axes: Axes, embedding: Embedding, names: Sequence[str], images: Vectors, texts: Vectors
) -> None:
    ink = axes.spines["left"].get_edgecolor()
    for number, index in enumerate(embedding.classes):
        colour, marker = f"C{number % _COLOURS}", MARKERS[number // _COLOURS]
        mine, text = images[embedding.labels == index], texts[number]
        axes.scatter(
            mine[:, 0], mine[:, 1], s=14, color=colour, marker=marker, alpha=0.5, linewidths=0
        )
        axes.scatter(
            text[:1], text[1:], s=95, color=colour, marker=marker, edgecolors=ink, linewidths=1.2,
            zorder=3, label=names[index],
        )  # fmt: skip
