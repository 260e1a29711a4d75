"""Bringing class activation maps to the range 0..1."""

from __future__ import annotations

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
