"""What Snakemake's logs and markers tell, on ones that it wrote, shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.doctor.records import begun, failed

STARTED = """\
[Wed Nov 25 06:20:46 2026]
localrule bad:
    output: a.txt
    log: logs/bad.log
    jobid: 1
    reason: Missing output files: a.txt
"""
FAILED = """\
Error in rule bad:
    message: None
    jobid: 1
    output: a.txt
    log: logs/bad.log (check log file(s) for error details)
    shell:
        rule other:
        (command exited with non-zero exit code)
"""
FINISHED = """\
[Wed Nov 25 06:20:52 2026]
Finished jobid: 1 (Rule: bad)
1 of 2 steps (50%) done
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_logs(*texts: str) -> None:
    for number, text in enumerate(texts):
        path = Path(f".snakemake/log/2026-11-25T06000{number}.0.snakemake.log")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ((STARTED,), set()),
        ((STARTED + FAILED,), {"logs/bad.log"}),
        ((STARTED + FAILED + STARTED + FINISHED,), set()),
        ((STARTED + FAILED, STARTED + FINISHED), set()),
        ((STARTED + FINISHED, STARTED + FAILED), {"logs/bad.log"}),
    ],
    ids=["started", "failed", "retried", "run_again", "failed_again"],
)
def test_what_was_said_last_of_a_job_holds(logs: tuple[str, ...], expected: set[str]) -> None:
    write_logs(*logs)
    assert failed() == expected


def test_a_dry_run_says_nothing_of_failures() -> None:
    write_logs(STARTED + FAILED, STARTED)
    assert failed() == {"logs/bad.log"}


def test_outputs_that_are_being_made_are_read_from_their_markers() -> None:
    folder = Path(".snakemake/incomplete")
    (folder / "@ci9").mkdir(parents=True)
    (folder / "Yi50eHQ=").touch()
    (folder / "@ci9/hLnppcA==").touch()
    assert begun() == {Path("b.txt"), Path("r/a.zip")}


def test_a_folder_without_records_tells_nothing() -> None:
    assert failed() == set()
    assert begun() == set()
