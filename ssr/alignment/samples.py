"""Pooled image features: what CMPA is trained on instead of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssr.alignment.aligner import Aligner
from ssr.config import Prototypes
from ssr.maps import min_max


@dataclass(frozen=True)
class Samples:
    """What CMPA learns from: rows of classes, one or two per image and class, and of backgrounds.

    images: (S,) str, the image's id; labels: (S,) int64, the row of the sample's text among the C
    class texts and the B background texts behind them; features: (S, D) float32, unit vectors in
    CLIP's joint space.
    """

    images: NDArray[np.str_]
    labels: NDArray[np.int64]
    features: NDArray[np.float32]

    @classmethod
    def none(cls, dimension: int) -> Self:
        """No samples, of D = `dimension`."""
        features = np.empty((0, dimension), np.float32)
        return cls(np.empty(0, np.str_), np.empty(0, np.int64), features)

    def entering(self, seed: int) -> Tensor:
        """What the image head is fed, or a choice of it by `seed`: (n, D) float32."""
        return torch.from_numpy(self.features)

    def aligned(self, aligner: Aligner, rows: NDArray[np.int64] | None = None) -> Tensor:
        """Aligned unit vectors (n, d) of the samples `rows`, or of all."""
        features = self.features if rows is None else self.features[rows]
        return aligner.image(torch.from_numpy(features).to(aligner.device))

    def foreground(self, classes: int) -> Samples:
        """The samples of classes alone, without those of backgrounds."""
        kept = self.labels < classes
        return Samples(self.images[kept], self.labels[kept], self.features[kept])


def background_map(maps: NDArray[np.float32], limit: float) -> NDArray[np.float32]:
    """Complement of class maps (K, h, w) in 0..1: 1 - max where max is below `limit`, else 0."""
    strongest = maps.max(0)
    return np.where(strongest < limit, 1 - strongest, 0).astype(np.float32)


def pool(patches: Tensor, maps: Tensor, unit_patches: bool) -> Tensor:
    """Masked average pooling: unit vectors (K, D) of patches (N, D) under weights (K, N) >= 0.

    `unit_patches`: they are brought to unit length first, so that none counts for more than its
    weight. A map that is zero everywhere gives a zero row.
    """
    return F.normalize(maps @ (F.normalize(patches, dim=-1) if unit_patches else patches), dim=-1)


def pooling_weights(cams: NDArray[np.floating], settings: Prototypes) -> NDArray[np.float32]:
    """Weights (K+1, h, w) in 0..1 of raw maps (K, h, w): of the K classes, then of background."""
    maps = min_max(cams)
    background = background_map(maps, settings.background_below)
    return np.concatenate([maps, background[None]])


def pool_image(
    image: str,
    patches: Tensor,
    cams: NDArray[np.floating],
    labels: Sequence[int],
    backgrounds: Tensor,
    classes: int,
    settings: Prototypes,
) -> Samples:
    """The samples of one image: each of its classes, and its background.

    A class is shown by the patches under its CAM, by the mean of all patches, which is what the
    score of Grad-CAM judges, or by both. The latter is one vector for all classes of an image.

    Args:
        image: its id.
        patches: (N, D) float32, projected patch tokens of CLIP's last block.
        cams: (K, h, w) raw maps of the classes present, N = h*w.
        labels: those K classes, 1..C.
        backgrounds: (B, D) float32, unit background texts. The background of the image belongs to
            the most similar one, which is CLIP's own guess.
        classes: C.
        settings: what shows a class, and how patches are pooled; where no map reaches
            `background_below` is background.

    Returns:
        at most K + 1 samples, 2 K + 1 with `sample` "both": nothing is pooled under a CAM that is
        constant, and an image without background has no sample of it.
    """
    present, weights = np.array(labels) - 1, pooling_weights(cams, settings)
    pooled = pool(patches, torch.from_numpy(weights).flatten(1), settings.pools_unit_patches)
    whole = F.normalize(patches.mean(0), dim=-1).expand(len(present), -1)
    guess = classes + int((backgrounds @ pooled[-1]).argmax())
    features = torch.cat([whole, pooled]).numpy()
    rows = np.concatenate([present, present, [guess]])
    kept = np.concatenate([np.full(len(present), settings.sample != "pooled"), weights.any((1, 2))])
    kept[len(present) : -1] &= settings.sample != "image"
    return Samples(np.array([image] * int(kept.sum())), rows[kept], features[kept])


def concatenate(parts: Sequence[Samples]) -> Samples:
    """The samples of many images, or of many shards, in one table."""
    return Samples(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.features for part in parts]),
    )
