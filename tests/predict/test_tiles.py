import numpy as np
import pytest

from ssr.predict.tiles import tiles

SIZES = [(100, 300, 64), (64, 65, 64), (1, 1000, 100), (17, 5, 4)]


def test_an_image_that_is_small_enough_is_one_tile() -> None:
    whole = (slice(0, 64), slice(0, 50))
    assert list(tiles(64, 50, 64)) == list(tiles(64, 50, None)) == [(whole, whole)]


@pytest.mark.parametrize(("height", "width", "side"), SIZES)
def test_each_pixel_is_labelled_once(height: int, width: int, side: int) -> None:
    labelled = np.zeros((height, width), int)
    for _, own in tiles(height, width, side):
        labelled[own] += 1
    assert (labelled == 1).all()


@pytest.mark.parametrize(("height", "width", "side"), SIZES)
def test_no_tile_is_longer_and_what_is_labelled_has_seen_what_is_around_it(
    height: int, width: int, side: int
) -> None:
    for seen, own in tiles(height, width, side):
        for length, whole, part in zip((height, width), seen, own, strict=True):
            assert whole.stop - whole.start <= side + 1  # parts are rounded to pixels
            assert whole.start in (0, part.start - side // 8)
            assert whole.stop in (length, part.stop + side // 8)
