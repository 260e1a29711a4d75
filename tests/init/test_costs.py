"""An estimate is what docs/performance.md has measured, times what the settings ask for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ssr.config import Config
from ssr.config.settings import parse_config
from ssr.init.costs import (
    CROP,
    ITERATION,
    LOOK,
    MEASURED_PATCHES,
    PER_IMAGE,
    ROUND,
    RUN,
    SAMPLE,
    Cost,
    estimate,
    learned,
)
from ssr.running.machine import Machine
from tests import ROOT
from tests.init.conftest import SERVER

PAGE = (ROOT / "docs/performance.md").read_text()
COSTS = (*PER_IMAGE.values(), LOOK, SAMPLE, ROUND, ITERATION, CROP, RUN)
ONE_CORE = Machine(cores=1, memory=16 * 10**9)
IMAGES = {"train": 100, "tune": 0, "val": 0, "test": 0}
ONLY_SSR = {"methods": {"ssr": {}}, "data": {"masks": None}, "labels": {"threshold": 0.5}}


def config(**changes: Any) -> Config:
    return parse_config({**ONLY_SSR, **changes})


def seconds(
    machine: Machine = ONE_CORE, images: Any = IMAGES, larger: float = 1, **changes: Any
) -> float:
    return estimate(config(**changes), images, larger * MEASURED_PATCHES, machine).seconds


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost.rule)
def test_seconds_and_bytes_are_those_of_the_page(cost: Cost) -> None:
    section = PAGE.split("## What `ssr init` foretells")[1].split("\n## ")[0]
    line = re.search(rf"^\| `?{cost.rule}`?[ ,].*$", section, re.MULTILINE)
    assert line
    _, seconds, size = (cell.strip().replace(",", "") for cell in line[0].split("|")[2:5])
    assert (float(seconds), float(size.replace("–", "0"))) == (cost.core, cost.size)


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        ("`extract_features`, with it", PER_IMAGE["features"]),
        ("`activate_cams`, Grad-CAM", PER_IMAGE["initial_cam"]),
        ("`train_segmenter`, two runs", CROP),
        ("`activate_cams`, Grad-CAM", LOOK),
        ("`predict_logits`, 4 views", PER_IMAGE["prediction"]),
    ],
)
def test_a_gpu_takes_what_its_program_took_on_the_page(row: str, cost: Cost) -> None:
    line = re.search(rf"^\| {re.escape(row)} \| float32 .*$", PAGE, re.MULTILINE)
    assert line
    assert cost.gpu
    program = line[0].split("|")[5]
    assert round(1 / cost.gpu, 1) == float(re.findall(r"[\d.]+", program)[0])


def test_every_stage_that_leaves_something_costs_something() -> None:
    per_image = sum(cost.core for cost in PER_IMAGE.values())
    learned = 100 * SAMPLE.core + 3 * (ROUND.core + 50 * ITERATION.core)
    trained = 800 * 8 * CROP.core * (112 / 320) ** 2
    assert seconds() == pytest.approx(RUN.core + 100 * per_image + learned + trained)


@pytest.mark.parametrize("names", [["ssr", "clip"], ["clip", "ssr"]])
def test_samples_cost_once_whichever_method_they_lie_under(names: list[str]) -> None:
    overrides = {"ssr": {}, "clip": {"alignment": {"enabled": False}}}
    found = learned(config(methods={name: overrides[name] for name in names}), IMAGES, 1)
    assert [each for each in found if each[0] == SAMPLE] == [(SAMPLE, 100)]


def test_samples_pooled_behind_what_is_trained_cost_in_each_round() -> None:
    more = seconds(prototypes={"pooling": "after"}) - seconds()
    assert more == pytest.approx(3 * 100 * SAMPLE.core)


def test_cores_share_the_work_as_far_as_memory_bears_their_jobs() -> None:
    assert seconds(Machine(4, 16 * 10**9)) == pytest.approx(seconds() / 4)
    assert seconds(Machine(4, 4 * 10**9)) == pytest.approx(seconds() / 2)
    assert seconds(SERVER) < seconds(Machine(16, 128 * 10**9))


def test_larger_images_cost_more_and_so_do_looks_at_tune() -> None:
    assert seconds(larger=2) > 1.5 * seconds()
    tune = {**IMAGES, "tune": 10}
    masks = {"data": {"masks": "masks"}, "labels": {}}
    stop = {"alignment": {"stop": "last"}}
    looks = seconds(images=tune, **masks) - seconds(images=tune, **masks, **stop)
    assert looks == pytest.approx(10 * 13 * LOOK.core)


def test_a_method_costs_what_it_does_not_share() -> None:
    methods = {"ssr": {}, "box_mask": {"refinement": {"mask": "box"}}}
    refined = PER_IMAGE["refined_cam"]
    more = seconds(methods=methods) - seconds()
    assert more == pytest.approx(100 * (refined.core + PER_IMAGE["pseudo_label"].core))


def test_what_a_run_leaves_is_told_and_its_features_by_themselves() -> None:
    found = estimate(config(), IMAGES, MEASURED_PATCHES, ONE_CORE)
    assert found.features == 100 * PER_IMAGE["features"].size
    rest = sum(cost.size for cost in PER_IMAGE.values()) * 100 - found.features
    assert found.size == pytest.approx(found.features + rest + RUN.size)
