"""Images and their labels as augmented training samples, each a function of its position alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.errors import InputError
from ssr.segmenter.mmseg_import import (
    BaseTransform,
    PackSegInputs,
    PhotoMetricDistortion,
    RandomCrop,
    RandomFlip,
    Resize,
)

# A crop of which one class covers more is drawn again, at most ten times (mmsegmentation).
LARGEST_CLASS_SHARE = 0.75


class RandomScale(BaseTransform):
    """Resize image and labels by one factor, drawn uniformly from `low` to `high`."""

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize `img` bilinearly and `gt_seg_map` to the nearest pixel."""
        factor = np.random.uniform(self.low, self.high)
        return Resize(scale_factor=factor)(results)


def augmentation(crop: int, scales: tuple[float, float]) -> Callable[[dict[str, Any]], Any]:
    """Random scale, crop of at most `crop` pixels a side, flip, photometric distortion, packing.

    A smaller image stays smaller: the model's preprocessor pads the batch, its labels with 255.
    """
    return Compose(
        [
            RandomScale(*scales),
            RandomCrop((crop, crop), cat_max_ratio=LARGEST_CLASS_SHARE),
            RandomFlip(prob=0.5),
            PhotoMetricDistortion(),
            PackSegInputs(meta_keys=("img_shape", "flip")),
        ]
    )


def learned_from(images: Sequence[Image], labelled: Container[str], missing: str) -> list[Image]:
    """Those of train that have a class: the same ones, whatever says which pixels are of it.

    Args:
        images: rows of the index.
        labelled: ids of the images whose pixels have labels.
        missing: what an image lacks that is not among them, and where it comes from.

    Raises:
        InputError: no image is left, or one has no labels of its pixels.
    """
    found = [image for image in images if image.split == "train" and image.labels]
    if not found:
        raise InputError("segmenter: no image of split train has a class")
    if absent := [image.id for image in found if image.id not in labelled]:
        raise InputError(
            f"segmenter: {len(absent)} of {len(found)} training images have no {missing}; "
            f"the first is {absent[0]}"
        )
    return found


class SegmentationDataset(Dataset[dict[str, Any]]):
    """Endless samples of images and the labels of their pixels.

    The sample at a position is that of `permutation(epoch)[position % images]`, augmented by a
    generator that is seeded with the position. A resumed training thus continues with the
    positions that are left, and the number of loader processes changes nothing.

    Args:
        images: what `learned_from` returns.
        data_root: folder of their image paths.
        read_labels: from an image's id to its labels, (H, W) uint8, 255 ignored.
        augment: from mmsegmentation's result dict to its packed sample.
        seed: of order and augmentation.
    """

    metainfo: ClassVar[dict[str, Any]] = {}  # mmengine asks for it

    def __init__(
        self,
        images: Sequence[Image],
        data_root: Path,
        read_labels: Callable[[str], np.ndarray],
        augment: Callable[[dict[str, Any]], Any],
        seed: int,
    ) -> None:
        self.images = images
        self.data_root = data_root
        self.read_labels = read_labels
        self.augment = augment
        self.seed = seed
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0))

    def image_at(self, position: int) -> Image:
        """The image at a position: each epoch is another permutation of all images."""
        epoch, place = divmod(position, len(self.images))
        if self._order[0] != epoch:
            generator = np.random.default_rng([self.seed, epoch])
            self._order = epoch, generator.permutation(len(self.images))
        return self.images[self._order[1][place]]

    def __getitem__(self, position: int) -> dict[str, Any]:
        """`inputs` (3, H, W) uint8 BGR, `data_samples` with `gt_sem_seg` (1, H, W) int64."""
        image = self.image_at(position)
        pixels = load_image(self.data_root / image.image)
        labels = self.read_labels(image.id)
        if labels.shape != pixels.shape[:2]:
            raise InputError(
                f"labels of {image.id}: must be {pixels.shape[:2]} like the image, "
                f"came {labels.shape}"
            )
        _seed_transforms(self.seed, position)
        return self.augment(
            {
                "img": np.ascontiguousarray(pixels[..., ::-1]),  # mmsegmentation works in BGR
                "img_shape": pixels.shape[:2],
                "ori_shape": pixels.shape[:2],
                "gt_seg_map": labels,
                "seg_fields": ["gt_seg_map"],
            }
        )


def _seed_transforms(seed: int, position: int) -> None:
    """mmsegmentation's transforms draw from these two global generators."""
    np.random.seed(np.random.SeedSequence([seed, position]).generate_state(4))
    random.seed(f"{seed} {position}")
