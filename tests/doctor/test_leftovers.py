"""Files that nobody needs, and the commands that remove them."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from ssr.doctor.leftovers import left_over, size, spent_checkpoints, strangers, unfinished
from ssr.running.digests import artefacts

OUTPUTS = [
    "alignment/ssr/1.safetensors",
    "features/ssr/train_0000.zarr.zip",
    "report/index.html",
    "segmenter/ssr/model.safetensors",
]
BESIDE = ["alignment/ssr/1.csv", "report/figures/a.png", "segmenter/ssr/history.csv"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in OUTPUTS + BESIDE:
        write(tmp_path / name)
    return tmp_path


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("123")


def found(results: Path) -> list[tuple[str, str]]:
    outputs = {results / name for name in OUTPUTS}
    paths = strangers(results, artefacts(results), outputs)
    findings = left_over(results, paths, outputs)
    return [(finding.text, finding.command) for finding in findings]


def test_outputs_and_what_is_written_beside_them_are_needed(results: Path) -> None:
    assert found(results) == []


def test_shards_of_another_size_are_left_over(results: Path) -> None:
    write(results / "features/ssr/train_0001.zarr.zip")
    path = results / "features/ssr/train_0001.zarr.zip"
    assert found(results) == [(f"{path}, 3 bytes", f"rm {path}")]


def test_a_removed_method_is_left_over_as_a_folder(results: Path) -> None:
    for shard in ("a", "b"):
        write(results / f"cams/refined/old/{shard}.zarr.zip")
    folder = results / "cams"
    assert found(results) == [(f"{folder}: 2 files, 6 bytes", f"rm -r {folder}")]


def test_a_history_of_rounds_that_are_no_more_is_left_over(results: Path) -> None:
    write(results / "alignment/ssr/2.csv")
    assert [text for text, _ in found(results)] == [f"{results}/alignment/ssr/2.csv, 3 bytes"]


def test_temporary_files_of_processes_that_are_gone_are_unfinished(results: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    node = platform.node()
    write(results / f"features/ssr/.a.zip.{node}.{gone.pid}.part")
    write(results / f"features/ssr/.b.zip.{node}.{os.getpid()}.part")
    texts = [finding.text for finding in unfinished(results, busy=False)]
    assert texts == [f"{results}/features/ssr/.a.zip.{node}.{gone.pid}.part, 3 bytes"]


def test_temporary_files_of_other_nodes_are_trusted_while_something_runs(results: Path) -> None:
    write(results / "features/ssr/.a.zip.node7.1.part")
    assert not unfinished(results, busy=True)
    assert len(unfinished(results, busy=False)) == 1


def test_checkpoints_older_than_their_model_are_left_over(results: Path) -> None:
    outputs = {results / name for name in OUTPUTS}
    checkpoint = results / "segmenter/ssr/work/0123456789ab/iteration_00000002.pt"
    write(checkpoint)
    os.utime(checkpoint, (2**31, 2**31))
    assert not spent_checkpoints(results, outputs), "a training in progress"
    os.utime(checkpoint, (0, 0))
    (finding,) = spent_checkpoints(results, outputs)
    assert finding.command == f"rm -r {checkpoint.parent}"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1500, "1.5 kB"), (12_300_000, "12.3 MB")],
)
def test_sizes_are_for_people(number: int, text: str) -> None:
    assert size(number) == text
