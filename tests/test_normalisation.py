import numpy as np
import pytest

from ssr.normalisation import min_max


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
