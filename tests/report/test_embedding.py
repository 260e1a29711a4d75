import numpy as np
import pytest

from ssr.report.embedding import MOST_CLASSES, MOST_SAMPLES, choose, draw_embedding, embed
from ssr.report.features import Features, read_features
from tests.report.finished_run import FinishedRun


@pytest.fixture(scope="module")
def features(finished: FinishedRun) -> Features:
    return read_features(finished.prototypes, finished.heads)


def test_features_and_texts_of_classes_lie_in_two_planes(features: Features) -> None:
    found = embed(features, seed=0)
    assert found.classes.tolist() == [1, 2, 3]
    assert found.labels.tolist() == [1, 2, 3] * 8
    assert found.images.shape == (2, 24, 2)
    assert found.texts.shape == (2, 3, 2)
    assert np.isfinite(found.images).all()


def test_the_same_seed_gives_the_same_places(features: Features) -> None:
    first, again = embed(features, seed=0), embed(features, seed=0)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.texts, again.texts)


def test_the_most_frequent_classes_are_shown() -> None:
    labels = np.repeat(np.arange(40), 50)
    labels = np.concatenate([labels, np.full(7, 3)])
    classes, rows = choose(labels, 40, seed=0)
    assert len(classes) == MOST_CLASSES
    assert 3 in classes
    assert len(rows) == MOST_SAMPLES == len(set(rows.tolist()))
    assert set(labels[rows]) <= set(classes.tolist())


def test_classes_without_samples_are_left_out() -> None:
    classes, rows = choose(np.array([0, 2, 2]), 3, seed=0)
    assert classes.tolist() == [0, 2]
    assert rows.tolist() == [0, 1, 2]


def test_legend_names_the_classes(features: Features) -> None:
    figure = draw_embedding(embed(features, seed=0), ["background", "cat", "dog", "owl"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cat", "dog", "owl"]
    assert [axes.get_title() for axes in figure.axes] == ["before alignment", "after alignment"]
