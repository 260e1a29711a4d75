"""How figures were measured, and the words for what differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssr.compare.protocol import differences, in_words, protocol_of
from ssr.config import Config, Crf, Labels, Prediction
from ssr.evaluation.evaluation import quality

CONFUSION = np.array([[60, 20, 5], [0, 40, 0]])
FIGURES: dict[str, Any] = {
    **{"stage": "prediction_crf", "split": "val", "images": 2, "crf": True},
    **{"scales": [1.0, 0.75], "flip": True, "threshold": None, "threshold_from": None},
    **{"protocol": "held_out"},
    **quality(CONFUSION, ["background", "cat"]),
}
CAMS = {"stage": "refined_cam", "crf": False, "scales": None, "flip": None, "threshold": 0.4}
TUNED = {"threshold_from": {"split": "tune", "images": 100}}


def protocol(ids: str = "ab", config: Config | None = None, **changes: Any) -> dict[str, str]:
    return dict(protocol_of(FIGURES | changes, list(ids), config or Config()))


def test_a_protocol_names_all_that_figures_depend_on_besides_the_method() -> None:
    words = in_words(protocol())
    assert words.startswith("classes 2 (")
    assert words.endswith("), scales 1, 0.75, flip yes, CRF dense, supervision image labels")
    assert ", split val, images 2 (" in words
    cams = in_words(protocol(**CAMS, **TUNED))
    assert "), CRF no, background threshold chosen on tune (100 images), superv" in cams


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": "train"}, "split train instead of val"),
        ({"scales": [1.0]}, "scales 1 instead of 1, 0.75"),
        ({"flip": False}, "flip no instead of yes"),
        ({"crf": False}, "CRF no instead of dense"),
        (
            {"config": Config(crf=Crf(bilateral_sxy=50, iterations=5))},
            "CRF dense with iterations 5, bilateral_sxy 50 instead of dense",
        ),
        ({"config": Config(labels=Labels(source="masks"))}, "supervision masks instead of image"),
        (
            {"config": Config(prediction=Prediction(foreign="peer"))},
            "supervision unknown instead of image labels",
        ),
        ({"threshold": 0.3}, "background threshold a setting instead of none"),
        (
            {"threshold": 0.3, "protocol": "published"} | TUNED,
            "background threshold the best on tune (100 images) itself instead of none",
        ),
        ({"threshold": 0.3} | TUNED, "background threshold chosen on tune (100 images) instead of"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_difference_is_named_in_words(changes: dict[str, Any], words: str) -> None:
    (difference,) = differences(protocol(**changes), protocol())
    assert difference.startswith(words)


def test_other_images_other_masks_and_other_classes_differ_though_their_numbers_agree() -> None:
    other_masks = quality(CONFUSION[::-1, [1, 0, 2]], ["background", "cat"])
    for changes, name in (
        ({"ids": "ac"}, "images 2 ("),
        (other_masks, "images 2 ("),
        ({"classes": ["background", "dog"]}, "classes 2 ("),
    ):
        (difference,) = differences(protocol(**changes), protocol())
        assert difference.startswith(name)
    assert protocol("ba") == protocol("ab")


def test_what_is_left_to_the_ignore_label_is_part_of_the_masks_still() -> None:
    more = quality(np.array([[50, 20, 15], [0, 10, 30]]), ["background", "cat"])
    assert protocol(**more) == protocol()


def test_pseudo_labels_have_a_crf_of_their_own() -> None:
    config = Config(labels=Labels(crf=Crf(iterations=3)), crf=Crf(iterations=7))
    assert protocol(config=config, stage="pseudo_label")["CRF"] == "dense with iterations 3"
