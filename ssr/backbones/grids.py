"""From one patch grid to another, smoothly or by area.

By area, a cell takes from each cell as much as it covers of it. Both grids cover the same image, so
their cells differ in size and number only. Rows and columns are independent, which keeps the
matrices small.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Grid = tuple[int, int]


def interpolate_smoothly(
    values: Tensor, grid: Grid, mode: Literal["bilinear", "bicubic"]
) -> Tensor:
    """Maps (B, C, h, w) on another grid, antialiased where it is coarser."""
    # Where a map becomes a single column, torch 2.14 repeats its first row, but with channels last.
    last = values.contiguous(memory_format=torch.channels_last)
    return F.interpolate(last, grid, mode=mode, align_corners=False, antialias=True).contiguous()


def overlap(cells: int, others: int) -> Tensor:
    """How much of the unit interval each of `cells` shares with each of `others`, float32.

    (cells, others); rows sum to 1 / cells, columns to 1 / others.
    """
    edges = torch.arange(cells + 1, dtype=torch.float64)[:, None] / cells
    other_edges = torch.arange(others + 1, dtype=torch.float64)[None] / others
    ends = torch.minimum(edges[1:], other_edges[:, 1:])
    starts = torch.maximum(edges[:-1], other_edges[:, :-1])
    return (ends - starts).clamp(min=0).float()


def mean_over_cells(values: Tensor, own: Grid, wanted: Grid) -> Tensor:
    """Area means of patch features: (..., N_own, W) → (..., N_wanted, W), row-major grids."""
    if own == wanted:
        return values
    rows, columns = (
        cells * overlap(cells, others).to(values) for cells, others in zip(wanted, own, strict=True)
    )
    image = values.unflatten(-2, own)
    return torch.einsum("yr,xc,...rcw->...yxw", rows, columns, image).flatten(-3, -2)


def sum_over_cells(values: Tensor, own: Grid, wanted: Grid) -> Tensor:
    """Area sums, which keep the total: (..., N_own, W) → (..., N_wanted, W), row-major grids."""
    share = (wanted[0] * wanted[1]) / (own[0] * own[1])
    return mean_over_cells(values, own, wanted) / share


def resample_attention(attention: Tensor, own: Grid, wanted: Grid) -> Tensor:
    """Patch-to-patch attention on another grid: (..., N_own, N_own) → (..., N_wanted, N_wanted).

    What a patch attends to is summed over the keys in each new cell, and averaged over the queries
    in it: a row that summed to s still does.
    """
    if own == wanted:
        return attention
    keys = sum_over_cells(attention.mT, own, wanted)  # (..., N_wanted keys, N_own queries)
    return mean_over_cells(keys.mT, own, wanted)
