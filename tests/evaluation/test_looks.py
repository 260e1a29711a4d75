"""Which of several heads are chosen, by CAMs and masks."""

from pathlib import Path

import numpy as np
import pytest

from ssr.artefacts.store import open_shards
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.errors import InputError
from ssr.evaluation.evaluation import NO_MAPS, count_cams, pair_with_masks
from ssr.evaluation.looks import Look, choose, look_at, write_looks
from ssr.evaluation.metrics import best, sweep, thresholds
from ssr.labels import IGNORE
from tests.evaluated_folder import make_folder, write_cams


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([0.2, 0.3, 0.5, 0.4], 20),
        ([0.5, 0.3, 0.2, 0.1], 0),
        ([0.2, 0.5, 0.5, 0.5], 10),
        ([0.5, 0.5, 0.4, 0.5], 0),
    ],
)
def test_the_best_look_is_chosen_and_the_earliest_of_equals(
    found: list[float], chosen: int
) -> None:
    looks = [Look(10 * number, 0.5, miou) for number, miou in enumerate(found)]
    assert choose(looks).iteration == choose(looks[::-1]).iteration == chosen


def test_a_look_sees_what_the_evaluation_of_its_cams_sees(tmp_path: Path) -> None:
    truth = make_folder(tmp_path)
    images = Index.read(tmp_path / "index.parquet").split("tune")
    masks = Masks.read(tmp_path / "masks.parquet", tmp_path)
    cams, expected = [], []
    for seed in (0, 1):
        path = write_cams(tmp_path, "tune_0000", seed=seed)
        store = open_shards([path])
        cams.append([store.read(image.id, "cams") for image in images])
        tally = count_cams(*pair_with_masks([path], images, masks), classes=4)
        scores = sweep(tally.total)
        threshold = round(float(thresholds(100)[best(scores)]), 6)
        expected.append(Look(seed, threshold, scores[best(scores)].means["miou"]))
    seen = [
        (truth[image.id], own, np.array([1, 2])) for image, *own in zip(images, *cams, strict=True)
    ]
    assert look_at(seen, [0, 1], 4) == expected


def test_an_image_without_labels_counts_as_background() -> None:
    blank = np.zeros((4, 6), np.uint8)
    (look,) = look_at([(blank, [NO_MAPS[0]], NO_MAPS[1])], [0], 3)
    assert look.miou == 1


def test_masks_without_a_known_pixel_choose_nothing() -> None:
    unknown = np.full((4, 6), IGNORE, np.uint8)
    with pytest.raises(InputError, match="no labelled pixel"):
        look_at([(unknown, [np.ones((1, 2, 3))], np.array([1]))], [0], 3)


def test_what_was_seen_is_a_table(tmp_path: Path) -> None:
    write_looks(tmp_path / "chosen.csv", [Look(0, 0.4, 0.25), Look(12, 0.41, 0.5)])
    assert (tmp_path / "chosen.csv").read_text().split() == [
        "iteration,threshold,miou",
        "0,0.4,0.25",
        "12,0.41,0.5",
    ]
