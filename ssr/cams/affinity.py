"""Which patches belong together: the affinity matrix of Eq. 9, and how good it is.

Class-independent: computed once per image. N patches in row-major order, float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssr.labels import IGNORE

Matrix = NDArray[np.float32]


def fuse(
    clip: NDArray[np.floating],
    dino: NDArray[np.floating],
    clip_weight: float,
    dino_weight: float,
) -> Matrix:
    """Weighted sum (N, N) float32 of two mean attention maps (Eq. 9)."""
    fused: Matrix = clip_weight * clip.astype(np.float32, copy=False)
    fused += dino_weight * dino.astype(np.float32, copy=False)
    return fused


def sinkhorn(affinity: Matrix, rounds: int) -> Matrix:
    """Divide by column sums, then by row sums, `rounds` times: towards doubly stochastic.

    Takes away "hot" columns, which every patch attends to. `affinity` (N, N) is at least 0.
    """
    smallest = np.finfo(affinity.dtype).tiny
    rows: NDArray[Any] = np.ones(len(affinity), affinity.dtype)
    columns = rows
    for _ in range(rounds):  # on the factors: a product reads the matrix once and writes nothing
        columns = 1 / (rows @ affinity).clip(smallest)
        rows = 1 / (affinity @ columns).clip(smallest)
    result: Matrix = rows[:, None] * affinity
    result *= columns
    return result


def symmetric_affinity(attention: Matrix, rounds: int) -> Matrix:
    """Sinkhorn rounds and (A + Aᵀ) / 2 of an attention map (N, N), as in CLIP-ES."""
    balanced = sinkhorn(attention, rounds)
    symmetric: Matrix = balanced + balanced.T
    symmetric /= 2
    return symmetric


def propagate(affinity: Matrix, values: Matrix, power: int) -> Matrix:
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


def attention_auc(affinity: Matrix, labels: NDArray[np.integer]) -> float:
    """How well affinity finds the same object: an area under the ROC curve, NaN if undefined.

    The probability that affinity[i, j] is larger for a j of the class of i than for a j of another
    label, over all patches i of an object and all j ≠ i; ties count half. `labels` (N,) are 0 for
    background, 255 for patches left out.
    """
    known, asking = labels != IGNORE, (labels != IGNORE) & (labels > 0)
    pairs = asking[:, None] & known
    np.fill_diagonal(pairs, False)
    same = labels[:, None] == labels
    return rank_auc(affinity[pairs & same], affinity[pairs & ~same])


def rank_auc(positives: Matrix, negatives: Matrix) -> float:
    """Probability that a positive (P,) exceeds a negative (Q,), ties counting half; exact."""
    ranked = np.sort(negatives)
    below = int(np.searchsorted(ranked, positives, "left").sum())
    not_above = int(np.searchsorted(ranked, positives, "right").sum())
    comparisons = 2 * len(positives) * len(negatives)
    return (below + not_above) / comparisons if comparisons else float("nan")
