"""VOC in the DAG: its lists are enough to plan a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.conftest import Run, in_folder, rules_in, workflow_in

OVERLAY = """
data:
  root: data/VOC
  splits: {test: test}
  tune_images: 2
prototypes: {clusters: 2}
backbones: {clip: {weights: random}, dino: {weights: random}}
"""


@pytest.fixture
def voc(tmp_path: Path) -> Run:
    """config/voc.yaml in a clone, with lists of a few ids."""
    lists = tmp_path / "data/VOC/ImageSets/Segmentation"
    lists.mkdir(parents=True)
    for name, ids in {"train_aug": "abcdef", "train": "ace", "val": "vw", "test": "xyz"}.items():
        (lists / f"{name}.txt").write_text("\n".join(ids))
    (tmp_path / "overlay.yaml").write_text(OVERLAY)
    run = in_folder(workflow_in(tmp_path))
    return lambda *more: run("-n", "-p", *more, "--configfile", "config/voc.yaml", "overlay.yaml")


def test_predictions_of_test_are_archived_as_the_server_takes_them(voc: Run) -> None:
    printed = voc("results/voc/submission/ssr.tar.gz")
    assert "archive_predictions" in rules_in(printed)
    assert "--folder results/VOC2012/Segmentation/comp6_test_cls" in printed.stdout


def test_seeds_are_reported_on_train_and_learned_from_train_aug(voc: Run) -> None:
    target = "results/voc/evaluation/initial_cam/ssr/train.json"
    printed = voc(target)
    assert "--only data/VOC/ImageSets/Segmentation/train.txt" in printed.stdout
    assert "results/voc/cams/initial/ssr/train_0000.zarr.zip" in printed.stdout
