"""What other systems made: each makes a method, which shares what is not its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ssr.config import DEFAULT_METHODS, Config
from ssr.config.consistency import doubts
from ssr.config.coverage import splits_of, stages_of
from ssr.config.methods import method_config, owner
from ssr.config.settings import parse_config, record, recorded, render
from ssr.errors import InputError
from tests import ROOT

PEER = {"path": "cams/peer", "format": "npy"}
PREDICTED = {"path": "segmentations/peer", "format": "predictions"}


def parse(**values: Any) -> Config:
    return parse_config({"foreign": {"peer": PEER}, **values})


def test_a_system_makes_a_method_behind_the_others_without_alignment() -> None:
    config = parse(methods={"ssr": {}})
    assert list(config.methods) == ["ssr", "peer"]
    assert method_config(config, "peer").cams.foreign == "peer"
    assert "aligned_cam" not in stages_of(config, "peer")


def test_it_shares_all_but_its_cams_and_what_follows() -> None:
    config = parse(methods={"ssr": {}, "box": {"refinement": {"mask": "box"}}})
    shared = ("features", "superpixels", "text", "backbones")
    assert {owner(config, "peer", made) for made in shared} == {"ssr"}
    assert {owner(config, "peer", made) for made in ("initial_cam", "refined_cam")} == {"peer"}


def test_rows_may_vary_what_follows_and_share_its_cams() -> None:
    box = {"cams": {"foreign": "peer"}, "refinement": {"mask": "box"}, "images": {"max_side": 64}}
    config = parse(methods={"ssr": {}, "peer": {"labels": {"threshold": 0.4}}, "peer_box": box})
    assert method_config(config, "peer").labels.threshold == 0.4
    assert owner(config, "peer_box", "initial_cam") == "peer"
    assert owner(config, "peer_box", "refined_cam") == "peer_box"


def test_predictions_make_a_method_of_one_stage_that_enters_nothing() -> None:
    config = parse(foreign={"peer": PREDICTED}, seeds=[0, 1])
    assert stages_of(config, "peer") == ["prediction"]
    assert splits_of(config, "peer", "prediction") == {"val"}
    assert owner(config, "peer_seed1", "prediction") == "peer", "no seed enters them"


def test_what_else_a_method_of_predictions_sets_is_doubted() -> None:
    methods = {"ssr": {}, "peer": {"crf": {"iterations": 3}}}
    (doubt,) = doubts(parse(foreign={"peer": PREDICTED}, methods=methods))
    assert doubt == "methods.peer.crf changes nothing: it is the predictions of another system"


@pytest.mark.parametrize(
    "values", [{"methods": {"ssr": {}, "peer": None}}, {"foreign": {"peer": None}}]
)
def test_null_drops_a_system(values: dict[str, Any]) -> None:
    config = parse(**values)
    # Derived again from its own settings, it is dropped still.
    for derived in (config, Config.model_validate(config.model_dump())):
        assert "peer" not in derived.methods
        assert not derived.foreign


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"foreign": {"peer": {"path": "cams"}}}, r"foreign\.peer\.format: missing"),
        ({"foreign": {"peer": PEER | {"format": "pt"}}}, r"foreign\.peer\.format: .*'npy', 'npz'"),
        ({"foreign": {"peer": PEER | {"name": "x"}}}, r"foreign\.peer\.name: unknown key"),
        (
            {"foreign": {"peer": PEER | {"path": "a.npz"}}},
            r"foreign\.peer: format of a\.npz: npz; ca",
        ),
        (
            {"foreign": {"peer": PEER | {"format": "png", "logits": True}}},
            r"npy and npz; came png$",
        ),
        (
            {"foreign": {"peer": PREDICTED | {"entry": "cam"}}},
            r"foreign\.peer: entry and logits are of npy and npz; came predictions$",
        ),
        ({"foreign": {"clip": PEER}}, "foreign: clip: a method of ours has this name"),
        (
            {"methods": {"ssr": {}, "a": {"cams": {"foreign": "pear"}}}},
            r"methods\.a\.cams\.foreign: one of foreign with CAMs, \['peer'\]; came pear",
        ),
        (
            {"methods": {"ssr": {}, "a": {"prediction": {"foreign": "peer"}}}},
            r"methods\.a\.prediction\.foreign: one of foreign with predictions, \[\]; came peer",
        ),
        (
            {"foreign": {"peer": PREDICTED}, "segmenter_methods": ["ssr", "peer"]},
            r"methods\.peer\.prediction\.foreign: of a method behind the first that is none of "
            r"segmenter_methods; came peer",
        ),
        (
            {
                "foreign": {"peer": PREDICTED},
                "methods": dict.fromkeys(DEFAULT_METHODS),
                "segmenter_methods": [],
            },
            r"methods\.peer\.prediction\.foreign: of a method behind the first",
        ),
        (
            {"methods": {"ssr": {}, "peer": {"cams": "x"}}},
            r"methods\.peer\.cams: input should be a valid dictionary .*; came 'x'",
        ),
    ],
)
def test_each_mistake_is_one_clear_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        parse(**values)
    assert str(error.value).count("\n") == 1


def test_what_the_page_shows_is_understood() -> None:
    page = (ROOT / "docs/foreign_cams.md").read_text()
    systems, rows, predicted = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    methods = {"ssr": {}} | yaml.safe_load(rows)["methods"]
    config = parse_config(yaml.safe_load(systems) | {"methods": methods})
    assert {"clims", "clims_as_it_is", "clims_box"} <= {*config.methods}
    assert "toco" not in config.methods
    assert stages_of(parse_config(yaml.safe_load(predicted)), "clims_deeplab") == ["prediction"]


def test_the_settings_that_a_report_prints_are_those_of_the_run() -> None:
    config = parse(methods={"ssr": {}, "peer": {"labels": {"threshold": 0.4}}})
    assert parse_config(yaml.safe_load(render(config))) == config


def test_who_reads_results_elsewhere_finds_the_files(tmp_path: Path) -> None:
    (tmp_path / "backbones").symlink_to(ROOT / "backbones")
    record(parse(), tmp_path / "results/demo")
    found = recorded(tmp_path / "results/demo").foreign["peer"].path
    assert found == str(tmp_path / "cams/peer")
