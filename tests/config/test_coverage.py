"""Which stages are made of which methods and splits; tests/workflow holds the DAG to it."""

from __future__ import annotations

from typing import Any

import pytest

from ssr.config import Config
from ssr.config.coverage import reported_split, splits_of, stages_of, why_absent

DEMO = Config()
TO_LABELS = ["initial_cam", "aligned_cam", "refined_cam", "pseudo_label"]


@pytest.mark.parametrize(
    ("method", "stages"),
    [
        ("ssr", [*TO_LABELS, "prediction", "prediction_crf"]),
        ("clip", ["initial_cam", "refined_cam", "pseudo_label"]),
        ("box_mask", TO_LABELS),
    ],
)
def test_a_method_has_the_stages_that_its_settings_ask_for(method: str, stages: list[str]) -> None:
    assert stages_of(DEMO, method) == stages


@pytest.mark.parametrize(
    ("method", "stage", "splits"),
    [
        ("ssr", "refined_cam", {"train", "tune", "val"}),
        ("box_mask", "refined_cam", {"tune", "val"}),
        ("box_mask", "aligned_cam", {"train", "tune", "val"}),  # that of ssr
        ("box_mask", "pseudo_label", {"val"}),
        ("box_mask", "features", {"train", "tune", "val"}),  # those of ssr
        ("clip", "prediction", set()),
    ],
)
def test_a_stage_is_made_where_it_is_learned_from_tuned_on_or_reported(
    method: str, stage: str, splits: set[str]
) -> None:
    assert splits_of(DEMO, method, stage) == splits


@pytest.mark.parametrize(
    ("overrides", "splits"),
    [
        # Its CAMs and heads are of the features of ssr; it reads its own to refine.
        ({"backbones": {"dino": {"weights": "random"}}}, {"tune", "val"}),
        ({"features": {"precision": "float16"}}, {"train", "tune", "val"}),
        ({"features": {"precision": "float16"}, "alignment": {"enabled": False}}, {"tune", "val"}),
    ],
)
def test_features_are_extracted_where_a_method_reads_its_own(
    overrides: dict[str, Any], splits: set[str]
) -> None:
    config = Config.model_validate({"methods": {"ssr": {}, "row": overrides}})
    assert splits_of(config, "row", "features") == splits


def test_features_are_extracted_for_all_cams_made_of_them() -> None:
    methods = {
        "ssr": {"features": {"precision": "float16"}},
        "clip": {"alignment": {"enabled": False}},
        "dino": {"backbones": {"dino": {"weights": "random"}}},
    }
    config = Config.model_validate({"methods": methods})
    assert splits_of(config, "clip", "initial_cam") == {"train", "tune", "val"}  # dino clusters
    assert splits_of(config, "clip", "features") == {"train", "tune", "val"}


@pytest.mark.parametrize(
    ("method", "stage", "split", "why"),
    [
        ("ssr", "prediction", "train", "not made for split train"),
        ("ssr", "pseudo_label", "tune", "not made for split tune"),
        ("clip", "aligned_cam", "val", "method clip has no alignment"),
        ("clip", "prediction_crf", "val", "method clip trains no segmenter"),
        ("ssr", "prediction", "val", "not run yet"),
        ("ssr", "superpixels", "train", "not run yet"),
    ],
)
def test_what_will_never_be_is_told_from_what_a_run_would_still_make(
    method: str, stage: str, split: str, why: str
) -> None:
    assert why_absent(DEMO, method, stage, split) == why


@pytest.mark.parametrize(
    ("stage", "why"),
    [("refined_cam", "the image has no label to learn from"), ("superpixels", "not run yet")],
)
def test_an_image_without_a_label_has_no_cams(stage: str, why: str) -> None:
    assert why_absent(DEMO, "ssr", stage, "val", labelled=False) == why


def test_without_masks_pictures_are_of_what_is_learned_from_and_predicted() -> None:
    bare = Config.model_validate(
        {
            "data": {"masks": None, "splits": {"tune": None, "val": None, "test": "test"}},
            "labels": {"threshold": 0.5},
        }
    )
    assert reported_split(bare, "refined_cam") == "train"
    assert reported_split(bare, "prediction") == "test"
    assert splits_of(bare, "clip", "pseudo_label") == {"train"}
