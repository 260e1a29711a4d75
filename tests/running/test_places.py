"""Where results are found, and what is said where there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.running.places import enter, locate


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """results/x of a clone; the current folder is another one."""
    folder = tmp_path / "clone/results/x"
    (folder / "logs").mkdir(parents=True)
    (tmp_path / "clone/Snakefile").touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


@pytest.mark.parametrize("path", ["../clone/results/x", "../clone/results/./y/../x", "link", "far"])
def test_results_are_found_from_anywhere(run: Path, path: str) -> None:
    (run.parent / "y").mkdir()
    Path("link").symlink_to(run)
    Path("far").symlink_to("../clone/results/x")
    assert locate(Path(path)) == run
    assert enter(Path(path)) == Path("results/x")
    assert Path.cwd() == run.parent.parent


def test_results_that_lie_on_another_disk_are_those_of_the_clone(run: Path) -> None:
    os.rename(run, "disk")
    run.symlink_to(Path("disk").resolve())
    assert locate(run) == run
    os.chdir(run)  # where ".." is that of the disk
    assert locate(Path("../disk")) == Path("../disk").resolve()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", r"nowhere: no such folder in .*elsewhere$"),
        ("/nowhere", r"/nowhere: no such folder$"),
        ("file", r"file: is a file; the folder of a run is results/\{dataset\}"),
        ("file/x", r"file/x: Not a directory"),
        ("loop", r"loop: Too many levels of symbolic links"),
        ("x" * 300, r"x+: File name too long"),
        ("../clone", r"../clone: is not the folder of a run; there are ../clone/results/x"),
        ("../clone/results", r"is not the folder of a run; there are ../clone/results/x"),
    ],
)
@pytest.mark.usefixtures("run")
def test_what_is_no_folder_of_results_is_named(path: str, message: str) -> None:
    Path("file").touch()
    Path("loop").symlink_to("loop")
    with pytest.raises(InputError, match=message):
        locate(Path(path))


def test_a_wrong_name_is_answered_by_the_right_ones(run: Path) -> None:
    os.chdir(run.parent.parent)
    with pytest.raises(InputError, match=r"results/X: no such folder in .*; there are results/x"):
        locate(Path("results/X"))


def test_a_folder_of_others_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="results/x: may not be read by this user"):
        locate(run)
