"""The paired bootstrap over images, against enumeration and closed forms."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from ssr.evaluation.bootstrap import RESAMPLES, draws, interval, resampled_miou
from ssr.evaluation.metrics import Counts, score

IMAGES, CLASSES = 4, 3


def confusions(seed: int) -> Counts:
    """(images, classes, classes) pixels, some classes in some images only."""
    random = np.random.default_rng(seed)
    drawn = random.integers(0, 50, (IMAGES, CLASSES, CLASSES))
    return drawn * (random.random((IMAGES, CLASSES, 1)) < 0.7)


def areas(counted: Counts) -> Counts:
    right = np.diagonal(counted, axis1=1, axis2=2)
    return np.stack([right, counted.sum(1) + counted.sum(2) - right], axis=1)


def every_resample() -> NDArray[np.int64]:
    """All 4^4 ways to draw, each as likely: (256, images) times."""
    drawn = product(range(IMAGES), repeat=IMAGES)
    return np.array([np.bincount(one, minlength=IMAGES) for one in drawn])


@pytest.mark.parametrize("seed", range(5))
def test_the_miou_of_every_resample_is_that_of_its_confusions_added_up(seed: int) -> None:
    counted, times = confusions(seed), every_resample()
    expected = [score(np.tensordot(each, counted, 1)).means["miou"] for each in times]
    found = resampled_miou(areas(counted), [times[:100].astype(float), times[100:].astype(float)])
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_images_that_have_no_class_have_no_miou() -> None:
    found = resampled_miou(np.zeros((2, 2, 3), int), [np.ones((1, 2))])
    assert np.isnan(found).all()


def test_a_paired_difference_has_the_interval_of_all_resamples() -> None:
    one, other = (areas(confusions(seed)) for seed in (0, 1))

    def gained(times: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return resampled_miou(one, times) - resampled_miou(other, times)

    exact = gained([every_resample().astype(float)])
    drawn = gained([*draws(IMAGES)])
    assert len(drawn) == RESAMPLES >= 1000
    assert set(drawn.round(12)) <= set(exact.round(12))
    for end, sampled in zip(interval(exact), interval(drawn), strict=True):
        share = (exact < end).mean(), (exact <= end).mean()
        assert share[0] - 0.015 < (drawn <= sampled).mean() < share[1] + 0.015


def test_where_the_miou_is_a_mean_over_images_its_variance_is_known() -> None:
    """Equal unions: the sum's IoU is the mean of the images', its variance theirs over n."""
    right = np.random.default_rng(0).integers(0, 1000, 50)
    equal = np.stack([right, np.full(50, 1000)], axis=1)[:, :, None]
    found = resampled_miou(equal, draws(50))
    iou = right / 1000
    error = iou.std() / np.sqrt(50)
    assert found.mean() == pytest.approx(iou.mean(), abs=4 * error / np.sqrt(RESAMPLES))
    assert found.std() == pytest.approx(error, rel=4 / np.sqrt(2 * RESAMPLES))
    low, high = interval(found)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_as_many_images_are_drawn_as_there_are_and_always_the_same() -> None:
    first, again = (np.concatenate([*draws(7)]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (RESAMPLES, 7)
    assert set(first.sum(1)) == {7}
    assert first.mean(0) == pytest.approx(np.ones(7), abs=4 / np.sqrt(RESAMPLES))


def test_an_interval_leaves_a_fortieth_out_at_each_end() -> None:
    assert interval(np.arange(1001.0)) == pytest.approx((25, 975))
