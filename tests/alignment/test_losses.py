"""The losses against their formulas, written out sample by sample."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ssr.alignment.losses import LOSSES, Batch, prototype_loss

TAU = 0.3


def random_unit(rows: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed)), dim=-1)


BATCH = Batch(
    image=random_unit(5, 0),
    text=random_unit(5, 1),
    image_prototypes=random_unit(4, 2),
    text_prototypes=random_unit(3, 3),
    image_clusters=torch.tensor([0, 3, 1, 1, 2]),
    text_clusters=torch.tensor([2, 0, 0, 1, 2]),
    temperature=torch.tensor(TAU),
)


def literal(features: Tensor, prototypes: Tensor, positives: Tensor) -> float:
    """Mean of -log(exp(f·p+/τ) / Σ_k exp(f·p_k/τ)) over the samples (Eq. 3-6)."""
    total = 0.0
    for feature, positive in zip(features, positives, strict=True):
        terms = [math.exp(float(feature @ prototype) / TAU) for prototype in prototypes]
        total -= math.log(terms[positive] / sum(terms))
    return total / len(features)


def test_prototype_loss_is_the_cross_entropy_with_the_positive_prototype() -> None:
    loss = prototype_loss(
        BATCH.image, BATCH.text_prototypes, BATCH.text_clusters, BATCH.temperature
    )
    expected = literal(BATCH.image, BATCH.text_prototypes, BATCH.text_clusters)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def hand_made() -> Batch:
    """Two samples along the axes, so that a logit is a number of the prototypes' or texts' rows."""
    rows = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]], dtype=torch.float64)
    axes = torch.eye(2, dtype=torch.float64)
    return Batch(
        image=axes,
        text=2 * axes,
        image_prototypes=rows,
        text_prototypes=-rows[:2],
        image_clusters=torch.tensor([2, 1]),
        text_clusters=torch.tensor([0, 1]),
        temperature=torch.tensor(0.5, dtype=torch.float64),
    )


def of_logits(*terms: tuple[int, tuple[float, ...]]) -> float:
    """Mean of -log softmax(logits)[positive] over (positive, logits)."""
    return sum(
        math.log(sum(math.exp(other - logits[positive]) for other in logits))
        for positive, logits in terms
    ) / len(terms)


HAND_MADE = {
    "cross_modal": (
        of_logits((0, (-4.0, 0.0)), (1, (-2.0, -6.0))),
        of_logits((2, (8.0, 0.0, 4.0)), (1, (4.0, 12.0, 4.0))),
    ),
    "in_modal": (
        of_logits((2, (4.0, 0.0, 2.0)), (1, (2.0, 6.0, 2.0))),
        of_logits((0, (-8.0, 0.0)), (1, (-4.0, -12.0))),
    ),
    "feature": (of_logits((0, (4.0, 0.0)), (1, (0.0, 4.0))),) * 2,
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_logits_that_are_known(name: str) -> None:
    assert LOSSES[name](hand_made()).item() == pytest.approx(sum(HAND_MADE[name]) / 2, rel=1e-12)


def test_cross_modal_pulls_each_modality_to_the_prototypes_of_the_other() -> None:
    images = literal(BATCH.image, BATCH.text_prototypes, BATCH.text_clusters)
    texts = literal(BATCH.text, BATCH.image_prototypes, BATCH.image_clusters)
    assert LOSSES["cross_modal"](BATCH).item() == pytest.approx((images + texts) / 2, rel=1e-5)


def test_in_modal_pulls_each_modality_to_its_own_prototypes() -> None:
    images = literal(BATCH.image, BATCH.image_prototypes, BATCH.image_clusters)
    texts = literal(BATCH.text, BATCH.text_prototypes, BATCH.text_clusters)
    assert LOSSES["in_modal"](BATCH).item() == pytest.approx((images + texts) / 2, rel=1e-5)


def test_feature_pulls_each_sample_to_its_own_text_against_the_batch() -> None:
    own = torch.arange(5)
    images = literal(BATCH.image, BATCH.text, own)
    texts = literal(BATCH.text, BATCH.image, own)
    assert LOSSES["feature"](BATCH).item() == pytest.approx((images + texts) / 2, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_temperature_is_learned(name: str) -> None:
    temperature = torch.tensor(TAU, requires_grad=True)
    LOSSES[name](Batch(**{**vars(BATCH), "temperature": temperature})).backward()
    assert temperature.grad is not None
    assert temperature.grad.item() != 0
