"""Brightness in 8 bits from images that hold it otherwise: one rule, by the largest value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_USUAL = 16
"""Bits of a deep image that uses its range: the only depth that is taken without a word."""
_DEEPEST = 32
# Of 255. A photograph has brighter and darker pixels than these.
_NEARLY_BLACK = 15
_NEARLY_WHITE = 240
# Of the upper 8 of 16 bits: below it the upper two are empty, and so little of the rest is left.
_QUARTER = 64


def eight_bits(values: NDArray[np.generic]) -> tuple[NDArray[np.uint8], str]:
    """Bring brightness to 8 bits.

    Of the depths 8, 10, 12, … 32 bits, an image has the smallest that holds its largest value, and
    its lowest bits are dropped until 8 are left. Fractions, floats of at most 1, are 255 at 1.

    Args:
        values: (H, W) integers or floats.

    Returns:
        (H, W) uint8, and what was taken for granted, "" if the depth is the usual one of 16 bits.

    Raises:
        ValueError: a value is negative, of more than 32 bits, or no number.
    """
    smallest, largest = float(values.min()), float(values.max())
    if not (smallest >= 0 and largest < 2**_DEEPEST):
        raise ValueError(f"values of {smallest:g} to {largest:g}, wanted 0 to 2^{_DEEPEST}")
    if values.dtype.kind == "f" and largest <= 1:
        return np.rint(values * 255).astype(np.uint8), f"up to {largest:.3g}, as fractions of 1"
    bits = max(8, 2 * -(-int(largest).bit_length() // 2))
    doubt = "" if bits == _USUAL else f"up to {largest:g}, as {bits} bits"
    return (values.astype(np.uint32) >> (bits - 8)).astype(np.uint8), doubt


def refuse_empty_bits(pixels: NDArray[np.uint8]) -> None:
    """Check the upper 8 bits of 16, all that PIL reads of a colour image as deep as that.

    Raises:
        ValueError: the upper two bits of the 16 are empty: the image was cut to fewer values than
            are worth learning from, or to black.
    """
    if pixels.max() < _QUARTER:
        raise ValueError(
            "colours of 16 bits, of which it uses 14 or fewer, while the upper 8 are read; save it "
            "with 8 bits a channel"
        )


def extreme(pixels: NDArray[np.uint8]) -> str:
    """Whether an image (H, W, 3) uint8 is nearly black or nearly white; "" if it is neither."""
    smallest, largest = int(pixels.min()), int(pixels.max())
    if largest <= _NEARLY_BLACK:
        return f"nearly black, no value above {largest} of 255"
    if smallest >= _NEARLY_WHITE:
        return f"nearly white, no value below {smallest} of 255"
    return ""
