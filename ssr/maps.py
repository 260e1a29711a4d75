"""Class activation maps as arrays: in the range 0..1, of the size of the image, on a patch grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def min_max(cams: NDArray[np.floating]) -> NDArray[np.float32]:
    """Each map (K, h, w) scaled to 0..1 over its own extremes; a constant map becomes zero.

    Exact for maps of any magnitude: no small number is added to the range.
    """
    values = cams.astype(np.float64)
    low = values.min((-2, -1), keepdims=True)
    extent = values.max((-2, -1), keepdims=True) - low
    scaled = (values - low) / np.where(extent > 0, extent, 1)
    return scaled.astype(np.float32)


def upsample(maps: NDArray, size: tuple[int, int]) -> NDArray[np.float32]:
    """Enlarge maps bilinearly, pixel centres aligned (PyTorch's align_corners=False).

    Two products with small interpolation matrices: no deep-learning library is needed in the
    worker processes that call it.

    Args:
        maps: (K, h, w) floats; K may be 0.
        size: height and width of the result.

    Returns:
        (K, height, width) float32, within the range of `maps`.
    """
    rows = _weights(maps.shape[1], size[0])  # (H, h)
    columns = _weights(maps.shape[2], size[1])  # (W, w)
    return rows @ (maps.astype(np.float32) @ columns.T)  # (K, h, w) → (K, h, W) → (K, H, W)


def on_grid(maps: NDArray, grid: tuple[int, int]) -> NDArray[np.float32]:
    """Maps (K, h, w) on a grid of patches: the mean of each patch, or enlarged as by `upsample`.

    Those that lie on it come back as they are.
    """
    if maps.shape[1:] == grid:
        return maps
    rows, columns = map(_means, maps.shape[1:], grid)
    return rows @ (maps.astype(np.float32) @ columns.T)


@lru_cache(maxsize=64)
def _means(source: int, target: int) -> NDArray[np.float32]:
    """(target, source) matrix; each row holds the shares of the sources within a target."""
    if source <= target:
        return _weights(source, target)
    edges = np.arange(target + 1)[:, None] * source / target
    starts = np.arange(source)
    shared = np.minimum(edges[1:], starts + 1) - np.maximum(edges[:-1], starts)
    return (shared.clip(0) * target / source).astype(np.float32)


@lru_cache(maxsize=64)
def _weights(source: int, target: int) -> NDArray[np.float32]:
    """(target, source) matrix; each row holds the weights of the two nearest sources."""
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    centres = np.clip(centres, 0, source - 1)
    lower = np.minimum(centres.astype(int), max(source - 2, 0))
    fraction = centres - lower
    weights = np.zeros((target, source), np.float32)
    weights[np.arange(target), lower] = 1 - fraction
    weights[np.arange(target), np.minimum(lower + 1, source - 1)] += fraction
    return weights
