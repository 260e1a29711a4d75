"""Samples that are pooled behind what is trained: every patch goes through ISA or CLIP's block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssr.alignment.aligner import Aligner
from ssr.alignment.samples import Samples, pool

STATISTICS_IMAGES = 64
"""Images at most whose patches give the BatchNorm statistics of new heads."""


@dataclass(frozen=True)
class PatchSamples(Samples):
    """`Samples` and what they are pooled of; `features` are what CLIP itself makes of them.

    classes: those of each image, 1..C, by its id; patches: what `Aligner.patches` takes of it;
    weights: (K+1, N) float32, of its K classes, in their order, and of its background.
    """

    classes: Mapping[str, Sequence[int]]
    patches: Callable[[str], Tensor]
    weights: Callable[[str], Tensor]

    @classmethod
    def of(
        cls,
        samples: Samples,
        classes: Mapping[str, Sequence[int]],
        patches: Callable[[str], Tensor],
        weights: Callable[[str], Tensor],
    ) -> PatchSamples:
        """These `samples`, pooled behind what is trained."""
        return cls(samples.images, samples.labels, samples.features, classes, patches, weights)

    def entering(self, seed: int) -> Tensor:
        """The patches of a choice of images, by `seed`: (n, D) float32."""
        images = np.random.default_rng(seed).permutation(np.unique(self.images))
        return torch.cat([self.patches(str(image)) for image in images[:STATISTICS_IMAGES]])

    def aligned(self, aligner: Aligner, rows: NDArray[np.int64] | None = None) -> Tensor:
        """Unit vectors (n, d): the aligned patches of the samples `rows`, pooled; or of all."""
        chosen = np.arange(len(self.labels)) if rows is None else rows
        images = list(dict.fromkeys(self.images[chosen].tolist()))
        # BatchNorm learns from a whole batch; without it, one image at a time takes less memory.
        batches = [images] if aligner.training else [[image] for image in images]
        pooled = {image: own for batch in batches for image, own in self._pool(aligner, batch)}
        return torch.stack([pooled[self.images[row]][self._place(row)] for row in chosen])

    def _pool(self, aligner: Aligner, images: Sequence[str]) -> list[tuple[str, Tensor]]:
        """Each image with what all its weights pool: (K+1, d)."""
        aligned = aligner.patches([self.patches(image) for image in images])
        return [
            (image, pool(own, self.weights(image), unit_patches=False))
            for image, own in zip(images, aligned, strict=True)
        ]

    def _place(self, row: int) -> int:
        """Which weights of its image a sample is pooled under."""
        classes, label = list(self.classes[self.images[row]]), int(self.labels[row]) + 1
        return classes.index(label) if label in classes else len(classes)
