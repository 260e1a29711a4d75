"""From class activation maps to labels of pixels: background score, CRF, ignore rule."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ssr.artefacts.store import Shards
from ssr.config import Labels
from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.labelling.crf import dense_crf
from ssr.labels import BACKGROUND, IGNORE
from ssr.maps import min_max, upsample


def enlarge(cams: NDArray, size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale each map (K, h, w) to 0..1 and enlarge it to `size`: (K, height, width) float32."""
    return upsample(min_max(cams), size)


def strongest(
    cams: NDArray[np.float32], classes: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The winning class of every pixel and its activation.

    Args:
        cams: (K, H, W) float32 in [0, 1]; K may be 0.
        classes: (K,) their indices, from 1.

    Returns:
        winner (H, W) int64 and strength (H, W) float32; both 0 where there is no class.
    """
    # A zero map of the background in front stands for "no class" and loses every comparison.
    padded = np.concatenate([np.zeros_like(cams, shape=(1, *cams.shape[1:])), cams])
    indices = np.concatenate([[BACKGROUND], classes]).astype(np.int64)
    return indices[padded.argmax(axis=0)], padded.max(axis=0)


def exponent(threshold: float) -> float:
    """The α at which (1 - max)^α crosses max exactly at `threshold`, 0 < threshold < 1.

    Without a CRF the two background scores thus give the same labels, and one sweep serves both.
    """
    return math.log(threshold) / math.log(1 - threshold)


def background_score(
    strength: NDArray[np.float32], threshold: float, kind: Literal["constant", "power"]
) -> NDArray[np.float32]:
    """Score of the background, (H, W) float32, against activations of at most `strength`."""
    if kind == "constant":
        return np.full_like(strength, threshold)
    return (1 - strength).clip(0, 1) ** np.float32(exponent(threshold))


def label_image(
    store: Shards, root: Path, threshold: float, settings: Labels, image: Image
) -> NDArray[np.uint8]:
    """`label_pixels` for one image of a store; with a CRF it is read from folder `root`."""
    return label_pixels(
        store.read(image.id, "cams"),
        store.read(image.id, "classes"),
        (image.height, image.width),
        threshold,
        settings,
        load_image(root / image.image) if settings.crf else None,
    )


def label_pixels(
    cams: NDArray,
    classes: NDArray,
    size: tuple[int, int],
    threshold: float,
    settings: Labels,
    image: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Pseudo-labels of one image.

    Without a CRF a pixel gets the class of the largest activation if that exceeds `threshold`,
    else background. With one, the activations and the background score are the CRF's
    probabilities, and pixels whose winner stays below `settings.confidence` become 255 (CLIP-ES).

    Args:
        cams: (K, h, w) maps of the classes present, any range; K may be 0.
        classes: (K,) their indices, from 1.
        size: height and width of the image.
        threshold: background score, 0 < threshold < 1; chosen on the tuning split.
        settings: kind of background score, CRF, confidence.
        image: (H, W, 3) uint8 RGB of that size; needed with a CRF only.

    Returns:
        (H, W) uint8: 0 background, classes, 255 ignored.
    """
    enlarged = enlarge(cams, size)
    winner, strength = strongest(enlarged, classes)
    if settings.crf is None:
        foreground = strength > np.float32(threshold)
        return np.where(foreground, winner, BACKGROUND).astype(np.uint8)
    if image is None:
        raise ValueError("a CRF needs the image")
    background = background_score(strength, threshold, settings.background)
    scores = np.concatenate([background[None], enlarged])
    refined = dense_crf(image, scores, settings.crf)
    indices = np.concatenate([[BACKGROUND], classes]).astype(np.uint8)
    labels = indices[refined.argmax(axis=0)]
    labels[refined.max(axis=0) < settings.confidence] = IGNORE
    return labels
