"""What `benchmarks.bench` sets side by side: each row, ours and the reference, on photographs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from skimage.segmentation import slic as scikit_slic
from sklearn.cluster import KMeans
from torch import Tensor

from benchmarks import plain
from ssr.backbones.features import clip_features
from ssr.backbones.networks import load_clip, normalise_pixels, pixel_statistics
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import ImageScores
from ssr.cams.refinement import image_affinity, patch_mask, refine
from ssr.cams.superpixels import cluster_colours, mean_colours, slic
from ssr.config import Backbone, Crf, Labels, Prediction, Refinement, Segmenter
from ssr.data.images import patch_grid, resize
from ssr.evaluation.metrics import count_levels
from ssr.labelling.crf import dense_crf
from ssr.labelling.predictions import softmax
from ssr.labelling.pseudo_labels import label_pixels
from ssr.labels import IGNORE
from ssr.maps import min_max, upsample
from ssr.segmenter import model as segmenter
from ssr.segmenter.prediction import predict

CLASSES = 20
BACKGROUNDS = 25
VIT_B = Backbone(model="ViT-B-16-quickgelu", weights="random")
SEGMENTS, COMPACTNESS, REGIONS = 200, 10.0, 40
THRESHOLDS = 20
MARGIN = 9.0
"""By how much the logits of a made-up segmenter favour the right class."""

# What CLIP-ES does behind its CAMs.
REFINEMENT = Refinement(
    clip_weight=1.0, dino_weight=0.0, power=2, mask="box", box_threshold=0.4, box_border=False
)
LABELS = Labels(background="power", threshold=0.5, crf=Crf(), confidence=0.95)
VIEWS = Prediction(max_side=512, stride=16, scales=(1.0, 0.75), flip=True)


@dataclass(frozen=True)
class Pair:
    """Two ways to one result, or to results that serve the same end."""

    ours: Callable[[], Any]
    reference: Callable[[], Any]


class Material:
    """A CLIP, texts that mean nothing, and photographs (H, W, 3) uint8."""

    def __init__(
        self, photographs: Sequence[NDArray[np.uint8]], backbone: Backbone = VIT_B
    ) -> None:
        torch.manual_seed(0)
        self.photographs = photographs
        self.backbone = backbone
        random = torch.randn(CLASSES + BACKGROUNDS, self.clip.visual.output_dim)
        rows = F.normalize(random, dim=-1).numpy()
        names = np.array([f"text {number}" for number in range(len(rows))])
        self.texts = TextEmbeddings(rows[:CLASSES], rows[CLASSES:], names, np.float32(100))
        self.scores = ImageScores(self.texts, torch.device("cpu"), gradient="cosine")

    @cached_property
    def clip(self) -> Any:
        """The network."""
        return load_clip(self.backbone, "cpu")

    @cached_property
    def blocks(self) -> int:
        """Whose attention is kept."""
        return min(plain.ATTENTION_BLOCKS, len(self.clip.visual.transformer.resblocks))

    def grid(self, photograph: NDArray[np.uint8]) -> tuple[int, int]:
        """Rows and columns of patches."""
        return patch_grid(*photograph.shape[:2], self.clip.visual.patch_size[0])

    def pixels(self, photograph: NDArray[np.uint8]) -> Tensor:
        """Normalised (1, 3, H, W) on whole patches."""
        height, width = (side * self.clip.visual.patch_size[0] for side in self.grid(photograph))
        whole = torch.from_numpy(resize(photograph, height, width))
        batch = whole.permute(2, 0, 1)[None].float() / 255
        return normalise_pixels(batch, *pixel_statistics(self.clip))

    def cams(self, photograph: NDArray[np.uint8], count: int) -> tuple[NDArray, NDArray, NDArray]:
        """Tokens and attention as a store has them, and the CAMs (K, h, w) in 0..1."""
        found = clip_features(self.clip, self.pixels(photograph), self.blocks)
        tokens, attention = found.tokens[0].half(), found.attention[0].half().numpy()
        raw = self.scores.activate("gradient", self.clip, tokens, range(1, count + 1)).numpy()
        return tokens.numpy(), attention, min_max(raw.reshape(-1, *self.grid(photograph)))


def cam_from_image(material: Material, count: int) -> Iterator[Pair]:
    """From pixels to the CAMs of `count` classes and the attention that refines them."""
    for photograph in material.photographs:
        yield _cams_of(material, photograph, list(range(1, count + 1)))


def _cams_of(material: Material, photograph: NDArray, labels: list[int]) -> Pair:
    pixels = material.pixels(photograph)

    def ours() -> tuple[NDArray, NDArray]:
        found = clip_features(material.clip, pixels, material.blocks)
        cams = material.scores.activate("gradient", material.clip, found.tokens[0], labels)
        return min_max(cams.numpy()[:, None])[:, 0], found.attention[0].numpy()

    def reference() -> tuple[NDArray, NDArray]:
        cams, attention = plain.cams_from_image(material.clip, pixels, material.texts, labels)
        return min_max(cams[:, None])[:, 0], attention

    return Pair(ours, reference)


def pseudo_label_from_image(material: Material) -> Iterator[Pair]:
    """From pixels to labels of pixels with CLIP-ES's refinement and CRF: one class, then two."""
    for place, photograph in enumerate(material.photographs):
        labels = [1, 2][: 1 + place % 2]
        yield _labels_of(material, photograph, labels)


def _labels_of(material: Material, photograph: NDArray, labels: list[int]) -> Pair:
    pair, shape = _cams_of(material, photograph, labels), (-1, *material.grid(photograph))

    def ours() -> NDArray:
        cams, attention = pair.ours()
        return _labelled(photograph, cams.reshape(shape), attention, labels)

    def reference() -> NDArray:
        cams, attention = pair.reference()
        refined = plain.refine(cams.reshape(shape), attention, REFINEMENT.box_threshold)
        return plain.labels(photograph, refined, labels, LABELS)

    return Pair(ours, reference)


def _refined(cams: NDArray, attention: NDArray) -> NDArray:
    affinity = image_affinity(attention, attention, REFINEMENT)
    masks = patch_mask(cams, np.zeros(cams.shape[1:], np.int64), REFINEMENT)
    return refine(cams, affinity, masks, REFINEMENT.power)


def _labelled(photograph: NDArray, cams: NDArray, attention: NDArray, labels: list[int]) -> NDArray:
    refined = _refined(cams, attention)
    size = photograph.shape[:2]
    return label_pixels(refined, np.array(labels), size, 0.5, LABELS, photograph)


def cam_from_store(material: Material) -> Iterator[Pair]:
    """The CAM of one class from stored tokens, or from the image."""
    for pair, photograph in zip(cam_from_image(material, 1), material.photographs, strict=True):
        tokens = torch.from_numpy(material.cams(photograph, 1)[0])
        ours = partial(material.scores.activate, "gradient", material.clip, tokens, [1])
        yield Pair(ours, pair.reference)


def refinement_change(material: Material) -> Iterator[Pair]:
    """Refined CAMs of one class after a changed setting: what is stored, or all from the image."""
    for photograph in material.photographs:
        _, attention, cams = material.cams(photograph, 1)
        pair = _cams_of(material, photograph, [1])

        def reference(pair: Pair = pair, shape: tuple[int, ...] = cams.shape) -> NDArray:
            raw, found = pair.reference()
            return plain.refine(raw.reshape(shape), found, REFINEMENT.box_threshold)

        yield Pair(partial(_refined, cams, attention), reference)


def superpixels(material: Material) -> Iterator[Pair]:
    """SLIC: fast_slic, or scikit-image."""
    for photograph in material.photographs:
        yield Pair(
            partial(slic, photograph, SEGMENTS, COMPACTNESS),
            partial(
                scikit_slic, photograph, n_segments=SEGMENTS, compactness=COMPACTNESS, start_label=0
            ),
        )


def regions(material: Material) -> Iterator[Pair]:
    """Colours of superpixels and their K-means regions: the libraries', as many steps."""
    for photograph in material.photographs:
        labels = slic(photograph, SEGMENTS, COMPACTNESS)

        def ours(photograph: NDArray = photograph, labels: NDArray = labels) -> NDArray:
            return cluster_colours(mean_colours(photograph, labels), REGIONS, 0)

        def reference(photograph: NDArray = photograph, labels: NDArray = labels) -> NDArray:
            colours = plain.mean_colours(photograph, labels)
            found: NDArray = KMeans(REGIONS, n_init=2, max_iter=20, random_state=0).fit_predict(
                colours
            )
            return found

        yield Pair(ours, reference)


def crf(material: Material, classes: int) -> Iterator[Pair]:
    """Ten steps on confident probabilities of `classes` classes, of which two are in the image."""
    random = np.random.default_rng(0)
    for photograph in material.photographs:
        height, width = photograph.shape[:2]
        coarse = random.normal(size=(classes, 4, 5)).astype(np.float32)
        coarse[0] += MARGIN
        coarse[1, 1:3, 1:4] += 2 * MARGIN
        probabilities = softmax(upsample(coarse, (height, width)))
        yield Pair(
            partial(dense_crf, photograph, probabilities, Crf()),
            partial(plain.dense_crf, photograph, probabilities, Crf()),
        )


def evaluation_sweep(material: Material) -> Iterator[Pair]:
    """Counting one image at 20 thresholds: one histogram, or labels and counts for each."""
    random = np.random.default_rng(0)
    for photograph in material.photographs:
        size = photograph.shape[:2]
        truth = random.integers(0, CLASSES + 1, size).astype(np.uint8)
        winner = random.integers(1, CLASSES + 1, size)
        strength = random.random(size, np.float32)
        of_image = (truth, winner, strength, CLASSES + 1, THRESHOLDS)
        yield Pair(partial(count_levels, *of_image), partial(plain.sweep, *of_image))


def prediction(material: Material) -> Iterator[Pair]:
    """Logits of four views, or the forward of their encoder alone."""
    settings = Segmenter(blocks="all_but_last", text=False, width=256, layers=3, crop_size=320)
    model = segmenter.build(segmenter.model_config(settings, material.backbone, CLASSES + 1)).eval()
    for photograph in material.photographs:
        seen: list[Tensor] = []
        hook = model.backbone.register_forward_pre_hook(
            lambda _, given, kept=seen: kept.append(*given)
        )
        predict(model, photograph, VIEWS)
        hook.remove()
        yield Pair(partial(predict, model, photograph, VIEWS), partial(plain.encode, model, seen))


def start_up(_: Material) -> Iterator[Pair]:
    """What `refine_cams` imports, or what a script does that imports its networks at the top."""
    yield Pair(
        partial(_imported, "ssr.artefacts.store, ssr.cams.refinement, ssr.running.programs"),
        partial(_imported, "torch, open_clip, timm"),
    )


def _imported(modules: str) -> None:
    subprocess.run(
        [sys.executable, "-c", f"import {modules}"], check=True, cwd=Path(__file__).parents[1]
    )


ROWS: Mapping[str, Callable[[Material], Iterator[Pair]]] = {
    **{f"cam_from_image_{count}": partial(cam_from_image, count=count) for count in (1, 2, 4)},
    "pseudo_label_from_image": pseudo_label_from_image,
    "cam_from_store": cam_from_store,
    "refinement_change": refinement_change,
    "superpixels": superpixels,
    "regions": regions,
    **{f"dense_crf_{classes}": partial(crf, classes=classes) for classes in (2, 21)},
    "evaluation_sweep": evaluation_sweep,
    "predict": prediction,
    "start_up": start_up,
}


def _largest_difference(ours: Any, reference: Any) -> float:
    pairs = zip(ours, reference, strict=True)
    return max(float(np.abs(own - other).max()) for own, other in pairs)


def _labels_apart(ours: NDArray, reference: NDArray) -> float:
    """Share of the pixels whose label, or whether they have one, is another."""
    own, other = (
        np.where(found.max(0) < LABELS.confidence, IGNORE, found.argmax(0))
        for found in (ours, reference)
    )
    return float((own != other).mean())


EQUAL: Mapping[str, tuple[Callable[[Any, Any], float], float]] = {
    **{f"cam_from_image_{count}": (_largest_difference, 1e-3) for count in (1, 2, 4)},
    "align_prototypes": (_largest_difference, 1e-3),
    **{f"dense_crf_{classes}": (_labels_apart, 1e-3) for classes in (2, 21)},
}
"""Rows whose two results must agree, by which measure, and how far they may be apart."""
