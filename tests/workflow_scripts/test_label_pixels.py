"""label_pixels and evaluate_labels: pseudo-labels of a shard, held against its masks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ssr.config import Crf, Labels
from ssr.data.index import Index
from ssr.data.pngs import open_pngs
from ssr.evaluation.thresholds import Threshold
from ssr.labels import IGNORE
from tests.evaluated_folder import CLASSES, make_folder, write_cams

Run = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data set and a threshold of 0.4."""
    make_folder(tmp_path)
    document = {"stage": "refined_cam", "split": "tune", **Threshold(0.4, "tune", 2).entries}
    (tmp_path / "tune.json").write_text(json.dumps(document))
    return tmp_path


def label(run_program: Run, folder: Path, settings: Labels, name: str, threads: int = 1) -> Path:
    output = folder / name / "train_0000.zip"
    run_program(
        "label_pixels",
        *("--index", folder / "index.parquet", "--root", folder, "--shard", "train_0000"),
        *("--labels", settings.canonical(), "--cams", write_cams(folder, "train_0000")),
        *("--threshold-from", folder / "tune.json", "--output", output, "--threads", threads),
    )
    return output


def label_second(run_program: Run, folder: Path, settings: list[str]) -> Path:
    output = folder / "second" / "train_0001.zip"
    run_program(
        "label_pixels",
        *("--index", folder / "index.parquet", "--root", folder, "--shard", "train_0001"),
        *("--cams", write_cams(folder, "train_0001"), *settings, "--output", output),
    )
    return output


def test_each_image_gets_labels_of_its_own_size(run_program: Run, folder: Path) -> None:
    labels = open_pngs([label(run_program, folder, Labels(), "plain")])
    assert labels.ids == ["a", "b"]
    assert [labels.read(name).shape for name in labels.ids] == [(24, 32), (30, 20)]
    assert np.unique(labels.read("a")).tolist() == [0, 1, 2]


def test_the_crf_reads_the_image_and_ignores_doubts(run_program: Run, folder: Path) -> None:
    crf = Crf(bilateral_sxy=10, bilateral_srgb=10)
    plain = open_pngs([label(run_program, folder, Labels(), "plain")]).read("a")
    refined = open_pngs([label(run_program, folder, Labels(crf=crf), "crf")]).read("a")
    assert (refined != plain).any()
    doubtful = Labels(crf=crf.model_copy(update={"iterations": 1}), confidence=0.999)
    assert (open_pngs([label(run_program, folder, doubtful, "sure")]).read("a") == IGNORE).any()


def test_the_threshold_may_be_a_setting(run_program: Run, folder: Path) -> None:
    strict = Labels(threshold=0.9)
    (folder / "tune.json").unlink()
    output = folder / "strict" / "train_0000.zip"
    common = ["--labels", strict.canonical(), "--threshold-from"]
    run_program(
        "label_pixels",
        *("--index", folder / "index.parquet", "--root", folder, "--shard", "train_0000"),
        *("--cams", write_cams(folder, "train_0000"), *common, "--output", output),
    )
    assert 0 < (open_pngs([output]).read("a") == 1).sum() < 50
    run_program(
        "evaluate_labels",
        *("--stage", "pseudo_label", "--split", "train", "--index", folder / "index.parquet"),
        *("--masks", folder / "masks.parquet", "--root", folder, "--classes", *CLASSES),
        *("--pngs", output, label_second(run_program, folder, common), *common),
        *("--output", folder / "labels.json"),
    )
    found = json.loads((folder / "labels.json").read_text())
    assert (found["threshold"], found["threshold_from"]) == (0.9, None)


def test_images_without_a_label_get_none(run_program: Run, folder: Path) -> None:
    index = Index.read(folder / "index.parquet")
    images = [replace(image, labels=() if image.id == "b" else (1, 2)) for image in index.images]
    Index(tuple(images)).write(folder / "index.parquet")
    assert open_pngs([label(run_program, folder, Labels(), "plain")]).ids == ["a"]


def test_two_processes_write_the_same_file(run_program: Run, folder: Path) -> None:
    settings = Labels(crf=Crf())
    one = label(run_program, folder, settings, "one").read_bytes()
    assert label(run_program, folder, settings, "two", threads=2).read_bytes() == one


def test_a_missing_image_leaves_no_file(run_program: Run, folder: Path) -> None:
    (folder / "b.png").unlink()
    with pytest.raises(SystemExit, match=r"error: .*b\.png: no such file"):
        label(run_program, folder, Labels(crf=Crf()), "none")
    assert not list((folder / "none").iterdir())


def test_labels_score_what_the_cams_scored_at_that_threshold(
    run_program: Run, folder: Path
) -> None:
    shards = ("train_0000", "train_0001")
    for shard in shards:
        run_program(
            "label_pixels",
            *("--index", folder / "index.parquet", "--root", folder, "--shard", shard),
            *("--labels", Labels().canonical(), "--cams", write_cams(folder, shard)),
            *("--threshold-from", folder / "tune.json"),
            *("--output", folder / "labels" / f"{shard}.zip"),
        )
    common = ["--split", "train", "--index", folder / "index.parquet", "--classes", *CLASSES]
    common += ["--masks", folder / "masks.parquet", "--root", folder]
    common += ["--threshold-from", folder / "tune.json"]
    run_program(
        "evaluate_labels",
        *(*common, "--stage", "pseudo_label", "--labels", Labels(crf=Crf()).canonical()),
        *("--pngs", *(folder / "labels" / f"{shard}.zip" for shard in shards)),
        *("--output", folder / "labels.json"),
    )
    run_program(
        "evaluate_cams",
        *(*common, "--stage", "refined_cam", "--output", folder / "cams.json"),
        *("--cams", *(folder / "cams" / f"{shard}.zarr.zip" for shard in shards)),
    )
    labels = json.loads((folder / "labels.json").read_text())
    cams = json.loads((folder / "cams.json").read_text())
    assert labels["confusion"] == cams["confusion"]
    assert labels["threshold"] == cams["threshold"] == 0.4
    assert labels["threshold_from"] == {"split": "tune", "images": 2}
    assert (labels["stage"], labels["images"], labels["crf"]) == ("pseudo_label", 3, True)
