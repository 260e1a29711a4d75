import numpy as np
import pytest

from ssr.report.features import Features, cosine_table, cosines, read_features
from tests.report.finished_run import FinishedRun

DIAGONAL = np.sqrt(0.5)


@pytest.fixture(scope="module")
def turned() -> Features:
    """Two samples of class 0, whose mean is its text, and one of class 2; none of class 1.

    Before the alignment the texts of classes 0 and 2 are swapped.
    """
    texts = np.eye(3, 4, dtype=np.float32)
    images = np.array([[1, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1 / DIAGONAL, 0]], np.float32) * DIAGONAL
    return Features(np.array([0, 0, 2]), (images, images), (texts[::-1], texts))


def test_features_are_those_of_classes_before_and_after_the_heads(finished: FinishedRun) -> None:
    found = read_features(finished.prototypes, finished.heads)
    assert found.labels.tolist() == [0, 1, 2] * 8, "without those of the background"
    for images, texts in zip(found.images, found.texts, strict=True):
        assert (images.shape, texts.shape) == ((24, 6), (3, 6))
        np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, rtol=1e-6)


def test_the_cosine_is_that_of_a_text_and_the_mean_of_its_images(turned: Features) -> None:
    classes, own, others = cosines(turned)
    assert classes.tolist() == [0, 2]
    np.testing.assert_allclose(own, [[0, 0], [1, 1]], atol=1e-6)
    np.testing.assert_allclose(others, [[0.5, 0.5], [0, 0]], atol=1e-6)


def test_a_single_class_has_no_others(turned: Features) -> None:
    alone = Features(
        turned.labels[:2], tuple(each[:2] for each in turned.images), (np.eye(1, 4),) * 2
    )
    table = cosine_table(alone, ["background", "cat"])
    assert table.rows[0] == ("cat", "2", "1.000", "1.000", "–", "–")


def test_every_class_with_samples_has_a_row_and_their_mean_the_last(turned: Features) -> None:
    table = cosine_table(turned, ["background", "cat", "dog", "owl"])
    assert table.rows == (
        ("cat", "2", "0.000", "1.000", "0.500", "0.000"),
        ("owl", "1", "0.000", "1.000", "0.500", "0.000"),
        ("mean over classes", "3", "0.000", "1.000", "0.500", "0.000"),
    )
