"""What keeps Snakemake from noticing a change, and the commands against it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from ssr.doctor.unseen import of_the_future, unrecorded

PATHS = [Path("index/index.parquet"), Path("summary.json")]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("123")
    return tmp_path


def test_files_of_tomorrow_are_found_and_dated_back(results: Path) -> None:
    assert of_the_future(results, PATHS) == []
    tomorrow = time.time() + 24 * 3600
    os.utime(results / "summary.json", (tomorrow, tomorrow))
    (finding,) = of_the_future(results, PATHS)
    assert finding.text.startswith(f"1 files, the first is {results}/summary.json;")
    subprocess.run(finding.command, shell=True, check=True)
    assert of_the_future(results, PATHS) == []
    assert (results / "summary.json").stat().st_mtime <= time.time()


def test_an_empty_record_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert unrecorded(PATHS, []) == []
    record = tmp_path / ".snakemake/metadata"
    record.mkdir(parents=True)
    (finding,) = unrecorded(PATHS, ["x.yaml"])
    assert finding.command == "snakemake --cores all --configfile x.yaml --forceall"
    assert unrecorded([], []) == []
    (record / "c3VtbWFyeQ==").write_text("{}")
    assert unrecorded(PATHS, []) == []
