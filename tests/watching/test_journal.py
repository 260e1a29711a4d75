"""The journal of a run, written and read."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pytest

from ssr.running.claims import Run, this_run
from ssr.watching.jobs import Job
from ssr.watching.journal import (
    Failed,
    History,
    Journal,
    State,
    UnderWay,
    history,
    unfinished,
)

RUN = this_run()
A, B = (
    Job(number, "refine_cams", name, (f"{name}.zip", f"{name}.json"), f"{name}.log", 1, 4.0, None)
    for number, name in enumerate("ab")
)


def places(numbers: Collection[int]) -> set[Path]:
    """Where jobs make their files, one without its suffix."""
    return {Path("ab"[number]) for number in numbers}


def is_under_way(state: State) -> bool:
    return isinstance(state, UnderWay) and state.since.startswith(f"{datetime.now():%Y-}")


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
    assert {at for at, state in told.states.items() if state == Failed("a.log")} == places(failed)
    assert {at for at, state in told.states.items() if is_under_way(state)} == places(under_way)


def test_every_event_is_a_line_with_its_time(tmp_path: Path) -> None:
    keep(tmp_path, "+a", "=a")
    (path,) = (tmp_path / "logs/runs").glob("*.jsonl")
    first, started, finished = map(json.loads, path.read_text().splitlines())
    assert first["run"]["process"] == RUN.process
    assert first["jobs"] == {"refine_cams": 2}
    assert started.keys() == {"time", "event", "job", "rule", "outputs", "log"}
    assert finished["event"] == "finished"


STARTED = {"event": "started", "job": 1, "rule": "refine_cams", "outputs": ["b.zip"], "log": "b"}


@pytest.mark.parametrize(
    "line",
    [
        *("", "[1, 2]", "7", '"started"', "null", "NaN", "[" * 100_000),
        *('{"time": "2026-11', '{"event": "started", "job"', "\x00\ufffd", "started a.zip"),
        *('{"time": "2026-11-27T11:59:01"}', '{"event": ["started"]}'),
        *('{"event": "finished", "job": 9}', '{"event": "failed", "job": 9}'),
        *('{"event": "finished"}', '{"event": "failed", "job": {}}'),
        '{"event": "paused", "job": 0, "outputs": ["a.zip"]}',
        '{"event": "run", "run": null}',
        '{"event": "run", "run": {"user": "me"}}',
        *(json.dumps(STARTED | {"time": time}) for time in (None, 7, "this morning")),
        *(
            json.dumps(STARTED | {"time": RUN.since, "outputs": names})
            for names in (None, [1], [""])
        ),
    ],
)
def test_a_line_that_says_nothing_is_passed_over(tmp_path: Path, line: str) -> None:
    keep(tmp_path, "+a", "-a", "+b", "=b", "+a")
    (path,) = (tmp_path / "logs/runs").glob("*.jsonl")
    lines = path.read_text().splitlines()
    for number in range(len(lines) + 1):
        path.write_text("\n".join([*lines[:number], line, *lines[number:]]))
        told = history(tmp_path)
        assert told.run == RUN
        assert list(map(is_under_way, told.states.values())) == [True]
        assert told.states.keys() == places({0})


def test_bytes_that_are_no_text_cost_their_line_alone(tmp_path: Path) -> None:
    keep(tmp_path, "+a", "-a")
    (path,) = (tmp_path / "logs/runs").glob("*.jsonl")
    path.write_bytes(b"\xff\xfe\n" + path.read_bytes() + b"\xc3")
    assert history(tmp_path).states.keys() == places({0})


def test_what_a_newer_version_adds_to_an_event_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, "+a", "-a")
    (path,) = (tmp_path / "logs/runs").glob("*.jsonl")
    events = list(map(json.loads, path.read_text().splitlines()))
    events[0]["run"]["cluster"] = "north"
    path.write_text("".join(json.dumps(event | {"attempt": 2}) + "\n" for event in events))
    told = history(tmp_path)
    assert (told.run, told.states) == (RUN, {Path("a"): Failed("a.log")})


def test_what_a_run_adds_is_read_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RUN, [A, B])
    assert history(tmp_path).states == {}
    journal.started(A)
    assert history(tmp_path).states.keys() == places({0})
    journal.failed(A, "", [])
    assert history(tmp_path).states == {Path("a"): Failed("a.log")}


def test_a_folder_without_journals_tells_nothing(tmp_path: Path) -> None:
    assert history(tmp_path) == History()


@pytest.mark.parametrize(
    ("runs", "made", "left"),
    [
        ([["+a"]], "", "a"),
        ([["+a", "-a", "+b", "=b"]], "", "a"),
        ([["+a"]], "a", ""),
        ([["+a", "=a"]], "", ""),
        ([["+a", "-a"], ["+b"], ["+a", "=a"]], "", "b"),
    ],
    ids=["killed", "failed", "whole", "deleted_by_hand", "mended"],
)
def test_what_was_begun_and_is_missing_is_unfinished(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: list[list[str]],
    made: str,
    left: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for events in runs:
        keep(tmp_path, *events)
    for name in made:
        for suffix in ("zip", "json"):
            Path(f"{name}.{suffix}").touch()
    assert unfinished(tmp_path) == {
        f"{name}.{suffix}" for name in left for suffix in ("zip", "json")
    }


def test_journals_are_in_order_whatever_the_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for zone, events in (("UTC-9", ["+a", "=a"]), ("UTC+5", ["+a"])):
        with monkeypatch.context() as patched:
            patched.setenv("TZ", zone)
            time.tzset()
            keep(tmp_path, *events)
    time.tzset()
    assert unfinished(tmp_path) == {"a.zip", "a.json"}
