import numpy as np
import pytest
import torch

from ssr.maps import min_max, on_grid, upsample


def test_each_map_is_scaled_over_its_own_extremes() -> None:
    cams = np.array([[[1.0, 2.0], [3.0, 5.0]], [[-10.0, 0.0], [10.0, 0.0]]], np.float32)
    expected = [[[0, 0.25], [0.5, 1]], [[0, 0.5], [1, 0.5]]]
    np.testing.assert_allclose(min_max(cams), expected)


@pytest.mark.parametrize("magnitude", [1e-37, 1e-20, 1.0, 1e30])
def test_magnitude_does_not_matter(magnitude: float) -> None:
    cam = np.array([[[0, 1], [2, 4]]], np.float32)
    np.testing.assert_allclose(min_max(cam * np.float32(magnitude)), cam / 4, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_map_becomes_zero(value: float) -> None:
    assert (min_max(np.full((2, 3, 4), value, np.float32)) == 0).all()


def test_no_map_stays_no_map() -> None:
    assert min_max(np.empty((0, 3, 4), np.float32)).shape == (0, 3, 4)


def test_the_input_is_left_alone_and_the_result_is_single_precision() -> None:
    cam = np.arange(4, dtype=np.float16).reshape(1, 2, 2)
    result = min_max(cam)
    assert result.dtype == np.float32
    assert cam.max() == 3


@pytest.mark.parametrize(
    ("grid", "size"), [((24, 32), (375, 500)), ((1, 1), (5, 3)), ((7, 2), (7, 9)), ((6, 8), (3, 5))]
)
def test_equals_pytorch_bilinear(grid: tuple[int, int], size: tuple[int, int]) -> None:
    maps = np.random.default_rng(0).random((3, *grid), dtype=np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[None], size, mode="bilinear", align_corners=False
    )[0].numpy()
    np.testing.assert_allclose(upsample(maps, size), expected, atol=1e-5)


def test_half_precision_maps_become_single_precision() -> None:
    result = upsample(np.full((2, 3, 3), 0.5, np.float16), (6, 6))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, 0.5, atol=1e-6)


def test_an_image_without_classes_has_no_maps() -> None:
    assert upsample(np.zeros((0, 3, 4), np.float32), (6, 8)).shape == (0, 6, 8)


@pytest.mark.parametrize("side", [6, 9, 10])
def test_a_map_comes_onto_a_grid_by_the_mean_of_each_patch(side: int) -> None:
    maps = np.random.default_rng(0).random((2, side, 8), dtype=np.float32)
    # Each row thrice: patches begin and end between rows.
    pooled = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(maps.repeat(3, 1)), (3, 2))
    np.testing.assert_allclose(on_grid(maps, (3, 2)), pooled, rtol=1e-6)


def test_a_coarser_map_is_enlarged_onto_a_grid_and_one_that_lies_on_it_stays() -> None:
    maps = np.random.default_rng(0).random((2, 5, 4), dtype=np.float32)
    np.testing.assert_array_equal(on_grid(maps, (7, 9)), upsample(maps, (7, 9)))
    assert on_grid(maps, (5, 4)) is maps
