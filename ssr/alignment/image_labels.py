"""What image labels say, absent classes included: a loss over patches, ours and not the paper's.

A sample of `ssr.alignment.samples` is pulled to the text of its class. Here a class is judged by
its best patches, as they are aligned so far, so that an absent class is pushed away from just those
patches that are taken for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ssr.alignment.aligner import Aligner
from ssr.alignment.prototypes import Indices, Vectors

BEST_PATCHES = 0.1
"""Share of an image's patches by which a class is judged; with 0.3 the demo's CAMs lose sooner."""


@dataclass(frozen=True)
class LabelledImages:
    """What a round learns from under `alignment.loss: image_labels`.

    labels: all classes of each image, 1..C; patches: what `Aligner.patches` takes of it, by its
    place in `labels`; texts: (C+B, D) float32, unit vectors, the C = `classes` first.
    """

    labels: Sequence[Sequence[int]]
    patches: Callable[[int], Tensor]
    texts: Vectors
    classes: int

    def __len__(self) -> int:
        """Images."""
        return len(self.labels)

    def loss(self, aligner: Aligner, rows: Indices) -> Tensor:
        """The mean of `image_labels_loss` over the images `rows`."""
        aligned = aligner.patches([self.patches(int(row)) for row in rows])
        classes = aligner.text(torch.from_numpy(self.texts))[: self.classes]
        losses = [
            image_labels_loss(image @ classes.T / aligner.temperature, self.labels[row])
            for image, row in zip(aligned, rows, strict=True)
        ]
        return torch.stack(losses).mean()


def image_labels_loss(logits: Tensor, labels: Sequence[int]) -> Tensor:
    """Cross-entropy of each class that an image shows against all that it does not show.

    The score of a class is the mean logit of its best patches. Classes that are present don't rival
    each other, and backgrounds don't take part: no label says that they are absent.

    Args:
        logits: (N, C), how well each patch fits each class.
        labels: those present, 1..C, at least one.

    Returns:
        the mean over the classes present; zero where all are.
    """
    best = max(1, round(BEST_PATCHES * len(logits)))
    scores = logits.topk(best, dim=0).values.mean(0)
    present = torch.zeros(len(scores), dtype=torch.bool)
    present[[label - 1 for label in labels]] = True
    if present.all():
        return scores.sum() * 0
    return F.softplus(scores[~present].logsumexp(0) - scores[present]).mean()
