"""Feedback: each round of a method is a row, taught by the segmenter of the round before."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from ssr.config import Config
from ssr.config.coverage import splits_of, stages_of
from ssr.config.methods import ENTERING, owner, rows_of_methods, teacher
from ssr.config.settings import parse_config
from ssr.errors import InputError
from tests import ROOT

CLIP = {"alignment": {"enabled": False}}
BOX = {"refinement": {"mask": "box"}}


def parse(**values: Any) -> Config:
    return parse_config({"methods": {"ssr": {}, "clip": CLIP}, **values})


def test_a_round_is_a_method_with_a_segmenter_taught_by_that_of_the_round_before() -> None:
    config = parse(feedback=2)
    assert list(config.methods) == ["ssr", "clip", "ssr_round1", "ssr_round2"]
    assert config.segmenter_methods == ("ssr", "ssr_round1", "ssr_round2")
    taught = {method: teacher(config, method) for method in config.methods}
    assert taught == {"ssr": None, "clip": None, "ssr_round1": "ssr", "ssr_round2": "ssr_round1"}
    assert "aligned_cam" not in stages_of(config, "ssr_round1")


def test_it_has_the_settings_of_its_method_and_shares_what_does_not_rest_on_its_cams() -> None:
    config = parse(methods={"ssr": BOX}, feedback=1)
    assert config.methods["ssr_round1"].items() >= BOX.items()
    own = [name for name in ENTERING if owner(config, "ssr_round1", name) == "ssr_round1"]
    assert own == [
        *("initial_cam", "samples", "heads", "aligned_cam", "refined_cam", "pseudo_label"),
        *("segmenter", "prediction", "prediction_crf"),
    ]


def test_rows_taught_by_one_segmenter_share_its_cams_and_other_segmenters_part_them() -> None:
    taught = {"cams": {"segmenter": "ssr"}}
    methods = {"ssr": {}, "one": taught, "box": taught | BOX, "two": {"cams": {"segmenter": "a"}}}
    config = parse(methods={"a": CLIP, **methods}, segmenter_methods=["ssr", "a"])
    assert owner(config, "box", "initial_cam") == "one"
    assert owner(config, "box", "refined_cam") == "box"
    assert owner(config, "two", "initial_cam") == "two"


def test_a_method_may_have_rounds_of_its_own() -> None:
    methods = {"ssr": {}, "clip": CLIP | {"feedback": "2"}}
    config = parse(methods=methods, segmenter_methods=["ssr", "clip"])
    assert list(config.methods) == ["ssr", "clip", "clip_round1", "clip_round2"]
    config = parse(methods=methods, segmenter_methods=["ssr", "clip"], feedback=1)
    assert list(config.methods) == ["ssr", "clip", "ssr_round1", "clip_round1", "clip_round2"]


def test_each_seed_is_taught_by_itself() -> None:
    config = parse(methods={"ssr": {}}, seeds=[0, 3], feedback=2)
    assert rows_of_methods(config)["ssr_round2"] == {0: "ssr_round2", 3: "ssr_round2_seed3"}
    assert teacher(config, "ssr_round2_seed3") == "ssr_round1_seed3"
    assert owner(config, "ssr_round1_seed3", "initial_cam") == "ssr_round1_seed3"


def test_a_segmenter_predicts_what_the_next_round_learns_from_tunes_and_reports_on() -> None:
    config = parse(feedback=1, evaluation={"cam_split": "train"})
    assert splits_of(config, "ssr_round1", "initial_cam") == {"train", "tune"}
    assert splits_of(config, "ssr", "prediction") == {"train", "tune", "val", "test"}
    assert splits_of(config, "ssr", "prediction_crf") == {"val", "test"}
    assert splits_of(config, "ssr_round1", "prediction") == {"val", "test"}


def test_rows_of_other_systems_and_of_full_supervision() -> None:
    peer = {"peer": {"path": "cams", "format": "npy"}}
    config = parse(foreign=peer, segmenter_methods=["peer"], feedback=1, ablations=["table_6"])
    assert config.methods["peer_round1"]["cams"] == {"foreign": None, "segmenter": "peer"}
    assert config.segmenter_methods == ("peer", "peer_round1", "fully_supervised")


@pytest.mark.parametrize("null", [None, "null"])
def test_a_round_may_be_changed_and_null_ends_them(null: str | None) -> None:
    own = {"cams": {"segmenter": "ssr"}, **BOX}
    config = parse(methods={"ssr": {}, "ssr_round1": own, "ssr_round2": null}, feedback=3)
    assert config.methods == {"ssr": {}, "ssr_round1": own}


@pytest.mark.parametrize("written", [Config.model_dump, Config.model_dump_json])
def test_settings_that_were_recorded_are_read_as_the_same(written: Any) -> None:
    config = parse(feedback=2, seeds=[0, 1])
    values = written(config)
    assert parse_config(json.loads(values) if isinstance(values, str) else values) == config


NO_SEGMENTER = "0 without a segmenter that learns from CAMs; came"
IN_FRONT = "a method in front of it whose segmenter learns from CAMs, one of"


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({"feedback": -1}, "feedback: input should be greater than or equal to 0; came -1"),
        (
            {"methods": {"ssr": {"feedback": "x"}}},
            "methods.ssr.feedback: input should be a valid integer, unable to parse string as an "
            "integer; came 'x'",
        ),
        ({"feedback": 2, "segmenter_methods": []}, f"feedback: {NO_SEGMENTER} 2"),
        (
            {"methods": {"ssr": {}, "clip": {"feedback": 2}}},
            f"methods.clip.feedback: {NO_SEGMENTER} 2",
        ),
        (
            {"feedback": 1, "methods": {"ssr": {"refinement": {"power": 0}}}},
            "methods.ssr.refinement.power: input should be greater than or equal to 1; came 0",
        ),
        (
            {"methods": {"ssr": {"cams": {"segmenter": "ssr"}}}},
            f"methods.ssr.cams.segmenter: {IN_FRONT} []; came ssr",
        ),
        (
            {"methods": {"ssr": {}, "row": {"cams": {"segmenter": "clip"}}, "clip": CLIP}},
            f"methods.row.cams.segmenter: {IN_FRONT} ['ssr']; came clip",
        ),
        (
            {
                "methods": {"ssr": {}, "row": {"cams": {"segmenter": "fully_supervised"}}},
                "ablations": ["table_6"],
            },
            f"methods.row.cams.segmenter: {IN_FRONT} ['ssr']; came fully_supervised",
        ),
        (
            {"methods": {"ssr": {}, "row": {"seeds": [0, 4], "cams": {"segmenter": "ssr"}}}},
            "methods.row.cams.segmenter: ssr is not trained with [4] of the seeds",
        ),
        (
            {"cams": {"segmenter": "ssr"}},
            "cams.segmenter: of a method, not of all; came ssr",
        ),
    ],
)
def test_each_mistake_is_one_clear_line(values: dict[str, Any], finding: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(**values)
    assert str(caught.value).splitlines()[1:] == [f"  {finding}"]


def test_cams_have_one_source() -> None:
    both = {"ssr": {}, "row": {"cams": {"segmenter": "ssr", "foreign": "peer"}}}
    with pytest.raises(InputError, match=r"row\.cams\.segmenter: null where cams\.foreign is p"):
        parse(methods=both, foreign={"peer": {"path": "cams", "format": "npy"}})


def test_what_the_page_shows_is_understood() -> None:
    page = (ROOT / "docs/feedback.md").read_text()
    fed_back, joint = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    rows = parse_config(yaml.safe_load(fed_back)).methods
    assert {"ssr_round1", "box_mask_round2", "fed_back_box"} <= {*rows}
    both = yaml.safe_load(joint)
    assert parse_config(both | {"methods": {"ssr": {}} | both["methods"]}).methods.keys() == {
        "ssr",
        "joint",
    }
