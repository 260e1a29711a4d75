"""Locks and queued jobs of runs that have ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.doctor.remains import locks, orphans
from ssr.running.claims import Run, Trace

RUN = Run("me", "login1", 1, "noon", "snakemake --profile slurm", jobs="ssr_1")


@pytest.fixture(autouse=True)
def _in_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lock() -> None:
    Path(".snakemake/locks").mkdir(parents=True)
    Path(".snakemake/locks/0.output.lock").touch()


def test_without_locks_there_is_nothing_to_say() -> None:
    assert not locks(Trace(RUN, alive=False), [])


def test_locks_of_a_run_under_way_are_right() -> None:
    lock()
    assert not locks(Trace(RUN, alive=True), [])


def test_locks_of_a_killed_run_come_with_its_own_commands() -> None:
    lock()
    (finding,) = locks(Trace(RUN, alive=False), ["x.yaml"])
    assert finding.text == "me@login1, process 1, since noon: snakemake --profile slurm"
    assert finding.command.split("\n")[0] == "scancel --me --name=ssr_1"
    assert "snakemake --profile slurm --unlock" in finding.command


def test_locks_of_a_run_elsewhere_or_unknown_are_left_to_the_user() -> None:
    lock()
    (finding,) = locks(Trace(RUN, alive=None), [])
    assert finding.text.startswith("on another host, look there whether it has ended: me@login1")
    (finding,) = locks(None, ["my voc.yaml"])
    assert finding.command == "snakemake --configfile 'my voc.yaml' --unlock"


@pytest.mark.parametrize(
    ("alive", "commands"),
    [
        (True, ["scancel --me --name=ssr_2"]),
        (None, ["scancel --me --name=ssr_2"]),
        (False, ["scancel --me --name=ssr_1", "scancel --me --name=ssr_2"]),
    ],
)
def test_queued_jobs_of_other_runs_are_orphans(
    monkeypatch: pytest.MonkeyPatch, alive: bool | None, commands: list[str]
) -> None:
    monkeypatch.setattr("ssr.doctor.remains.queued", lambda: ["ssr_1", "ssr_2", "ssr_2"])
    found = orphans(Trace(RUN, alive))
    assert [finding.command for finding in found] == commands
    assert found[-1].text == "2 in SLURM's queue"
