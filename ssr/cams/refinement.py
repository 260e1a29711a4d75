"""Superpixel-Guided Correction of class activation maps (SGC, Eq. 7, 8, 10, 11).

Shapes: K classes present, patch grid (h, w), N = h*w, image (H, W) with H, W multiples of h, w.
Wherever a threshold leaves a class nothing, what comes nearest to it is taken (all of it, if
equal): a mask is never empty, and a map without any activation is left unmasked; but for boxes
without the border, which may be empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssr.cams.affinity import Matrix, fuse, propagate, sinkhorn, symmetric_affinity
from ssr.config import Refinement
from ssr.maps import min_max, on_grid, upsample

Maps = NDArray[np.float32]
Mask = NDArray[np.bool_]
Stored = Callable[[str], NDArray[Any]]
"""Reads an array of an image from a store, by its name."""


def refine_image(cams: Maps, features: Stored, superpixels: Stored, settings: Refinement) -> Maps:
    """SGC of one image: raw cams (K, ., .) on any grid to (K, h, w) in 0..1 on that of the patches.

    Without affinity the cams stay on theirs, and nothing that is stored is read.
    """
    if settings.affinity == "none":
        return min_max(cams)
    affinity = image_affinity(features("clip_attention"), features("dino_attention"), settings)
    rows, columns = features("grid")
    maps = min_max(on_grid(cams, (int(rows), int(columns))))
    regions = superpixels("regions")[superpixels("labels")]
    return refine(maps, affinity, patch_mask(maps, regions, settings), settings.power)


def image_affinity(
    clip: NDArray[np.floating], dino: NDArray[np.floating], settings: Refinement
) -> Matrix:
    """The affinity (N, N) float32 of Eq. 9 from the mean attention of CLIP and DINO, each (N, N).

    Where each is normalised before they are fused, the weights are the shares that they name.
    Afterwards, they weigh what the attention to the class token leaves of the rows' sums.
    """
    rounds = settings.sinkhorn_rounds
    if settings.normalised == "each":
        clip, dino = (
            sinkhorn(each.astype(np.float32, copy=False), rounds) for each in (clip, dino)
        )
        rounds = 0
    fused = fuse(clip, dino, settings.clip_weight, settings.dino_weight)
    return symmetric_affinity(fused, rounds)


def refine(cams: Maps, affinity: Matrix, mask: Mask, power: int) -> Maps:
    """CAM_refine = (A ⊙ Mask) · CAM (Eq. 10-11), then min-max.

    A is the `power` of `affinity` (N, N). The mask takes away columns, so that value flows only
    *from* the patches that are on: (A ⊙ Mask) · CAM = A · (mask ⊙ CAM), which needs no masked copy
    of the matrix. cams (K, h, w) in 0..1, mask (K, h, w); returns (K, h, w) in 0..1.
    """
    sources = np.where(mask, cams, 0).reshape(len(cams), -1).T.astype(affinity.dtype)  # (N, K)
    return min_max(propagate(affinity, sources, power).T.reshape(cams.shape))


def patch_mask(cams: Maps, regions: NDArray[np.integer], settings: Refinement) -> Mask:
    """The patches (K, h, w) that value may flow from, for cams (K, h, w) in 0..1.

    `regions` (H, W) numbers the colour region of each pixel. `box+superpixel` asks for both; where
    no patch has both, the box stands alone.
    """
    if settings.mask == "none":
        return np.ones(cams.shape, bool)
    if settings.mask == "superpixel":
        return superpixel_mask(cams, regions, settings)
    boxes = box_mask(cams, settings.box_threshold, settings.box_border)
    if settings.mask == "box":
        return boxes
    both = boxes & superpixel_mask(cams, regions, settings)
    return np.where(both.any((1, 2), keepdims=True), both, boxes)


def superpixel_mask(cams: Maps, regions: NDArray[np.integer], settings: Refinement) -> Mask:
    """Patches (K, h, w) of which at least `patch_coverage` lies in target regions (Eq. 7).

    A coverage of 0 means that one pixel is enough.
    """
    target = target_regions(cams, regions, settings.high_confidence, settings.region_threshold)
    rows, columns = cams.shape[1:]
    height, width = regions.shape
    pixels = target[:, regions]  # (K, H, W)
    tiles = pixels.reshape(-1, rows, height // rows, columns, width // columns)
    coverage = tiles.mean((2, 4))  # (K, h, w)
    passed = (coverage >= settings.patch_coverage) & (coverage > 0)
    return _or_nearest(passed.reshape(len(cams), -1), coverage).reshape(cams.shape)


def target_regions(
    cams: Maps, regions: NDArray[np.integer], high_confidence: float, region_threshold: float
) -> Mask:
    """Regions (K, R) that the confident pixels of a map claim.

    A region is a target where its activation at confident pixels is more than `region_threshold` of
    all its activation; confident is more than `high_confidence` of the map's maximum.
    """
    large = upsample(cams, (regions.shape[0], regions.shape[1]))  # (K, H, W)
    confident = large > high_confidence * large.max((1, 2), keepdims=True)
    everything = region_sums(large, regions)
    share = region_sums(large * confident, regions) / np.where(everything > 0, everything, 1)
    return _or_nearest(share > region_threshold, share)


def region_sums(maps: Maps, regions: NDArray[np.integer]) -> NDArray[np.float64]:
    """Sum (K, R) of each map (K, H, W) over each of the regions (H, W), R = highest number + 1."""
    count = int(regions.max()) + 1
    offsets = count * np.arange(len(maps))[:, None]
    places = regions.ravel().astype(np.int64) + offsets  # (K, H*W)
    sums = np.bincount(places.ravel(), maps.ravel(), minlength=count * len(maps))
    return np.asarray(sums, np.float64).reshape(len(maps), count)


def box_mask(cams: Maps, threshold: float, border: bool = True) -> Mask:
    """Bounding boxes (K, h, w) around the parts of {CAM > threshold · max} (CLIP-ES).

    Parts touch by side or corner. A box holds its last row and column, also at the `border`.
    Without that no box holds the last row and column of patches, as in the code of CLIP-ES, and
    the mask of a class that is nowhere else is empty.
    """
    from scipy import ndimage  # takes as long to import as all else here, and one mask needs it

    passed = cams > threshold * cams.max((1, 2), keepdims=True)
    active = _or_nearest(passed.reshape(len(cams), -1), cams).reshape(cams.shape)
    boxes = np.zeros(cams.shape, bool)
    for box, part in zip(boxes, active, strict=True):
        labels, _ = ndimage.label(part, structure=np.ones((3, 3)))
        for rows, columns in ndimage.find_objects(labels):
            box[rows, columns] = True
    if not border:
        boxes[:, -1] = boxes[:, :, -1] = False
    return boxes


def _or_nearest(passed: Mask, values: NDArray[np.floating]) -> Mask:
    """`passed` (K, n), and where a row has none, those with the largest of its `values`."""
    flat = values.reshape(passed.shape)
    nearest = flat == flat.max(1, keepdims=True)
    return np.where(passed.any(1, keepdims=True), passed, nearest)
