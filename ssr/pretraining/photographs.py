"""A data set's own images and image-level labels, stored once as arrays that training maps.

No mask is read: what belongs together in an image is guessed from SLIC superpixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.cams.superpixels import slic
from ssr.data.images import load_image, resize
from ssr.data.index import Image
from ssr.pretraining.views import Bytes

COMPACTNESS = 10.0


@dataclass(frozen=True)
class Photographs:
    """images (N, S, S, 3) and segments (N, S, S), uint8 and possibly memory-mapped.

    sizes (N, 2) float64, height and width before the images were made square; labels (N, C) bool.
    `segment_count` is one more than the highest segment can be, or 0 where nobody looked for any.
    """

    images: Bytes
    segments: Bytes
    sizes: NDArray[np.float64]
    labels: NDArray[np.bool_]
    segment_count: int

    def __len__(self) -> int:
        return len(self.images)

    @property
    def side(self) -> int:
        """S, in pixels."""
        return int(self.images.shape[1])


def write_photographs(
    directory: Path, images: Sequence[Image], root: Path, side: int, segments: int
) -> Iterator[Image]:
    """Store `images` as squares of `side` pixels; yields each one when it is done.

    With `segments`, so many superpixels of each at the most; with 0, all is one segment. A finished
    store is left as it is.

    Raises:
        InputError: an image can't be read.
    """
    if (directory / "done").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    shapes = {"images": (len(images), side, side, 3), "segments": (len(images), side, side)}
    stored = {
        name: np.lib.format.open_memmap(directory / f"{name}.npy", "w+", np.uint8, shape)
        for name, shape in shapes.items()
    }
    for row, image in enumerate(images):
        stored["images"][row] = pixels = resize(load_image(root / image.image), side, side)
        if segments:
            stored["segments"][row] = slic(pixels, segments, COMPACTNESS).clip(max=segments - 1)
        yield image
    for array in stored.values():
        array.flush()
    (directory / "done").touch()


def open_photographs(
    directory: Path, images: Sequence[Image], classes: int, segments: int
) -> Photographs:
    """Map what `write_photographs` stored of the same images; with `classes`, with their labels."""
    labels = np.zeros((len(images), classes), bool)
    for row, image in enumerate(images if classes else ()):
        labels[row, [label - 1 for label in image.labels]] = True
    stored = [
        np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in ("images", "segments")
    ]
    sizes = np.array([(image.height, image.width) for image in images], float)
    return Photographs(stored[0], stored[1], sizes, labels, segments)
