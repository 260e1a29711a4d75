"""Faults: the next run ends with the bytes of an undisturbed one, or says what to do."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults import differences, killed_run
from ssr.running.digests import digest
from tests.workflow.conftest import Run, rules_in, workflow_in
from tests.workflow.miniature.conftest import OVERLAY

pytestmark = pytest.mark.slow

STORE = "results/mini/cams/initial/ssr/val_0000.zarr.zip"


def test_a_run_killed_three_times_ends_with_the_same_bytes(
    mini_folder: Path, tmp_path: Path
) -> None:
    results = mini_folder / "results/mini"
    kills = list(killed_run(workflow_in(tmp_path), results, ["--cores", "2", *OVERLAY], 3, seed=0))
    assert len(kills) == 3
    assert differences(results, tmp_path / "results/mini") == []


def remake(folder: Path, *before: str, prepare: Callable[[], None] | None = None) -> str:
    """What Snakemake prints when it fails to make STORE; `before` stands before the command."""
    command = [*before, sys.executable, "-m", "snakemake", "--cores", "1", STORE, *OVERLAY]
    done = subprocess.run(command, cwd=folder, preexec_fn=prepare, capture_output=True, text=True)
    assert done.returncode
    return done.stdout + done.stderr


def test_a_disk_full_in_mid_shard_is_named_and_with_room_the_file_is_the_same(
    folder: Path, snakemake: Run
) -> None:
    store = folder / STORE
    before = digest(store)
    room = store.stat().st_size - 1  # more than Snakemake's own copies of the rule files take
    store.unlink()
    printed = remake(
        folder, prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    )
    assert f"{STORE}: File too large; nothing of the file was kept: make room" in printed
    assert not [path for path in store.parent.iterdir() if store.name in path.name]
    snakemake("--cores", "1", STORE)
    assert digest(store) == before
    assert rules_in(snakemake("-n")) == set()


def test_results_that_can_only_be_read_are_named_before_any_job(
    folder: Path, snakemake: Run
) -> None:
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    unshare = ("unshare", "--mount", "--map-root-user", "sh", "-c")
    if subprocess.run([*unshare, mount, "results"], cwd=folder, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    (folder / STORE).unlink()
    printed = remake(folder, *unshare, f'{mount} && exec "$@"', "results")
    assert "error: results/mini: nothing can be written there" in printed
    snakemake("--cores", "1", STORE)


def of_tomorrow(*paths: Path) -> None:
    """Date files as a node does whose clock is ahead."""
    tomorrow = time.time() + 24 * 3600
    for path in paths:
        os.utime(path, (tomorrow, tomorrow))


def date_back(folder: Path) -> None:
    """What docs/reliability.md says to do about files of tomorrow."""
    command = "find results data -type f -newermt now -exec touch -d @$(date +%s) {} +"
    subprocess.run(command, shell=True, cwd=folder, check=True)


def test_an_input_of_tomorrow_is_refused_until_it_is_dated_back(
    folder: Path, snakemake: Run
) -> None:
    before = digest(folder / STORE)
    of_tomorrow(folder / "results/mini/features/ssr/val_0000.zarr.zip")
    assert "could indicate a clock skew problem" in remake(folder)
    date_back(folder)
    snakemake("--cores", "1", STORE)
    assert digest(folder / STORE) == before


def test_results_of_tomorrow_are_dated_back_before_an_edit_is_seen(
    folder: Path, snakemake: Run
) -> None:
    of_tomorrow(*(path for path in folder.glob("results/**/*") if path.is_file()))
    date_back(folder)
    assert rules_in(snakemake("-n")) == set()
    labels = folder / "data/mini/labels.csv"
    labels.write_text(labels.read_text().replace("bird", "boat"))
    assert "index_dataset" in rules_in(snakemake("-n"))


def test_without_the_record_of_the_runs_nothing_is_made_anew(folder: Path, snakemake: Run) -> None:
    shutil.rmtree(folder / ".snakemake")
    assert rules_in(snakemake("-n")) == set()
