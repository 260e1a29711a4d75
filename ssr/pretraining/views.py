"""Views of stored scenes: windows, flips, colour changes, and what each patch of a view shows.

Labels join objects and stuff in one map: 0..9 object class, 10..16 stuff, 17 nothing usable.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssr.demo.vocabulary import CLASSES, STUFF

NAMES: tuple[str, ...] = CLASSES + STUFF
UNLABELLED = len(NAMES)
PATCH = 8
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Views:
    """A batch of views: pixels (B, 3, s, s) float in 0..1, labels (B, s, s) int64 in 0..17."""

    pixels: Tensor
    labels: Tensor


def join_labels(mask: Bytes, stuff: Bytes) -> Bytes:
    """One label map from an object mask (0, 1..10, 255) and a stuff map, any equal shapes."""
    joined = np.where(mask > 0, mask - 1, stuff + len(CLASSES)).astype(np.uint8)
    joined[mask == 255] = UNLABELLED
    return joined


def object_centres(labels: Bytes, generator: np.random.Generator) -> NDArray[np.float64]:
    """(row, column) centre of one object an image, drawn by area; the image's centre without."""
    centres = np.full((len(labels), 2), (labels.shape[1] - 1) / 2)
    for position, label in enumerate(labels):
        flat = np.flatnonzero(label.ravel() < len(CLASSES))
        if len(flat):
            chosen = label.ravel()[flat[generator.integers(len(flat))]]
            same = flat[label.ravel()[flat] == chosen]
            centres[position] = (same // label.shape[1]).mean(), (same % label.shape[1]).mean()
    return centres


def sample_views(
    images: Bytes,
    labels: Bytes,
    centres: NDArray[np.float64],
    scales: NDArray[np.float64],
    flips: NDArray[np.bool_],
    size: int,
) -> Views:
    """Square windows of side size * scale around the centres, pushed inside, resized to `size`.

    images (B, H, W, 3) uint8, labels (B, H, W) uint8, centres (B, 2) in pixels (row, column),
    scales (B,) and flips (B,). A scale of 1 copies pixels exactly.
    """
    side = images.shape[1]
    window = np.minimum(size * scales, side)
    corner = np.clip(centres + 0.5 - window[:, None] / 2, 0, side - window[:, None])
    exact = np.isclose(scales, 1.0)[:, None]
    middle = np.where(exact, np.floor(corner), corner) + window[:, None] / 2
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = torch.from_numpy(np.where(flips, -1.0, 1.0) * window / side)
    theta[:, 1, 1] = torch.from_numpy(window / side)
    theta[:, :, 2] = torch.from_numpy(2 * middle[:, ::-1] / side - 1)
    grid = F.affine_grid(theta, [len(images), 3, size, size], align_corners=False)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    sampled = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    shown = F.grid_sample(
        torch.from_numpy(labels)[:, None].float(),
        grid,
        mode="nearest",
        padding_mode="border",
        align_corners=False,
    )
    return Views(sampled, shown[:, 0].round().long())


def patch_shares(labels: Tensor) -> Tensor:
    """Share of every label in every patch: (B, s, s) int64 -> (B, (s/8)^2, 18) float."""
    batch, side = labels.shape[0], labels.shape[1]
    grid = side // PATCH
    blocks = labels.view(batch, grid, PATCH, grid, PATCH).permute(0, 1, 3, 2, 4)
    blocks = blocks.reshape(batch * grid * grid, PATCH * PATCH)
    index = blocks + torch.arange(len(blocks))[:, None] * (UNLABELLED + 1)
    counts = torch.bincount(index.flatten(), minlength=len(blocks) * (UNLABELLED + 1))
    return counts.view(batch, grid * grid, UNLABELLED + 1).float() / PATCH**2


def patch_names(shares: Tensor, purity: float = 0.6) -> Tensor:
    """The label that mostly fills each patch, -1 where none does: (..., 18) -> (...) int64."""
    share, name = shares.max(-1)
    return torch.where((share >= purity) & (name != UNLABELLED), name, -1)


def brightness(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Every image multiplied by its own factor in 1 +- strength."""
    factor = torch.rand(len(pixels), 1, 1, 1, generator=generator) * 2 - 1
    return (pixels * (1 + strength * factor)).clamp(0, 1)


def colour_jitter(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation and channel gains, drawn for every image on its own."""

    def factor() -> Tensor:
        drawn = torch.rand(len(pixels), 1, 1, 1, generator=generator) * 2 - 1
        return 1 + strength * drawn

    pixels = pixels * factor()
    mean = pixels.mean((1, 2, 3), keepdim=True)
    pixels = (pixels - mean) * factor() + mean
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    grey = (pixels * weights).sum(1, keepdim=True)
    pixels = grey + (pixels - grey) * factor()
    gains = torch.randn(len(pixels), 3, 1, 1, generator=generator)
    return (pixels * (1 + 0.3 * strength * gains)).clamp(0, 1)


def sine_cosine_positions(width: int, grid: int) -> Tensor:
    """Fixed two-dimensional position embedding, (grid * grid, width) float in -1..1."""
    rows, columns = torch.meshgrid(
        torch.arange(grid).float(), torch.arange(grid).float(), indexing="ij"
    )
    frequencies = torch.exp(-math.log(100.0) * torch.arange(width // 4) / (width // 4 - 1))
    angles = [axis.reshape(-1, 1) * frequencies for axis in (rows, columns)]
    return torch.cat([part for a in angles for part in (a.sin(), a.cos())], 1)


def window_positions(embedding: Tensor, grid: int, corner: tuple[int, int]) -> Tensor:
    """Class position plus a grid x grid window of the patch positions: the spacing stays as is."""
    full = math.isqrt(len(embedding) - 1)
    row, column = corner
    patches = embedding[1:].view(full, full, -1)[row : row + grid, column : column + grid]
    return torch.cat([embedding[:1], patches.reshape(grid * grid, -1)])
