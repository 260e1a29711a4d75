"""Images and pseudo-labels as augmented training samples, each a function of its position alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.data.pngs import Pngs
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


class PseudoLabelDataset(Dataset[dict[str, Any]]):
    """Endless samples of the training images that have a class.

    The sample at a position is that of `permutation(epoch)[position % images]`, augmented by a
    generator that is seeded with the position. A resumed training thus continues with the
    positions that are left, and the number of loader processes changes nothing.

    Args:
        images: rows of the index; those of other splits or without a class are left out.
        data_root: folder of their image paths.
        labels: pseudo-labels by image id. Ground truth has no way in.
        augment: from mmsegmentation's result dict to its packed sample.
        seed: of order and augmentation.

    Raises:
        InputError: no image is left, or one has no pseudo-label.
    """

    metainfo: ClassVar[dict[str, Any]] = {}  # mmengine asks for it

    def __init__(
        self,
        images: Sequence[Image],
        data_root: Path,
        labels: Pngs,
        augment: Callable[[dict[str, Any]], Any],
        seed: int,
    ) -> None:
        self.images = [image for image in images if image.split == "train" and image.labels]
        if not self.images:
            raise InputError("train_segmenter: no image of split train has a class")
        if absent := [image.id for image in self.images if image.id not in labels]:
            raise InputError(
                f"train_segmenter: {len(absent)} of {len(self.images)} training images have no "
                f"pseudo-label, the first is {absent[0]}; rule label_pixels makes them"
            )
        self.data_root = data_root
        self.labels = labels
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
        labels = self.labels.read(image.id)
        if labels.shape != pixels.shape[:2]:
            raise InputError(
                f"pseudo-label of {image.id}: must be {pixels.shape[:2]} like the image, "
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
