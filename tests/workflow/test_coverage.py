"""What the settings say that a run makes is what the DAG makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ssr.config import Config
from ssr.config.coverage import FOLDERS, folder_of, splits_of
from ssr.config.methods import merge, owner
from ssr.config.settings import parse_config
from tests import ROOT
from tests.workflow.conftest import Run

TARGETS = ("all", "cams", "labels", "segmenter", "ablation")
BASE = yaml.safe_load((ROOT / "config.yaml").read_text())
ONLY_CLIP = {**dict.fromkeys(BASE["methods"]), "clip": BASE["methods"]["clip"]}
EARLY: dict[str, Any] = {
    "dino": {"backbones": {"dino": {"weights": "random"}}},
    "fine": {"superpixels": {"segments": 50}, "alignment": {"enabled": False}},
    "words": {"text": {"backgrounds": ["sky"]}},
    "grad_cam": {"aligned_cams": {"score": "gradient"}, "features": {"dino_attention_blocks": 2}},
}
FOREIGN = {
    "foreign": {
        "peer": {"path": "peer", "format": "npy"},
        "peer_predicted": {"path": "peer", "format": "predictions"},
    },
    "methods": {"peer_box": {"cams": {"foreign": "peer"}, "refinement": {"mask": "box"}}},
    "segmenter_methods": ["peer"],
}
JOINT = {
    "joint": {
        "segmenter": {"joint": True},
        "superpixels": {"segments": 50},
        "features": {"dino_attention_blocks": 2},
    }
}
NO_MASKS = {
    "data": {"masks": None, "splits": {"tune": None, "val": None}},
    "labels": {"threshold": 0.5},
}


def stores_of(config: Config) -> set[tuple[str, str]]:
    """The folder and the split of every store that the settings promise."""
    return {
        (f"{folder_of(config, method, stage)}/{owner(config, method, stage)}", split)
        for stage in FOLDERS
        for method in config.methods
        for split in splits_of(config, method, stage)
        if split != "test" or config.data.splits.test
    }


@pytest.mark.parametrize(
    "overlay",
    [
        {},
        {"segmenter_methods": []},
        {"segmenter_methods": ["ssr", "clip"], "evaluation": {"cam_split": "train"}},
        {"segmenter_methods": ["box_mask"], "data": {"splits": {"test": "val"}}},
        {"evaluation": {"cam_split": "tune", "protocol": "published"}},
        {"methods": ONLY_CLIP, "segmenter_methods": ["clip"]},
        {"methods": {"again": {}}, "segmenter_methods": ["again"]},
        FOREIGN,
        {"feedback": 2, "segmenter_methods": ["ssr", "clip"], "evaluation": {"cam_split": "train"}},
        {"methods": JOINT, "segmenter_methods": ["joint"]},
        {"ablations": ["table_6"], "methods": ONLY_CLIP, "segmenter_methods": []},
        {"methods": EARLY, "segmenter_methods": ["dino", "fine"]},
        NO_MASKS,
        merge(NO_MASKS, {"data": {"splits": {"test": "val"}}, "segmenter_methods": ["clip"]}),
    ],
    ids=json.dumps,
)
def test_the_dag_makes_what_the_settings_promise(
    clone: Run, tmp_path: Path, overlay: dict[str, Any]
) -> None:
    (tmp_path / "more.yaml").write_text(json.dumps(overlay))
    printed = clone("-n", *TARGETS, "--configfile", "more.yaml").stdout
    made = re.findall(r"    output: results/demo/(\S+)/(\w+)_\d{4}\.(?:zarr\.)?zip", printed)
    assert set(made) == stores_of(parse_config(merge(BASE, overlay)))
