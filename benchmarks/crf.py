"""What leaving out classes saves in the dense CRF, and whether it changes labels.

`python -m benchmarks.crf --images FOLDER --masks FOLDER [--count 8]` takes photographs (.jpg) with
masks of the same name (.png) and makes up the logits of a segmenter: the mask on a grid of 16-pixel
patches times a margin (the segmenter's certainty), plus smooth noise. Seconds are processor time of
one core per image.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.config import Crf
from ssr.data.images import load_image
from ssr.data.pngs import read_labels
from ssr.labelling.crf import _mean_field, contenders, dense_crf
from ssr.labelling.predictions import softmax
from ssr.maps import upsample

CLASSES = 21
PATCH = 16
NOISE = 1.0
MARGINS = (6.0, 9.0, 12.0, 15.0)

Array = NDArray[np.float32]


def made_up_logits(mask: NDArray, margin: float, random: np.random.Generator) -> Array:
    """Logits (CLASSES, h, w) of a segmenter that nearly knows the mask (H, W)."""
    grid = mask[PATCH // 2 :: PATCH, PATCH // 2 :: PATCH]
    logits = margin * np.stack([grid == label for label in range(CLASSES)])
    coarse = NOISE * random.normal(size=(CLASSES, 4, 5))
    return logits.astype(np.float32) + upsample(coarse, grid.shape)


def timed(function: Callable[[], Array]) -> tuple[Array, float]:
    """The result and the processor time it took."""
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def compare(images: list[tuple[Array, NDArray]], margin: float) -> str:
    """One line of the table: all images at one margin."""
    random = np.random.default_rng(0)
    rows = []
    for pixels, mask in images:
        logits = made_up_logits(mask, margin, random)
        probabilities = softmax(upsample(logits, mask.shape))
        full, slow = timed(lambda p=pixels, q=probabilities: _mean_field(p, q, Crf()))
        ours, fast = timed(lambda p=pixels, q=probabilities: dense_crf(p, q, Crf()))
        changed = (full.argmax(axis=0) != ours.argmax(axis=0)).mean()
        rows.append((len(contenders(probabilities, Crf())), slow, fast, changed))
    kept, slow, fast, changed = np.mean(rows, axis=0)
    return f"{margin:6.1f} {kept:9.1f} {slow:12.2f} {fast:9.2f} {slow / fast:6.2f} {changed:15.1e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8)
    arguments = parser.parse_args()
    images = []
    for path in sorted(arguments.masks.glob("*.png")):
        photograph = arguments.images / f"{path.stem}.jpg"
        mask = read_labels(path)
        if photograph.exists() and mask.shape == (375, 500) and len(images) < arguments.count:
            images.append((load_image(photograph), np.where(mask == 255, 0, mask)))
    print(f"{len(images)} images of 375×500 pixels, {CLASSES} classes")
    print("margin  contenders  all classes  left out  ratio  changed pixels")
    for margin in MARGINS:
        print(compare(images, margin))


if __name__ == "__main__":
    main()
