"""Ablations: one line of the configuration adds ready rows to the methods."""

from __future__ import annotations

from typing import Any

import pytest

from ssr.config import Config
from ssr.config.ablations import ABLATIONS
from ssr.config.coverage import stages_of
from ssr.config.methods import METHOD_SECTIONS, method_config
from ssr.config.settings import parse_config
from ssr.errors import InputError


def test_one_line_adds_rows_behind_the_methods() -> None:
    config = parse_config({"ablations": ["table_4"], "methods": {"ssr": {}}})
    assert list(config.methods) == ["ssr", *ABLATIONS["table_4"]]
    assert method_config(config, "in_modal").alignment.loss == "in_modal"


def test_methods_that_are_given_stay_as_they_are_and_null_drops_a_row() -> None:
    own = {"ssr": {}, "power_2": {"refinement": {"power": 3}}, "power_1": None}
    config = parse_config({"ablations": ["readings"], "methods": own})
    assert config.methods["power_2"] == {"refinement": {"power": 3}}
    assert "power_1" not in config.methods
    # Derived again from its own settings, it drops the row still.
    assert "power_1" not in Config.model_validate(config.model_dump()).methods
    assert "power_1" not in method_config(config, "last_block").methods


def test_what_a_data_set_leaves_out_by_null_comes_back() -> None:
    config = parse_config({"ablations": ["table_4"], "methods": {"ssr": {}, "clip": None}})
    assert not method_config(config, "clip").alignment.enabled


def test_all_together_stand_beside_any_segmenter() -> None:
    values = {"ablations": [*ABLATIONS], "segmenter_methods": ["ssr", "feature"]}
    config = parse_config(values)
    assert {name for rows in ABLATIONS.values() for name in rows} < {*config.methods}


@pytest.mark.parametrize("row", [row for rows in ABLATIONS.values() for row in rows.items()])
def test_rows_differ_from_the_paper_s_method_in_a_stage(row: tuple[str, dict[str, Any]]) -> None:
    name, overrides = row
    assert {*overrides} <= {*METHOD_SECTIONS}
    config = parse_config({"methods": {"ssr": {}, name: overrides}})
    same = {"patch_text_map", "power_1"}  # the demo's own; others of photographs
    assert (method_config(config, name) == method_config(config, "ssr")) == (name in same)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["table_5"], "ablations.0: input should be 'table_3', 'table_4', 'table_6' or 'readings'"),
        (["table_3", "table_5"], "ablations.1: input should be"),
        ("table_4", "ablations: input should be a list; came 'table_4'"),
        ([["table_4"]], "ablations.0: input should be"),
    ],
)
def test_what_is_no_ablation_is_refused(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_config({"ablations": given})


def test_full_supervision_goes_on_to_a_segmenter_with_every_seed_and_nothing_else() -> None:
    config = parse_config({"ablations": ["table_6"], "methods": {"ssr": {}}, "seeds": [0, 1]})
    rows = ["fully_supervised", "fully_supervised_seed1"]
    assert [name for name in config.segmenter_methods if name in rows] == rows
    assert [stages_of(config, name) for name in rows] == [["prediction", "prediction_crf"]] * 2
    # A run records the rows of seeds; they are read again.
    assert parse_config(config.model_dump()) == config
