"""What counts as a changed file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ssr.running import contents
from ssr.running.contents import Record, first_looks, state_of

NAMES = ["a.png", "b.png", "missing.png"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Files of which `made` was made, and the record of it."""
    for name in NAMES[:2]:
        (tmp_path / name).write_text(name)
    Record.of(state_of(tmp_path / "made", tmp_path, NAMES), tmp_path, NAMES, 1).write(
        tmp_path / "made"
    )
    return tmp_path


def state(root: Path, names: list[str] = NAMES) -> str:
    return state_of(root / "made", root, names)


def copy(root: Path) -> None:
    os.utime(root / "a.png", (1, 1))


def replace_by_one_of_its_size(root: Path) -> None:
    (root / "a.png").write_text("A.png")
    copy(root)


def lengthen(root: Path) -> None:
    (root / "a.png").write_text("longer")


def remove(root: Path) -> None:
    (root / "a.png").unlink()


def add(root: Path) -> None:
    (root / "missing.png").touch()


def test_files_that_are_left_alone_have_one_state(root: Path) -> None:
    assert state(root) == state(root) == Record.read(root / "made").state


def test_a_copy_of_another_date_is_the_same_and_read_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(root)
    copy(root)
    assert state(root) == before
    monkeypatch.setattr(contents, "_checksum", lambda path: pytest.fail(f"reads {path}"))
    assert state(root) == before


@pytest.mark.parametrize("change", [replace_by_one_of_its_size, lengthen, remove, add])
def test_another_content_is_another_state(root: Path, change: Callable[[Path], None]) -> None:
    before = state(root)
    change(root)
    assert state(root) not in ("", before)
    assert state(root) == state(root)


def test_more_or_fewer_files_are_another_state(root: Path) -> None:
    assert len({state(root), state(root, NAMES[:2]), state(root, [*NAMES, "c.png"])}) == 3


def test_no_file_is_read_before_something_was_made_of_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_checksum", lambda path: pytest.fail(f"reads {path}"))
    assert state_of(root / "not made yet", root, NAMES).startswith("files ")


def test_the_state_is_that_of_the_record_after_what_made_them_ran(tmp_path: Path) -> None:
    """As with the demo: when a run starts, its images are not there yet."""
    before = state_of(tmp_path / "made", tmp_path, NAMES)
    (tmp_path / "a.png").write_text("made by an earlier stage of the same run")
    Record.of(before, tmp_path, NAMES, 1).write(tmp_path / "made")
    assert state_of(tmp_path / "made", tmp_path, NAMES) == before


def test_results_that_can_only_be_read_are_compared_all_the_same(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(root)
    copy(root)
    monkeypatch.setattr(Record, "write", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert state(root) == before


def test_files_left_alone_are_told_by_the_first_line_of_a_record(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of millions of files, what was seen of each would fill the memory."""
    monkeypatch.setattr(Record, "read", lambda made: pytest.fail(f"reads what {made} rests on"))
    assert state(root).startswith("files ")


def test_a_record_of_one_line_as_of_version_0_2_is_understood_and_written_anew(root: Path) -> None:
    before, record = state(root), Record.read(root / "made")
    files = {name: look and (*look, record.checksums[name]) for name, look in record.looks.items()}
    content = {"state": "as of then", "root": str(root), "files": files}
    (root / ".made.json").write_text(json.dumps(content))
    assert (before, state(root)) == (before, "as of then")
    assert Record.read(root / "made") == replace(record, state="as of then")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": {"a": 1}}', '{"files": {}}'])
def test_a_damaged_record_is_none(root: Path, text: str) -> None:
    (root / ".made.json").write_text(text)
    assert Record.read(root / "made") is None
    assert state(root).startswith("files ")


def test_contents_stand_for_names_and_contents_alone(root: Path) -> None:
    def seen() -> str:
        return Record.of("", root, NAMES, 1).contents

    before = seen()
    copy(root)
    assert seen() == before
    replace_by_one_of_its_size(root)
    assert seen() != before


def test_what_changed_is_named_and_whether_its_date_tells(root: Path) -> None:
    date = (root / "b.png").stat().st_mtime_ns
    (root / "b.png").write_text("B.png")
    os.utime(root / "b.png", ns=(date, date))
    remove(root)
    changed = [(str(root / "a.png"), False), (str(root / "b.png"), True)]
    assert [*Record.read(root / "made").changed()] == changed


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """To open one would wait for ever."""
    os.mkfifo(tmp_path / "a")
    record = Record.of("state", tmp_path, ["a"], 1)
    assert record.looks == record.checksums == {"a": None}


def test_another_content_under_the_first_date_of_the_one_before_is_noticed(root: Path) -> None:
    """As of an archive that gives all its files one date."""
    made, file = root / "made", root / "a.png"

    def index() -> None:
        Record.of(state(root), root, NAMES, 1, Record.read(made)).write(made)

    date = file.stat().st_mtime_ns
    states, looks = [state(root)], [first_looks(made, root, NAMES)]
    copy(root)
    assert state(root) == states[0]
    for text in ("A.png", "B.png"):
        file.write_text(text)
        os.utime(file, ns=(date, date))
        states.append(state(root))
        looks.append(first_looks(made, root, NAMES))
        index()
        assert first_looks(made, root, NAMES) == looks[-1]
        copy(root)
        assert state(root) == states[-1]
        assert first_looks(made, root, NAMES) == looks[-1]
    assert states[0] != states[1] != states[2]
    assert looks[0] != looks[1] != looks[2]


def test_files_of_another_date_are_read_once_though_others_are_replaced(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(root)
    (root / "b.png").write_text("longer")
    before = first_looks(root / "made", root, NAMES)
    monkeypatch.setattr(contents, "_checksum", lambda path: pytest.fail(f"reads {path}"))
    assert first_looks(root / "made", root, NAMES) == before
