"""Views of stored images: windows, flips, colour changes, and what each patch of a view shows.

Images are stored as squares; a window may be stretched, so that a view shows the true proportions.
Label maps number what is shown from 0; the last number stands for nothing usable.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """Parts of B square images: middle (B, 2) and side (B, 2), row before column, in pixels."""

    middle: Floats
    side: Floats
    flipped: NDArray[np.bool_]

    @property
    def corner(self) -> Floats:
        """Upper left corner (B, 2)."""
        return self.middle - self.side / 2


@dataclass(frozen=True)
class Views:
    """A batch of views: pixels (B, 3, s, s) float in 0..1, labels (B, s, s) int64."""

    pixels: Tensor
    labels: Tensor


def place_windows(
    centres: Floats, scales: Floats, flipped: NDArray[np.bool_], size: int, side: int
) -> Windows:
    """Windows for views of `size` pixels around `centres`, pushed inside images of `side` pixels.

    centres (B, 2) and scales (B,) or (B, 2): stored pixels per pixel of the view. A scale of 1
    copies pixels exactly.
    """
    scales = np.broadcast_to(scales.reshape(len(centres), -1), centres.shape)
    window = np.minimum(size * scales, side)
    corner = np.clip(centres + 0.5 - window / 2, 0, side - window)
    corner = np.where(np.isclose(scales, 1.0), np.floor(corner), corner)
    return Windows(corner + window / 2, window, flipped)


def cut_views(images: Bytes, labels: Bytes, windows: Windows, size: int) -> Views:
    """The windows, flipped and resized to (size, size).

    images (B, S, S, 3) uint8, labels (B, S, S) uint8.
    """
    side = images.shape[1]
    theta = torch.zeros(len(images), 2, 3)
    mirror = np.where(windows.flipped, -1.0, 1.0)
    theta[:, 0, 0] = torch.from_numpy(mirror * windows.side[:, 1] / side)
    theta[:, 1, 1] = torch.from_numpy(windows.side[:, 0] / side)
    theta[:, :, 2] = torch.from_numpy(2 * windows.middle[:, ::-1] / side - 1)
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


def patch_shares(labels: Tensor, count: int, patch: int) -> Tensor:
    """Share of each of `count` labels in every patch: (B, s, s) int64 -> (B, (s/p)^2, count)."""
    batch, side = labels.shape[0], labels.shape[1]
    grid = side // patch
    blocks = labels.view(batch, grid, patch, grid, patch).permute(0, 1, 3, 2, 4)
    blocks = blocks.reshape(batch * grid * grid, patch * patch)
    index = blocks + torch.arange(len(blocks))[:, None] * count
    counts = torch.bincount(index.flatten(), minlength=len(blocks) * count)
    return counts.view(batch, grid * grid, count).float() / patch**2


def patch_names(shares: Tensor, purity: float = 0.6) -> Tensor:
    """The label that mostly fills each patch, -1 where none does: (..., L) -> (...) int64.

    The last label means nothing usable.
    """
    share, name = shares.max(-1)
    return torch.where((share >= purity) & (name != shares.shape[-1] - 1), name, -1)


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
