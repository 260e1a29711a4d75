"""Which methods and stages are compared with which, over seeds."""

from pathlib import Path

import numpy as np
import pytest

from ssr.evaluation.bootstrap import draws, interval, resampled_miou
from ssr.evaluation.comparisons import differences
from ssr.evaluation.image_scores import beside, read_areas, sparse, write_image_counts

CLASSES = 3


def evaluated(folder: Path, name: str, right: float, images: str = "abcdef") -> Path:
    """An evaluation in which so large a share of the pixels is right."""
    random = np.random.default_rng(int(1000 * right))
    counted = {}
    for image in images:
        confusion = random.integers(0, 20, (CLASSES, CLASSES))
        counted[image] = sparse(confusion + np.diag([int(100 * right)] * CLASSES))
    path = folder / name / "val.json"
    write_image_counts(beside(path), counted)
    return path


def test_no_method_is_to_beat_what_learned_from_masks(tmp_path: Path) -> None:
    evaluations = {
        (method, "prediction"): [evaluated(tmp_path, method, right)]
        for method, right in (("ssr", 0.4), ("clip", 0.5), ("fully_supervised", 0.9))
    }
    found = differences(evaluations, CLASSES, bounds=["fully_supervised"])
    to = {method: [one["to_method"] for one in each] for (method, _), each in found.items()}
    assert to == {"ssr": ["clip"], "clip": ["ssr"], "fully_supervised": ["ssr", "clip"]}


def test_each_is_compared_with_its_start_the_first_method_and_the_best(tmp_path: Path) -> None:
    start, aligned, ssr, clip, best = (
        evaluated(tmp_path, f"{number}", 0.3 + number / 10) for number in range(5)
    )
    found = differences(
        {
            ("ssr", "initial_cam"): [start],
            ("ssr", "aligned_cam"): [aligned],
            ("ssr", "refined_cam"): [ssr],
            ("clip", "initial_cam"): [start],
            ("clip", "refined_cam"): [clip],
            ("best", "initial_cam"): [start],
            ("best", "refined_cam"): [best],
        },
        CLASSES,
    )
    to = {key: [(one["to_method"], one["to_stage"]) for one in each] for key, each in found.items()}
    assert to == {
        ("ssr", "initial_cam"): [],
        ("ssr", "aligned_cam"): [("ssr", "initial_cam")],
        ("ssr", "refined_cam"): [("ssr", "initial_cam"), ("best", "refined_cam")],
        ("clip", "initial_cam"): [],
        ("clip", "refined_cam"): [
            ("clip", "initial_cam"),
            ("ssr", "refined_cam"),
            ("best", "refined_cam"),
        ],
        ("best", "initial_cam"): [],
        ("best", "refined_cam"): [("best", "initial_cam"), ("ssr", "refined_cam")],
    }
    for one in (found["clip", "refined_cam"][1], found["best", "refined_cam"][0]):
        assert -1 < one["low"] < one["difference"] < one["high"] < 1


def test_over_seeds_the_means_are_compared_on_the_same_images(tmp_path: Path) -> None:
    start = evaluated(tmp_path, "start", 0.3)
    seeds = [evaluated(tmp_path, f"seed{number}", 0.4 + number / 20) for number in range(3)]
    (found,) = differences(
        {("ssr", "initial_cam"): [start], ("ssr", "refined_cam"): seeds}, CLASSES
    )["ssr", "refined_cam"]
    miou = [
        resampled_miou(read_areas(beside(path), CLASSES)[1], [np.ones((1, 6)), *draws(6)])
        for path in (start, *seeds)
    ]
    gained = np.mean(miou[1:], axis=0) - miou[0]
    assert found["difference"] == pytest.approx(gained[0])
    assert (found["low"], found["high"]) == pytest.approx(interval(gained[1:]))


def test_the_order_of_the_images_is_no_matter(tmp_path: Path) -> None:
    paths = [evaluated(tmp_path, "a", 0.5), tmp_path / "b" / "val.json"]
    ids, _ = read_areas(beside(paths[0]), CLASSES)
    random = np.random.default_rng(500)
    made = {
        image: sparse(random.integers(0, 20, (3, 3)) + 50 * np.eye(3, dtype=int)) for image in ids
    }
    write_image_counts(beside(paths[1]), dict(reversed(made.items())))
    found = differences({("a", "refined_cam"): paths[:1], ("b", "refined_cam"): paths[1:]}, CLASSES)
    (same,) = found["b", "refined_cam"]
    assert (same["difference"], same["low"], same["high"]) == (0, 0, 0)


@pytest.mark.parametrize("images", ["abcde", "abcdeg", ""], ids=["fewer", "others", "none"])
def test_other_images_are_not_compared(tmp_path: Path, images: str) -> None:
    start, final = evaluated(tmp_path, "a", 0.3), evaluated(tmp_path, "b", 0.4, images)
    found = differences({("ssr", "initial_cam"): [start], ("ssr", "prediction"): [final]}, CLASSES)
    assert found["ssr", "prediction"] == []
