"""From a segmenter's coarse logits to labels of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.artefacts.store import Shards
from ssr.config import Crf
from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.labelling.crf import dense_crf
from ssr.labels import BACKGROUND
from ssr.maps import upsample


def refine_image(store: Shards, root: Path, settings: Crf, image: Image) -> NDArray[np.uint8]:
    """`refine_logits` for one image of a store, read from the data set in folder `root`."""
    return refine_logits(load_image(root / image.image), store.read(image.id, "logits"), settings)


def refine_logits(image: NDArray[np.uint8], logits: NDArray, settings: Crf) -> NDArray[np.uint8]:
    """Labels of an image after softmax and dense CRF.

    Args:
        image: (H, W, 3) uint8 RGB.
        logits: (C, h, w) floats on any grid that covers the image.
        settings: of the CRF.

    Returns:
        (H, W) uint8, the class with the largest probability.
    """
    height, width, _ = image.shape
    probabilities = softmax(upsample(logits, (height, width)))  # (C, h, w) → (C, H, W)
    return dense_crf(image, probabilities, settings).argmax(axis=0).astype(np.uint8)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities over the first axis, however large the logits are."""
    powers = np.exp(logits - logits.max(axis=0))
    return powers / powers.sum(axis=0)


def given_labels(logits: NDArray, labels: Sequence[int]) -> NDArray[np.float32]:
    """How probable each class of an image is, where it is known which ones it shows.

    Args:
        logits: (C + 1, h, w) floats, background first.
        labels: its K classes, 1..C.

    Returns:
        (K, h, w): the softmax over these classes and the background, without the latter.
    """
    return softmax(logits[[BACKGROUND, *labels]].astype(np.float32))[1:]
