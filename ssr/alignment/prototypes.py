"""Prototypes: cluster centres of aligned features, and the pseudo-labels they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from ssr.alignment.aligner import Aligner
from ssr.alignment.samples import Samples
from ssr.errors import InputError

Vectors = NDArray[np.float32]
Indices = NDArray[np.int64]

# Samples that are aligned at once: on the way heads hold several times what comes out.
_AT_ONCE = 2**14


@dataclass(frozen=True)
class Prototypes:
    """Prototypes of one round: centres of clusters, then one row per background text (B or none).

    texts: (C+B, D) float32, unit vectors in CLIP's joint space, the C classes first.
    image_prototypes: (K+B, d) float32, P^I; text_prototypes: (K'+B, d) float32, P^T, where
    K' = min(K, classes that occur); unit vectors, but the image row of a background that no sample
    shows is zero. image_clusters: (S,) int64, each sample's image row, its pseudo-label pos_idx;
    text_clusters: (C+B,) int64, each text's row. cluster_table: (K, C) int64, samples of each class
    in each image cluster; cluster_classes: (K,) int64, the class 1..C matched to each, 0 for none.
    """

    texts: Vectors
    image_prototypes: Vectors
    text_prototypes: Vectors
    image_clusters: Indices
    text_clusters: Indices
    cluster_table: Indices
    cluster_classes: Indices

    @property
    def purity(self) -> float:
        """Share of the class samples that belong to the most frequent class of their cluster."""
        return float(self.cluster_table.max(1).sum() / self.cluster_table.sum())


@torch.no_grad()
def make_prototypes(
    aligner: Aligner, samples: Samples, texts: Vectors, classes: int, clusters: int, seed: int
) -> Prototypes:
    """Cluster what `aligner` makes of the samples and of the texts.

    texts: (C+B, D), the first C = `classes` of classes; every label of `samples` is a row of it.
    clusters: K. There are at most as many text clusters as classes that occur.
    """
    image = _aligned(samples, aligner)
    text = aligner.text(torch.from_numpy(texts).to(aligner.device)).cpu().numpy()
    is_class = samples.labels < classes
    labels, of_classes = samples.labels[is_class], image[is_class]
    image_centres = cluster(of_classes, clusters, seed)
    # Over the text features of all samples: they repeat, so each text counts as often as it occurs.
    counts = np.bincount(labels, minlength=classes)
    seen = counts > 0
    text_centres = cluster(text[:classes][seen], min(clusters, seen.sum()), seed, counts[seen])
    image_clusters = samples.labels - classes + clusters  # right for the backgrounds
    image_clusters[is_class] = nearest(of_classes, image_centres)
    text_clusters = np.arange(len(text)) - classes + len(text_centres)
    text_clusters[:classes] = nearest(text[:classes], text_centres)
    table = np.zeros((clusters, classes), np.int64)
    np.add.at(table, (image_clusters[is_class], labels), 1)
    shown = [image[samples.labels == label] for label in range(classes, len(text))]
    return Prototypes(
        texts=texts,
        image_prototypes=np.vstack([image_centres, *map(mean_direction, shown)]),
        text_prototypes=np.vstack([text_centres, text[classes:]]),
        image_clusters=image_clusters,
        text_clusters=text_clusters,
        cluster_table=table,
        cluster_classes=match_classes(table),
    )


def _aligned(samples: Samples, aligner: Aligner) -> Vectors:
    """Aligned unit vectors (S, d) of all samples."""
    rows = np.arange(len(samples.labels))
    parts = (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
    return np.concatenate([samples.aligned(aligner, part).cpu().numpy() for part in parts])


def cluster(
    vectors: Vectors, clusters: int, seed: int, weights: NDArray[Any] | None = None
) -> Vectors:
    """Spherical K-means: centres (clusters, d) of unit vectors (n, d), the best of three runs.

    `weights` (n,) says how often each vector counts.

    Raises:
        InputError: fewer vectors than clusters.
    """
    if len(vectors) < clusters:
        raise InputError(f"prototypes.clusters: at most {len(vectors)} (samples); came {clusters}")
    kmeans = faiss.Kmeans(
        vectors.shape[1],
        int(clusters),
        seed=seed,
        niter=25,
        nredo=3,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=len(vectors),
        init_method=faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS,
    )
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # the order of sums, and so the bits, would depend on it
    kmeans.train(vectors, None if weights is None else weights.astype(np.float32))
    faiss.omp_set_num_threads(threads)
    centres: Vectors = np.asarray(kmeans.centroids)
    return centres


def nearest(vectors: Vectors, centres: Vectors) -> Indices:
    """Index (n,) of the most similar centre of each vector (n, d)."""
    result: Indices = (vectors @ centres.T).argmax(1).astype(np.int64)
    return result


def mean_direction(vectors: Vectors) -> Vectors:
    """Unit mean (d,) of unit vectors (n, d); zero where there are none."""
    total = vectors.sum(0)
    return total / max(float(np.linalg.norm(total)), 1e-12)


def match_classes(table: Indices) -> Indices:
    """Class 1..C of each row of a (K, C) table in the best one-to-one matching, 0 for none."""
    from scipy.optimize import linear_sum_assignment  # readers of prototypes need not wait for it

    clusters, classes = linear_sum_assignment(table, maximize=True)
    matched = np.zeros(len(table), np.int64)
    matched[clusters] = classes + 1
    return matched
