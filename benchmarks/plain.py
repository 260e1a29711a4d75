"""What the field's programs do, written plainly from the maths: references for `benchmarks.bench`.

Shapes: N patches, W token width, K classes of an image, C of a data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from open_clip.model import CLIP
from pydensecrf.densecrf import DenseCRF2D
from pydensecrf.utils import unary_from_softmax
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import Module

from ssr.alignment.samples import pool
from ssr.backbones.features import embed_clip
from ssr.backbones.text import TextEmbeddings
from ssr.cams.refinement import box_mask
from ssr.config import Crf, Labels
from ssr.evaluation.metrics import count_confusion, thresholds
from ssr.labelling.crf import wrapped
from ssr.maps import min_max

ATTENTION_BLOCKS = 8
Maps = NDArray[np.float32]


def cams_from_image(
    clip: CLIP, pixels: Tensor, texts: TextEmbeddings, labels: Sequence[int]
) -> tuple[Maps, NDArray[np.float32]]:
    """Grad-CAM as CLIP-ES does: all blocks but the last, then the last and a backward per class.

    Of normalised pixels (1, 3, H, W): raw CAMs (K, N), and the mean attention (N, N) of the last
    eight blocks.
    """
    tokens, attention = _early_blocks(clip, pixels)
    rows = torch.cat([_rows(texts.classes)[[i - 1 for i in labels]], _rows(texts.backgrounds)])
    maps = []
    for place in range(len(labels)):
        cam, last = _last_block(clip, tokens, rows, float(texts.logit_scale), place)
        maps.append(cam)
    mean = torch.stack([*attention, last])[-ATTENTION_BLOCKS:].mean(0)[0, 1:, 1:]
    return torch.stack(maps).numpy(), mean.numpy()


@torch.no_grad()
def _early_blocks(clip: CLIP, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
    tokens, attention = embed_clip(clip, pixels), []
    for block in clip.visual.transformer.resblocks[:-1]:
        normed = block.ln_1(tokens)
        mixed, weights = block.attn(normed, normed, normed, need_weights=True)
        tokens = tokens + mixed
        tokens = tokens + block.mlp(block.ln_2(tokens))
        attention.append(weights)
    return tokens, attention


def _last_block(
    clip: CLIP, entering: Tensor, rows: Tensor, scale: float, place: int
) -> tuple[Tensor, Tensor]:
    """The CAM (N,) of the class at a place, and the attention of the block.

    CLIP-ES's weights are not frozen, so that its backward makes their gradients, too.
    """
    visual, block = clip.visual, clip.visual.transformer.resblocks[-1]
    with _trained(block, visual.ln_post):
        activation = block.ln_1(entering)
        activation.retain_grad()
        mixed, weights = block.attn(activation, activation, activation, need_weights=True)
        tokens = entering + mixed
        tokens = tokens + block.mlp(block.ln_2(tokens))
        pooled = F.normalize(visual.ln_post(tokens)[:, 1:].mean(1) @ visual.proj, dim=-1)
        share = (scale * pooled @ rows.T).softmax(-1)[0, place]
        share.backward()
    cam = (activation.grad[0, 1:].mean(0) * activation[0, 1:]).sum(-1).relu()
    return cam.detach(), weights.detach()


@contextmanager
def _trained(*modules: Module) -> Iterator[None]:
    """Let modules have gradients in the block, and neither before nor behind it."""
    for module in modules:
        module.requires_grad_(True).zero_grad()
    yield
    for module in modules:
        module.requires_grad_(False).zero_grad()


def _rows(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(values)


def refine(cams: Maps, attention: NDArray[np.float32], threshold: float) -> Maps:
    """CLIP-ES's refinement: the squared matrix formed, and masked by each class's boxes.

    `cams` (K, h, w) in 0..1, `attention` (N, N); returns (K, h, w) in 0..1.
    """
    affinity = torch.from_numpy(attention)
    for _ in range(3):
        affinity = affinity / affinity.sum(0, keepdim=True)
        affinity = affinity / affinity.sum(1, keepdim=True)
    affinity = (affinity + affinity.T) / 2
    affinity = affinity @ affinity
    refined = [
        (affinity * torch.from_numpy(mask).reshape(1, -1)) @ torch.from_numpy(cam).reshape(-1, 1)
        for cam, mask in zip(cams, box_mask(cams, threshold, border=False), strict=True)
    ]
    return min_max(torch.stack(refined).numpy().reshape(cams.shape))


def labels(
    image: NDArray[np.uint8], cams: Maps, classes: Sequence[int], settings: Labels
) -> NDArray[np.uint8]:
    """CLIP-ES's labels of pixels: 1 - max as background, the CRF, 255 where it is not sure."""
    large = np.stack([_enlarged(cam, image.shape[:2]) for cam in cams])
    scores = np.concatenate([1 - large.max(0, keepdims=True), large])
    found = dense_crf(image, scores, settings.crf or Crf())
    named = np.array([0, *classes], np.uint8)[found.argmax(0)]
    return np.where(found.max(0) < settings.confidence, 255, named).astype(np.uint8)


def mean_colours(image: NDArray[np.uint8], segments: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Mean Lab colour (S, 3) of each superpixel."""
    lab = rgb2lab(image).reshape(-1, 3)
    sums = np.stack([np.bincount(segments.ravel(), weights=channel) for channel in lab.T], axis=1)
    return (sums / np.bincount(segments.ravel())[:, None]).astype(np.float32)


def dense_crf(
    image: NDArray[np.uint8], probabilities: NDArray[np.float32], settings: Crf
) -> NDArray[np.float32]:
    """pydensecrf as people call it, both terms on lattices and no class left out: (C, H, W)."""
    classes, height, width = probabilities.shape
    field = DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(probabilities)))
    field.addPairwiseGaussian(sxy=settings.gaussian_sxy, compat=settings.gaussian_compat)
    field.addPairwiseBilateral(
        sxy=settings.bilateral_sxy,
        srgb=settings.bilateral_srgb,
        rgbim=np.ascontiguousarray(wrapped(image) if settings.wrapped else image),
        compat=settings.bilateral_compat,
    )
    return np.array(field.inference(settings.iterations)).reshape(probabilities.shape)


def _enlarged(cam: Maps, size: tuple[int, ...]) -> Maps:
    values = torch.from_numpy(cam)[None, None]
    return min_max(F.interpolate(values, size, mode="bilinear")[0].numpy())[0]


@torch.no_grad()
def pooled(clip: CLIP, images: Sequence[Tensor], cams: Sequence[Maps]) -> Maps:
    """What CMPA learns from, (n, D), by the whole network.

    Of normalised pixels (1, 3, H, W) of n images, each with its CAM (1, h, w).
    """
    visual, rows = clip.visual, []
    for pixels, cam in zip(images, cams, strict=True):
        tokens = embed_clip(clip, pixels)
        for block in visual.transformer.resblocks:
            tokens = block(tokens)
        patches = visual.ln_post(tokens[0, 1:]) @ visual.proj
        rows.append(pool(patches, torch.from_numpy(cam).flatten(1), unit_patches=False))
    return torch.cat(rows).numpy()


def sweep(
    truth: NDArray, winner: NDArray, strength: NDArray[np.float32], classes: int, levels: int
) -> list[NDArray[np.int64]]:
    """The confusion matrix at each threshold, the labels made anew for each."""
    return [
        count_confusion(truth, np.where(strength > threshold, winner, 0), classes)
        for threshold in thresholds(levels)
    ]


@torch.no_grad()
def encode(model: Any, batches: Sequence[Tensor]) -> None:
    """The encoder alone on every view of an image."""
    for batch in batches:
        model.backbone(batch)
