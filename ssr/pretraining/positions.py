"""Where patches are: fixed sine-cosine embeddings, read anywhere in the image.

Places are (row, column) as shares of the image, in 0..1.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ssr.errors import InputError
from ssr.pretraining.views import Windows


def sine_cosine_positions(width: int, grid: int) -> Tensor:
    """Fixed two-dimensional position embedding, (grid * grid, width) float in -1..1."""
    rows, columns = torch.meshgrid(
        torch.arange(grid).float(), torch.arange(grid).float(), indexing="ij"
    )
    frequencies = torch.exp(-math.log(100.0) * torch.arange(width // 4) / (width // 4 - 1))
    angles = [axis.reshape(-1, 1) * frequencies for axis in (rows, columns)]
    return torch.cat([part for a in angles for part in (a.sin(), a.cos())], 1)


@torch.no_grad()
def fix_positions(table: Tensor, grid: tuple[int, int], scale: float) -> None:
    """Fill the positions (1 + n, width) of a model with a square `grid`, the class token's first.

    Raises:
        InputError: the model has another shape.
    """
    rows, columns = grid
    if rows != columns or len(table) != 1 + rows * columns or table.shape[1] % 4:
        raise InputError(
            f"weights: train takes models with a square image, one class token and a width that 4 "
            f"divides; came {rows}x{columns} patches, {len(table)} tokens, width {table.shape[1]}"
        )
    table.zero_()
    table[1:] = sine_cosine_positions(table.shape[1], rows) * scale


def corner_places(corner: tuple[int, int], grid: int, full: int) -> Tensor:
    """Places (1, grid * grid, 2) of a window of patches at a `corner` of a full x full grid."""
    rows, columns = ((start + torch.arange(grid) + 0.5) / full for start in corner)
    return torch.cartesian_prod(rows, columns)[None]


def window_places(windows: Windows, side: int, grid: int) -> Tensor:
    """Places (B, grid * grid, 2) of the patches of views; a flipped view is of a flipped image."""
    steps = (np.arange(grid) + 0.5) / grid
    rows, columns = (
        (windows.corner[:, axis, None] + steps * windows.side[:, axis, None]) / side
        for axis in (0, 1)
    )
    columns = np.where(windows.flipped[:, None], 1 - columns[:, ::-1], columns)
    shape = (len(rows), grid, grid)
    pairs = np.stack(
        [np.broadcast_to(rows[:, :, None], shape), np.broadcast_to(columns[:, None], shape)], -1
    )
    return torch.from_numpy(pairs.reshape(len(rows), grid * grid, 2)).float()


def read_positions(table: Tensor, places: Tensor) -> Tensor:
    """Patch positions (B, n, d) at places (B, n, 2) of a square table (g * g, d): bilinear."""
    full = math.isqrt(len(table))
    image = table.T.reshape(1, -1, full, full).expand(len(places), -1, -1, -1)
    points = (2 * places.flip(-1) - 1)[:, None].to(table.device)
    read = F.grid_sample(image, points, padding_mode="border", align_corners=False)
    return read[:, :, 0].mT
