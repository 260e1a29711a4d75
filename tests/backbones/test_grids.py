"""Between patch grids: areas are shared out exactly, and attention keeps its rows."""

import pytest
import torch

from ssr.backbones.grids import (
    Grid,
    interpolate_smoothly,
    mean_over_cells,
    overlap,
    resample_attention,
    sum_over_cells,
)

TOLERANCE = {"atol": 1e-6, "rtol": 0.0}


def values(grid: Grid, width: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, grid[0] * grid[1], width, generator=generator)


def attention(grid: Grid) -> torch.Tensor:
    return values(grid, grid[0] * grid[1]).softmax(-1)


def test_overlap_of_three_cells_with_two() -> None:
    expected = torch.tensor([[2.0, 0], [1, 1], [0, 2]]) / 6
    torch.testing.assert_close(overlap(3, 2), expected)
    torch.testing.assert_close(overlap(2, 3), expected.T)


@pytest.mark.parametrize("cells", [1, 5, 24])
def test_overlap_fills_every_cell(cells: int) -> None:
    shared = overlap(cells, 7)
    torch.testing.assert_close(shared.sum(1), torch.full((cells,), 1 / cells))
    torch.testing.assert_close(shared.sum(0), torch.full((7,), 1 / 7))


def test_where_sizes_divide_blocks_are_pooled() -> None:
    own, wanted = (4, 6), (2, 3)
    patches = values(own)
    blocks = patches.view(2, 2, 2, 3, 2, 3)
    expected = blocks.mean((2, 4)).flatten(1, 2)
    torch.testing.assert_close(mean_over_cells(patches, own, wanted), expected, **TOLERANCE)
    torch.testing.assert_close(sum_over_cells(patches, own, wanted), 4 * expected, **TOLERANCE)
    maps = attention(own)
    pairs = maps.view(2, 2, 2, 3, 2, 2, 2, 3, 2)
    expected = pairs.sum((6, 8)).mean((2, 4)).reshape(2, 6, 6)
    torch.testing.assert_close(resample_attention(maps, own, wanted), expected, **TOLERANCE)


@pytest.mark.parametrize("own", [(2, 3), (5, 7), (8, 4), (1, 9)])
def test_rows_keep_their_sum_on_any_grid(own: Grid) -> None:
    maps = attention(own) * 0.9  # as without the class token's share
    resampled = resample_attention(maps, own, (3, 5))
    assert resampled.shape == (2, 15, 15)
    assert resampled.min() >= 0
    torch.testing.assert_close(resampled.sum(-1), torch.full((2, 15), 0.9), **TOLERANCE)


@pytest.mark.parametrize("own", [(2, 3), (5, 7)])
def test_what_is_equal_everywhere_stays_so(own: Grid) -> None:
    same = torch.full((1, own[0] * own[1], 2), 7.0)
    expected = torch.full((1, 15, 2), 7.0)
    torch.testing.assert_close(mean_over_cells(same, own, (3, 5)), expected, rtol=1e-6, atol=0)


def test_places_are_kept() -> None:
    """What a corner attends to, its own corner of a finer grid, is the corner of a coarser one."""
    finer = torch.zeros(1, 36, 36)
    finer[0, 35, 35] = 1
    coarser = resample_attention(finer, (6, 6), (3, 3))
    assert coarser[0, 8, 8] == 0.25  # a quarter of the queries of the corner
    assert coarser.sum() == 0.25


def test_the_same_grid_changes_nothing() -> None:
    patches, maps = values((3, 5)), attention((3, 5))
    assert mean_over_cells(patches, (3, 5), (3, 5)) is patches
    assert resample_attention(maps, (3, 5), (3, 5)) is maps


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("own", [(7, 7), (9, 1)])
@pytest.mark.parametrize("wanted", [(5, 1), (12, 1), (1, 5), (3, 2)])
def test_rows_and_columns_are_interpolated_alike(mode: str, own: Grid, wanted: Grid) -> None:
    maps = values(own).mT.unflatten(2, own).contiguous()
    turned = interpolate_smoothly(maps.mT.contiguous(), wanted[::-1], mode)
    torch.testing.assert_close(interpolate_smoothly(maps, wanted, mode), turned.mT)
