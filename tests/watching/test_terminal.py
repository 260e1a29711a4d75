"""What people see of a run."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from ssr.watching.costs import Costs
from ssr.watching.jobs import Job
from ssr.watching.terminal import Terminal


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Two shards of one rule, then a training."""
    rules = [("refine_cams", "a"), ("refine_cams", "b"), ("train_segmenter", "ssr")]
    return [
        Job(number, rule, name, (), str(tmp_path / f"{name}.log"), 1, 60.0, None)
        for number, (rule, name) in enumerate(rules)
    ]


class Watched:
    """A run that is shown, at the times that `now` says."""

    def __init__(self, jobs: list[Job], stream: io.StringIO) -> None:
        self.now, self.stream = 0.0, stream
        costs = Costs(jobs, 1, threaded=True)
        self.terminal = Terminal(jobs, costs, "x.snakemake.log", stream, lambda: self.now)

    def to_the_end(self, jobs: list[Job], seconds: float) -> None:
        """Run the jobs one after the other."""
        for job in jobs:
            self.terminal.started(job)
            self.now += seconds
            self.terminal.finished(job)
        self.terminal.ended()

    def printed(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    def screen(self) -> list[str]:
        """What stands on the screen after all that was erased."""
        lines: list[str] = []
        for part in re.split(r"(\033\[\d+F\033\[J)", self.stream.getvalue()):
            if erased := re.match(r"\033\[(\d+)F", part):
                del lines[-int(erased[1]) :]
            else:
                lines += part.splitlines()
        return lines


def test_a_log_gets_a_line_a_job(jobs: list[Job]) -> None:
    run = Watched(jobs, io.StringIO())
    run.to_the_end(jobs, seconds=5)
    assert run.printed() == [
        "[1/3] refine_cams a: 0:05",
        "[2/3] refine_cams b: 0:05",
        "[3/3] train_segmenter ssr: 0:05",
        "3 of 3 jobs done in 0:15; log: x.snakemake.log",
    ]


def test_a_terminal_shows_the_rule_under_way_and_the_time_left(jobs: list[Job]) -> None:
    run = Watched(jobs, Screen())
    run.terminal.started(jobs[0])
    run.now = 10
    run.terminal.finished(jobs[0])
    run.terminal.started(jobs[1])
    Path(jobs[1].log or "").write_text("started\nrefining: 3/9 (1.0/s, 0:06 left)\n")
    run.terminal.told("")
    assert run.screen() == [
        "refine_cams         1/2        0:10  10.0 s each  refining: 3/9 (1.0/s, 0:06 left)",
        "1/3 jobs in 0:10, perhaps 0:20 left",
    ]


def test_of_a_rule_that_is_done_a_line_stays(jobs: list[Job]) -> None:
    run = Watched(jobs, Screen())
    run.to_the_end(jobs, seconds=10)
    assert run.screen() == [
        "refine_cams         2/2        0:20  10.0 s each",
        "train_segmenter     1/1        0:10",
        "3 of 3 jobs done in 0:30; log: x.snakemake.log",
    ]


def test_no_line_is_wider_than_the_terminal(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    run = Watched(jobs, Screen())
    run.terminal.started(jobs[0])
    assert max(map(len, run.screen())) == 29


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[31mred\x1b[0m\n\x1b[0m\n", "red"),
        ("\x1b[2K\x1b[1Gstep 1\rstep 2\x1b[5A", "step 2"),
        ("猫" * 40, "猫" * 26),
        ("\U0001f600" * 40, "\U0001f600" * 26),
        ("e\u0301" * 80, "e\u0301" * 52),
    ],
    ids=["colour", "cursor", "wide", "emoji", "combining"],
)
def test_what_a_program_prints_neither_colours_nor_widens_the_line(
    jobs: list[Job], said: str, shown: str
) -> None:
    run = Watched(jobs, Screen())
    Path(jobs[0].log or "").write_text(said)
    run.terminal.started(jobs[0])
    assert run.screen()[0] == f"refine_cams         0/2        0:00  {shown}"
    assert "\x1b" not in "".join(run.screen())


@pytest.mark.parametrize("stream", [io.StringIO, Screen])
def test_lines_that_stay_do_not_colour_either(jobs: list[Job], stream: type[io.StringIO]) -> None:
    run = Watched(jobs, stream())
    Path(jobs[0].log or "").write_text("warning: \x1b[1mbold\nerror: \x1b[31mred\n")
    run.terminal.told("\x1b[33mSnakemake warns")
    run.terminal.started(jobs[0])
    run.terminal.failed(jobs[0], "\x1b[31msbatch failed", [jobs[0].log or ""])
    run.terminal.finished(jobs[0])
    run.terminal.ended()
    lines = run.screen()
    assert "\x1b" not in "".join(lines)
    assert {"Snakemake warns", "  sbatch failed", "    error: red", "warning: bold"} <= {*lines}


def test_a_terminal_that_cannot_go_back_gets_a_log(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    run = Watched(jobs, Screen())
    run.terminal.started(jobs[0])
    assert run.printed() == []


@pytest.mark.parametrize("stream", [io.StringIO, Screen])
def test_an_error_stays_with_the_end_of_its_log(jobs: list[Job], stream: type[io.StringIO]) -> None:
    run = Watched(jobs, stream())
    log = jobs[0].log or ""
    Path(log).write_text("".join(f"line {number}\n" for number in range(40)) + "error: x\n")
    run.terminal.started(jobs[0])
    run.terminal.failed(jobs[0], "sbatch failed\n", [log, "slurm.log"])
    run.terminal.ended()
    lines = run.screen()
    start = lines.index("error: refine_cams a failed")
    assert lines[start + 1 :][:3] == ["  sbatch failed", f"  {log}:", "    line 26"]
    assert lines[-3:-1] == ["    error: x", "  slurm.log is empty"]
    assert lines[-1].startswith("0 of 3 jobs done")


def test_a_job_that_is_tried_again_is_named(jobs: list[Job]) -> None:
    run = Watched(jobs, io.StringIO())
    run.terminal.started(jobs[0])
    run.terminal.failed(jobs[0], "", [])
    run.terminal.started(jobs[0])
    assert run.printed()[-1] == "refine_cams a: tried again"


def test_what_a_program_warned_of_is_shown_once_it_has_ended(jobs: list[Job]) -> None:
    run = Watched(jobs, io.StringIO())
    Path(jobs[0].log or "").write_text("reading\nwarning: no cat\nthe warning: not shown\n")
    run.terminal.started(jobs[0])
    run.terminal.finished(jobs[0])
    assert run.printed() == ["[1/3] refine_cams a: 0:00", "warning: no cat"]


def test_ctrl_c_is_answered_with_one_line(jobs: list[Job]) -> None:
    run = Watched(jobs, Screen())
    run.terminal.started(jobs[0])
    run.terminal.interrupted()
    run.terminal.ended()
    assert run.screen() == ["interrupted; the same command continues"]
