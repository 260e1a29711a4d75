import itertools
import math
from functools import partial

import numpy as np
import pytest

from ssr.cams.affinity import (
    Matrix,
    attention_auc,
    fuse,
    patch_labels,
    propagate,
    rank_auc,
    sinkhorn,
    symmetric_affinity,
)
from ssr.labels import IGNORE

RANDOM = np.random.default_rng(0)
assert_close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)


def attention(patches: int = 9, seed: int = 0) -> Matrix:
    """Row-stochastic, with one hot column."""
    logits = np.random.default_rng(seed).standard_normal((patches, patches), np.float32)
    logits[:, 2] += 4
    weights = np.exp(logits)
    return weights / weights.sum(1, keepdims=True)


def test_fusion_weighs_the_two_maps_and_computes_in_single_precision() -> None:
    clip, dino = (attention(seed=seed).astype(np.float16) for seed in (1, 2))
    fused = fuse(clip, dino, 0.4, 0.6)
    assert fused.dtype == np.float32
    expected = 0.4 * clip.astype(np.float32) + 0.6 * dino.astype(np.float32)
    np.testing.assert_array_equal(fused, expected)


def test_sinkhorn_tends_to_a_doubly_stochastic_matrix() -> None:
    balanced = sinkhorn(attention(), 50)
    ones = np.ones(len(balanced))
    assert_close(balanced.sum(0), ones)
    assert_close(balanced.sum(1), ones)
    assert (balanced > 0).all()


def test_each_sinkhorn_round_divides_by_column_sums_then_by_row_sums() -> None:
    matrix = attention().astype(np.float64)
    expected = matrix.tolist()
    for _ in range(3):
        for column in range(len(matrix)):
            total = sum(row[column] for row in expected)
            for row in expected:
                row[column] /= total
        expected = [[value / sum(row) for value in row] for row in expected]
    np.testing.assert_allclose(sinkhorn(matrix, 3), expected, rtol=1e-12)
    np.testing.assert_array_equal(sinkhorn(matrix, 0), matrix)


def test_sinkhorn_removes_hot_columns_and_ignores_scale() -> None:
    matrix = attention()
    scaled = matrix * (RANDOM.random(len(matrix), np.float32) + 0.1) * 7
    assert_close(sinkhorn(scaled, 60), sinkhorn(matrix, 60))


def test_a_patch_that_nobody_attends_to_gives_no_nan() -> None:
    matrix = attention()
    matrix[:, 4] = 0
    assert np.isfinite(sinkhorn(matrix, 3)).all()


def test_the_affinity_is_symmetric_and_leaves_the_attention_alone() -> None:
    matrix = attention()
    before = matrix.copy()
    affinity = symmetric_affinity(matrix, 3)
    assert_close(affinity, affinity.T)
    assert_close(affinity, (sinkhorn(before, 3) + sinkhorn(before, 3).T) / 2)
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("power", [0, 1, 2, 5])
def test_propagation_equals_the_matrix_power(power: int) -> None:
    affinity = symmetric_affinity(attention(), 3)
    values = RANDOM.random((len(affinity), 3), np.float32)
    expected = np.linalg.matrix_power(affinity, power) @ values
    assert_close(propagate(affinity, values, power), expected)


def literal_auc(affinity: Matrix, labels: list[int]) -> float:
    wins = pairs = 0.0
    # Every same-object pair against every other pair, whoever asks.
    asking = [i for i, label in enumerate(labels) if label not in (0, IGNORE)]
    known = [j for j, label in enumerate(labels) if label != IGNORE]
    scored = [
        (affinity[i, j].item(), labels[i] == labels[j]) for i in asking for j in known if i != j
    ]
    for positive, negative in itertools.product(scored, scored):
        if positive[1] and not negative[1]:
            pairs += 1
            wins += (positive[0] > negative[0]) + 0.5 * (positive[0] == negative[0])
    return wins / pairs


LABELS = [0, 1, 1, 2, IGNORE, 1, 2, 0, 0]


def test_attention_auc_equals_a_count_of_all_comparisons() -> None:
    affinity = attention()
    assert attention_auc(affinity, np.array(LABELS)) == pytest.approx(literal_auc(affinity, LABELS))


def test_attention_auc_counts_ties_half() -> None:
    affinity = (attention() * 20).round()  # many equal values
    labels = np.array(LABELS)
    assert attention_auc(affinity, labels) == pytest.approx(literal_auc(affinity, LABELS))
    assert attention_auc(np.ones((9, 9), np.float32), labels) == 0.5


def test_attention_auc_is_one_for_the_truth_and_zero_for_its_opposite() -> None:
    labels = np.array(LABELS)
    truth = (labels[:, None] == labels).astype(np.float32)
    assert attention_auc(truth, labels) == 1
    assert attention_auc(-truth, labels) == 0


def test_the_diagonal_and_ignored_patches_do_not_count() -> None:
    labels = np.array(LABELS)
    affinity = attention()
    expected = attention_auc(affinity, labels)
    np.fill_diagonal(affinity, -100)
    affinity[:, 4] = 100
    affinity[4] = -100
    assert attention_auc(affinity, labels) == expected


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [1, IGNORE, 0]])
def test_attention_auc_is_nan_without_both_kinds_of_pairs(labels: list[int]) -> None:
    assert math.isnan(attention_auc(RANDOM.random((3, 3), np.float32), np.array(labels)))


def test_rank_auc_of_a_worked_example() -> None:
    # 3 beats 1 and 2, ties with 3; 1 ties with 1, loses to 2 and 3: 3 of 6.
    assert rank_auc(np.array([3.0, 1.0], np.float32), np.array([1.0, 2.0, 3.0], np.float32)) == 0.5


def test_a_patch_takes_its_most_frequent_label_if_it_is_pure_enough() -> None:
    mask = np.array(
        [
            [1, 1, 0, 0, 7, 7],
            [1, 0, 2, 2, 255, 255],
            [3, 3, 4, 5, 255, 255],
            [3, 3, 6, 7, 255, 255],
        ],
        np.uint8,
    )
    assert patch_labels(mask, (2, 3)).tolist() == [1, IGNORE, IGNORE, 3, IGNORE, IGNORE]
    assert patch_labels(mask, (2, 3), purity=0.5)[:2].tolist() == [1, 0]
