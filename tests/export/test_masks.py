"""Masks of a run, and of `ssr predict`, for a tool in which to correct them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.annotation.formats import reader
from ssr.command import _STAGES
from ssr.data.findings import Findings
from ssr.data.pngs import read_labels
from ssr.errors import InputError
from ssr.export.masks import STAGES, write_masks
from ssr.predict import command
from ssr.results import open_results
from tests.made_up_results import make_results
from tests.untrained_run import noise


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with label maps of two stages."""
    return make_results(tmp_path_factory.mktemp("run"))


@pytest.fixture
def predicted(results: Path, tmp_path: Path) -> Path:
    """A folder that `ssr predict` wrote, of an image in a folder of images."""
    (tmp_path / "photographs/deep").mkdir(parents=True)
    Image.fromarray(noise(40, 96)).save(tmp_path / "photographs/deep/a.b.jpg")
    given = {"results": results, "images": [tmp_path / "photographs"], "out": tmp_path / "out"}
    usual = {"method": None, "overlay": False, "crf": False, "scales": None, "tiles": None}
    command.main(argparse.Namespace(**given, **usual, device="cpu"))
    return tmp_path / "out"


def read(folder: Path, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
    _, place, reads = reader(folder)
    return {image.name: image.labels for image in reads(place, classes, Findings())}


@pytest.mark.parametrize("stage", ["predictions", "pseudo_labels"])
def test_label_maps_of_a_run_are_written(
    run: Path, stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = open_results(run)
    files = write_masks(run, "coco", tmp_path / "coco", stage, "ssr")
    assert files == [tmp_path / "coco/instances.json"]
    assert capsys.readouterr().out == f"masks of {len(results[f'{stage}/ssr'])} images\n"
    found = read(tmp_path / "coco", results.config.data.classes)
    assert [*found] == [*results[f"{stage}/ssr"]]
    for name, labels in found.items():
        np.testing.assert_array_equal(labels, results[f"{stage}/ssr"][name]["labels"])


def test_what_was_predicted_is_written_under_the_names_of_its_images(
    predicted: Path, tmp_path: Path
) -> None:
    write_masks(predicted, "label_studio", tmp_path / "tasks", None, None)
    (task,) = json.loads((tmp_path / "tasks/tasks.json").read_text())
    assert task["data"]["image"] == "/data/local-files/?d=deep/a.b.jpg"
    write_masks(predicted, "cvat", tmp_path / "cvat", None, None)
    (labels,) = read(tmp_path / "cvat/masks.zip", ("cat", "dog")).values()
    np.testing.assert_array_equal(labels, read_labels(predicted / "labels/deep/a.b.png"))


def test_predictions_that_do_not_tell_their_image_are_refused(
    predicted: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(predicted / "labels/other.png")
    with pytest.raises(InputError, match=r"other\.png: does not say of which image it is"):
        write_masks(predicted, "coco", tmp_path / "coco", None, None)
    for path in (predicted / "labels").rglob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match="out: holds no masks"):
        write_masks(predicted, "coco", tmp_path / "coco", None, None)
    assert not (tmp_path / "coco/instances.json").exists()
    (predicted / "segmentation.json").write_text("[]")
    with pytest.raises(InputError, match=r"segmentation\.json: is none that ssr predict wrote"):
        write_masks(predicted, "coco", tmp_path / "coco", None, None)


def test_predictions_have_neither_stage_nor_method(predicted: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is of ssr predict; --stage and --method are of a run"):
        write_masks(predicted, "coco", tmp_path / "coco", "pseudo_labels", None)


def test_what_has_not_been_made_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="predictions/clip"):
        write_masks(run, "coco", tmp_path / "coco", None, "clip")


def test_nothing_is_written_over(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(InputError, match=r": is there already; choose another --out"):
        write_masks(run, "coco", tmp_path, None, None)


def test_the_command_offers_each_stage() -> None:
    assert _STAGES == STAGES
