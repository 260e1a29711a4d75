import datetime
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.cli import parse_config as parsed_by_snakemake
from snakemake.utils import update_config

from ssr.config import DEFAULT_METHODS, Config, Data
from ssr.config.settings import (
    ALIGNED,
    FROZEN,
    HEADS,
    freeze,
    merge,
    method_config,
    owner,
    parse_config,
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
    assert "zzz: unknown key; allowed: dataset, seed, data" in message({"zzz": 1})


def test_value_out_of_range_names_range_and_value() -> None:
    said = message({"alignment": {"rounds": 0}})
    assert "alignment.rounds: input should be greater than or equal to 1; came 0" in said


def test_all_errors_are_reported_at_once() -> None:
    said = message({"seed": "x", "images": {"patch": 0}, "report": {"image": 3}})
    assert [key in said for key in ("seed:", "images.patch:", "report.image:")] == [True] * 3


@pytest.mark.parametrize("blocks", [None, "all_but_first", [], [-1], [3, 3], [True]])
def test_blocks_of_the_segmenter_are_named_or_listed(blocks: object) -> None:
    said = message({"segmenter": {"blocks": blocks}})
    assert said.count("segmenter.blocks") == 1
    assert f"all | all_but_last | a list of blocks from 0, each once; came {blocks!r}" in said


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
        ({"seed": 2**31}, "seed: input should be less than 2147483648"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0"),
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


def test_method_may_not_override_what_all_methods_share() -> None:
    said = message({"methods": {"ssr": {"features": {}, "txt": {}}}})
    assert "methods.ssr.features: a method may override prototypes, " in said
    assert "methods.ssr.txt: a method may override" in said


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
    "section that no method may change": {"methods": {"ssr": {"images": {}}}},
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
    with pytest.raises(InputError, match=r"(?s)x\.yaml: .*seed: "):
        parse_config({"seed": "x"}, ["x.yaml: a key twice"])


@pytest.mark.parametrize(
    ("layers", "meant"),
    [
        ([{"labels": {"crf": {}}}], {}),
        ([{"labels": {"crf": None}}, {"labels": {"crf": {}}}], {}),
        ([{"labels": {"crf": {}}}, {"labels": {"crf": None}}], None),
        ([{"labels": {"threshold": 0.5}}], None),
        ([{"seed": 1}, {}], None),
        ([{"labels": {"crf": {"iterations": 5}}}, {"labels": {"crf": {}}}], {"iterations": 5}),
    ],
)
def test_an_empty_section_laid_over_null_is_a_section(
    layers: list[dict[str, Any]], meant: dict[str, Any] | None
) -> None:
    config: dict[str, Any] = {"seed": 0, "labels": {"crf": None}}
    for layer in layers:
        update_config(config, layer)
    restore_empty(config, layers)
    assert config["labels"]["crf"] == meant


def test_an_empty_section_laid_over_a_value_is_not_lost() -> None:
    config: dict[str, Any] = {"seed": 0}
    layer: dict[str, Any] = {"seed": {}}
    update_config(config, layer)
    restore_empty(config, [layer])
    with pytest.raises(InputError, match=r"seed: input should be a valid integer; came \{\}"):
        parse_config(config)


def test_an_overlay_can_drop_a_method() -> None:
    assert list(parse_config({"methods": {"ssr": {}, "clip": None}}).methods) == ["ssr"]


def test_a_method_added_by_an_overlay_does_not_become_the_main_one() -> None:
    assert list(parse_config({"methods": {"mine": {}, "clip": {}, "ssr": {}}}).methods) == [
        "ssr",
        "clip",
        "mine",
    ]


def test_without_masks_the_last_heads_are_those_of_every_method() -> None:
    best = {"ssr": {}, "best": {"alignment": {"stop": "tune"}}}
    config = parse_config({"data": {"masks": None}, "labels": {"threshold": 0.4}, "methods": best})
    assert method_config(config, "best").alignment.stop == "last"
    assert method_config(Config(), "ssr").alignment.stop == "tune"


@pytest.mark.parametrize(
    ("alignment", "pooling"),
    [
        ({"trains": "heads"}, "before"),
        ({"trains": "last_block"}, "after"),
        ({"trains": "last_block", "loss": "image_labels"}, "before"),
    ],
)
def test_samples_are_pooled_behind_a_last_block_that_is_trained_on_them(
    alignment: dict[str, Any], pooling: str
) -> None:
    config = Config.model_validate({"methods": {"ssr": {}, "other": {"alignment": alignment}}})
    other = method_config(config, "other")
    assert other.prototypes.pooling == pooling
    assert other.aligns_patches == (alignment["trains"] == "last_block")
    assert method_config(config, "ssr").prototypes.pooling == "before"


def test_method_config_changes_only_what_it_names() -> None:
    config = Config()
    box = method_config(config, "box_mask")
    assert box.refinement.mask == "box"
    assert box.refinement.model_copy(update={"mask": config.refinement.mask}) == config.refinement
    assert box.alignment == config.alignment


def test_methods_share_artefacts_until_their_settings_part() -> None:
    config = Config()
    assert owner(config, "box_mask", ("prototypes", "alignment")) == "ssr"
    assert owner(config, "box_mask", ("prototypes", "alignment", "refinement")) == "box_mask"
    assert owner(config, "clip", ("prototypes", "alignment")) == "clip"


def test_methods_that_use_other_heads_of_one_training_share_it() -> None:
    methods = {
        "ssr": {},
        "last": {"alignment": {"stop": "last"}},
        "more": {"alignment": {"looks": 9}},
    }
    config = parse_config({"methods": methods})
    assert [owner(config, name, HEADS) for name in methods] == ["ssr", "ssr", "more"]
    assert [owner(config, name, ALIGNED) for name in methods] == ["ssr", "last", "more"]


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
