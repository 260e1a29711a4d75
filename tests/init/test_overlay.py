"""The file of settings: commented, sound, sized by the machine."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
import yaml

from ssr.config import Config
from ssr.config.consistency import doubts
from ssr.config.methods import merge
from ssr.config.settings import parse_config
from ssr.init.overlay import BELOW, overlay
from ssr.running.machine import Machine
from tests import ROOT
from tests.init.conftest import LAPTOP, SERVER

DATA = {"format": "folder", "root": "harbour", "classes": ["boat", "red_kite"], "masks": None}


def laid(train: int = 500, machine: Machine = LAPTOP, **data: Any) -> Config:
    """The configuration with the file laid over that for photographs."""
    text = overlay("harbour", DATA | data, train, machine, ("ssr init --check harbour.yaml",))
    files = [(ROOT / name).read_text() for name in ("config.yaml", BELOW)]
    return parse_config(reduce(merge, map(yaml.safe_load, [*files, text])))


def test_the_file_is_sound_and_nothing_in_it_is_doubted() -> None:
    config = laid()
    assert config.dataset == "harbour"
    assert config.data.classes == ("boat", "red_kite")
    assert config.text.prompts == {"red_kite": "red kite"}
    assert [*config.methods] == ["ssr"]
    assert doubts(config) == []


@pytest.mark.parametrize("name", ["on", "1", "café: a", "null", "#1"])
def test_any_name_of_a_class_comes_back_as_it_was(name: str) -> None:
    assert laid(classes=[name, "möwe"]).data.classes == (name, "möwe")


def test_the_threshold_is_chosen_where_masks_are_and_given_where_not() -> None:
    assert laid().labels.threshold == 0.5
    assert laid(masks="masks").labels.threshold is None


@pytest.mark.parametrize(
    ("train", "iterations"), [(10, 400), (500, 1375), (10_582, 29_100), (118_000, 30_000)]
)
def test_the_segmenter_sees_each_image_as_often_as_on_voc(train: int, iterations: int) -> None:
    assert laid(train).segmenter.iterations == iterations
    assert laid(train).segmenter.batch_size == 4


def test_a_gpu_computes_in_half_precision_and_a_processor_has_a_shard_for_each_core() -> None:
    assert laid(machine=SERVER).features.precision == "float16"
    assert laid(machine=SERVER).data.shard_size == 128
    assert laid().features.precision == "float32"
    cores = Machine(cores=4, memory=16 * 10**9)
    sizes = [laid(train, cores).data.shard_size for train in (10, 200, 5000)]
    assert sizes == [16, 50, 128]
    assert laid(10**6, cores).data.shard_size == "auto"
