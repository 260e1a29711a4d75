"""evaluate_cams: thresholds chosen on tune, applied elsewhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.evaluated_folder import CLASSES, make_folder, write_cams

Run = Callable[..., None]
TRAIN = ("train_0000", "train_0001")


@pytest.fixture
def evaluate(run_program: Run, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Evaluate the CAMs of some shards as refined CAMs of a split."""
    make_folder(tmp_path)

    def run(split: str, shards: tuple[str, ...], *more: object, **noise: float) -> dict[str, Any]:
        output = tmp_path / f"{split}.json"
        run_program(
            "evaluate_cams",
            *("--stage", "refined_cam", "--split", split, "--classes", *CLASSES),
            *("--index", tmp_path / "index.parquet", "--masks", tmp_path / "masks.parquet"),
            *("--root", tmp_path, "--output", output, *more),
            *("--cams", *(write_cams(tmp_path, shard, **noise) for shard in shards)),
        )
        return json.loads(output.read_text())

    return run


def test_on_tune_the_best_threshold_of_the_sweep_is_chosen(
    evaluate: Callable[..., dict[str, Any]],
) -> None:
    result = evaluate("tune", ("tune_0000",))
    sweep = result["sweep"]
    assert len(sweep["thresholds"]) == len(sweep["miou"]) == 99
    best = sweep["miou"].index(max(sweep["miou"]))
    assert result["threshold"] == sweep["thresholds"][best]
    assert result["miou"] == max(sweep["miou"]) > 0.8
    assert result["threshold_from"] == {"split": "tune", "images": 2}
    assert (result["stage"], result["split"], result["images"]) == ("refined_cam", "tune", 2)
    assert (result["crf"], result["scales"], result["flip"]) == (False, None, None)
    assert list(result["per_class"]) == ["background", *CLASSES]


def test_elsewhere_the_threshold_is_that_of_tune(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    tune = evaluate("tune", ("tune_0000",))
    path = tmp_path / "tune.json"
    other = tune | {"threshold": 0.8, "seal": ""}  # not what train would choose
    path.write_text(json.dumps(other))
    result = evaluate("train", TRAIN, "--threshold-from", path)
    at_threshold = result["sweep"]["thresholds"].index(0.8)
    assert result["threshold"] == 0.8
    assert result["miou"] == result["sweep"]["miou"][at_threshold]
    assert result["miou"] < max(result["sweep"]["miou"])
    assert result["threshold_from"] == {"split": "tune", "images": 2}
    assert (result["split"], result["images"]) == ("train", 3)


def test_the_confusion_of_each_image_stands_beside_that_of_all(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    evaluate("tune", ("tune_0000",))
    table = tmp_path / "train.images.parquet"
    result = evaluate("train", TRAIN, "--threshold-from", tmp_path / "tune.json", "--images", table)
    rows = pq.read_table(table).to_pylist()
    total = np.zeros((4, 4), int)
    for row in rows:
        total[row["truth"], row["answer"]] += row["pixels"]
    assert list(dict.fromkeys(row["id"] for row in rows)) == ["a", "b", "c"]
    assert total.tolist() == result["confusion"]


def test_figures_say_whether_the_images_that_chose_are_the_reported_ones(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    assert evaluate("tune", ("tune_0000",))["protocol"] == "published"
    given = ("--threshold-from", tmp_path / "tune.json")
    assert evaluate("train", TRAIN, *given)["protocol"] == "held_out"


def test_where_it_is_asked_for_the_threshold_is_the_best_of_the_reported_split(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    table = tmp_path / "train.images.parquet"
    result = evaluate("train", TRAIN, "--protocol", "published", "--images", table)
    assert result["miou"] == max(result["sweep"]["miou"])
    assert result["threshold_from"] == {"split": "train", "images": 3}
    assert result["protocol"] == "published"
    total = sum(row["pixels"] for row in pq.read_table(table).to_pylist())
    assert total == sum(map(sum, result["confusion"]))


def test_figures_can_be_restricted_to_a_list(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    evaluate("tune", ("tune_0000",))
    (tmp_path / "list.txt").write_text("b\nelsewhere\n")
    only = ("--threshold-from", tmp_path / "tune.json", "--only", tmp_path / "list.txt")
    one = evaluate("train", TRAIN, *only)
    assert (one["split"], one["images"]) == ("train", 1)
    assert sum(map(sum, one["confusion"])) == 30 * 20 - 20  # b without its unknown first row


def test_raw_cams_of_any_scale_score_the_same(evaluate: Callable[..., dict[str, Any]]) -> None:
    small = evaluate("tune", ("tune_0000",), strength=0.01)
    assert small["confusion"] == evaluate("tune", ("tune_0000",), strength=500)["confusion"]


def test_no_threshold_is_chosen_on_a_reported_split(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="error: --threshold-from is missing: none is chosen on t"):
        evaluate("train", TRAIN)
    assert not (tmp_path / "train.json").exists()
