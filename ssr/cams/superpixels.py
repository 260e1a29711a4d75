"""SLIC superpixels, their mean colours, and K-means regions of those colours (SSR, Eq. 8).

fast_slic, or scikit-image where that package is missing: the two cut differently, each always the
same way. S superpixels per image.
"""

from contextlib import suppress
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint16]
# sRGB (IEC 61966-2-1): light of each code of 8 bits, and X, Y and Z (CIE 1931) as shares of D65's.
_CODES = np.arange(256) / 255
_LIGHT = np.where(_CODES > 0.04045, ((_CODES + 0.055) / 1.055) ** 2.4, _CODES / 12.92).astype("f4")
_OF_PRIMARIES = [
    [0.412453, 0.357580, 0.180423],
    [0.212671, 0.715160, 0.072169],
    [0.019334, 0.119193, 0.950227],
]
_TO_TRISTIMULUS = (np.array(_OF_PRIMARIES) / np.array([[0.95047], [1.0], [1.08883]])).T.astype("f4")
# CIE Lab: below this share the root is a line.
_DARK, _SLOPE, _OFFSET = np.float32(0.008856), np.float32(7.787), np.float32(16 / 116)
# SLIC needs some pixels per segment to have anything to cluster.
FEWEST_PIXELS = 16


class SuperpixelSettings(Protocol):
    """As in the section `superpixels`."""

    @property
    def segments(self) -> int:
        """Superpixels aimed at per image."""

    @property
    def compactness(self) -> float:
        """Weight of position against colour."""

    @property
    def colour_regions(self) -> int:
        """Clusters of mean colours per image."""


def segment(image: Pixels, settings: SuperpixelSettings, seed: int) -> dict[str, NDArray[Any]]:
    """The stored arrays of an RGB image (H, W, 3) uint8.

    labels (H, W) uint16 in 0..S-1, each one occurring; colours (S, 3) float32 mean CIE Lab; regions
    (S,) uint16 in 0..k-1, the colour region of each superpixel, each one occurring. There may be
    fewer superpixels and regions than the settings aim at.
    """
    most = max(1, image.shape[0] * image.shape[1] // FEWEST_PIXELS)
    labels = slic(image, min(settings.segments, most), settings.compactness)
    colours = mean_colours(image, labels)
    regions = cluster_colours(colours, settings.colour_regions, seed)
    return {"labels": labels, "colours": colours, "regions": regions}


def slic(image: Pixels, segments: int, compactness: float, threads: int = 1) -> Labels:
    """SLIC superpixels (Achanta et al., 2012) of an RGB image (H, W, 3) uint8 as (H, W) labels.

    The number of threads has no influence on the result.
    """
    fast = _fast_slic()
    if fast is None:
        return _consecutive(_scikit_slic(image, segments, compactness))
    model = fast(num_components=segments, compactness=compactness, num_threads=threads)
    return _consecutive(model.iterate(np.ascontiguousarray(image)))


def _fast_slic() -> Any:
    """The fastest class of fast_slic, or None without the package; results are the same."""
    if _has_avx2():
        with suppress(ImportError):
            from fast_slic.avx2 import SlicAvx2

            return SlicAvx2
    with suppress(ImportError):
        from fast_slic import Slic

        return Slic
    return None


def _has_avx2() -> bool:
    # fast_slic knows what it was compiled for, not what this processor can do.
    from numpy._core._multiarray_umath import __cpu_features__ as features

    return bool(features.get("AVX2", False))


def _scikit_slic(image: Pixels, segments: int, compactness: float) -> NDArray[np.int64]:
    from skimage.segmentation import slic as scikit_slic

    labels: NDArray[np.int64] = scikit_slic(
        image, n_segments=segments, compactness=compactness, start_label=0
    )
    return labels


def mean_colours(image: Pixels, labels: Labels) -> NDArray[np.float32]:
    """Mean CIE Lab colour (S, 3) of each superpixel of an sRGB image (H, W, 3) under D65.

    L in 0..100, a and b around 0. Lab is linear in the roots of X, Y and Z, so they are averaged.
    """
    tristimulus = np.take(_LIGHT, image.reshape(-1, 3)) @ _TO_TRISTIMULUS
    dark = tristimulus <= _DARK
    roots = np.where(dark, _SLOPE * tristimulus + _OFFSET, np.cbrt(tristimulus))
    flat = labels.ravel()
    sums = [np.bincount(flat, weights=channel) for channel in roots.T]
    x, y, z = sums / np.bincount(flat)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1).astype(np.float32)


def cluster_colours(colours: NDArray[np.float32], count: int, seed: int) -> Labels:
    """Region (S,) of each mean colour (S, 3): seeded K-means with at most `count` clusters."""
    clusters = min(count, len(np.unique(colours, axis=0)))
    kmeans = faiss.Kmeans(
        colours.shape[1],
        clusters,
        niter=20,
        nredo=2,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=len(colours),  # never a sample
    )
    kmeans.train(colours)
    return _consecutive(kmeans.index.search(colours, 1)[1][:, 0])


def _consecutive(labels: NDArray[Any]) -> Labels:
    """Renumber labels as 0, 1, … without gaps, in their order."""
    _, consecutive = np.unique(labels, return_inverse=True)
    return consecutive.reshape(labels.shape).astype(np.uint16)
