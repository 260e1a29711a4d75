"""The segmenter of a run: an image in, labels and probabilities of its pixels out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ssr.config import Config, Crf, Prediction
from ssr.config.settings import TRAINED, method_config, owner
from ssr.errors import InputError
from ssr.labelling.crf import dense_crf
from ssr.labelling.predictions import softmax
from ssr.maps import upsample
from ssr.predict.tiles import tiles
from ssr.running.digests import digest

if TYPE_CHECKING:
    from mmseg.models.segmentors import EncoderDecoder


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
        device: where it computes: auto, cpu or cuda.
    """

    folder: Path
    home: Path
    classes: tuple[str, ...]
    settings: Prediction
    crf: Crf
    device: str = "auto"

    def __call__(self, image: NDArray[np.uint8], *, crf: bool = False) -> Segmentation:
        """Labels and probabilities of an image (H, W, 3) uint8 RGB, after the dense CRF if asked.

        Raises:
            InputError: a file of the segmenter or of CLIP is missing or damaged.
        """
        scores = softmax(upsample(self.logits(image), image.shape[:2]))
        if crf:
            scores = dense_crf(image, scores, self.crf)
        return Segmentation(scores.argmax(0).astype(np.uint8), scores)

    def logits(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits (C + 1, h, w) of an image (H, W, 3) uint8 RGB, on a grid that covers it."""
        from ssr.segmenter.prediction import predict

        logits: NDArray[np.float32] = predict(self._model, image, self.settings)
        return logits

    def label(
        self, image: NDArray[np.uint8], *, crf: bool = False, side: int | None = None
    ) -> NDArray[np.uint8]:
        """The labels alone, (H, W) uint8, in memory that depends on `side` and not on the image.

        Args:
            image: (H, W, 3) uint8 RGB.
            crf: refine them with the dense CRF.
            side: an image with a longer one is labelled in tiles of this size, in pixels.
        """
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
    def identity(self) -> str:
        """What tells its weights from those of any other segmenter."""
        return digest(self.folder / "model.safetensors")

    @cached_property
    def _model(self) -> EncoderDecoder:
        # Its libraries take seconds to import: who asks for what is not there need not wait.
        from ssr.backbones.devices import choose_device
        from ssr.segmenter.model import load

        weights, description = self.folder / "model.safetensors", self.folder / "model.json"
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
    folder = results / "segmenter" / owner(config, chosen, TRAINED)
    if not (folder / "model.safetensors").is_file():
        raise InputError(f"{folder}/model.safetensors: not there; snakemake trains it")
    classes = ("background", *config.data.classes)
    return TrainedSegmenter(folder, results.parent.parent, classes, own.prediction, own.crf, device)
