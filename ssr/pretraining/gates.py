"""What the small backbones must reach before anything is built on them.

Judged on held-out pretraining scenes: whether patch tokens are semantic (linear probe), whether
images are named (zero-shot top-1), whether attention groups objects (same-object AUC before and
after Sinkhorn), and whether the first CAM locates (mIoU at its best constant threshold).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from ssr.backbones.blocks import through_block
from ssr.backbones.features import FeatureSettings, extract
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import ImageScores, clip_score, gradient_cam
from ssr.cams.affinity import attention_auc, patch_labels, symmetric_affinity
from ssr.demo.vocabulary import CLASSES
from ssr.evaluation.metrics import best, count_confusion, count_levels, score, sweep, thresholds
from ssr.labelling.pseudo_labels import enlarge, strongest
from ssr.labels import BACKGROUND, IGNORE
from ssr.pretraining.corpus import Bytes, Corpus

LABELS = len(CLASSES) + 1
LEVELS = 60
SINKHORN_ROUNDS = 3
BATCH = 50


@dataclass(frozen=True)
class Scenes:
    """images (B, 112, 112, 3) and masks (B, 112, 112), uint8."""

    images: Bytes
    masks: Bytes

    @classmethod
    def of(cls, corpus: Corpus, count: int) -> "Scenes":
        """The first scenes of a corpus."""
        return cls(np.array(corpus.images[:count]), np.array(corpus.masks[:count]))

    @property
    def classes(self) -> list[list[int]]:
        """Image-level labels of every scene, 1..10."""
        return [
            [int(label) for label in np.unique(mask) if label not in (BACKGROUND, IGNORE)]
            for mask in self.masks
        ]


@dataclass(frozen=True)
class Measured:
    """What the gates read of B scenes with n patches each, all from what the pipeline stores.

    residuals (B, 1 + n, W) float32 enter CLIP's last block, patches (B, n, W) leave it, not
    projected; the attention maps are (B, n, n) float32; labels (B, n) are those of `patch_labels`.
    """

    scenes: Scenes
    grid: tuple[int, int]
    residuals: Tensor
    patches: Tensor
    clip_attention: Tensor
    dino_attention: Tensor
    labels: Tensor


@torch.no_grad()
def read_scenes(
    clip: CLIP, dino: VisionTransformer, scenes: Scenes, settings: FeatureSettings
) -> Measured:
    """One pass through both networks."""
    stored = []
    for start in range(0, len(scenes.images), BATCH):
        stored += extract(clip, dino, list(scenes.images[start : start + BATCH]), settings)

    def joined(name: str) -> Tensor:
        return torch.from_numpy(np.stack([arrays[name] for arrays in stored])).float()

    residuals = joined("tokens")
    rows, columns = stored[0]["grid"].tolist()
    last = clip.visual.transformer.resblocks[-1]
    patches = [
        clip.visual.ln_post(through_block(last, part))[:, 1:] for part in residuals.split(BATCH)
    ]
    labels = np.stack([patch_labels(mask, (rows, columns)) for mask in scenes.masks])
    return Measured(
        scenes=scenes,
        grid=(rows, columns),
        residuals=residuals,
        patches=torch.cat(patches),
        clip_attention=joined("clip_attention"),
        dino_attention=joined("dino_attention"),
        labels=torch.from_numpy(labels),
    )


def linear_probe(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> float:
    """Patch-mIoU (%) of a logistic regression on tokens (m, d), labels (m,) with 255 left out."""
    kept, kept_labels = train[train_labels != IGNORE], train_labels[train_labels != IGNORE]
    mean, deviation = kept.mean(0), kept.std(0) + 1e-6
    kept, test = (kept - mean) / deviation, (test - mean) / deviation
    weight = torch.zeros(kept.shape[1] + 1, LABELS, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(kept @ weight[:-1] + weight[-1], kept_labels)
        loss = loss + 1e-5 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    predicted = (test @ weight[:-1] + weight[-1]).argmax(-1)
    confusion = count_confusion(test_labels.numpy(), predicted.numpy(), LABELS)
    return 100 * score(confusion[:, :-1]).means["miou"]


def single_object_top1(patches: Tensor, texts: Tensor, classes: Sequence[Sequence[int]]) -> float:
    """Share of one-object images named right: patches (B, n, D), texts (10, D), B label lists."""
    single = [index for index, labels in enumerate(classes) if len(labels) == 1]
    named = clip_score(texts, 1.0)(patches[single]).argmax(1) + 1
    return (named == torch.tensor([classes[index][0] for index in single])).float().mean().item()


def attention_aucs(attention: Tensor, labels: Tensor) -> dict[str, float]:
    """Mean same-object AUC of maps (B, n, n), labels (B, n), over images where it is defined."""
    pairs = list(zip(attention.numpy(), labels.numpy(), strict=True))
    balanced = [(symmetric_affinity(a, SINKHORN_ROUNDS), m) for a, m in pairs]
    return {
        "attention_auc": float(np.nanmean([attention_auc(a, m) for a, m in pairs])),
        "attention_auc_sinkhorn": float(np.nanmean([attention_auc(a, m) for a, m in balanced])),
    }


def initial_cam(clip: CLIP, texts: TextEmbeddings, measured: Measured) -> dict[str, float]:
    """The best mIoU (%) of Grad-CAM over constant background thresholds, and that threshold."""
    scores = ImageScores(texts, torch.device("cpu"), gradient="cosine")
    histogram = np.zeros((LABELS, LABELS, LEVELS), np.int64)
    scenes = measured.scenes
    for mask, labels, residual in zip(
        scenes.masks, scenes.classes, measured.residuals, strict=True
    ):
        if labels:
            cams = gradient_cam(clip, residual, scores.of(labels), len(labels)).numpy()
        else:
            cams = np.zeros((0, *measured.grid))
        maps = enlarge(cams.reshape(-1, *measured.grid), mask.shape)
        histogram += count_levels(mask, *strongest(maps, np.array(labels)), LABELS, LEVELS)
    curve = sweep(histogram)
    chosen = best(curve)
    return {
        "initial_cam_miou": 100 * curve[chosen].means["miou"],
        "initial_cam_threshold": round(float(thresholds(LEVELS)[chosen]), 6),
    }


def measure_clip(
    clip: CLIP, texts: TextEmbeddings, probed: Measured, held_out: Measured
) -> dict[str, float]:
    """All of CLIP's gates; the linear probe is fitted on `probed`, everything else needs no fit."""
    classes = torch.from_numpy(texts.classes)
    return {
        "probe_miou": linear_probe(
            probed.patches.flatten(0, 1),
            probed.labels.flatten(),
            held_out.patches.flatten(0, 1),
            held_out.labels.flatten(),
        ),
        "single_object_top1": single_object_top1(
            held_out.patches @ clip.visual.proj.detach(), classes, held_out.scenes.classes
        ),
        **attention_aucs(held_out.clip_attention, held_out.labels),
        **initial_cam(clip, texts, held_out),
    }


def measure_dino(held_out: Measured) -> dict[str, float]:
    """DINO's attention before and after Sinkhorn."""
    return attention_aucs(held_out.dino_attention, held_out.labels)
