"""What the small backbones must reach before anything is built on them.

Judged on held-out pretraining scenes: whether patch tokens are semantic (linear probe), whether
images are named (zero-shot top-1), whether attention groups objects (same-object AUC after
Sinkhorn), and whether the first CAM locates (mIoU at its best constant threshold).
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from ssr.demo.vocabulary import CLASSES, IGNORED
from ssr.pretraining.clip import normalise_pixels as normalise_for_clip
from ssr.pretraining.corpus import Corpus
from ssr.pretraining.dino import normalise_pixels as normalise_for_dino
from ssr.pretraining.dino import patch_attention
from ssr.pretraining.views import NAMES, PATCH, UNLABELLED, patch_names, patch_shares

OBJECTS = len(CLASSES)
CAM_BINS = 60
PROMPT = "a clean origami {}."


@dataclass(frozen=True)
class ClipFeatures:
    """What the gates read from CLIP.

    entering (B, 1 + n, d) tokens before the last block; attention (B, n, n) averaged over heads and
    the last two thirds of the blocks; patches (B, n, d) after ln_post; images (B, e) normalised.
    """

    entering: Tensor
    attention: Tensor
    patches: Tensor
    images: Tensor


def _head_mean_attention(queries: Tensor, keys: Tensor, heads: int) -> Tensor:
    batch, count, width = queries.shape
    split = (batch, count, heads, width // heads)
    q, k = queries.view(split).transpose(1, 2), keys.view(split).transpose(1, 2)
    weights = (q @ k.transpose(-1, -2) / (width // heads) ** 0.5).softmax(-1)
    return weights.mean(1)[:, 1:, 1:]


@torch.no_grad()
def clip_features(model: CLIP, pixels: Tensor) -> ClipFeatures:
    """Everything the gates read from CLIP; pixels (B, 3, 112, 112) float in 0..1."""
    visual = model.visual
    tokens = visual._embeds(normalise_for_clip(pixels))
    blocks = visual.transformer.resblocks
    maps, entering = [], tokens
    for block in blocks:
        entering = tokens
        normed = block.ln_1(tokens)
        mixed = F.linear(normed, block.attn.in_proj_weight, block.attn.in_proj_bias)
        queries, keys, _ = mixed.chunk(3, -1)
        maps.append(_head_mean_attention(queries, keys, block.attn.num_heads))
        tokens = block(tokens)
    patches = visual.ln_post(tokens)[:, 1:]
    late = maps[-round(len(blocks) * 2 / 3) :]
    images = F.normalize(patches.mean(1) @ visual.proj, dim=-1)
    return ClipFeatures(entering, torch.stack(late).mean(0), patches, images)


@torch.no_grad()
def dino_attention(model: VisionTransformer, pixels: Tensor) -> Tensor:
    """Head-averaged patch-to-patch attention of the last block, (B, n, n)."""
    tokens = model._pos_embed(model.patch_embed(normalise_for_dino(pixels)))
    *early, last = model.blocks
    for block in early:
        tokens = block(tokens)
    return patch_attention(last, tokens)


def object_patches(masks: Tensor) -> Tensor:
    """Majority label of each patch, 0 background, 1..10 objects, -1 where under 60 % agree.

    masks (B, H, W) int64 with 255 ignored.
    """
    shares = patch_shares(masks.where(masks != IGNORED, UNLABELLED))
    return patch_names(shares)


def linear_probe(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> float:
    """Patch-mIoU (%) of a logistic regression on tokens (m, d), labels (m,) with -1 left out."""
    kept, kept_labels = train[train_labels >= 0], train_labels[train_labels >= 0]
    mean, deviation = kept.mean(0), kept.std(0) + 1e-6
    kept, test = (kept - mean) / deviation, (test - mean) / deviation
    weight = torch.zeros(kept.shape[1] + 1, OBJECTS + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(kept @ weight[:-1] + weight[-1], kept_labels)
        loss = loss + 1e-5 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    predicted = (test @ weight[:-1] + weight[-1]).argmax(-1)
    known = test_labels >= 0
    index = test_labels[known] * (OBJECTS + 1) + predicted[known]
    return mean_iou(torch.bincount(index, minlength=(OBJECTS + 1) ** 2).view(OBJECTS + 1, -1))


def mean_iou(confusion: Tensor) -> float:
    """Mean IoU (%) over the classes that occur; confusion (truth, prediction)."""
    hits = confusion.diagonal().double()
    union = confusion.sum(0) + confusion.sum(1) - hits
    return 100 * (hits / union)[union > 0].mean().item()


def single_object_top1(images: Tensor, texts: Tensor, present: Tensor) -> float:
    """Share of one-object images named right: (B, e), texts (10, e), present (B, 10) bool."""
    single = present.sum(1) == 1
    named = (images[single] @ texts.T).argmax(1)
    return (named == present[single].int().argmax(1)).float().mean().item()


def sinkhorn(attention: Tensor, rounds: int = 3) -> Tensor:
    """Divide by column sums, then row sums, `rounds` times; then symmetrise. (..., n, n)."""
    for _ in range(rounds):
        attention = attention / attention.sum(-2, keepdim=True)
        attention = attention / attention.sum(-1, keepdim=True)
    return (attention + attention.transpose(-1, -2)) / 2


def rank_auc(scores: Tensor, positive: Tensor) -> float:
    """Probability that a positive scores above a negative: (m,) float, (m,) bool, both occur.

    Ties are taken in storage order: attention weights practically never tie.
    """
    ranks = scores.argsort().argsort().double() + 1
    hits, misses = positive.sum().double(), (~positive).sum().double()
    return ((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses)).item()


def same_object_auc(affinity: Tensor, labels: Tensor) -> float:
    """Mean over images of the AUC of affinity[i, j] for "j shows the same class as object patch i".

    affinity (B, n, n), labels (B, n) as from `object_patches`; mixed patches and i = j left out.
    """
    areas = []
    for matrix, label in zip(affinity, labels, strict=True):
        known = label >= 0
        asking = label > 0
        pairs = asking[:, None] & known[None] & ~torch.eye(len(label), dtype=torch.bool)
        same = (label[:, None] == label[None])[pairs]
        if asking.sum() >= 2 and same.any() and not same.all():
            areas.append(rank_auc(matrix[pairs], same))
    return sum(areas) / len(areas)


def gradient_cams(
    model: CLIP, entering: Tensor, present: Tensor, objects: Tensor, backgrounds: Tensor
) -> Tensor:
    """Softmax Grad-CAM of every present class, min-max normalised, (B, 10, n); others are 0.

    entering (B, 1 + n, d), present (B, 10) bool; objects (10, e) and backgrounds (b, e) embedded.
    """
    visual, block = model.visual, model.visual.transformer.resblocks[-1]
    texts = torch.cat([objects, backgrounds])
    allowed = F.pad(present, (0, len(backgrounds)), value=True)
    maps = torch.zeros(len(entering), OBJECTS, entering.shape[1] - 1)
    activation = block.ln_1(entering).detach().requires_grad_()
    tokens = entering + block.attn(activation, activation, activation, need_weights=False)[0]
    tokens = visual.ln_post(tokens + block.mlp(block.ln_2(tokens)))
    images = F.normalize(tokens[:, 1:].mean(1) @ visual.proj, dim=-1)
    logits = model.logit_scale.exp() * images @ texts.T
    shares = logits.masked_fill(~allowed, -torch.inf).softmax(-1)
    for name in range(OBJECTS):
        gradient = torch.autograd.grad(shares[:, name].sum(), activation, retain_graph=True)[0]
        weights = gradient[:, 1:].mean(1, keepdim=True)
        cam = (weights * activation.detach()[:, 1:]).sum(-1).relu()
        low, high = cam.amin(1, keepdim=True), cam.amax(1, keepdim=True)
        maps[:, name] = (cam - low) / (high - low + 1e-12) * present[:, name, None]
    return maps


def cam_histogram(cams: Tensor, masks: Tensor) -> Tensor:
    """Joint counts (truth, strongest class, quantised strength): every threshold from one pass."""
    grid = round(cams.shape[-1] ** 0.5)
    maps = cams.view(len(cams), OBJECTS, grid, grid)
    large = F.interpolate(maps, scale_factor=PATCH, mode="bilinear", align_corners=False)
    strength, winner = large.max(1)
    level = (strength * CAM_BINS).long().clamp(0, CAM_BINS - 1)
    usable = masks != IGNORED
    index = (masks * (OBJECTS + 1) + winner + 1) * CAM_BINS + level
    size = (OBJECTS + 1) ** 2 * CAM_BINS
    counts = torch.bincount(index[usable], minlength=size)
    return counts.view(OBJECTS + 1, OBJECTS + 1, CAM_BINS)


def best_threshold_miou(histogram: Tensor) -> tuple[float, float]:
    """The best mIoU (%) over constant background thresholds, and that threshold."""
    results = []
    for level in range(1, CAM_BINS):
        confusion = histogram[:, :, level:].sum(-1)
        confusion[:, 0] += histogram[:, :, :level].sum((1, 2))
        results.append((mean_iou(confusion), level / CAM_BINS))
    return max(results)


@dataclass(frozen=True)
class Scenes:
    """pixels (B, 3, 112, 112) float in 0..1, masks (B, 112, 112) int64."""

    pixels: Tensor
    masks: Tensor

    @classmethod
    def of(cls, corpus: Corpus, count: int) -> "Scenes":
        """The first scenes of a corpus."""
        pixels = torch.from_numpy(np.array(corpus.images[:count])).permute(0, 3, 1, 2)
        return cls(pixels.float() / 255, torch.from_numpy(np.array(corpus.masks[:count])).long())

    @property
    def present(self) -> Tensor:
        """Image-level labels, (B, 10) bool."""
        classes = torch.arange(1, OBJECTS + 1)[:, None, None]
        return (self.masks[:, None] == classes).flatten(2).any(2)


def embed_names(model: CLIP, tokenize: Callable[[list[str]], Tensor]) -> Tensor:
    """Normalised embeddings of the CAM's prompts: 10 objects, then 7 backgrounds, (17, e)."""
    tokens = tokenize([PROMPT.format(name) for name in NAMES])
    with torch.no_grad():
        return F.normalize(model.encode_text(tokens), dim=-1)


def _batched_features(model: CLIP, pixels: Tensor) -> ClipFeatures:
    batches = [clip_features(model, batch) for batch in pixels.split(50)]
    joined = {
        f.name: torch.cat([getattr(b, f.name) for b in batches]) for f in fields(ClipFeatures)
    }
    return ClipFeatures(**joined)


def _cams(model: CLIP, features: ClipFeatures, present: Tensor, texts: Tensor) -> Tensor:
    return torch.cat(
        [
            gradient_cams(model, entering, shown, texts[:OBJECTS], texts[OBJECTS:])
            for entering, shown in zip(features.entering.split(50), present.split(50), strict=True)
        ]
    )


def measure_clip(model: CLIP, texts: Tensor, probed: Scenes, held_out: Scenes) -> dict[str, float]:
    """All of CLIP's gates; the linear probe is fitted on `probed`, everything else needs no fit."""
    features = _batched_features(model, held_out.pixels)
    labels, probed_labels = object_patches(held_out.masks), object_patches(probed.masks)
    known = _batched_features(model, probed.pixels).patches.flatten(0, 1)
    present = held_out.present
    cams = _cams(model, features, present, texts)
    cam_miou, threshold = best_threshold_miou(cam_histogram(cams, held_out.masks))
    tokens = features.patches.flatten(0, 1)
    return {
        "probe_miou": linear_probe(known, probed_labels.flatten(), tokens, labels.flatten()),
        "single_object_top1": single_object_top1(features.images, texts[:OBJECTS], present),
        "attention_auc": same_object_auc(features.attention, labels),
        "attention_auc_sinkhorn": same_object_auc(sinkhorn(features.attention), labels),
        "initial_cam_miou": cam_miou,
        "initial_cam_threshold": threshold,
    }


def measure_dino(model: VisionTransformer, held_out: Scenes) -> dict[str, float]:
    """DINO's attention before and after Sinkhorn."""
    batches = [dino_attention(model, batch) for batch in held_out.pixels.split(50)]
    attention, labels = torch.cat(batches), object_patches(held_out.masks)
    return {
        "attention_auc": same_object_auc(attention, labels),
        "attention_auc_sinkhorn": same_object_auc(sinkhorn(attention), labels),
    }
