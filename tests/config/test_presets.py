"""Presets: peers as rows and readings of the method, over the file of any data set."""

from __future__ import annotations

import re
from functools import cache, reduce
from typing import Any

import pytest
import yaml
from snakemake.cli import parse_config as parsed_by_snakemake

from ssr.config import Config
from ssr.config.consistency import doubts
from ssr.config.methods import merge, method_config, owner
from ssr.config.settings import parse_config
from tests import ROOT

ROWS = ("clip_es", "weclip")
READINGS = ("ssr", "ssr_paper")
PRESETS = (*ROWS, *READINGS)
PHOTOGRAPHS = ("voc", "coco", "photographs")
# What is laid below a preset; nothing is the demo.
DATA_SETS: dict[str, tuple[str, ...]] = {
    "demo": (),
    "voc": ("voc",),
    "coco": ("coco",),
    "my_folder": ("my_folder",),
    "photographs": ("photographs",),
    "photographs of one's own": ("photographs", "my_folder"),
    "voc_mini": ("voc", "voc_mini"),
    "voc_subset": ("voc", "voc_subset"),
}
VOC_LITERAL = ("voc", "ssr_paper")
PAGE = (ROOT / "docs/presets.md").read_text()


@cache
def values(file: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())
    return content


@cache
def laid(*names: str) -> Config:
    """The configuration of files in config/, laid over config.yaml."""
    files = ("config.yaml", *(f"config/{name}.yaml" for name in names))
    return parse_config(reduce(merge, map(values, files)))


def claims(preset: str) -> dict[str, Any]:
    """What docs/presets.md says that a preset sets, by the path of the setting."""
    section = PAGE.split(f"\n## {preset}\n")[1].split("\n## ")[0]
    return {
        path: yaml.safe_load(value) for path, value in re.findall(r"`([\w.]+): ([^`]+)`", section)
    }


def setting(config: Config, path: str) -> Any:
    value: Any = reduce(getattr, path.split("."), config)
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("data_set", DATA_SETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_can_be_laid_over_any_data_set(preset: str, data_set: str) -> None:
    layers = DATA_SETS[data_set]
    config = laid(*layers, preset)
    assert config.dataset == laid(*layers).dataset
    assert config.data == laid(*layers).data
    assert doubts(config) == doubts(laid(*layers))
    assert preset not in ROWS or [*config.methods][-1] == preset


def test_all_together_stand_beside_each_other() -> None:
    config = laid("voc", "ssr_paper", *ROWS)
    assert {"ssr", *ROWS} < {*config.methods}
    assert config.alignment.iterations == 5000


@pytest.mark.parametrize("data_set", PHOTOGRAPHS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_holds_what_its_page_claims(preset: str, data_set: str) -> None:
    config = method_config(laid(data_set, preset), preset if preset in ROWS else "ssr")
    claimed = claims(preset)
    assert len(claimed) > 5
    assert {path: setting(config, path) for path in claimed} == claimed


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_the_same_beside_any_reading_of_the_method(row: str) -> None:
    ours, literal = (method_config(laid(*names, row), row) for names in (["voc"], VOC_LITERAL))
    said = values(f"config/{row}.yaml")["methods"][row]
    for path in (f"{section}.{name}" for section in said for name in said[section]):
        assert setting(ours, path) == setting(literal, path)
    assert not literal.alignment.enabled


@pytest.mark.parametrize("row", ROWS)
def test_a_row_shares_what_it_does_not_change(row: str) -> None:
    config = laid("voc", *ROWS)
    shared = [made for made in ("text", "superpixels") if owner(config, row, made) == "ssr"]
    assert shared == ["text", "superpixels"]
    # WeCLIP starts from the same maps, and parts from CLIP-ES in its labels.
    assert owner(config, "weclip", "refined_cam") == "clip_es"
    assert owner(config, "weclip", "pseudo_label") == "weclip"


@pytest.mark.parametrize("data_set", PHOTOGRAPHS)
def test_ours_is_what_the_files_of_photographs_say(data_set: str) -> None:
    assert laid(data_set, "ssr") == laid(data_set)


def test_ours_takes_back_what_the_literal_reading_says() -> None:
    assert laid(*VOC_LITERAL) != laid("voc")
    assert laid(*VOC_LITERAL, "ssr") == laid("voc")


@pytest.mark.parametrize("data_set", ["voc", "coco"])
def test_prompts_and_size_of_peers_are_those_of_their_data_sets(data_set: str) -> None:
    config = method_config(laid(data_set, "weclip"), "weclip")
    assert config.text.templates == ("a clean origami {}.",)
    assert config.text.prompt("person") == "person with clothes,people,human"
    assert config.features.clip_attention_blocks == 8
    assert (config.segmenter.crop_size, config.segmenter.warmup) == (320, 50)
    assert config.segmenter.iterations == {"voc": 30_000, "coco": 80_000}[data_set]
    assert (config.prediction.max_side, config.prediction.scales) == (512, (1.0, 0.75))
    assert config.prediction.flip


@pytest.mark.parametrize("row", ROWS)
def test_cocos_boxes_are_one_line_away(row: str) -> None:
    said = re.search(r'--config (methods=)"(\{.*\})"', PAGE)
    assert said
    given = parsed_by_snakemake([said[1] + said[2].replace("clip_es", row)])
    config = parse_config(merge(laid("coco", row).model_dump(), given))
    assert method_config(config, row).refinement.box_threshold == 0.698
