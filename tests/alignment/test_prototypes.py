"""K-means prototypes where the right answer is known."""

import itertools

import numpy as np
import pytest
import torch

from ssr.alignment.heads import AlignmentHeads, HeadOptions, new_heads
from ssr.alignment.prototypes import (
    Prototypes,
    cluster,
    make_prototypes,
    match_classes,
    mean_direction,
    nearest,
)
from ssr.alignment.samples import Samples
from ssr.errors import InputError
from tests.alignment.toy import BACKGROUNDS, CLASSES, DIMENSION, samples, texts, unit


def identity(found: Samples) -> AlignmentHeads:
    options = HeadOptions(DIMENSION, layers=1, width=8, residual=True)
    return new_heads(options, torch.from_numpy(found.features), torch.from_numpy(texts()), seed=0)


def made(found: Samples, clusters: int = CLASSES, rows: np.ndarray | None = None) -> Prototypes:
    rows = texts() if rows is None else rows
    return make_prototypes(identity(found), found, rows, CLASSES, clusters, seed=0)


def test_prototypes_of_separated_classes_are_their_mean_directions() -> None:
    found = samples()
    prototypes = made(found)
    for cluster_index, class_index in enumerate(prototypes.cluster_classes):
        mean = mean_direction(found.features[found.labels == class_index - 1])
        np.testing.assert_allclose(
            prototypes.image_prototypes[cluster_index], mean, atol=1e-5, rtol=0
        )
    assert sorted(prototypes.cluster_classes) == [1, 2, 3]
    assert prototypes.purity == 1


def test_text_prototypes_are_the_class_texts_up_to_order() -> None:
    prototypes = made(samples())
    own = prototypes.text_prototypes[prototypes.text_clusters]
    np.testing.assert_allclose(own, texts(), atol=1e-6)


def test_rare_classes_keep_their_text_prototype() -> None:
    frequent = samples(500)
    kept = (frequent.labels == 0) | (np.arange(500) < 10)
    found = Samples(frequent.images[kept], frequent.labels[kept], frequent.features[kept])
    prototypes = made(found)
    own = prototypes.text_prototypes[prototypes.text_clusters]
    np.testing.assert_allclose(own, texts(), atol=1e-6)


def test_each_sample_is_labelled_with_its_nearest_prototype() -> None:
    found = samples(noise=0.4)
    prototypes = made(found)
    similar = found.features @ prototypes.image_prototypes[:CLASSES].T
    of_classes = found.labels < CLASSES
    np.testing.assert_array_equal(
        prototypes.image_clusters[of_classes], similar.argmax(1)[of_classes]
    )
    for (row, column), count in np.ndenumerate(prototypes.cluster_table):
        together = (prototypes.image_clusters == row) & (found.labels == column)
        assert count == together.sum()


def test_background_samples_have_prototypes_of_their_own_behind_the_clusters() -> None:
    found = samples()
    prototypes = made(found, clusters=4)
    for background in range(BACKGROUNDS):
        own = found.labels == CLASSES + background
        assert set(prototypes.image_clusters[own]) == {4 + background}
        mean = mean_direction(found.features[own])
        np.testing.assert_allclose(prototypes.image_prototypes[4 + background], mean, atol=1e-6)
    assert prototypes.image_prototypes.shape == (4 + BACKGROUNDS, DIMENSION)
    assert prototypes.text_prototypes.shape == (CLASSES + BACKGROUNDS, DIMENSION)
    assert prototypes.cluster_table.sum() == (found.labels < CLASSES).sum()


def test_samples_may_be_aligned_a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = made(samples())
    monkeypatch.setattr("ssr.alignment.prototypes._AT_ONCE", 7)
    in_parts = made(samples())
    np.testing.assert_array_equal(in_parts.image_clusters, at_once.image_clusters)
    np.testing.assert_allclose(in_parts.image_prototypes, at_once.image_prototypes, atol=1e-6)


def test_a_background_that_no_sample_shows_has_a_zero_prototype() -> None:
    found = samples().foreground(CLASSES)
    prototypes = made(found)
    assert not prototypes.image_prototypes[CLASSES:].any()
    assert made(found, rows=texts()[:CLASSES]).image_prototypes.shape == (CLASSES, DIMENSION)


def test_clusters_are_matched_to_classes_one_to_one() -> None:
    # The greedy choice, class 1 for both first clusters, would cost the second its best match.
    assert match_classes(np.array([[9, 8], [8, 1]])).tolist() == [2, 1]
    assert match_classes(np.array([[5, 0], [0, 0], [0, 4]])).tolist() == [1, 0, 2]


def test_clustering_is_repeatable_and_weighs_vectors() -> None:
    vectors = unit(np.random.default_rng(0).standard_normal((40, 6)))
    np.testing.assert_array_equal(cluster(vectors, 3, seed=1), cluster(vectors, 3, seed=1))
    weights = np.arange(1, 41)
    total = weights @ vectors
    centre = cluster(vectors, 1, seed=0, weights=weights)
    np.testing.assert_allclose(centre[0], total / np.linalg.norm(total), atol=1e-6)


def best_partition(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """Labels of the partition with the largest sum of cosines to its centres, of all there are."""
    double = vectors.astype(np.float64)

    def gain(labels: tuple[int, ...]) -> float:
        # The sum of cosines with the mean direction is the length of the sum.
        sums = [double[np.array(labels) == label].sum(0) for label in range(clusters)]
        return float(sum(np.linalg.norm(each) for each in sums))

    return np.array(max(itertools.product(range(clusters), repeat=len(vectors)), key=gain))


@pytest.mark.parametrize("seed", range(3))
def test_labels_are_those_of_the_best_of_all_partitions(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = unit(np.eye(3, 4)[np.arange(8) % 3] + 0.2 * random.standard_normal((8, 4)))
    labels = nearest(vectors, cluster(vectors, 3, seed=0))
    expected = best_partition(vectors, 3)
    np.testing.assert_array_equal(
        labels[:, None] == labels, expected[:, None] == expected, "but for their numbers"
    )


@pytest.mark.parametrize("seed", range(3))
def test_centres_are_the_mean_directions_of_what_is_nearest_to_them(seed: int) -> None:
    """Another step of K-means, sample by sample in double precision, moves nothing."""
    vectors = unit(np.random.default_rng(seed).standard_normal((50, 6)))
    centres = cluster(vectors, 4, seed=0)
    labels = nearest(vectors, centres)
    sums = np.zeros((4, 6))
    for vector, label in zip(vectors.astype(np.float64), labels, strict=True):
        cosines = [sum(a * b for a, b in zip(vector, centre, strict=True)) for centre in centres]
        assert label == cosines.index(max(cosines))
        sums[label] += vector
    np.testing.assert_allclose(centres, sums / np.linalg.norm(sums, axis=1)[:, None], atol=1e-6)


def test_more_clusters_than_samples_are_refused() -> None:
    with pytest.raises(InputError, match=r"prototypes.clusters: at most 2 \(samples\); came 3"):
        cluster(unit(np.eye(2, 6)), 3, seed=0)
