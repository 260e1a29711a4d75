"""An image and the labels of its pixels, and what tools call these labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssr.labels import BACKGROUND, IGNORE

_BACKGROUND, _IGNORE = "background", "ignore"


@dataclass(frozen=True)
class LabelledImage:
    """An image of a data set and its label map.

    Attributes:
        name: its file, relative to the folder of the images, parted by slashes; of what was read,
            as the tool names it, perhaps without a suffix.
        labels: (H, W) uint8: 0 background, 1..C classes, 255 ignored.
    """

    name: str
    labels: NDArray[np.uint8]


def painted(classes: Sequence[str]) -> dict[str, int]:
    """What is painted on an image, and its index: the classes, and what is to be ignored."""
    return {name: index for index, name in enumerate(classes, start=1)} | {_IGNORE: IGNORE}


def understood(classes: Sequence[str]) -> dict[str, int]:
    """What an annotator may have painted: the background, too."""
    return {_BACKGROUND: BACKGROUND, **painted(classes)}


def present(labels: NDArray[np.uint8], classes: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """The pixels (H, W) of each name that is painted in a label map, in the order of the names."""
    found = set(np.unique(labels).tolist())
    return {name: labels == index for name, index in painted(classes).items() if index in found}
