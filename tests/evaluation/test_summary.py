import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssr.errors import InputError
from ssr.evaluation.evaluation import quality, write_evaluation
from ssr.evaluation.image_scores import beside, sparse, write_image_counts
from ssr.evaluation.summary import STAGES, Evaluated, summary_rows

CONFUSION = np.array([[60, 20, 20], [5, 35, 0]])


def write(folder: Path, stage: str, **entries: Any) -> Path:
    path = folder / stage / "val.json"
    document: dict[str, Any] = {"stage": stage, "split": "val", "images": 200, "crf": False}
    document |= {"scales": None, "flip": None, "threshold": None, "threshold_from": None}
    document |= {"miou_given_labels": None, "protocol": "held_out"}
    document |= quality(CONFUSION, ["background", "cat"])
    write_evaluation(path, document | entries)
    write_image_counts(beside(path), {"a": sparse(CONFUSION)})
    return path


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    tuned = {"threshold": 0.37, "threshold_from": {"split": "tune", "images": 100}}
    segmenter = {"crf": True, "scales": [1.0, 0.75], "flip": True}
    shared = write(tmp_path, "initial_cam", **tuned)
    final = write(tmp_path, "prediction_crf", **segmenter)
    plain = write(tmp_path, "prediction", miou_given_labels=0.75)
    nothing_right = {"confusion_ratio": None, "never_right_classes": ["cat", "dog"]}
    refined = write(tmp_path, "refined_cam", **tuned, **nothing_right)
    evaluations = [
        Evaluated("ssr", 3, final),
        Evaluated("ssr", 3, shared),
        Evaluated("ssr", 3, plain),
        Evaluated("clip", 3, shared),
        Evaluated("clip", 3, refined),
    ]
    return summary_rows(evaluations, "demo", "0123456789ab")


def test_methods_keep_their_order_and_stages_follow_the_data(rows: list[dict[str, Any]]) -> None:
    assert [(row["method"], row["stage"]) for row in rows] == [
        ("ssr", "initial_cam"),
        ("ssr", "prediction"),
        ("ssr", "prediction_crf"),
        ("clip", "initial_cam"),
        ("clip", "refined_cam"),
    ]


def test_a_row_says_all_it_takes_to_read_its_figures(rows: list[dict[str, Any]]) -> None:
    row = rows[0]
    assert (row["dataset"], row["seed"], row["config_hash"]) == ("demo", 3, "0123456789ab")
    assert (row["split"], row["images"], row["crf"]) == ("val", 200, False)
    assert row["threshold"] == 0.37
    assert row["threshold_from"] == {"split": "tune", "images": 100}
    assert row["miou"] == pytest.approx((60 / 85 + 35 / 60) / 2)
    assert row["per_class"]["cat"]["iou"] == pytest.approx(35 / 60)
    assert (rows[2]["scales"], rows[2]["flip"], rows[2]["crf"]) == ([1.0, 0.75], True, True)
    assert [one["miou_given_labels"] for one in rows[:3]] == [None, 0.75, None]
    assert row["fb_iou"] == row["miou"], "with one class, object and class are the same"
    assert "confusion" not in row
    assert row["all_background_miou"] == pytest.approx(100 / 140 / 2)


def test_rows_survive_json(rows: list[dict[str, Any]]) -> None:
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_files_that_are_no_evaluations_are_named(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("[1, 2]")
    for path in (other, tmp_path / "gone.json"):
        with pytest.raises(InputError, match=path.name):
            summary_rows([Evaluated("ssr", 0, path)], "demo", "0")
    with pytest.raises(InputError, match=f"{', '.join(STAGES)}; came guess"):
        summary_rows([Evaluated("ssr", 0, write(tmp_path, "guess"))], "demo", "0")


def test_rows_say_what_was_learned_from_and_how_near_it_comes_to_masks(tmp_path: Path) -> None:
    names = {"ssr": "ssr", "fully_supervised": "bound"}
    paths = {name: write(tmp_path / name, "prediction", miou=0.6) for name in names}
    write(tmp_path / "fully_supervised", "prediction", miou=0.8)
    evaluations = [Evaluated(name, 0, path) for name, path in paths.items()]
    rows = summary_rows(evaluations, "demo", "0", ["fully_supervised"])
    assert [row["supervision"] for row in rows] == ["image_labels", "masks"]
    (foreign, _) = summary_rows(evaluations, "demo", "0", ["fully_supervised"], ["ssr"])
    assert foreign["supervision"] == "unknown"
    assert [row["ratio_to_fully_supervised"] for row in rows] == [pytest.approx(0.75), None]


def test_rows_of_a_method_s_seeds_stand_together_with_one_difference(tmp_path: Path) -> None:
    start = write(tmp_path, "initial_cam")
    first, second = (write(tmp_path / name, "refined_cam") for name in ("ssr", "ssr_seed4"))
    worse = {"a": sparse(np.array([[50, 30, 20], [5, 35, 0]]))}
    write_image_counts(beside(second), worse)
    evaluations = [("ssr", 3, start), ("ssr", 3, first), ("ssr", 4, second)]
    rows = summary_rows([Evaluated(*one) for one in evaluations], "demo", "0")
    assert [(row["stage"], row["seed"]) for row in rows] == [
        ("initial_cam", 3),
        ("refined_cam", 3),
        ("refined_cam", 4),
    ]
    assert rows[0]["differences"] == []
    assert rows[1]["differences"] == rows[2]["differences"]
    (found,) = rows[1]["differences"]
    assert (found["to_method"], found["to_stage"]) == ("ssr", "initial_cam")
    change = (50 / 85 + 35 / 70) / 2 - (60 / 85 + 35 / 60) / 2
    assert found["difference"] == pytest.approx(change / 2)
    assert found["low"] == found["high"] == pytest.approx(change / 2), "there is one image"
