"""Decode each image and mask of a data set once with Pillow: the reference of an index.

`python -m benchmarks.opened FOLDER` takes images/ and masks/ below FOLDER, in two processes.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

PROCESSES = 2


def size(path: Path) -> tuple[int, int]:
    """Width and height, once all is decoded."""
    with Image.open(path) as image:
        image.load()
        return image.size


def files(folder: Path) -> list[Path]:
    """Those below images/ and masks/."""
    return sorted(path for name in ("images", "masks") for path in (folder / name).iterdir())


def main(folder: Path) -> None:
    """Print how many pixels there are."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        sizes = pool.map(size, files(folder), chunksize=64)
        print(sum(width * height for width, height in sizes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
