"""What became of a job, from the journals and from what is known of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ssr.running.claims import Trace, this_run
from ssr.watching.journal import Failed, History, UnderWay
from ssr.watching.states import States

RUN = replace(this_run(), host="node7")
SINCE = UnderWay("2026-11-27 11:59:01")
TOLD = History(RUN, {Path("x/a"): Failed("a.log"), Path("x/b"): SINCE})


@pytest.mark.parametrize("file", ["x/a", "x/a.zip", "x/a.zarr.zip"])
def test_a_file_is_found_whatever_its_suffix(file: str) -> None:
    assert str(States(TOLD, None).of(Path(file))) == "failed, log: a.log"


@pytest.mark.parametrize("file", ["x/c.zip", "y/a.zip", "x"])
def test_of_a_job_that_did_not_begin_or_ended_well_nothing_is_known(file: str) -> None:
    assert States(TOLD, None).of(Path(file)) is None


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (Trace(RUN, alive=True), "under way since 2026-11-27 11:59:01"),
        (Trace(RUN, alive=None), "under way since 2026-11-27 11:59:01 on node7, or killed"),
        (Trace(RUN, alive=False), "None"),
        (Trace(replace(RUN, process=1), alive=True), "None"),
        (None, "None"),
    ],
    ids=["alive", "elsewhere", "killed", "another", "ended"],
)
def test_a_job_is_under_way_as_long_as_its_run(run: Trace | None, words: str) -> None:
    assert str(States(TOLD, run).of(Path("x/b.zip"))) == words


def test_a_job_may_have_no_log() -> None:
    assert str(Failed(None)) == "failed, it has no log"


def test_what_no_journal_tells_is_said() -> None:
    run = Trace(RUN, alive=True)
    assert list(States(TOLD, None).unknown()) == []
    assert list(States(TOLD, run).unknown()) == []
    assert list(States(History(), run).unknown()) == [
        "failed: not known, no run has kept a journal here",
        "under way: not known, the run keeps no journal",
    ]
