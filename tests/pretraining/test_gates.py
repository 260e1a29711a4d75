"""The gates' measures against definitions written out by hand."""

import itertools

import pytest
import torch

from ssr.pretraining.gates import (
    best_threshold_miou,
    cam_histogram,
    linear_probe,
    mean_iou,
    object_patches,
    rank_auc,
    same_object_auc,
    single_object_top1,
    sinkhorn,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_auc_counts_pairs_in_the_right_order(generator: torch.Generator) -> None:
    scores = torch.rand(40, generator=generator)
    positive = torch.rand(40, generator=generator) < 0.3
    right = [p > n for p, n in itertools.product(scores[positive], scores[~positive])]
    assert rank_auc(scores, positive) == pytest.approx(sum(right) / len(right))


def test_same_object_auc_asks_object_patches_only() -> None:
    labels = torch.tensor([[1, 1, 0, 0, -1]])
    affinity = (labels[:, :, None] == labels[:, None]).float() + torch.rand(1, 5, 5) / 10
    assert same_object_auc(affinity, labels) == 1
    affinity[0, 2:] = 1 - affinity[0, 2:]
    assert same_object_auc(affinity, labels) == 1


def test_sinkhorn_undoes_hot_columns(generator: torch.Generator) -> None:
    block = torch.block_diag(torch.ones(3, 3), torch.ones(3, 3)) + 0.1
    hot = block * torch.tensor([1, 1, 30, 1, 1, 30.0])
    even = sinkhorn(hot / hot.sum(1, keepdim=True))
    assert torch.allclose(even, even.T)
    assert even[0, 1] > 2 * even[0, 5]


def test_a_probe_finds_a_linear_rule(generator: torch.Generator) -> None:
    centres = 5 * torch.randn(11, 16, generator=generator)
    labels = torch.arange(11).repeat(20)
    features = centres[labels] + torch.randn(220, 16, generator=generator)
    assert linear_probe(features[::2], labels[::2], features[1::2], labels[1::2]) > 95
    shuffled = labels[torch.randperm(220, generator=generator)]
    assert linear_probe(features[::2], shuffled[::2], features[1::2], shuffled[1::2]) < 30


def test_mean_iou_is_over_classes_that_occur() -> None:
    confusion = torch.zeros(3, 3, dtype=torch.long)
    confusion[0, 0], confusion[0, 1], confusion[1, 1] = 6, 2, 2
    assert mean_iou(confusion) == pytest.approx(100 * (6 / 8 + 2 / 4) / 2)


def test_top1_looks_at_images_of_one_object_alone() -> None:
    texts = torch.eye(10)
    present = torch.zeros(3, 10, dtype=torch.bool)
    present[0, 4] = present[1, 5] = present[2, 6] = present[2, 7] = True
    assert single_object_top1(texts[[4, 9, 0]], texts, present) == 0.5


def test_mixed_and_ignored_patches_have_no_label() -> None:
    masks = torch.zeros(1, 16, 16, dtype=torch.long)
    masks[0, :8, :8] = 3
    masks[0, :8, 8:12] = 4
    masks[0, 8:, :8] = 255
    assert object_patches(masks).tolist() == [[3, -1, -1, 0]]


def test_threshold_sweep_equals_thresholding(generator: torch.Generator) -> None:
    cams = torch.rand(2, 10, 4, generator=generator)
    masks = torch.randint(0, 11, (2, 16, 16), generator=generator)
    best, threshold = best_threshold_miou(cam_histogram(cams, masks))
    large = torch.nn.functional.interpolate(cams.view(2, 10, 2, 2), scale_factor=8, mode="bilinear")
    strength, winner = large.max(1)
    predicted = (winner + 1).where(strength >= threshold, 0)
    index = masks * 11 + predicted
    confusion = torch.bincount(index.flatten(), minlength=121).view(11, 11)
    assert best == pytest.approx(mean_iou(confusion), abs=0.2)
