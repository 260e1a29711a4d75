"""Logits of images, averaged over scales and mirroring, on a coarse grid."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ssr.backbones.grids import interpolate_smoothly
from ssr.config import Prediction
from ssr.data.images import patch_grid, resize
from ssr.segmenter.mmseg_import import BaseDecodeHead, EncoderDecoder


@torch.inference_mode()
def predict(model: EncoderDecoder, image: np.ndarray, settings: Prediction) -> np.ndarray:
    """Logits (C+1, h, w) float32 of an image (H, W, 3) uint8 RGB.

    The image is resized to whole strides at each scale, so that the grid covers exactly the image:
    enlarge the logits to (H, W) to get those of the pixels. h and w are the sides, capped by
    `max_side`, over `stride`, rounded up.
    """
    height, width = image.shape[:2]
    grid = patch_grid(height, width, settings.stride, settings.max_side)
    maps = []
    for scale in settings.scales:
        logits = _logits(model, _batch(model, image, grid, scale, settings))
        if settings.flip:
            logits = (logits[:1] + logits[1:].flip(-1)) / 2
        maps.append(interpolate_smoothly(logits, grid, "bilinear"))
    return torch.stack(maps).mean(0)[0].cpu().numpy()


def side_multiple(model: EncoderDecoder, settings: Prediction) -> int:
    """Pixels: the sides of what the network sees are multiples of it.

    CLIP takes whole patches; mmsegmentation's own backbones take any size.
    """
    side: int = getattr(model.backbone, "patch", settings.stride)
    return side


def _batch(
    model: EncoderDecoder,
    image: np.ndarray,
    grid: tuple[int, int],
    scale: float,
    settings: Prediction,
) -> Tensor:
    """Normalised (1 or 2, 3, H', W'): the image at a scale, and its mirror image."""
    multiple = side_multiple(model, settings)
    height, width = (
        math.ceil(cells * settings.stride * scale / multiple) * multiple for cells in grid
    )
    resized = resize(image, height, width)[..., ::-1]  # mmsegmentation works in BGR
    pixels = torch.from_numpy(np.ascontiguousarray(resized.transpose(2, 0, 1)))
    views = [pixels, pixels.flip(-1)] if settings.flip else [pixels]
    batch: Tensor = model.data_preprocessor({"inputs": views})["inputs"]
    return batch


def _logits(model: EncoderDecoder, batch: Tensor) -> Tensor:
    """Logits at the decoder's own resolution, or of the pixels for cascades of decoders."""
    if isinstance(model.decode_head, BaseDecodeHead):
        return model(batch, mode="tensor").float()
    size = batch.shape[2:]
    return model.encode_decode(batch, [{"img_shape": size, "ori_shape": size}] * len(batch)).float()
