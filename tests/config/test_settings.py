import datetime
import json
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.cli import parse_config as parsed_by_snakemake
from snakemake.utils import update_config

from ssr.config import DEFAULT_METHODS, Config, Data
from ssr.config.methods import merge
from ssr.config.settings import (
    FROZEN,
    freeze,
    parse_config,
    record,
    recorded,
    render,
    restore_empty,
)
from ssr.errors import InputError
from tests import ROOT


def test_config_yaml_is_what_the_models_say() -> None:
    written = (ROOT / "config.yaml").read_text()
    assert written == render(Config()), "run: python -m workflow_scripts.write_config"


def test_config_yaml_reads_back_as_the_defaults() -> None:
    assert parse_config(yaml.safe_load((ROOT / "config.yaml").read_text())) == Config()


@pytest.mark.parametrize("overlay", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_overlays_are_valid_as_their_first_lines_lay_them(overlay: Path) -> None:
    command = re.search(r"--configfile ((?:config/\w+\.yaml ?)+)", overlay.read_text())
    assert command
    laid = command[1].split()
    assert f"config/{overlay.name}" in laid
    layers = [yaml.safe_load((ROOT / name).read_text()) for name in ("config.yaml", *laid)]
    assert parse_config(reduce(merge, layers)).dataset != "demo"


def test_the_literal_reading_leaves_out_what_is_ours() -> None:
    names = ("config.yaml", "config/voc.yaml", "config/ssr_paper.yaml")
    read = parse_config(
        reduce(merge, [yaml.safe_load((ROOT / name).read_text()) for name in names])
    )
    assert not read.segmenter.text
    assert read.aligned_cams.gradient == read.cams.gradient == "cosine"


def message(values: dict[str, object]) -> str:
    with pytest.raises(InputError) as caught:
        parse_config(values)
    return str(caught.value)


def test_unknown_key_is_refused_with_the_nearest_one() -> None:
    said = message({"alignment": {"learning_rat": 1}})
    assert "alignment.learning_rat: unknown key; did you mean learning_rate?" in said


def test_unknown_key_far_from_all_lists_what_is_allowed() -> None:
    assert "zzz: unknown key; allowed: dataset, seeds, data" in message({"zzz": 1})


def test_value_out_of_range_names_range_and_value() -> None:
    said = message({"alignment": {"rounds": 0}})
    assert "alignment.rounds: input should be greater than or equal to 1; came 0" in said


def test_all_errors_are_reported_at_once() -> None:
    said = message({"seeds": "x", "images": {"patch": 0}, "report": {"image": 3}})
    assert [key in said for key in ("seeds:", "images.patch:", "report.image:")] == [True] * 3


@pytest.mark.parametrize("blocks", [None, "all_but_first", [], [-1], [3, 3], [True]])
def test_blocks_of_the_segmenter_are_named_or_listed(blocks: object) -> None:
    said = message({"segmenter": {"blocks": blocks}})
    assert said.count("segmenter.blocks") == 1
    assert f"all | all_but_last | a list of blocks from 0, each once; came {blocks!r}" in said


@pytest.mark.parametrize("key", ["cam_split", "prediction_split"])
def test_what_chose_thresholds_is_reported_on_only_where_the_protocol_says_so(key: str) -> None:
    said = message({"evaluation": {key: "tune"}})
    assert f"evaluation: {key} must not be tune, whose masks choose thresholds and heads" in said
    published = parse_config({"evaluation": {key: "tune", "protocol": "published"}})
    assert getattr(published.evaluation, key) == "tune"


@pytest.mark.parametrize("name", ["../demo", "a b", "", ".hidden", "a/b"])
def test_a_data_set_name_never_becomes_another_folder(name: str) -> None:
    assert "dataset:" in message({"dataset": name})


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        ({"classes": ["cat", "dog", "cat"]}, "by more than case; came [['cat', 'cat']]"),
        ({"classes": ["cat", "dog", "Cat"]}, "by more than case; came [['cat', 'Cat']]"),
        ({"classes": ["Background", "cat"]}, "['Background'] are no classes"),
        ({"classes": ["ignore", "cat"]}, "['ignore'] are no classes"),
        ({"classes": ["cat;dog"]}, "no semicolon, which parts the labels of an image; came ['cat;"),
        ({"classes": [""]}, "data.classes: a text has printable characters, no blanks"),
        ({"classes": [" cat"]}, "data.classes: a text has printable characters, no blanks"),
        ({"classes": ["\u00a0"]}, "data.classes: a text has printable characters, no blanks"),
        ({"classes": [f"class {number}" for number in range(255)]}, "at most 254 classes, as"),
        ({"mask_colours": {"cow": "#00ff0"}}, "mask_colours.cow: string should match"),
        ({"mask_colours": {"kow": "#00ff00"}}, "mask_colours names ['kow']; allowed: classes"),
        ({"mask_colours": {"cow": "#AAAAAA", "car": "#aaaaaa"}}, "came twice: ['#aaaaaa']"),
    ],
)
def test_classes_and_colours_of_masks_are_checked(data: dict[str, object], finding: str) -> None:
    assert finding in message({"data": data})


def test_as_many_classes_as_a_byte_holds_besides_background_and_ignore() -> None:
    assert len(Data(classes=tuple(f"class {number}" for number in range(254))).classes) == 254


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({"superpixels": {"segments": 70_000}}, "superpixels.segments: input should be less"),
        ({"pretraining": {"segments": 255}}, "pretraining.segments: input should be less"),
        ({"seeds": [0, 2**31]}, "seeds.1: input should be less than 2147483648"),
        ({"seeds": [-1]}, "seeds.0: input should be greater than or equal to 0"),
        ({"data": {"demo": {"seed": -1}}}, "data.demo.seed: input should be greater"),
        ({"segmenter": {"learning_rate": float("inf")}}, "learning_rate: input should be a finite"),
        ({"segmenter": {"dropout": float("nan")}}, "segmenter.dropout: input should be a finite"),
    ],
)
def test_a_number_that_does_not_fit_its_type_is_refused(
    values: dict[str, object], finding: str
) -> None:
    assert finding in message(values)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ({"templates": ["a photo"]}, "text: templates have {} for the prompt; came ['a photo']"),
        ({"backgrounds": ["sky", "Sky"]}, "text: backgrounds must differ from each other; came tw"),
        ({"prompts": {"cow": ""}}, "text.prompts.cow: a text has printable characters, no blanks"),
    ],
)
def test_prompts_are_checked(text: dict[str, object], finding: str) -> None:
    assert finding in message({"text": text})


def test_null_of_the_command_line_is_null() -> None:
    given = ("data={'masks': null}", "labels={'threshold': 0.5}", "methods={'clip': null}")
    config = parse_config(merge({"methods": DEFAULT_METHODS}, parsed_by_snakemake(given)))
    assert config.data.masks is None
    assert "clip" not in config.methods


def test_method_overrides_are_checked_like_settings() -> None:
    said = message({"methods": {"ssr": {"refinement": {"powr": 1}}}})
    assert "methods.ssr.refinement.powr: unknown key; did you mean power?" in said


def test_method_may_not_override_what_is_of_the_run() -> None:
    said = message({"methods": {"ssr": {"data": {}, "txt": {}}}})
    assert "methods.ssr.data: a method may override seeds, images, " in said
    assert "methods.ssr.txt: a method may override" in said


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"images": {"patch": 16}}, "images.patch: CLIP's is 8; came 16"),
        ({"text": {"prompts": {"dragon": "d"}}}, "text.prompts names ['dragon'], not among"),
        ({"text": {"backgrounds": ["sea"]}}, "text.backgrounds: the demo's CLIP has never seen"),
        ({"backbones": {"clip": {"model": "RN50"}}}, "backbones.clip: CLIP model RN50 can't be"),
    ],
    ids=json.dumps,
)
def test_every_method_is_judged_as_it_is_resolved(overrides: dict[str, Any], said: str) -> None:
    assert f"methods.row.{said}" in message({"methods": {"ssr": {}, "row": overrides}})


def test_crops_are_judged_of_methods_that_train_a_segmenter() -> None:
    overrides = {"segmenter": {"crop_size": 100}}
    methods = {"methods": {"ssr": {}, "row": overrides}}
    assert parse_config(methods).methods["row"] == overrides
    said = message(methods | {"segmenter_methods": ["row"]})
    assert "methods.row.segmenter.crop_size: a multiple of CLIP's patch 8; came 100" in said


def test_the_files_of_every_backbone_are_found_from_anywhere(tmp_path: Path) -> None:
    methods = {"row": {"backbones": {"dino": {"weights": "data/dino.pth"}}}}
    config = Config.model_validate({"methods": methods, "segmenter_methods": []})
    (tmp_path / "backbones").symlink_to(ROOT / "backbones")
    record(config, tmp_path / "results/demo")
    found = recorded(tmp_path / "results/demo").methods["row"]["backbones"]["dino"]
    assert found == {"weights": str(tmp_path / "data/dino.pth")}


def test_without_any_method_there_is_nothing_to_do() -> None:
    methods = dict.fromkeys(DEFAULT_METHODS)
    said = message({"methods": methods, "segmenter_methods": []})
    assert "methods: all are null; at least one is needed" in said


MISSPELT = {
    "section": {"segmentr": {}},
    "key": {"segmenter": {"itrations": 1}},
    "key of a method": {"methods": {"ssr": {}, "mine": {"refinement": {"powr": 1}}}},
    "key with a dot": {"data.root": "x"},
}
OTHERS = {
    "value": {"images": {"patch": 0}},
    "text": {"data": {"root": "{x}"}},
    "classes": {"data": {"classes": ["cow", "Cow"]}},
    "contradiction": {"text": {"prompts": {"dragon": "d"}}},
    "method that is none": {"methods": {"ssr": 3}},
    "method's value": {"methods": {"ssr": {"refinement": {"power": 0}}}},
    "section that no method may change": {"methods": {"ssr": {"report": {}}}},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("misspelt", MISSPELT)
def test_no_finding_hides_another(misspelt: str, other: str) -> None:
    alone = [message(values).splitlines()[1:] for values in (MISSPELT[misspelt], OTHERS[other])]
    together = message(merge(MISSPELT[misspelt], OTHERS[other])).splitlines()[1:]
    assert sorted(together) == sorted(alone[0] + alone[1])


def test_what_rests_on_a_wrong_value_is_not_judged() -> None:
    said = message({"data": {"classes": [3]}, "text": {"prompts": {"dragon": "d"}}})
    assert "prompts" not in said


def test_a_key_with_a_dot_is_told_how_sections_are_written() -> None:
    said = message({"data.root": "x"})
    assert "data.root: unknown key; sections hold their keys in braces, data: {root: …}" in said


def test_what_is_wrong_with_the_files_is_told_with_the_rest() -> None:
    with pytest.raises(InputError, match=r"(?s)x\.yaml: .*seeds: "):
        parse_config({"seeds": "x"}, ["x.yaml: a key twice"])


@pytest.mark.parametrize(
    ("layers", "meant"),
    [
        ([{"labels": {"crf": {}}}], {}),
        ([{"labels": {"crf": None}}, {"labels": {"crf": {}}}], {}),
        ([{"labels": {"crf": {}}}, {"labels": {"crf": None}}], None),
        ([{"labels": {"threshold": 0.5}}], None),
        ([{"seeds": [1]}, {}], None),
        ([{"labels": {"crf": {"iterations": 5}}}, {"labels": {"crf": {}}}], {"iterations": 5}),
    ],
)
def test_an_empty_section_laid_over_null_is_a_section(
    layers: list[dict[str, Any]], meant: dict[str, Any] | None
) -> None:
    config: dict[str, Any] = {"seeds": [0], "labels": {"crf": None}}
    for layer in layers:
        update_config(config, layer)
    restore_empty(config, layers)
    assert config["labels"]["crf"] == meant


def test_an_empty_section_laid_over_a_value_is_not_lost() -> None:
    config: dict[str, Any] = {"seeds": [0]}
    layer: dict[str, Any] = {"seeds": {}}
    update_config(config, layer)
    restore_empty(config, [layer])
    with pytest.raises(InputError, match=r"seeds: input should be a list; came \{\}"):
        parse_config(config)


def test_an_overlay_can_drop_a_method() -> None:
    assert list(parse_config({"methods": {"ssr": {}, "clip": None}}).methods) == ["ssr"]


def test_a_method_added_by_an_overlay_does_not_become_the_main_one() -> None:
    assert list(parse_config({"methods": {"mine": {}, "clip": {}, "ssr": {}}}).methods) == [
        "ssr",
        "clip",
        "mine",
    ]


@pytest.mark.parametrize(
    "values",
    [{"dataset": datetime.date(2024, 1, 1)}, {1: "x"}, {"data": {"classes": {"a", "b"}}}],
    ids=["date", "number", "set"],
)
def test_what_only_yaml_can_hold_is_refused(
    values: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FROZEN, "")
    freeze(values, starts=True)
    with pytest.raises(InputError, match="the configuration is wrong"):
        parse_config(values)
