"""Large images in parts: each pixel is labelled in the one window that shows enough around it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, product

Window = tuple[slice, slice]

# A tile's side at the largest scale, where nothing else bounds an image: attention between all
# patches of a tile takes some 33 bytes a pair, 0.2 GB a view.
PATCHES = 48
# Of a tile's side, what is seen on each side of what is labelled.
_MARGIN = 1 / 8


def tiles(height: int, width: int, side: int | None) -> Iterator[tuple[Window, Window]]:
    """Rows and columns of each window, and those of its part that is to be labelled.

    The parts are disjoint, of nearly equal size, and cover the image.

    Args:
        height: of the image, in pixels.
        width: of the image, in pixels.
        side: no window is longer; None: the image is one window.
    """
    rows, columns = (list(_cuts(length, side or length)) for length in (height, width))
    for (seen_rows, own_rows), (seen_columns, own_columns) in product(rows, columns):
        yield (seen_rows, seen_columns), (own_rows, own_columns)


def _cuts(length: int, side: int) -> Iterator[tuple[slice, slice]]:
    margin = int(side * _MARGIN)
    parts = 1 if length <= side else math.ceil(length / (side - 2 * margin))
    bounds = [round(part * length / parts) for part in range(parts + 1)]
    for start, stop in pairwise(bounds):
        yield slice(max(0, start - margin), min(length, stop + margin)), slice(start, stop)
