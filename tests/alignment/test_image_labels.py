"""The loss of image labels: its formula written out, and what it may not touch."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.image_labels import BEST_PATCHES, LabelledImages, image_labels_loss
from tests.alignment.toy import CLASSES, DIMENSION, labelled_images, texts, unit

PATCHES = 30
LOGITS = torch.randn(PATCHES, 4, generator=torch.Generator().manual_seed(0))


def score(column: int) -> float:
    """The mean of the three best of thirty patches."""
    assert round(BEST_PATCHES * PATCHES) == 3
    return sum(sorted(LOGITS[:, column].tolist())[-3:]) / 3


@pytest.mark.parametrize(("labels", "absent"), [((1,), (2, 3, 4)), ((1, 3), (2, 4))])
def test_each_class_present_is_told_from_all_absent_ones(
    labels: tuple[int, ...], absent: tuple[int, ...]
) -> None:
    rivals = sum(math.exp(score(label - 1)) for label in absent)
    own = [math.exp(score(label - 1)) for label in labels]
    expected = sum(-math.log(each / (each + rivals)) for each in own) / len(labels)
    assert image_labels_loss(LOGITS, labels).item() == pytest.approx(expected, rel=1e-5)


def test_only_the_best_patches_of_a_class_are_judged() -> None:
    logits = LOGITS.clone().requires_grad_()
    image_labels_loss(logits, (1, 3)).backward()
    assert logits.grad is not None
    assert logits.grad.ne(0).sum(0).tolist() == [3, 3, 3, 3]
    assert (logits.grad[:, [0, 2]] <= 0).all()
    assert (logits.grad[:, [1, 3]] >= 0).all()


@pytest.mark.parametrize("patches", [1, 3])
def test_an_image_has_at_least_one_best_patch(patches: int) -> None:
    best = LOGITS[:patches].max(0).values[None]
    assert torch.equal(image_labels_loss(LOGITS[:patches], (2,)), image_labels_loss(best, (2,)))


def test_an_image_with_all_classes_teaches_nothing() -> None:
    logits = LOGITS.clone().requires_grad_()
    loss = image_labels_loss(logits, (1, 2, 3, 4))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_loss_of_a_round_is_the_mean_over_its_images() -> None:
    data = labelled_images()
    heads = new_heads(HeadOptions(DIMENSION), torch.eye(DIMENSION), torch.from_numpy(texts()), 0)
    assert len(data) == len(data.labels)

    def loss(*rows: int) -> Tensor:
        return data.loss(heads, np.array(rows))

    assert loss(0, 4).item() == pytest.approx((loss(0).item() + loss(4).item()) / 2, rel=1e-5)


def test_patches_of_an_absent_class_are_no_longer_taken_for_it() -> None:
    """CLIP takes the same patch for class 2 in every image; no label says so."""
    both = unit(texts()[0] + 1.2 * texts()[1])
    patches = torch.from_numpy(np.stack([texts()[0], both]))
    other = torch.from_numpy(np.stack([texts()[1], texts()[1]]))
    data = LabelledImages(
        [(1,), (2,)] * 4, lambda row: other if row % 2 else patches, texts(), CLASSES
    )
    heads = new_heads(HeadOptions(DIMENSION, width=8), patches, torch.from_numpy(texts()), seed=0)
    heads.requires_grad_(True).train()
    optimiser = torch.optim.AdamW(heads.parameters(), lr=1e-2)

    def taken_for() -> list[int]:
        heads.eval()
        with torch.no_grad():
            scores = (
                heads.image(torch.cat([patches, other])) @ heads.text(torch.from_numpy(texts())).T
            )
        return (1 + scores[:, :CLASSES].argmax(1)).tolist()

    assert taken_for() == [1, 2, 2, 2]
    for _ in range(30):
        heads.train()
        optimiser.zero_grad()
        data.loss(heads, np.arange(8)).backward()
        optimiser.step()
    assert taken_for() == [1, 1, 2, 2]
