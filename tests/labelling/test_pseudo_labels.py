import numpy as np
import pytest

from ssr.config import Crf, Labels
from ssr.evaluation.metrics import confusion_at, count_confusion, count_levels, thresholds
from ssr.labelling.pseudo_labels import background_score, enlarge, exponent, label_pixels, strongest
from ssr.labels import IGNORE

CLASSES = np.array([3, 7])


def random_cams(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((2, 6, 8)).astype(np.float32) * 40


def test_raw_maps_are_scaled_before_they_are_enlarged() -> None:
    cams = random_cams()
    np.testing.assert_allclose(
        enlarge(1000 * cams - 5, (24, 32)), enlarge(cams, (24, 32)), atol=1e-4
    )
    same_grid = enlarge(cams, (6, 8))
    assert (same_grid.min((1, 2)) == 0).all()
    np.testing.assert_allclose(same_grid.max((1, 2)), 1)


def test_the_strongest_class_wins() -> None:
    cams = np.array([[[0.2, 0.9]], [[0.6, 0.1]]], np.float32)
    winner, strength = strongest(cams, CLASSES)
    assert winner.tolist() == [[7, 3]]
    np.testing.assert_allclose(strength, [[0.6, 0.9]])


def test_an_image_without_classes_is_background() -> None:
    nothing = np.zeros((0, 6, 8), np.float32)
    winner, strength = strongest(nothing, np.zeros(0, int))
    assert not winner.any()
    assert not strength.any()
    for crf in (None, Crf()):
        image = np.zeros((12, 16, 3), np.uint8)
        labels = label_pixels(nothing, np.zeros(0), (12, 16), 0.3, Labels(crf=crf), image)
        assert labels.shape == (12, 16)
        assert not labels.any()


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 0.9])
def test_power_and_constant_cross_the_activation_at_the_same_threshold(threshold: float) -> None:
    strength = np.linspace(0, 1, 1001, dtype=np.float32)
    strength = strength[np.abs(strength - threshold) > 1e-4]
    constant = background_score(strength, threshold, "constant")
    power = background_score(strength, threshold, "power")
    np.testing.assert_array_equal(strength > power, strength > constant)
    assert exponent(0.5) == pytest.approx(1)


def test_pixels_above_the_threshold_get_the_strongest_class() -> None:
    cams = np.zeros((2, 1, 4), np.float32)
    cams[0, 0] = [0, 5, 10, 4]
    cams[1, 0] = [1, 0, 0, 2]
    labels = label_pixels(cams, CLASSES, (1, 4), 0.45, Labels())
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[7, 3, 3, 7]]
    assert label_pixels(cams, CLASSES, (1, 4), 0.55, Labels()).tolist() == [[0, 0, 3, 7]]


@pytest.mark.parametrize("kind", ["constant", "power"])
def test_labels_are_those_that_the_sweep_scored(kind: str) -> None:
    cams = random_cams(1)
    truth = np.random.default_rng(2).integers(0, 8, (30, 45))
    histogram = count_levels(truth, *strongest(enlarge(cams, (30, 45)), CLASSES), 8, 100)
    for index in (0, 36, 98):
        threshold = float(thresholds(100)[index])
        labels = label_pixels(cams, CLASSES, (30, 45), threshold, Labels(background=kind))
        expected = count_confusion(truth, labels, 8)[:, :-1]
        np.testing.assert_array_equal(confusion_at(histogram, index), expected)


@pytest.mark.parametrize("kind", ["constant", "power"])
def test_with_a_crf_labels_end_at_the_edge_in_the_image(kind: str) -> None:
    image = np.full((24, 32, 3), 40, np.uint8)
    image[:, 10:] = 200
    cams = np.zeros((1, 6, 8), np.float32)
    cams[0, :, 3:] = 1  # from column 12 on
    arguments = (cams, np.array([3]), (24, 32), 0.3)
    plain = label_pixels(*arguments, Labels(background=kind), image)
    labels = label_pixels(*arguments, Labels(background=kind, crf=Crf()), image)
    assert (plain[:, 10] == 0).all(), "the CRF has nothing to correct"
    np.testing.assert_array_equal(labels, np.where(np.arange(32) < 10, 0, 3)[None].repeat(24, 0))


def test_pixels_whose_winner_is_doubtful_are_ignored() -> None:
    cams = np.zeros((2, 6, 8), np.float32)
    cams[:, :, 4:] = 1  # two classes, equally strong on the right: no winner above one half
    image = np.zeros((12, 16, 3), np.uint8)
    image[:, 8:] = 200
    arguments = (cams, CLASSES, (12, 16), 0.05)
    sure = label_pixels(*arguments, Labels(crf=Crf(), confidence=0), image)
    labels = label_pixels(*arguments, Labels(crf=Crf(), confidence=0.95), image)
    assert not (sure == IGNORE).any()
    assert (sure[:, 8:] > 0).all()
    assert (labels[:, 8:] == IGNORE).all()
    assert (labels[:, :7] == 0).all()


def test_a_crf_without_an_image_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="image"):
        label_pixels(random_cams(), CLASSES, (12, 16), 0.3, Labels(crf=Crf()))
