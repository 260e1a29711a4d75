"""Seeds: a method with several has a row for each, and further seeds cost only what learns."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ssr.config import Config
from ssr.config.consistency import doubts
from ssr.config.methods import ENTERING, method_config, owner, rows_of_methods
from ssr.config.settings import parse_config
from ssr.errors import InputError

CLIP = {"alignment": {"enabled": False}}


def seeded(**methods: Any) -> Config:
    return parse_config({"seeds": [3, 0], "methods": {"ssr": {}, **methods}})


def test_one_seed_makes_no_rows() -> None:
    config = parse_config({"seeds": [7]})
    assert list(config.methods) == list(Config().methods)
    assert config.segmenter_methods == ("ssr",)
    assert method_config(config, "clip").seed == config.seed == 7


def test_the_first_seed_keeps_the_name_and_the_others_stand_behind_all_methods() -> None:
    config = seeded(clip=CLIP)
    assert list(config.methods) == ["ssr", "clip", "ssr_seed0", "clip_seed0"]
    assert config.segmenter_methods == ("ssr", "ssr_seed0")
    assert rows_of_methods(config) == {
        "ssr": {3: "ssr", 0: "ssr_seed0"},
        "clip": {3: "clip", 0: "clip_seed0"},
    }
    for seeds in rows_of_methods(config).values():
        assert {seed: method_config(config, row).seed for seed, row in seeds.items()} == {
            seed: seed for seed in seeds
        }


def test_a_method_may_have_seeds_of_its_own() -> None:
    config = seeded(once={"seeds": ["3"]}, other={"seeds": [5, 6]})
    assert rows_of_methods(config)["once"] == {3: "once"}
    assert rows_of_methods(config)["other"] == {5: "other", 6: "other_seed6"}


@pytest.mark.parametrize("written", [Config.model_dump, Config.model_dump_json])
def test_settings_that_were_recorded_are_read_as_the_same(written: Any) -> None:
    config = seeded(clip=CLIP, other={"seeds": [5, 6]})
    values = written(config)
    assert parse_config(json.loads(values) if isinstance(values, str) else values) == config


LEARNED = ["heads", "aligned_cam", "refined_cam", "pseudo_label"]
SEGMENTED = ["segmenter", "prediction", "prediction_crf"]


@pytest.mark.parametrize(
    ("overrides", "made"), [({}, [*LEARNED, *SEGMENTED]), (CLIP, SEGMENTED)], ids=json.dumps
)
def test_a_further_seed_makes_for_itself_what_learns_and_what_follows(
    overrides: dict[str, Any], made: list[str]
) -> None:
    config = Config.model_validate({"seeds": [0, 1], "methods": {"row": overrides}})
    assert [name for name in ENTERING if owner(config, "row_seed1", name) == "row_seed1"] == made
    assert {owner(config, "row_seed1", name) for name in ENTERING} == {"row", "row_seed1"}


def test_rows_of_one_seed_share_with_each_other() -> None:
    config = seeded(box={"refinement": {"mask": "box"}})
    assert owner(config, "box_seed0", "heads") == "ssr_seed0"
    assert owner(config, "box_seed0", "refined_cam") == "box_seed0"


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({"seed": 1}, "seed: unknown key; did you mean seeds?"),
        ({"seeds": 1}, "seeds: input should be a list; came 1"),
        ({"seeds": []}, "seeds: one at least, and each once; came []"),
        ({"seeds": [1, 1]}, "seeds: one at least, and each once; came [1, 1]"),
        ({"methods": {"ssr": {"seeds": 3}}}, "methods.ssr.seeds: input should be a list; came 3"),
        (
            {"seeds": [0, 1], "methods": {"ssr": {}, "ssr_seed1": {"cams": {}}}},
            "methods: ssr_seed1 is what ssr is called with seed 1; give one another name",
        ),
    ],
)
def test_seeds_that_cannot_be_run_are_refused(values: dict[str, Any], finding: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_config({"segmenter_methods": ["ssr"], **values})
    assert str(caught.value).splitlines()[1:] == [f"  {finding}"]


def test_what_is_doubted_of_a_method_is_not_repeated_for_its_seeds() -> None:
    same, unused = {"cams": {}}, {"cams": {"gradient": "cosine"}}
    once = parse_config({"methods": {"ssr": {}, "same": same, "unused": unused}})
    assert doubts(seeded(same=same, unused=unused)) == doubts(once)
    assert len(doubts(once)) == 2
