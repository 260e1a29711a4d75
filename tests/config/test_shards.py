"""Shards as large as it takes to have at most some 2,000 jobs of a stage."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ssr.config import Config, Data
from ssr.config.settings import config_hash, parse_config
from ssr.config.shards import shard_doubts, shard_size, with_shard_size
from ssr.errors import InputError
from tests import ROOT


@pytest.mark.parametrize(
    ("images", "size"),
    [(0, 200), (700, 200), (400_000, 200), (400_001, 400), (10**6, 800), (10**7, 6400)],
)
def test_shards_are_doubled_as_long_as_there_are_more_than_two_thousand(
    images: int, size: int
) -> None:
    assert shard_size(Data(), images) == size
    assert images / size <= 2000


@pytest.mark.parametrize(
    ("preset", "size"), [("voc", 256), ("coco", 512), ("photographs", 128), ("voc_subset", 200)]
)
def test_presets_keep_their_shards(preset: str, size: int) -> None:
    data = yaml.safe_load((ROOT / f"config/{preset}.yaml").read_text())["data"]
    assert shard_size(Data(**data), 82_081) == size


def test_the_demo_is_the_run_that_it_was_when_two_hundred_was_the_default() -> None:
    before = Config(data=Data(shard_size=200))
    assert with_shard_size(Config(), 700) == before
    assert config_hash(with_shard_size(Config(), 700)) == config_hash(before)


@pytest.mark.parametrize("given", [0, -1, 2.5, "many", None, True])
def test_anything_else_is_refused(given: Any) -> None:
    with pytest.raises(
        InputError, match=r"data\.shard_size: auto, or how many images from 1; came"
    ):
        parse_config({"data": {"shard_size": given}})


def test_a_number_from_the_command_line_is_one() -> None:
    assert parse_config({"data": {"shard_size": "12"}}).data.shard_size == 12


def test_so_many_jobs_that_they_are_a_burden_are_told_of() -> None:
    small = Data(shard_size=128)
    assert [*shard_doubts(small, 10**7)] == [
        "data.shard_size: 128 makes 78125 jobs of each stage; auto makes 1563, of 6400 images each"
    ]
    assert not [*shard_doubts(small, 256_000)]
    assert not [*shard_doubts(Data(), 10**9)]
