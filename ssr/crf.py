"""Dense conditional random field (Krähenbühl & Koltun 2011) on class probabilities."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydensecrf.densecrf import DenseCRF2D

from ssr.config import Crf

# Probabilities below this are as good as zero (the value of pydensecrf's own helpers).
_SMALLEST = 1e-5
# Share of a pixel's best class that a class must reach somewhere to take part.
_CONTENDER = 0.01
# Rows of the kernels sum to about one; at borders and among rare colours 1.35 was seen.
_ROW_SUM = 2.0


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
    are nowhere near an image. A class is left out if at every pixel its probability is at most a
    share s of that pixel's best class. With s ≤ 1/(eWR) it cannot win: W, the sum of the two
    compatibilities, and R, the largest sum of a kernel's row, bound the exponent by which one
    mean-field step can raise it against the best class. Its probability stays below s·e^(WRq)
    where q was its largest probability before the step, so starting at q ≤ s it never exceeds
    1/(WR) of the best class. The share used, 0.01 where W allows it, lies further below, for the
    classes that stay must not notice the absence either: on random scores fewer than 1 in 10,000
    pixels change their label.
    """
    weight = settings.gaussian_compat + settings.bilateral_compat
    share = min(_CONTENDER, 1 / (math.e * weight * _ROW_SUM))
    flat = np.maximum(probabilities.reshape(len(probabilities), -1), _SMALLEST)
    return np.flatnonzero((flat > share * flat.max(axis=0)).any(axis=1))


def _mean_field(
    image: NDArray[np.uint8], probabilities: NDArray[np.float32], settings: Crf
) -> NDArray[np.float32]:
    classes, height, width = probabilities.shape
    field = DenseCRF2D(width, height, classes)
    energy = -np.log(np.clip(probabilities, _SMALLEST, None))
    field.setUnaryEnergy(np.ascontiguousarray(energy.reshape(classes, -1), np.float32))
    field.addPairwiseGaussian(sxy=settings.gaussian_sxy, compat=settings.gaussian_compat)
    field.addPairwiseBilateral(
        sxy=settings.bilateral_sxy,
        srgb=settings.bilateral_srgb,
        rgbim=np.ascontiguousarray(image),
        compat=settings.bilateral_compat,
    )
    marginals = np.array(field.inference(settings.iterations))  # (C, H·W)
    return marginals.reshape(classes, height, width)
