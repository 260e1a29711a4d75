"""COCO's instances files in the DAG: labels for all, masks for evaluation only."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from ssr.data.index import Index
from ssr.data.masks import Masks
from tests.coco_folder import CLASSES, image_id, write_coco
from tests.workflow.conftest import Run, in_folder, rules_in, workflow_in
from tests.workflow.test_dag import EVALUATION

INDEX = ("results/tiny/index/index.parquet", "results/tiny/index/masks.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with a tiny COCO beside it."""
    write_coco(tmp_path / "data/COCO2014")
    splits = {"train": "train2014", "tune": None, "val": "val2014"}
    data = {"format": "coco", "root": "data/COCO2014", "masks": "annotations", "splits": splits}
    data |= {"tune_images": 1, "classes": list(CLASSES), "shard_size": 2}
    backbones = {"clip": {"weights": "random"}}  # the demo's know their own words alone
    settings = {"dataset": "tiny", "data": data, "backbones": backbones}
    (tmp_path / "coco.yaml").write_text(yaml.safe_dump(settings))
    return workflow_in(tmp_path)


@pytest.fixture
def coco(folder: Path) -> Run:
    run = in_folder(folder)
    return lambda *arguments, **options: run(*arguments, "--configfile", "coco.yaml", **options)


def test_only_evaluation_and_report_can_reach_a_derived_mask(coco: Run) -> None:
    jobs = re.findall(r"^(?:local)?rule (\w+):\n    input: (.*)$", coco("-n").stdout, re.MULTILINE)
    archives = {rule for rule, inputs in jobs if re.search(r"annotations/\w+\.zip", inputs)}
    assert archives == EVALUATION | {"index_dataset", "index_masks", "build_report"}
    tables = {rule for rule, inputs in jobs if "masks.parquet" in inputs}
    assert tables == EVALUATION | {"build_report"}


def test_labels_and_masks_are_derived_once_for_each_folder(coco: Run) -> None:
    printed = coco("-n", *INDEX).stdout
    assert printed.count("rule derive_coco_labels:") == 2
    assert printed.count("rule derive_coco_masks:") == 2


def test_masks_of_ones_own_are_not_drawn(coco: Run) -> None:
    printed = coco("-n", *INDEX, "--config", "data={'masks': 'SegmentationClass'}")
    assert rules_in(printed) == {"derive_coco_labels", "index_dataset", "index_masks"}


@pytest.mark.slow
def test_instances_files_become_an_index_and_masks(coco: Run, folder: Path) -> None:
    coco("--cores", "2", *INDEX)
    index = Index.read(folder / INDEX[0])
    assert {image.id: image.labels for image in index.images} == {
        image_id("train2014", 1): (1, 3),
        image_id("train2014", 2): (1, 2),
        image_id("train2014", 3): (),
        image_id("train2014", 4): (2,),
        image_id("train2014", 5): (1, 2),
        image_id("val2014", 1): (1, 3),
        image_id("val2014", 2): (1, 2),
    }
    masks = Masks.read(folder / INDEX[1], folder / "data/COCO2014")
    assert masks.load(image_id("val2014", 1))[15, 15] == 3
    assert not masks.load(image_id("train2014", 3)).any()
    for path in (folder / "data").rglob("*.*"):
        os.utime(path, (1, 1))
    assert rules_in(coco("-n", *INDEX)) == set(), "a copy with other dates"
    with (folder / "data/COCO2014/annotations/instances_val2014.json").open("a") as file:
        file.write("\n")
    derived = {"derive_coco_labels", "derive_coco_masks"}
    assert rules_in(coco("-n", *INDEX)) == derived | {"index_dataset", "index_masks"}


def test_images_of_the_test_split_are_predicted_and_archived(coco: Run) -> None:
    splits = "data={'splits': {'train': 'train2014', 'val': 'train2014', 'test': 'val2014'}}"
    printed = coco("-n", "--config", splits)
    assert "archive_predictions" in rules_in(printed)
    assert "rule archive_predictions:" in printed.stdout
    assert "results/tiny/predictions/ssr/test_0000.zip" in printed.stdout
    assert "results/tiny/cams/initial/ssr/test_0000" not in printed.stdout
