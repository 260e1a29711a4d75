from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ssr.artefacts.store import ShardWriter, open_shards
from ssr.config import Config
from ssr.data.index import Image, Index
from ssr.report.shown import SIDE, Stores, choose, nearest, read
from tests.report.finished_run import FinishedRun


def image(name: str, *labels: int) -> Image:
    return Image(name, f"{name}.png", 64, 48, "val", labels, "val_0000")


def test_images_are_chosen_for_the_classes_they_add() -> None:
    images = [image("a", 1), image("b", 1), image("c", 1, 2), image("d", 3)]
    assert [one.id for one in choose(images, 2)] == ["c", "d"]


def test_choice_begins_anew_when_all_classes_are_shown() -> None:
    images = [image("a", 1), image("b", 1), image("c", 2)]
    assert [one.id for one in choose(images, 3)] == ["a", "b", "c"]


@pytest.mark.parametrize(("count", "chosen"), [(1, ["a"]), (9, ["a", "b"])])
def test_images_without_labels_can_be_shown(count: int, chosen: list[str]) -> None:
    assert [one.id for one in choose([image("a"), image("b")], count)] == chosen


def test_all_stages_come_in_one_size(finished: FinishedRun, stores: Stores) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    shown = read(first, finished.root, stores, Config())
    size = (SIDE * 48 // 64, SIDE)
    assert shown.pixels.shape == (*size, 3)
    assert shown.classes == (1, 2)
    assert {name: maps.shape for name, maps in shown.cams.items()} == {
        "initial_cam": (2, *size),
        "aligned_cam": (2, *size),
        "refined_cam": (2, *size),
    }
    assert shown.target is not None
    assert shown.target.shape == (2, *size)
    assert shown.superpixels is not None
    assert shown.regions is not None
    assert shown.superpixels.shape == shown.regions.shape == size
    stages = {"pseudo_label", "prediction", "prediction_crf", "truth"}
    assert {name: labels.shape for name, labels in shown.labels.items()} == dict.fromkeys(
        stages, size
    )
    assert set(np.unique(shown.labels["truth"])) == {0, 1, 2, 255}


def test_target_mask_lies_where_the_class_is(finished: FinishedRun, stores: Stores) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    shown = read(first, finished.root, stores, Config())
    assert shown.target is not None
    on_class = [shown.labels["truth"] == index for index in shown.classes]
    for target, truth in zip(shown.target, on_class, strict=True):
        assert target[truth].mean() > 0.8


@pytest.mark.parametrize("refinement", [{"mask": "none"}, {"affinity": "none"}])
def test_without_a_mask_there_is_no_target(
    finished: FinishedRun, stores: Stores, refinement: dict[str, str]
) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    settings = Config(refinement=refinement)
    assert read(first, finished.root, stores, settings).target is None


def test_without_alignment_the_target_is_of_the_initial_cam(
    finished: FinishedRun, stores: Stores
) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    initial = stores.cams["initial_cam"]
    swapped = replace(stores, cams={**stores.cams, "aligned_cam": initial})
    none = replace(stores, cams={**stores.cams, "aligned_cam": type(initial)([])})
    settings = Config(refinement={"mask": "box", "box_threshold": 0.5})
    expected = read(first, finished.root, swapped, settings).target
    found = read(first, finished.root, none, settings)
    np.testing.assert_array_equal(found.target, expected)
    assert "aligned_cam" not in found.cams


def test_the_target_of_foreign_cams_is_found_on_the_grid(
    tmp_path: Path, finished: FinishedRun, stores: Stores
) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    maps = np.linspace(0, 1, 2 * 50 * 70, dtype=np.float32).reshape(2, 50, 70)
    with ShardWriter(tmp_path / "foreign.zarr.zip") as writer:
        writer.add(first.id, {"cams": maps, "classes": np.array(first.labels)})
    cams = {"initial_cam": open_shards([tmp_path / "foreign.zarr.zip"])}
    none = {stage: type(cams["initial_cam"])([]) for stage in ("aligned_cam", "refined_cam")}
    settings = Config(refinement={"mask": "box", "box_threshold": 0.5})
    shown = read(first, finished.root, replace(stores, cams=cams | none), settings)
    assert shown.target is not None
    assert shown.target[:, -1].all()
    assert not shown.target[:, 0].any()


def test_stages_that_have_not_run_are_left_out(finished: FinishedRun, empty_stores: Stores) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    shown = read(first, finished.root, empty_stores, Config())
    assert shown.classes == first.labels
    assert (shown.cams, shown.labels) == ({}, {})
    assert shown.target is shown.regions is shown.superpixels is None


def test_resizing_keeps_values() -> None:
    labels = np.array([[0, 255], [7, 3]])
    assert nearest(labels, 4, 6).tolist() == [[0] * 3 + [255] * 3] * 2 + [[7] * 3 + [3] * 3] * 2
    assert nearest(nearest(labels, 4, 6), 2, 2).tolist() == labels.tolist()
