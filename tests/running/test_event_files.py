from pathlib import Path

import pytest

from ssr.running.event_files import event_file, event_files, is_event_file
from tests.event_curves import curves

ROWS = [{"iteration": step, "loss": 1 / step, "rate": 0.5} for step in range(1, 8)]


def test_a_curve_for_each_column_over_the_iterations(tmp_path: Path) -> None:
    with event_file(tmp_path, []) as add:
        for row in ROWS:
            add(row)
    found = curves(tmp_path)
    assert found["loss"] == [(row["iteration"], pytest.approx(row["loss"])) for row in ROWS]
    assert found["rate"] == [(row["iteration"], 0.5) for row in ROWS]


def test_a_resumed_training_goes_on_with_the_same_curves(tmp_path: Path) -> None:
    with event_file(tmp_path, []) as add:
        for row in ROWS[:6]:
            add(row)
    with event_file(tmp_path, ROWS[:4]) as add:  # its checkpoint was two iterations old
        for row in ROWS[4:]:
            add(row)
    assert [step for step, _ in curves(tmp_path)["loss"]] == [1, 2, 3, 4, 5, 6, 7]
    assert len(event_files(tmp_path)) == 1


def test_event_files_are_told_from_results(tmp_path: Path) -> None:
    with event_file(tmp_path, ROWS):
        pass
    assert all(map(is_event_file, tmp_path.iterdir()))
    assert not is_event_file(tmp_path / "history.csv")
