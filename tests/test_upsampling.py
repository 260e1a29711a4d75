import numpy as np
import pytest
import torch

from ssr.upsampling import upsample


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
