"""The label maps of a shard, computed with all cores and written as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.data.index import Image
from ssr.data.pngs import PngWriter
from ssr.running.processes import map_in_processes
from ssr.running.progress import progress


def write_label_maps(
    path: Path,
    label: Callable[[Image], NDArray[np.uint8]],
    images: Sequence[Image],
    processes: int,
    title: str,
) -> None:
    """Write `label(image)`, (H, W) uint8, of every image to a zip file of PNGs; shows progress.

    `label` can be pickled, see `map_in_processes`.
    """
    labelled = progress(map_in_processes(label, images, processes), len(images), title)
    with PngWriter(path) as writer:
        for image, labels in zip(images, labelled, strict=True):
            writer.add(image.id, labels)
