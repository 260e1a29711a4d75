"""The images that the report shows: which ones, and what every stage made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.artefacts.store import Shards
from ssr.cams.refinement import patch_mask
from ssr.config import Config
from ssr.data.images import load_image, resize
from ssr.data.index import Image
from ssr.data.masks import Masks
from ssr.data.pngs import Pngs
from ssr.maps import min_max, on_grid, upsample

SIDE = 224
"""Longest side of the pictures, in pixels."""

Maps = NDArray[np.float32]
LabelMap = NDArray[np.integer]


@dataclass(frozen=True)
class Stores:
    """Stores of the stages, by stage name; one that holds no images stands for "not run".

    What other systems made is among `cams` and `pngs` by `ssr.report.stages.foreign_panel`.
    """

    superpixels: Shards
    cams: Mapping[str, Shards]
    logits: Shards
    pngs: Mapping[str, Pngs]
    masks: Masks


@dataclass(frozen=True)
class ShownImage:
    """All stages of one image, enlarged or reduced to one size (H, W) for the eye.

    Attributes:
        image: its entry in the index.
        pixels: (H, W, 3) uint8.
        classes: indices of the K classes present, from 1.
        cams: by stage, or of another system, (K, H, W) float32 in [0, 1].
        target: (K, H, W) bool, or None without a mask of SGC.
        superpixels: (H, W), or None; `regions` likewise numbers the colour region of each pixel.
        labels: by stage, another system, "truth", (H, W): 0 background, classes, 255 ignored.
    """

    image: Image
    pixels: NDArray[np.uint8]
    classes: tuple[int, ...]
    cams: dict[str, Maps] = field(default_factory=dict)
    target: NDArray[np.bool_] | None = None
    superpixels: LabelMap | None = None
    regions: LabelMap | None = None
    labels: dict[str, LabelMap] = field(default_factory=dict)


def choose(images: Sequence[Image], count: int) -> list[Image]:
    """`count` images that show many classes, in the order given; quality plays no part.

    Again and again the image with the most classes not yet shown is taken, the first of equals;
    when all are shown, it begins anew.
    """
    left = list(images)
    chosen: list[Image] = []
    seen: set[int] = set()
    while left and len(chosen) < count:
        best = max(left, key=lambda image: len(set(image.labels) - seen))
        if seen and not set(best.labels) - seen:
            seen.clear()
            continue
        left.remove(best)
        chosen.append(best)
        seen |= set(best.labels)
    return [image for image in images if image in chosen]


def read(image: Image, root: Path, stores: Stores, settings: Config) -> ShownImage:
    """Read what every stage made of `image`; stages that have not seen it are left out.

    Args:
        image: its entry in the index.
        root: folder of the data set.
        stores: of all stages.
        settings: of the method shown, which say how the target mask is made.

    Raises:
        InputError: the image, its mask or a store is missing or damaged.
    """
    scale = SIDE / max(image.height, image.width)
    height, width = (max(1, round(side * scale)) for side in (image.height, image.width))
    raw = {
        stage: min_max(store.read(image.id, "cams"))
        for stage, store in stores.cams.items()
        if image.id in store
    }
    superpixels, regions = _regions(image.id, stores.superpixels)
    target = target_mask(raw, regions, settings)
    return ShownImage(
        image=image,
        pixels=resize(load_image(root / image.image), height, width),
        classes=_classes(image, stores),
        cams={stage: upsample(cams, (height, width)) for stage, cams in raw.items()},
        target=None if target is None else nearest(target, height, width),
        superpixels=None if superpixels is None else nearest(superpixels, height, width),
        regions=None if regions is None else nearest(regions, height, width),
        labels=_labels(image, stores, height, width),
    )


def nearest(maps: NDArray, height: int, width: int) -> NDArray:
    """Resize the last two axes to (height, width) without mixing values."""
    rows = (np.arange(height) + 0.5) * maps.shape[-2] // height
    columns = (np.arange(width) + 0.5) * maps.shape[-1] // width
    resized: NDArray = maps[..., rows.astype(int)[:, None], columns.astype(int)]
    return resized


def _classes(image: Image, stores: Stores) -> tuple[int, ...]:
    for store in stores.cams.values():
        if image.id in store:
            return tuple(store.read(image.id, "classes").tolist())
    return image.labels


def _regions(image_id: str, store: Shards) -> tuple[LabelMap | None, LabelMap | None]:
    """Superpixel and colour region of every pixel of the patch grid."""
    if image_id not in store:
        return None, None
    labels = store.read(image_id, "labels")
    return labels, store.read(image_id, "regions")[labels]


def target_mask(
    cams: Mapping[str, Maps], regions: LabelMap | None, settings: Config
) -> NDArray[np.bool_] | None:
    """The patches (K, h, w) of SGC's mask, made again from what the refinement started from."""
    start = cams.get("aligned_cam", cams.get("initial_cam"))
    masked = "none" not in (settings.refinement.affinity, settings.refinement.mask)
    if not masked or start is None or not len(start) or regions is None:
        return None
    rows, columns = (side // settings.images.patch for side in regions.shape)
    return patch_mask(min_max(on_grid(start, (rows, columns))), regions, settings.refinement)


def _labels(image: Image, stores: Stores, height: int, width: int) -> dict[str, LabelMap]:
    labels: dict[str, LabelMap] = {
        stage: nearest(pngs.read(image.id), height, width)
        for stage, pngs in stores.pngs.items()
        if image.id in pngs
    }
    if image.id in stores.logits:
        logits = stores.logits.read(image.id, "logits")
        labels["prediction"] = upsample(logits, (height, width)).argmax(axis=0)
    if image.id in stores.masks.ids:
        labels["truth"] = nearest(stores.masks.load(image.id), height, width)
    return labels
