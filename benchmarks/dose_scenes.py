"""What `benchmarks.dose_response` reads of scenes: CAMs, attention and colours, and their mIoU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP

from ssr.alignment.aligner import Aligner
from ssr.backbones.networks import load_clip, load_dino, load_tokenizer
from ssr.backbones.text import TextEmbeddings, encode_text
from ssr.cams.activation import ImageScores, Kind
from ssr.cams.refinement import image_affinity, patch_mask, refine
from ssr.cams.superpixels import segment
from ssr.config import Backbone, Features, Refinement, Superpixels, Text
from ssr.data.images import resize
from ssr.demo.scenes import make_scenes
from ssr.demo.vocabulary import CLASSES, SIDE
from ssr.evaluation.evaluation import count_maps
from ssr.evaluation.metrics import Counts, best, confusion_at, score, sweep
from ssr.maps import min_max
from ssr.pretraining.gates import LABELS, Measured, Scenes, read_scenes

ALONE = "alone"  # CLIP's attention without a second one
SHIPPED = "shipped"
Setting = Mapping[str, object]
Cams = list[NDArray[np.float32]]
Attention = NDArray[np.float32]


@dataclass(frozen=True)
class Judged:
    """Scenes as one CLIP reads them: tokens and attention, raw CAMs by kind, and its texts."""

    clip: CLIP
    texts: TextEmbeddings
    measured: Measured

    def activate(self, kind: Kind, aligner: Aligner | None = None) -> Cams:
        """Raw maps (K, h, w) of every scene, by CLIP or by what CMPA trained."""
        scores = ImageScores(self.texts, torch.device("cpu"), aligner, gradient="product")
        scenes = zip(self.measured.scenes.classes, self.measured.residuals, strict=True)
        maps = (scores.activate(kind, self.clip, residual, labels) for labels, residual in scenes)
        return [each.numpy().reshape(-1, *self.measured.grid) for each in maps]


def draw(count: int, seed: int, side: int) -> Scenes:
    """Scenes of the demo's world with their usual backgrounds, enlarged to `side`."""
    drawn = list(make_scenes(count, seed))
    repeated = np.arange(side) * SIDE // side
    masks = np.stack([scene.mask[np.ix_(repeated, repeated)] for scene in drawn])
    return Scenes(np.stack([resize(scene.image, side, side) for scene in drawn]), masks)


def tally(scenes: Scenes, cams: Cams) -> Counts:
    """Confusions (n, 11, 11) of n scenes at the threshold that is best for all of them."""
    each = np.stack(
        [
            count_maps(mask, maps, np.array(labels), LABELS)
            for mask, maps, labels in zip(scenes.masks, cams, scenes.classes, strict=True)
        ]
    )
    chosen = best(sweep(each.sum(0)))
    confusions = np.stack([confusion_at(histogram, chosen) for histogram in each])
    return confusions.astype(np.int32)


def miou(counts: Counts) -> float:
    """In %, of confusions (n, 11, 11) together."""
    return 100 * score(counts.sum(0)).means["miou"]


@dataclass(frozen=True)
class Second:
    """What stands beside CLIP: attention (n, N, N) by network, colour regions (n, H, W)."""

    attention: Mapping[str, Attention]
    regions: Sequence[NDArray[np.integer]]

    def refine(self, judged: Judged, cams: Cams, name: str, settings: Setting) -> Cams:
        """CAMs refined by CLIP's attention and that of `name`, which may be `ALONE`."""
        fused = {"clip_weight": 1.0, "dino_weight": 0.0} if name == ALONE else {}
        chosen = Refinement.model_validate({**fused, **settings})
        own = judged.measured.clip_attention.numpy()
        refined = []
        for raw, clip, dino, regions in zip(
            cams, own, self.attention.get(name, own), self.regions, strict=True
        ):
            maps = min_max(raw)
            mask = patch_mask(maps, regions, chosen)
            refined.append(refine(maps, image_affinity(clip, dino, chosen), mask, chosen.power))
        return refined


def dinos(weights: Path, names: Sequence[str]) -> dict[str, Backbone]:
    """Those of `dose_training`, and the shipped one, which was trained with masks."""
    files = {name: weights / f"dino_{name}.safetensors" for name in names}
    files[SHIPPED] = Path("backbones/demo_dino.safetensors")
    return {
        name: Backbone(model="backbones/demo_dino.json", weights=str(file))
        for name, file in files.items()
    }


def look_beside(scenes: Scenes, networks: Mapping[str, Backbone]) -> Second:
    """Read the second networks and the colours of scenes."""
    clip = load_clip(clip_of(Path(), SHIPPED), "cpu")
    attention = {
        name: read_scenes(clip, load_dino(network, "cpu"), scenes, Features()).dino_attention
        for name, network in networks.items()
    }
    cut = [segment(image, Superpixels(), 0) for image in scenes.images]
    regions = [each["regions"][each["labels"]] for each in cut]
    return Second({name: maps.numpy() for name, maps in attention.items()}, regions)


@dataclass(frozen=True)
class Sight:
    """Scenes and what stands beside CLIP there."""

    scenes: Scenes
    beside: Second


def clip_of(weights: Path, name: str) -> Backbone:
    """A CLIP of `dose_training`, as `10_0` (dose in %, seed), or the shipped one."""
    file = Path("backbones/demo_clip") if name == SHIPPED else weights / f"clip_{name}"
    return Backbone(model="backbones/demo_clip.json", weights=f"{file}.safetensors")


def read(settings: Backbone, scenes: Scenes) -> Judged:
    """Scenes as one CLIP reads them."""
    clip = load_clip(settings, "cpu")
    texts = encode_text(clip, load_tokenizer(settings), Text(), CLASSES)
    dino = load_dino(dinos(Path(), [])[SHIPPED], "cpu")
    return Judged(clip, texts, read_scenes(clip, dino, scenes, Features()))
