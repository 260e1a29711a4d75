import json
from pathlib import Path
from typing import Any

import pytest

from ssr.errors import InputError
from ssr.evaluation.thresholds import Threshold, label_threshold, read_threshold

CHOSEN = Threshold(0.37, "tune", 100)


def evaluation(folder: Path, **entries: Any) -> Path:
    path = folder / "tune.json"
    document = {"stage": "refined_cam", "split": "tune", **CHOSEN.entries, **entries}
    path.write_text(json.dumps(document))
    return path


def test_what_an_evaluation_chose_is_read_back(tmp_path: Path) -> None:
    assert read_threshold(evaluation(tmp_path), "refined_cam") == CHOSEN


@pytest.mark.parametrize("entries", [{"threshold": None}, {"threshold_from": None}, {"stage": []}])
def test_an_evaluation_without_a_threshold_is_named(
    tmp_path: Path, entries: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"tune\.json"):
        read_threshold(evaluation(tmp_path, **entries), "refined_cam")


def test_the_threshold_of_another_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"wanted the evaluation of refined_cam .* initial_cam"):
        read_threshold(evaluation(tmp_path, stage="initial_cam"), "refined_cam")


def test_an_evaluation_that_took_its_threshold_from_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="on val with a threshold of tune"):
        read_threshold(evaluation(tmp_path, split="val"), "refined_cam")


def test_a_threshold_that_is_a_setting_needs_no_evaluation(tmp_path: Path) -> None:
    assert label_threshold(0.5, None) == label_threshold(0.5, tmp_path / "gone") == Threshold(0.5)
    assert Threshold(0.5).entries == {"threshold": 0.5, "threshold_from": None}


def test_without_a_setting_the_pseudo_labels_take_what_was_chosen(tmp_path: Path) -> None:
    assert label_threshold(None, evaluation(tmp_path)) == CHOSEN
    with pytest.raises(InputError, match=r"labels\.threshold is null"):
        label_threshold(None, None)


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"threshold": 0.3')
    for name in ("gone.json", "broken.json"):
        with pytest.raises(InputError, match=name):
            read_threshold(tmp_path / name, "refined_cam")
