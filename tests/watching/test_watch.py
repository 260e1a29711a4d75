"""A real Snakemake on a tiny workflow: what it tells, stopped half way, broken, mended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.cli import get_argument_parser
from snakemake.scheduling.job_scheduler import JobRateLimiter
from snakemake.settings.types import MaxJobsPerTimespan

from ssr.watching.watch import choose_when_jobs_end
from tests.watching.tiny import RESULTS, command, run, tiny_workflow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_workflow(tmp_path / "tiny")


@contextmanager
def half_way(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that waits for its third shard; shard b has failed."""
    process = subprocess.Popen(
        command("--keep-going"), cwd=folder, text=True, stderr=subprocess.PIPE, process_group=0
    )
    made = folder / RESULTS / "cams/ssr/a.zip"
    told = folder / RESULTS / "logs/runs"
    while not (made.exists() and any("failed" in path.read_text() for path in told.iterdir())):
        assert process.poll() is None
        time.sleep(0.05)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def status(folder: Path) -> list[list[str]]:
    """The words of each line of `ssr status`, without times."""
    words = [sys.executable, "-m", "ssr.command", "status", str(RESULTS)]
    asked = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert not asked.stderr
    return [line.split() for line in asked.stdout.splitlines()]


def test_a_first_run_that_is_half_finished_is_counted_rightly(folder: Path) -> None:
    with half_way(folder):
        rows = status(folder)
    assert rows[1][:2] == ["index_dataset", "1/1"]
    assert rows[2][:4] == ["refine_cams", "1/3", "1", "1"], "failed, under way; none is stale"
    assert rows[3] == ["train_segmenter", "0/1"]
    assert rows[4:6] == [["failed:"], [str(RESULTS / "logs/refine_cams/ssr-b.log")]]
    assert " ".join(rows[6]).startswith("a run is under way")
    rows = status(folder)
    assert rows[2][:3] == ["refine_cams", "1/3", "1"]
    assert len(rows[2]) == 5, "nothing is under way when the run has been killed"
    assert " ".join(rows[6]).startswith("the last run was killed")


def test_ctrl_c_is_answered_and_the_same_command_continues(folder: Path) -> None:
    with half_way(folder) as process:
        os.killpg(process.pid, signal.SIGINT)
        _, printed = process.communicate(timeout=60)
    assert process.returncode
    assert printed.splitlines()[-1] == "interrupted; the same command continues"
    assert "Traceback" not in printed
    for name in ("free", "mended"):
        (folder / name).touch()
    assert not run(folder).returncode
    first, second = (
        [json.loads(line) for line in journal.read_text().splitlines()]
        for journal in sorted((folder / RESULTS / "logs/runs").iterdir())
    )
    assert [event["event"] for event in first[-2:]] == ["interrupted", "ended"]
    assert second[0]["jobs"] == {"refine_cams": 2, "train_segmenter": 1}
    assert [event["event"] for event in second].count("finished") == 3
    assert second[-1]["event"] == "ended"


def test_a_log_gets_a_line_a_job_and_the_whole_of_an_error(folder: Path) -> None:
    (folder / "free").touch()
    done = run(folder)
    assert done.returncode
    lines = done.stderr.splitlines()
    start = lines.index("error: refine_cams ssr-b failed")
    assert "a command ended with exit status 3" in lines[:start]
    assert lines[start + 1] == f"  {RESULTS}/logs/refine_cams/ssr-b.log:"
    assert lines[start + 2] == "    error: b is broken"
    assert any(line.endswith("index_dataset: 0:00") for line in lines)
    assert "warning: no image of a cat" in lines
    assert not any(word in done.stderr for word in ("Job stats", "jobid", "set -euo"))
    log = Path(folder, lines[-1].partition("log: ")[2])
    assert "Error in rule refine_cams" in log.read_text(), "Snakemake's own words are kept"


def test_a_dry_run_is_snakemakes_own_and_writes_nothing(folder: Path) -> None:
    done = run(folder, "-n")
    assert "rule refine_cams:" in done.stdout
    assert "Job stats:" in done.stdout
    assert not (folder / RESULTS).exists()


def test_snakemake_speaks_itself_where_it_is_asked_to(folder: Path) -> None:
    for name in ("free", "mended"):
        (folder / name).touch()
    done = run(folder, "--printshellcmds")
    assert "5 of 6 steps" in done.stderr
    assert "[5/5]" not in done.stderr
    assert len([*(folder / RESULTS / "logs/runs").iterdir()]) == 1


def test_what_failed_behind_a_changed_setting_is_remade_though_what_rests_on_it_is_there(
    folder: Path,
) -> None:
    for name in ("free", "mended"):
        (folder / name).touch()
    assert not run(folder).returncode
    rules = folder / "rules/tiny.smk"
    changed = rules.read_text().replace("runtime=2", "runtime=2\n    params: power=2")
    rules.write_text(changed)
    (folder / "mended").unlink()
    assert run(folder, "--keep-going").returncode
    (folder / "mended").touch()
    planned = run(folder, "-n").stdout
    assert planned.count("rule refine_cams:") == 1
    assert "rule train_segmenter:" in planned
    assert not run(folder).returncode
    assert "Nothing to be done" in run(folder, "-n").stdout


def test_snakemakes_own_limit_of_jobs_a_second_goes_and_that_of_a_user_stays() -> None:
    default = get_argument_parser().get_default("max_jobs_per_timespan")
    for limit, stays in ((default, False), ("100/1m", True), ("10/1s", True)):
        limiter = JobRateLimiter(MaxJobsPerTimespan.parse_choice(limit))
        workflow = SimpleNamespace(scheduler=SimpleNamespace(job_rate_limiter=limiter))
        choose_when_jobs_end(workflow)
        assert bool(workflow.scheduler.job_rate_limiter) == stays
