"""The journal of a run, written and read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssr.running.claims import Run, this_run
from ssr.watching.jobs import Job
from ssr.watching.journal import History, Journal, history

RUN = this_run()
A, B = (
    Job(number, "refine_cams", name, (f"{name}.zip", f"{name}.json"), f"{name}.log", 1, 4.0, None)
    for number, name in enumerate("ab")
)
NAME = {job.number: tuple(map(Path, job.outputs)) for job in (A, B)}


def keep(results: Path, *events: str, run: Run = RUN) -> None:
    """Keep the journal of a run: "+a" starts a job, "-a" fails it, "=a" finishes it."""
    journal = Journal(results, run, [A, B])
    for sign, name in events:
        job = A if name == "a" else B
        if sign == "+":
            journal.started(job)
        elif sign == "-":
            journal.failed(job, "", ["a.log"])
        else:
            journal.finished(job)


@pytest.mark.parametrize(
    ("runs", "failed", "under_way"),
    [
        ([["+a"]], set(), {0}),
        ([["+a", "-a"]], {0}, set()),
        ([["+a", "-a", "+a"]], set(), {0}),
        ([["+a", "-a", "+a", "=a"]], set(), set()),
        ([["+a", "-a"], ["+a", "=a"]], set(), set()),
        ([["+a", "=a"], ["+a", "-a", "+b"]], {0}, {1}),
        ([["+a", "+b"], ["+a"]], set(), {0}),
    ],
    ids=["started", "failed", "retried", "mended", "run_again", "failed_again", "killed_before"],
)
def test_what_was_said_last_of_a_job_holds(
    tmp_path: Path, runs: list[list[str]], failed: set[int], under_way: set[int]
) -> None:
    for events in runs:
        keep(tmp_path, *events)
    told = history(tmp_path)
    assert told.run == RUN
    assert told.failed == {NAME[number]: "a.log" for number in failed}
    assert told.under_way == {NAME[number] for number in under_way}


def test_every_event_is_a_line_with_its_time(tmp_path: Path) -> None:
    keep(tmp_path, "+a", "=a")
    (path,) = (tmp_path / "logs/runs").glob("*.jsonl")
    first, started, finished = map(json.loads, path.read_text().splitlines())
    assert first["run"]["process"] == RUN.process
    assert first["jobs"] == {"refine_cams": 2}
    assert started.keys() == {"time", "event", "job", "rule", "outputs", "log"}
    assert finished["event"] == "finished"


def test_a_line_that_a_killed_run_left_half_written_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, "+a")
    (path,) = (tmp_path / "logs/runs").glob("*.jsonl")
    with path.open("a") as file:
        file.write('{"time": "2026-11')
    assert history(tmp_path).under_way == {NAME[0]}


def test_a_folder_without_journals_tells_nothing(tmp_path: Path) -> None:
    assert history(tmp_path) == History()
