import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ssr.cams.affinity import (
    attention_auc,
    fuse,
    patch_labels,
    propagate,
    rank_auc,
    sinkhorn,
    symmetric_affinity,
)
from ssr.labels import IGNORE


def attention(patches: int = 9, seed: int = 0) -> Tensor:
    """Row-stochastic, with one hot column."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(patches, patches, generator=generator)
    logits[:, 2] += 4
    return logits.softmax(-1)


def test_fusion_weighs_the_two_maps_and_computes_in_single_precision() -> None:
    clip, dino = attention(seed=1).half(), attention(seed=2).half()
    fused = fuse(clip, dino, 0.4, 0.6)
    assert fused.dtype == torch.float32
    torch.testing.assert_close(fused, 0.4 * clip.float() + 0.6 * dino.float())


def test_sinkhorn_tends_to_a_doubly_stochastic_matrix() -> None:
    balanced = sinkhorn(attention(), 50)
    ones = torch.ones(len(balanced))
    torch.testing.assert_close(balanced.sum(0), ones)
    torch.testing.assert_close(balanced.sum(1), ones)
    assert (balanced > 0).all()


def test_each_sinkhorn_round_divides_by_column_sums_then_by_row_sums() -> None:
    matrix = attention()
    expected = matrix
    for _ in range(3):
        expected = expected / expected.sum(0)
        expected = expected / expected.sum(1)[:, None]
    torch.testing.assert_close(sinkhorn(matrix, 3), expected)
    torch.testing.assert_close(sinkhorn(matrix, 0), matrix)


def test_sinkhorn_removes_hot_columns_and_ignores_scale() -> None:
    matrix = attention()
    scaled = matrix * torch.rand(len(matrix)).add(0.1) * 7
    torch.testing.assert_close(sinkhorn(scaled, 60), sinkhorn(matrix, 60))


def test_a_patch_that_nobody_attends_to_gives_no_nan() -> None:
    matrix = attention()
    matrix[:, 4] = 0
    assert sinkhorn(matrix, 3).isfinite().all()


def test_the_affinity_is_symmetric_and_leaves_the_attention_alone() -> None:
    matrix = attention()
    before = matrix.clone()
    affinity = symmetric_affinity(matrix, 3)
    torch.testing.assert_close(affinity, affinity.T)
    torch.testing.assert_close(affinity, (sinkhorn(before, 3) + sinkhorn(before, 3).T) / 2)
    assert matrix.equal(before)


@pytest.mark.parametrize("power", [0, 1, 2, 5])
def test_propagation_equals_the_matrix_power(power: int) -> None:
    affinity = symmetric_affinity(attention(), 3)
    values = torch.rand(len(affinity), 3)
    expected = torch.linalg.matrix_power(affinity, power) @ values
    torch.testing.assert_close(propagate(affinity, values, power), expected)


def literal_auc(affinity: Tensor, labels: list[int]) -> float:
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
    assert attention_auc(affinity, torch.tensor(LABELS)) == pytest.approx(
        literal_auc(affinity, LABELS)
    )


def test_attention_auc_counts_ties_half() -> None:
    affinity = (attention() * 20).round()  # many equal values
    labels = torch.tensor(LABELS)
    assert attention_auc(affinity, labels) == pytest.approx(literal_auc(affinity, LABELS))
    assert attention_auc(torch.ones(9, 9), labels) == 0.5


def test_attention_auc_is_one_for_the_truth_and_zero_for_its_opposite() -> None:
    labels = torch.tensor(LABELS)
    truth = (labels[:, None] == labels).float()
    assert attention_auc(truth, labels) == 1
    assert attention_auc(-truth, labels) == 0


def test_the_diagonal_and_ignored_patches_do_not_count() -> None:
    labels = torch.tensor(LABELS)
    affinity = attention()
    expected = attention_auc(affinity, labels)
    affinity.fill_diagonal_(-100)
    affinity[:, 4] = 100
    affinity[4] = -100
    assert attention_auc(affinity, labels) == expected


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [1, IGNORE, 0]])
def test_attention_auc_is_nan_without_both_kinds_of_pairs(labels: list[int]) -> None:
    assert math.isnan(attention_auc(torch.rand(3, 3), torch.tensor(labels)))


def test_rank_auc_of_a_worked_example() -> None:
    # 3 beats 1 and 2, ties with 3; 1 ties with 1, loses to 2 and 3: 3 of 6.
    assert rank_auc(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 2.0, 3.0])) == 0.5


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
