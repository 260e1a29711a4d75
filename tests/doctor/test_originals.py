"""Files of the data set that changed since they were indexed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssr.doctor.originals import replaced
from ssr.running.contents import Record


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An index made of two images, a table made of one mask."""
    results = tmp_path / "results"
    (results / "index").mkdir(parents=True)
    for name in ("a.png", "b.png", "mask.png"):
        (tmp_path / name).write_text(name)
    for table, names in {"index": ["a.png", "b.png"], "masks": ["mask.png"]}.items():
        path = results / f"index/{table}.parquet"
        path.touch()
        Record.of("", tmp_path, names, 1).write(path)
    return results


def test_nothing_is_said_of_what_is_as_it_was(results: Path, tmp_path: Path) -> None:
    os.utime(tmp_path / "a.png", (1, 1))
    assert not [*replaced(results)]


def test_a_replaced_file_is_named(results: Path, tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("another")
    (finding,) = replaced(results)
    table = results / "index/masks.parquet"
    assert finding.text == f"{tmp_path / 'mask.png'}: is not what {table} was made of"
    assert not finding.command


def test_one_of_the_same_size_and_date_needs_a_touch(results: Path, tmp_path: Path) -> None:
    date = (tmp_path / "b.png").stat().st_mtime_ns
    (tmp_path / "b.png").write_text("B.png")
    os.utime(tmp_path / "b.png", ns=(date, date))
    (finding,) = replaced(results)
    assert finding.command == f"touch {tmp_path / 'b.png'}"


def test_of_many_the_first_are_named(results: Path, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(30)]
    Record.of("", tmp_path, names, 1).write(results / "index/index.parquet")
    for name in names:
        (tmp_path / name).touch()
    *_, last = found = [*replaced(results)]
    assert len(found) == 21
    assert last.text == f"10 more files of {results / 'index/index.parquet'}"


def test_nothing_is_said_of_what_is_not_made_yet(tmp_path: Path) -> None:
    assert not [*replaced(tmp_path)]
