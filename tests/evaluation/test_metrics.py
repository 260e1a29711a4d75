import math

import numpy as np
import pytest
from numpy.typing import NDArray

from ssr.errors import InputError
from ssr.evaluation.metrics import (
    Scores,
    all_background,
    best,
    confusion_at,
    count_confusion,
    count_levels,
    objects_as_one,
    score,
    sweep,
    thresholds,
)
from ssr.labels import IGNORE


def random_labels(seed: int, classes: int, shape: tuple[int, int] = (40, 30)) -> NDArray:
    """Labels of which about one in ten is 255."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, shape).astype(np.uint8)
    labels[random.random(shape) < 0.1] = IGNORE
    return labels


def reference(truth: NDArray, prediction: NDArray, index: int) -> tuple[float, float, float, float]:
    """IoU, precision, recall and confusion ratio of one class from sets of pixels."""
    known = truth != IGNORE
    true = set(np.flatnonzero(known & (truth == index)))
    predicted = set(np.flatnonzero(known & (prediction == index)))
    both = true & predicted
    return (
        len(both) / len(true | predicted),
        len(both) / len(predicted),
        len(both) / len(true),
        len(predicted - true) / len(both),
    )


@pytest.mark.parametrize("classes", [2, 3, 21])
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_equal_an_implementation_with_sets(classes: int, seed: int) -> None:
    truth = random_labels(seed, classes)
    prediction = np.random.default_rng(seed + 9).integers(0, classes, truth.shape)
    agrees = np.random.default_rng(seed + 5).random(truth.shape) < 0.5
    prediction = np.where(agrees & (truth != IGNORE), truth, prediction)

    result = score(count_confusion(truth, prediction, classes)[:, :-1])

    expected = np.array([reference(truth, prediction, index) for index in range(classes)])
    ours = np.stack([result.iou, result.precision, result.recall, result.confusion_ratio], axis=1)
    np.testing.assert_allclose(ours, expected)
    np.testing.assert_allclose(list(result.means.values()), expected.mean(axis=0))


def test_rows_are_the_truth_and_the_last_column_counts_abstentions() -> None:
    truth = np.array([[0, 0, 1, 2, IGNORE, IGNORE]])
    prediction = np.array([[0, 1, 1, IGNORE, 0, IGNORE]])
    expected = [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(count_confusion(truth, prediction, 3), expected)


def test_counts_of_parts_add_up_to_the_counts_of_the_whole() -> None:
    truth, prediction = random_labels(0, 5), random_labels(1, 5)
    parts = [count_confusion(truth[rows], prediction[rows], 5) for rows in (slice(9), slice(9, 40))]
    np.testing.assert_array_equal(sum(parts), count_confusion(truth, prediction, 5))


def test_more_pixels_than_32_bits_count() -> None:
    many = 2**40
    result = score(np.array([[3 * many, many], [0, many]], np.int64))
    np.testing.assert_allclose(result.iou, [3 / 4, 1 / 2])


def test_a_class_that_never_occurs_is_listed_and_left_out_of_every_mean() -> None:
    result = score(np.array([[8, 0, 2], [0, 0, 0], [0, 0, 5]]))
    assert result.absent == (1,)
    assert result.never_right == ()
    np.testing.assert_allclose(result.iou, [8 / 10, np.nan, 5 / 7])
    means = result.means
    assert means["miou"] == pytest.approx((8 / 10 + 5 / 7) / 2)
    assert means["precision"] == pytest.approx((1 + 5 / 7) / 2)
    assert means["recall"] == pytest.approx((8 / 10 + 1) / 2)
    assert means["confusion_ratio"] == pytest.approx((0 + 2 / 5) / 2)


def test_a_class_without_a_right_pixel_counts_zero_but_has_no_confusion_ratio() -> None:
    result = score(np.array([[6, 3, 0], [2, 0, 0], [1, 0, 4]]))
    assert result.never_right == (1,)
    assert result.absent == ()
    assert math.isnan(result.confusion_ratio[1])
    assert result.means["confusion_ratio"] == pytest.approx((3 / 6 + 0 / 4) / 2)
    assert result.means["miou"] == pytest.approx((6 / 12 + 0 + 4 / 5) / 3)


def test_all_background_scores_the_backgrounds_share_over_the_classes_that_occur() -> None:
    confusion = np.array([[50, 5, 5, 0], [4, 20, 6, 0], [0, 0, 0, 0], [1, 0, 9, 0]])
    assert score(all_background(confusion)).means["miou"] == pytest.approx(60 / 100 / 3)
    abstained = np.hstack([confusion, [[10], [0], [0], [0]]])
    assert score(all_background(abstained)).means["miou"] == pytest.approx(70 / 110 / 3)


def test_object_or_not_is_a_matrix_of_two() -> None:
    confusion = np.array([[50, 5, 5], [4, 20, 6], [1, 0, 9]])
    binary = objects_as_one(confusion)
    assert binary.tolist() == [[50, 10], [5, 35]]
    assert score(binary).means["miou"] == pytest.approx((50 / 65 + 35 / 50) / 2)
    assert objects_as_one(np.array([[50, 5], [4, 20]])).tolist() == [[50, 5], [4, 20]]


def test_a_class_that_is_never_predicted_has_precision_zero() -> None:
    result = score(np.array([[5, 0], [3, 0]]))
    np.testing.assert_allclose(result.precision, [5 / 8, 0])
    np.testing.assert_allclose(result.recall, [1, 0])


def test_error_shares_tell_background_from_confusion() -> None:
    confusion = np.array([[60, 25, 15], [4, 30, 6], [6, 0, 14]])
    errors = score(confusion).errors
    assert errors["background_taken_for_object"] == pytest.approx(40 / 100)
    assert errors["object_taken_for_background"] == pytest.approx(10 / 60)
    assert errors["confusion_among_objects"] == pytest.approx(6 / 50)


def test_no_pixels_give_no_numbers_and_no_warnings(recwarn: pytest.WarningsRecorder) -> None:
    result = score(np.zeros((3, 3), np.int64))
    assert result.absent == (0, 1, 2)
    assert all(math.isnan(value) for value in {**result.means, **result.errors}.values())
    assert not recwarn.list


def test_values_outside_the_classes_are_refused() -> None:
    good, bad = np.array([[0, 1, 2]]), np.array([[0, 1, 7]])
    with pytest.raises(InputError, match="masks hold the value 7, allowed: 0 to 2 and 255"):
        count_confusion(bad, good, 3)
    with pytest.raises(InputError, match="labels hold the value 7"):
        count_confusion(good, bad, 3)


def test_a_prediction_of_value_classes_is_not_an_abstention() -> None:
    with pytest.raises(InputError, match="value 3"):
        count_confusion(np.array([[0]]), np.array([[3]]), 3)


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match=r"\(1, 2\).*\(2, 1\)"):
        count_confusion(np.zeros((1, 2), int), np.zeros((2, 1), int), 2)


@pytest.mark.parametrize(("levels", "classes"), [(100, 4), (7, 21)])
def test_one_pass_sweep_equals_thresholding_directly(levels: int, classes: int) -> None:
    random = np.random.default_rng(levels)
    truth = random_labels(3, classes, (50, 60))
    # Every third strength is exactly a threshold: the ties must fall the same way.
    strength = random.random((50, 60)).astype(np.float32)
    strength.flat[::3] = random.choice(thresholds(levels), strength.size)[::3]
    strength.flat[:2] = 0, 1
    winner = random.integers(1, classes, (50, 60))

    histogram = count_levels(truth, winner, strength, classes, levels)

    assert len(thresholds(levels)) == levels - 1 == len(sweep(histogram))
    for index, threshold in enumerate(thresholds(levels)):
        labels = np.where(strength > threshold, winner, 0)
        expected = count_confusion(truth, labels, classes)
        np.testing.assert_array_equal(confusion_at(histogram, index), expected[:, :-1])


def test_the_sweep_counts_images_together() -> None:
    truth = random_labels(0, 3)
    winner = np.full(truth.shape, 2)
    strength = np.random.default_rng(0).random(truth.shape, np.float32)
    whole = count_levels(truth, winner, strength, 3, 10)
    parts = [
        count_levels(*(part[rows] for part in (truth, winner, strength)), 3, 10)
        for rows in (slice(11), slice(11, 40))
    ]
    np.testing.assert_array_equal(sum(parts), whole)


def with_miou(value: float) -> Scores:
    """Scores of two classes whose mean IoU is `value`."""
    result = score(np.eye(2, dtype=np.int64))
    object.__setattr__(result, "iou", np.array([value, value]))
    return result


def test_best_is_the_first_of_the_largest_miou() -> None:
    assert best([with_miou(value) for value in (0.2, np.nan, 0.7, 0.7, 0.1)]) == 2


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(InputError, match="no labelled pixel"):
        best([with_miou(np.nan)])
