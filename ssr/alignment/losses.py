"""The losses of CMPA (Eq. 3-6) and the two rivals that the paper compares them with (Table 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Aligned samples and what they are pulled to.

    image (n, d) = v', text (n, d) = t' of the sample's class or background; image_prototypes
    (K, d) = P^I, text_prototypes (K', d) = P^T, constants; image_clusters (n,), text_clusters (n,):
    rows of the prototypes, pos_idx; temperature: tau.
    """

    image: Tensor
    text: Tensor
    image_prototypes: Tensor
    text_prototypes: Tensor
    image_clusters: Tensor
    text_clusters: Tensor
    temperature: Tensor


def prototype_loss(
    features: Tensor, prototypes: Tensor, positives: Tensor, temperature: Tensor
) -> Tensor:
    """Cross-entropy of softmax(features . prototypes / tau) with the positive prototype (Eq. 3, 4).

    features (n, d), prototypes (K, d), positives (n,); the mean over samples.
    """
    return F.cross_entropy(features @ prototypes.T / temperature, positives)


def cross_modal_loss(batch: Batch) -> Tensor:
    """Images towards text prototypes and texts towards image prototypes (Eq. 5, 6): the method."""
    t = batch.temperature
    images = prototype_loss(batch.image, batch.text_prototypes, batch.text_clusters, t)
    texts = prototype_loss(batch.text, batch.image_prototypes, batch.image_clusters, t)
    return (images + texts) / 2


def in_modal_loss(batch: Batch) -> Tensor:
    """Images towards image prototypes and texts towards text prototypes (Table 4)."""
    t = batch.temperature
    images = prototype_loss(batch.image, batch.image_prototypes, batch.image_clusters, t)
    texts = prototype_loss(batch.text, batch.text_prototypes, batch.text_clusters, t)
    return (images + texts) / 2


def feature_loss(batch: Batch) -> Tensor:
    """Symmetric contrast of each image feature with its own text feature, no prototypes (Table 4).

    Other samples of the same class count as negatives, as in CLIP's own training.
    """
    logits = batch.image @ batch.text.T / batch.temperature
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


LOSSES = {"cross_modal": cross_modal_loss, "in_modal": in_modal_loss, "feature": feature_loss}
