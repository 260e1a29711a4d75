import re
from functools import reduce
from pathlib import Path

import pytest
import yaml

from ssr.config import Config
from ssr.config.settings import doubts, merge, method_config, owner, parse_config, render
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


@pytest.mark.parametrize("name", ["../demo", "a b", "", ".hidden", "a/b"])
def test_a_data_set_name_never_becomes_another_folder(name: str) -> None:
    assert "dataset:" in message({"dataset": name})


def test_prompts_must_belong_to_classes() -> None:
    assert "text.prompts names ['dragon']" in message({"text": {"prompts": {"dragon": "d"}}})


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        ({"classes": ["cat", "dog", "cat"]}, "classes must differ from each other; cat came twice"),
        ({"classes": ["background", "cat"]}, "background is no class"),
        ({"mask_colours": {"cow": "#00ff0"}}, "mask_colours.cow: string should match"),
        ({"mask_colours": {"kow": "#00ff00"}}, "mask_colours names ['kow']; allowed: classes"),
        ({"mask_colours": {"cow": "#AAAAAA", "car": "#aaaaaa"}}, "#aaaaaa came twice"),
    ],
)
def test_classes_and_colours_of_masks_are_checked(data: dict[str, object], finding: str) -> None:
    assert finding in message({"data": data})


def test_without_masks_a_threshold_must_be_given() -> None:
    assert "labels.threshold must be a number" in message({"data": {"masks": None}})
    parse_config({"data": {"masks": None}, "labels": {"threshold": 0.4}})


def test_the_backgrounds_of_the_demo_are_doubted_elsewhere() -> None:
    assert doubts(parse_config({})) == []
    folder = {"data": {"format": "folder"}}
    assert "text.backgrounds" in doubts(parse_config(folder))[0]
    assert doubts(parse_config({**folder, "text": {"backgrounds": ["sky"]}})) == []


def test_method_overrides_are_checked_like_settings() -> None:
    said = message({"methods": {"ssr": {"refinement": {"powr": 1}}}})
    assert "methods.ssr: refinement.powr: unknown key; did you mean power?" in said


def test_method_may_not_override_what_all_methods_share() -> None:
    assert "methods.ssr.features" in message({"methods": {"ssr": {"features": {}}}})


def test_an_overlay_can_drop_a_method() -> None:
    assert list(parse_config({"methods": {"ssr": {}, "clip": None}}).methods) == ["ssr"]


def test_a_method_added_by_an_overlay_does_not_become_the_main_one() -> None:
    assert list(parse_config({"methods": {"mine": {}, "clip": {}, "ssr": {}}}).methods) == [
        "ssr",
        "clip",
        "mine",
    ]


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
