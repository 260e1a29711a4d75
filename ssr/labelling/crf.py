"""Dense conditional random field (Krähenbühl & Koltun 2011) on class probabilities."""

from __future__ import annotations

import math
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from pydensecrf.densecrf import DenseCRF2D

from ssr.config import Crf

# Probabilities below this are as good as zero (the value of pydensecrf's own helpers).
_SMALLEST = 1e-5
# Sums of a kernel's row are about one; at borders and among rare colours 1.35 was seen.
_ROW_SUM = 1.5
# The mean colour of Caffe's ImageNet, red first, as the code of CLIP-ES has it.
_SUBTRACTED = np.array([122.675, 116.669, 104.008], np.float32)
# Shares that leave out more change labels of the classes that stay; see `contenders`.
_LARGEST_SHARE = 0.05
# How far a Gaussian reaches: beyond lie 6 of 100,000 parts on a line.
_DEVIATIONS = 4


def dense_crf(
    image: NDArray[np.uint8], probabilities: NDArray[np.float32], settings: Crf
) -> NDArray[np.float32]:
    """Sharpen class probabilities along the edges of an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        probabilities: (C, H, W) float32, not negative; need not sum to one over the classes.
        settings: kernels and number of mean-field steps.

    Returns:
        (C, H, W) float32 that sums to one over the classes; 0 for those that cannot win.
    """
    taking_part = contenders(probabilities, settings)
    refined = np.zeros_like(probabilities, dtype=np.float32)
    if len(taking_part) == 1:
        refined[taking_part] = 1
    else:
        refined[taking_part] = _mean_field(image, probabilities[taking_part], settings)
    return refined


def contenders(probabilities: NDArray[np.float32], settings: Crf) -> NDArray[np.intp]:
    """Classes that can win a pixel, in ascending order.

    Time and memory of the CRF grow with the number of classes, but most classes of a data set
    are nowhere near an image. A class is left out if nowhere its probability exceeds a share s of
    the pixel's best class. With s ≤ 1/(eWR) it cannot win: one mean-field step raises a class
    against another by at most e^(WRq), where W is the sum of the two compatibilities, R the
    largest sum of a kernel's row and q the largest probability of the class before the step.
    Starting from q ≤ s, q thus never exceeds s·e^(WRq) ≤ 1/(WR), relative to the best class.
    The classes that stay share what the others had: on random scores and on made-up logits fewer
    than 1 in 10,000 pixels change their label (`benchmarks.crf`).
    """
    weight = settings.gaussian_compat + settings.bilateral_compat
    share = min(_LARGEST_SHARE, 1 / (math.e * weight * _ROW_SUM))
    flat = np.maximum(probabilities.reshape(len(probabilities), -1), _SMALLEST)
    return np.flatnonzero((flat > share * flat.max(axis=0)).any(axis=1))


def wrapped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An RGB image (H, W, 3) uint8 as the CRF of CLIP-ES gets it, blue first.

    A mean colour is taken away, and what is below zero wraps around: two neighbours just above and
    below the mean are 255 apart, black and white next to each other. The order of the colours would
    mean nothing, but that the CRF approximates its kernel.
    """
    # Through signed integers: what a negative float becomes in uint8 depends on the processor.
    return np.trunc(image - _SUBTRACTED).astype(np.int16).astype(np.uint8)[..., ::-1]


def _mean_field(
    image: NDArray[np.uint8], probabilities: NDArray[np.float32], settings: Crf
) -> NDArray[np.float32]:
    """The mean field of pydensecrf, with an exact Gaussian as its smoothness term.

    To build a lattice for that term takes longer than to blur in every step. What the blur says
    is taken from the unary energy before each step, which comes to the same.
    """
    classes, height, width = probabilities.shape
    energy = -np.log(np.clip(probabilities, _SMALLEST, None), dtype=np.float32)
    field = DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(energy.reshape(classes, -1)))
    field.addPairwiseBilateral(
        sxy=settings.bilateral_sxy,
        srgb=settings.bilateral_srgb,
        rgbim=np.ascontiguousarray(wrapped(image) if settings.wrapped else image),
        compat=settings.bilateral_compat,
    )
    blur = partial(_blur, deviation=settings.gaussian_sxy)
    norm = np.sqrt(settings.gaussian_compat / blur(np.ones((height, width), np.float32)))
    found, *workspace = field.startInference()
    marginals = np.asarray(found).reshape(energy.shape)  # a view: each step writes into it
    for _ in range(settings.iterations):
        message = [norm * blur(norm * marginal) for marginal in marginals]
        field.setUnaryEnergy((energy - message).reshape(classes, -1))
        field.stepInference(found, *workspace)
    return np.array(marginals)


def _blur(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """Means of the pixels around each of (H, W), zero beyond the border, by a Gaussian."""
    radius = min(math.ceil(_DEVIATIONS * deviation), max(values.shape))
    side = 2 * radius + 1
    blurred = cv2.GaussianBlur(values, (side, side), deviation, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float32)
