"""Which patches belong together: the affinity matrix of Eq. 9, and how good it is.

Class-independent: computed once per image. N patches in row-major order, float32.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssr.labels import IGNORE


def fuse(clip: Tensor, dino: Tensor, clip_weight: float, dino_weight: float) -> Tensor:
    """Weighted sum (N, N) float32 of two mean attention maps (Eq. 9)."""
    return clip_weight * clip.float() + dino_weight * dino.float()


def sinkhorn(affinity: Tensor, rounds: int) -> Tensor:
    """Divide by column sums, then by row sums, `rounds` times: towards doubly stochastic.

    Takes away "hot" columns, which every patch attends to. `affinity` (N, N) is at least 0.
    """
    smallest = torch.finfo(affinity.dtype).tiny
    result = affinity.clone()
    for _ in range(rounds):
        result /= result.sum(0, keepdim=True).clamp(min=smallest)
        result /= result.sum(1, keepdim=True).clamp(min=smallest)
    return result


def symmetric_affinity(attention: Tensor, rounds: int) -> Tensor:
    """Sinkhorn rounds and (A + Aᵀ) / 2 of an attention map (N, N), as in CLIP-ES."""
    balanced = sinkhorn(attention, rounds)
    return (balanced + balanced.T) / 2


def propagate(affinity: Tensor, values: Tensor, power: int) -> Tensor:
    """The `power` of affinity (N, N) times `values` (N, K), without forming that power."""
    for _ in range(power):
        values = affinity @ values
    return values


def patch_labels(
    mask: NDArray[np.integer], grid: tuple[int, int], purity: float = 0.6
) -> NDArray[np.int64]:
    """The label (N,) of each patch of a `grid` (h, w) over a mask (H, W) with classes and 255.

    H and W are multiples of the grid. A patch whose most frequent label covers less than `purity`
    of it, or is 255, becomes 255.
    """
    rows, columns = grid
    blocks = mask.reshape(rows, mask.shape[0] // rows, columns, -1)
    tiles = blocks.transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    counts = np.zeros((len(tiles), IGNORE + 1), np.int64)
    np.add.at(counts, (np.arange(len(tiles))[:, None], tiles), 1)
    winner = counts.argmax(1)
    return np.where(counts.max(1) >= purity * tiles.shape[1], winner, IGNORE)


def attention_auc(affinity: Tensor, labels: Tensor) -> float:
    """How well affinity finds the same object: an area under the ROC curve, NaN if undefined.

    The probability that affinity[i, j] is larger for a j of the class of i than for a j of another
    label, over all patches i of an object and all j ≠ i; ties count half. `labels` (N,) are 0 for
    background, 255 for patches left out.
    """
    known, asking = labels != IGNORE, (labels != IGNORE) & (labels > 0)
    pairs = asking[:, None] & known
    pairs.fill_diagonal_(False)
    same = labels[:, None] == labels
    return rank_auc(affinity[pairs & same], affinity[pairs & ~same])


def rank_auc(positives: Tensor, negatives: Tensor) -> float:
    """Probability that a positive (P,) exceeds a negative (Q,), ties counting half; exact."""
    ranked = negatives.sort().values
    below = torch.searchsorted(ranked, positives, right=False).sum().item()
    not_above = torch.searchsorted(ranked, positives, right=True).sum().item()
    comparisons = 2 * len(positives) * len(negatives)
    return (below + not_above) / comparisons if comparisons else float("nan")
