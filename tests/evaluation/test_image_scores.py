from pathlib import Path

import numpy as np
import pytest

from ssr.artefacts.seals import verify
from ssr.errors import InputError
from ssr.evaluation.image_scores import ImageScores, sparse, write_image_counts
from ssr.evaluation.metrics import Counts, score

CONFUSIONS = {
    "good": np.array([[60, 0, 0, 4], [0, 30, 0, 0], [0, 0, 0, 0]]),
    "bad": np.array([[60, 20, 0, 0], [5, 30, 0, 0], [0, 40, 0, 9]]),
    "silent": np.array([[0, 0, 0, 7], [0, 0, 0, 0], [0, 0, 0, 0]]),
}


def written(path: Path, confusions: dict[str, Counts]) -> Path:
    write_image_counts(path, {name: sparse(one) for name, one in confusions.items()})
    return path


def test_rows_name_truth_answer_and_pixels() -> None:
    rows = sparse(CONFUSIONS["good"]).tolist()
    assert rows == [[0, 0, 60], [0, 255, 4], [1, 1, 30]]


def test_scores_are_those_of_each_confusion_without_its_abstentions(tmp_path: Path) -> None:
    scores = ImageScores.read(written(tmp_path / "val.images.parquet", CONFUSIONS), 3)
    assert scores.ids == list(CONFUSIONS)
    for row, confusion in enumerate(CONFUSIONS.values()):
        expected = score(confusion[:, :3])
        np.testing.assert_allclose(scores.iou[row], expected.iou)
        np.testing.assert_allclose(scores.miou[row], expected.means["miou"])


def test_the_most_frequent_mistake_is_named(tmp_path: Path) -> None:
    scores = ImageScores.read(written(tmp_path / "val.images.parquet", CONFUSIONS), 3)
    assert scores.pairs.tolist() == [[0, 0], [2, 1], [0, 0]]
    assert scores.wrong.tolist() == [0, 40, 0]


def test_the_table_is_sealed_and_equal_counts_give_equal_bytes(tmp_path: Path) -> None:
    first, second = (written(tmp_path / name, CONFUSIONS) for name in ("a", "b"))
    verify(first, required=True)
    assert first.read_bytes() == second.read_bytes()


def test_no_images_are_no_scores(tmp_path: Path) -> None:
    scores = ImageScores.read(written(tmp_path / "val.images.parquet", {}), 3)
    assert (scores.ids, scores.iou.shape, scores.miou.shape) == ([], (0, 3), (0,))


def test_classes_of_another_configuration_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "val.images.parquet", CONFUSIONS)
    with pytest.raises(InputError, match="beyond the 2 of the configuration"):
        ImageScores.read(path, 2)
    path.write_bytes(b"no table")
    with pytest.raises(InputError, match="cannot be read as counts of images"):
        ImageScores.read(path, 3)
