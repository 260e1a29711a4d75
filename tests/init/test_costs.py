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
    MEASURED_PATCHES,
    PER_IMAGE,
    SAMPLE,
    Cost,
    estimate,
)
from ssr.init.machine import Machine
from tests import ROOT
from tests.init.conftest import SERVER

PAGE = (ROOT / "docs/performance.md").read_text()
ONE_CORE = Machine(cores=1, memory=16 * 10**9)
IMAGES = {"train": 100, "tune": 0, "val": 0, "test": 0}
ONLY_SSR = {"methods": {"ssr": {}}, "data": {"masks": None}, "labels": {"threshold": 0.5}}


def config(**changes: Any) -> Config:
    return parse_config({**ONLY_SSR, **changes})


def seconds(
    machine: Machine = ONE_CORE, images: Any = IMAGES, larger: float = 1, **changes: Any
) -> float:
    return estimate(config(**changes), images, larger * MEASURED_PATCHES, machine).seconds


def row(rule: str) -> list[float]:
    """The numbers of a rule in the table of VOC at its real size."""
    cells = re.search(rf"^\| `{rule}`.*$", PAGE, re.MULTILINE)
    assert cells, rule
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,.]*", cells[0])]


@pytest.mark.parametrize("cost", PER_IMAGE.values(), ids=lambda cost: cost.rule)
def test_seconds_and_bytes_are_those_of_the_page(cost: Cost) -> None:
    assert {cost.core, cost.size} <= {*row(cost.rule)}


def test_seconds_of_trainings_are_those_of_the_page() -> None:
    assert SAMPLE.core in row(SAMPLE.rule)
    assert {50, 50 * ITERATION.core} <= {*row(ITERATION.rule)}
    assert {4, 4 * CROP.core, 320} <= {*row(CROP.rule)}


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        ("`extract_features`, with it", PER_IMAGE["features"]),
        ("`activate_cams`, Grad-CAM", PER_IMAGE["initial_cam"]),
        ("`train_segmenter`, two runs", CROP),
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
    learned = 3 * (100 * SAMPLE.core + 50 * ITERATION.core)
    trained = 800 * 8 * CROP.core * (112 / 320) ** 2
    assert seconds() == pytest.approx(100 * per_image + learned + trained)


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
    assert looks == pytest.approx(10 * 13 * PER_IMAGE["aligned_cam"].core)


def test_a_method_costs_what_it_does_not_share() -> None:
    methods = {"ssr": {}, "box_mask": {"refinement": {"mask": "box"}}}
    refined = PER_IMAGE["refined_cam"]
    more = seconds(methods=methods) - seconds()
    assert more == pytest.approx(100 * (refined.core + PER_IMAGE["pseudo_label"].core))


def test_features_are_most_of_what_a_run_leaves() -> None:
    found = estimate(config(), IMAGES, MEASURED_PATCHES, ONE_CORE)
    assert found.features == 100 * PER_IMAGE["features"].size
    assert found.features < found.size < 1.1 * found.features
