"""Predictions that another system saved, checked.

In: for each image a PNG whose pixels are the indices of classes, as VOC's are. Out: its label map,
(H, W) uint8: 0 background, 1..C classes of the data set, 255 ignored.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.data.findings import Findings
from ssr.data.images import open_image
from ssr.data.index import Image
from ssr.data.pngs import read_labels, voc_palette
from ssr.errors import InputError
from ssr.labels import IGNORE


def read_prediction(
    folder: Path, image: Image, classes: int, findings: Findings
) -> NDArray[np.uint8] | None:
    """The label map of an image; nothing where `findings` take what is wrong.

    Args:
        folder: of the files, `{id}.png`.
        image: its entry in the index.
        classes: C.
        findings: of all images.
    """
    path = folder / f"{image.id}.png"
    if not path.is_file():
        findings.problem("image without its file", path.name)
        return None
    try:
        labels: NDArray[np.uint8] = read_labels(path)
    except InputError as error:
        findings.problem("file that cannot be used", str(error))
        return None
    found = np.unique(labels)
    unknown = found[(found > classes) & (found != IGNORE)].tolist()
    if labels.shape != (image.height, image.width):
        size = "{}×{} of {}×{}".format(*labels.shape, image.height, image.width)
        findings.problem("prediction of another size than its image", f"{image.id} ({size})")
    elif unknown:
        allowed = f"{unknown}, of 0 to {classes} and {IGNORE}"
        findings.problem("prediction with values of no class", f"{image.id} ({allowed})")
    else:
        if _has_other_colours(path, found[found != IGNORE]):
            findings.warning("palette that is not VOC's; its indices are taken", path.name)
        return labels
    return None


def _has_other_colours(path: Path, indices: NDArray[np.uint8]) -> bool:
    """Whether a PNG may have been made of colours, which numbers them as they come."""
    with open_image(path) as picture:
        if picture.mode != "P":
            return False
        palette = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    # A file may use indices that its palette does not have.
    return not np.array_equal(palette[indices[indices < len(palette)]], voc_palette()[indices])
