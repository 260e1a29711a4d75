"""Outlines of COCO's annotations as compressed run lengths, as COCO.annToRLE makes them.

An outline is a list of polygons `[x, y, x, y, …]` or `{"size": [height, width], "counts": …}`: run
lengths by column, of background and object in turn, as numbers or as COCO's string of them.
pycocotools trusts both: where counts leave pixels of an image open, it hands out whatever its
memory held; where they exceed it, or polygons lie far outside, it writes beyond. It takes four
numbers for a box. So all is checked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pycocotools import mask as rle

_CORNERS = 3
# COCO writes a count five bits a character, from this one on; a sixth says that more follow.
_ZERO = ord("0")
_BITS = 5
_MORE = 1 << _BITS
_SIGN = _MORE >> 1
_LONGEST = 7 * _BITS  # bits of a count in an image of any size


def compress(outline: Any, height: int, width: int) -> Any:
    """An outline in an image of `height` × `width` as what pycocotools decodes.

    Raises:
        ValueError: there is none, it is of another form, or it doesn't fit the image.
    """
    if not outline:
        raise ValueError("it has no outline")
    if isinstance(outline, list):
        for polygon in outline:
            _check_polygon(polygon, height, width)
        if not any(_reaches(polygon, height, width) for polygon in outline):
            raise ValueError(f"it lies outside its image of {height}×{width} pixels")
        return rle.merge(rle.frPyObjects(outline, height, width))
    if list(outline["size"]) != [height, width]:
        raise ValueError(f"its size is {outline['size']}, its image's is {[height, width]}")
    counts = outline["counts"]
    if not isinstance(counts, list):
        counts = run_lengths(counts)
    _check_counts(counts, height, width)
    return rle.frPyObjects({"size": [height, width], "counts": counts}, height, width)


def run_lengths(text: str) -> list[int]:
    """The counts in COCO's string; from the fourth on, it has differences to the last but one.

    Raises:
        ValueError: it holds another character, or ends within a count.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - _ZERO
        if not 0 <= bits < 2 * _MORE or shift == _LONGEST:
            raise ValueError(f"{character!a} is no part of run lengths")
        value |= (bits & (_MORE - 1)) << shift
        shift += _BITS
        if not bits & _MORE:
            value -= (1 << shift) if bits & _SIGN else 0
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("its run lengths are cut short")
    return counts


def _check_counts(counts: Sequence[Any], height: int, width: int) -> None:
    if wrong := [count for count in counts if type(count) is not int or count < 0]:
        raise ValueError(f"a run length is {wrong[0]!a}, wanted a number of pixels")
    if sum(counts) != height * width:
        raise ValueError(
            f"its run lengths add up to {sum(counts)} pixels, its size to {height * width}"
        )


def _check_polygon(polygon: Any, height: int, width: int) -> None:
    if not isinstance(polygon, list):
        raise ValueError("a polygon is a list of x, y, x, y, …, in a list of polygons")
    if len(polygon) % 2 or len(polygon) < 2 * _CORNERS:
        raise ValueError(
            f"a polygon has {len(polygon)} numbers, wanted two for each of its corners, of which "
            f"it has at least {_CORNERS}"
        )
    far = 2 * max(height, width)
    if not all(-far <= place <= far for place in polygon):
        raise ValueError(f"a polygon leaves its image of {height}×{width} pixels")


def _reaches(polygon: Sequence[float], height: int, width: int) -> bool:
    """Whether the box around a polygon touches the image."""
    across, down = polygon[::2], polygon[1::2]
    return min(across) <= width and max(across) >= 0 and min(down) <= height and max(down) >= 0
