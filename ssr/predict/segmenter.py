"""The segmenter of a run: an image in, labels and probabilities of its pixels out."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssr.config import Config, Crf, Prediction
from ssr.config.methods import method_config, owner
from ssr.errors import InputError
from ssr.labelling.crf import dense_crf
from ssr.labelling.predictions import softmax
from ssr.maps import upsample
from ssr.predict.tiles import PATCHES, tiles
from ssr.running.digests import digest
from ssr.segmenter.description import read_description

if TYPE_CHECKING:
    from mmseg.models.segmentors import EncoderDecoder

_FILES = ("model.safetensors", "model.json")


@dataclass(frozen=True)
class Segmentation:
    """What a segmenter says of the pixels of an image.

    Attributes:
        labels: (H, W) uint8, 0 for the background and 1..C for the classes.
        probabilities: (C + 1, H, W) float32, which sum to one over the first axis.
    """

    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class TrainedSegmenter:
    """A segmenter that a run has trained; it is loaded when the first image comes.

    Attributes:
        folder: results/{dataset}/segmenter/{method}.
        home: where the files of CLIP are that the run named.
        classes: their names, "background" first.
        settings: how it looks at an image.
        crf: of the dense CRF, where it is asked for.
        patch: side of a patch of CLIP, in pixels.
        device: where it computes: auto, cpu or cuda.
    """

    folder: Path
    home: Path
    classes: tuple[str, ...]
    settings: Prediction
    crf: Crf
    patch: int
    device: str = "auto"

    def __call__(self, image: NDArray[np.uint8], *, crf: bool = False) -> Segmentation:
        """Labels and probabilities of an image (H, W, 3) uint8 RGB, after the dense CRF if asked.

        Raises:
            InputError: it is no such array, or a file of the segmenter or of CLIP is missing or
                damaged.
        """
        scores = softmax(upsample(self.logits(image), image.shape[:2]))
        if crf:
            scores = dense_crf(image, scores, self.crf)
        return Segmentation(scores.argmax(0).astype(np.uint8), scores)

    def logits(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits (C + 1, h, w) of an image (H, W, 3) uint8 RGB, on a grid that covers it."""
        _check(image)
        from ssr.segmenter.prediction import predict

        logits: NDArray[np.float32] = predict(self.model, image, self.settings)
        return logits

    def label(
        self, image: NDArray[np.uint8], *, crf: bool = False, side: int | None = None
    ) -> NDArray[np.uint8]:
        """The labels alone, (H, W) uint8, in memory that depends on `side` and not on the image.

        Args:
            image: (H, W, 3) uint8 RGB.
            crf: refine them with the dense CRF.
            side: an image with a longer one is labelled in tiles of this size, in pixels.

        Raises:
            InputError: as of a call, or `side` is less than a logit's.
        """
        _check(image)
        if side is not None and side < self.settings.stride:
            raise InputError(f"tiles: at least the stride {self.settings.stride}; came {side}")
        labels = np.empty(image.shape[:2], np.uint8)
        for seen, own in tiles(image.shape[0], image.shape[1], side):
            found = self(image[seen], crf=crf).labels if crf else self._strongest(image[seen])
            top, left = (part.start - whole.start for part, whole in zip(own, seen, strict=True))
            height, width = labels[own].shape
            labels[own] = found[top : top + height, left : left + width]
        return labels

    def _strongest(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The class of the largest logit, (H, W), with one class enlarged at a time."""
        size = image.shape[:2]
        labels = np.zeros(size, np.uint8)
        highest = np.full(size, -np.inf, np.float32)
        for label, logits in enumerate(self.logits(image)):
            (enlarged,) = upsample(logits[None], size)
            labels[enlarged > highest] = label
            np.maximum(highest, enlarged, out=highest)
        return labels

    @property
    def side(self) -> int | None:
        """That of tiles by default: none where the settings scale long images down."""
        if self.settings.max_side:
            return None
        return round(PATCHES * self.patch / max(self.settings.scales))

    @cached_property
    def identity(self) -> str:
        """What tells it from any other segmenter: the digest of its files and of CLIP's.

        Raises:
            InputError: one is missing.
        """
        clip = self.description["model"].get("backbone", {}).get("clip", {})
        files = [self.folder / name for name in _FILES]
        files += [Path(named) for named in clip.values() if named and os.path.isabs(named)]
        if missing := [str(path) for path in files if not path.is_file()]:
            raise InputError(f"{missing[0]}: not there; the segmenter needs it")
        return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()

    @property
    def description(self) -> dict[str, Any]:
        """What `ssr.segmenter.model.export` wrote of it, with CLIP's files where they are."""
        return read_description(self.folder / _FILES[1], self.home)

    @property
    def multiple(self) -> int:
        """Pixels: the sides of what the network sees are multiples of it."""
        from ssr.segmenter.prediction import side_multiple

        return side_multiple(self.model, self.settings)

    @cached_property
    def model(self) -> EncoderDecoder:
        """The network, in evaluation mode on the device.

        Raises:
            InputError: a file of the segmenter or of CLIP is missing or damaged.
        """
        # Its libraries take seconds to import: who asks for what is not there need not wait.
        from ssr.backbones.devices import choose_device
        from ssr.segmenter.model import load

        weights, description = (self.folder / name for name in _FILES)
        return load(weights, description, choose_device(self.device), self.home)


def open_segmenter(
    results: Path, config: Config, method: str | None = None, device: str = "auto"
) -> TrainedSegmenter:
    """The segmenter that a run in the folder `results` has trained for a method.

    Args:
        results: absolute path of results/{dataset}.
        config: the settings of the run.
        method: one of `segmenter_methods`; None: the first.
        device: auto, cpu or cuda.

    Raises:
        InputError: the method has no segmenter, or its training has not ended.
    """
    methods = config.segmenter_methods
    if not methods or (method is not None and method not in methods):
        raise InputError(
            f"method {method or next(iter(config.methods))} trains no segmenter; allowed: "
            f"{', '.join(methods) or 'none, for segmenter_methods is empty'}"
        )
    chosen = method or methods[0]
    own = method_config(config, chosen)
    folder = results / "segmenter" / owner(config, chosen, "segmenter")
    for name in _FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: not there; snakemake trains it")
    # Those that it was trained for: the settings may have changed meanwhile.
    classes = tuple(read_description(folder / _FILES[1])["classes"])
    home, patch = results.parent.parent, own.images.patch
    return TrainedSegmenter(folder, home, classes, own.prediction, own.crf, patch, device)


def _check(image: NDArray[np.uint8]) -> None:
    came = f"{getattr(image, 'dtype', type(image).__name__)} {getattr(image, 'shape', '')}"
    sound = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
    if not sound or image.shape[2] != 3 or not image.size:
        raise InputError(f"an image is an array of uint8 (H, W, 3), RGB; came {came}")
