"""`ssr status` on what Snakemake says of a small workflow."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path

import pytest

from ssr.doctor import status
from ssr.doctor.workflow import Job, Reason, Workflow
from ssr.running.claims import Trace, this_run
from ssr.watching.journal import Failed, History, State, UnderWay, place
from ssr.watching.states import States

RESULTS = Path("results/x")
CHANGED = Reason(before=("'{\"power\": 1}'",), now=("'{\"power\": 2}'",))
STORES = [RESULTS / f"cams/{shard}.zip" for shard in ("a", "b", "c")]
MODEL = (RESULTS / "model.json", RESULTS / "model.safetensors")


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """CAMs of three shards, of which one is outdated and one is not there; half of a model."""
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    Path("Snakefile").write_text('include: "rules/a.smk"\ninclude: "rules/b.smk"\n')
    Path("rules/a.smk").write_text("if True:\n    rule refine_cams:\n        input: 1\n")
    Path("rules/b.smk").write_text("rule train_segmenter:\n    input: 1\n")
    for path in (*STORES[:2], MODEL[0]):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.utime(STORES[1], (1.8e9, 1.8e9))
    reasons = (CHANGED, None, Reason())
    jobs = [
        Job("refine_cams", (path,), f"logs/{path.stem}.log", reason)
        for path, reason in zip(STORES, reasons, strict=True)
    ]
    made = Workflow((*jobs, Job("train_segmenter", MODEL, "logs/model.log", Reason())))
    monkeypatch.setattr(status, "ask", lambda configfiles: made)
    return made


def show(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[list[str]]]:
    code = status.main(argparse.Namespace(results=RESULTS, configfile=[]))
    return code, [line.split() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("workflow")
def test_rules_come_in_order_with_their_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = show(capsys)
    assert code == 1
    newest = datetime.fromtimestamp(1.8e9).isoformat(" ", "seconds").split()
    assert printed[1] == ["refine_cams", "2/3", "1", *newest]
    assert printed[2][:2] == ["train_segmenter", "0/1"]


@pytest.mark.usefixtures("workflow")
def test_the_setting_that_made_files_stale_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed = show(capsys)
    assert " ".join(printed[4]) == "refine_cams (1 file): power 1 → 2"


def cams_of(workflow: Workflow, became: dict[Path, State]) -> status.Stage:
    run = this_run()
    told = States(
        History(run, {place(path): state for path, state in became.items()}), Trace(run, True)
    )
    (cams,) = (s for s in status.stages_of(workflow, told) if s.rule == "refine_cams")
    return cams


def test_a_failed_job_is_counted_and_its_log_named(workflow: Workflow) -> None:
    cams = cams_of(workflow, dict.fromkeys((STORES[2], STORES[0]), Failed("logs/x.log")))
    assert [job.log for job in cams.failed] == ["logs/c.log"], "the outputs of a are there"
    assert list(status.report([cams], workflow))[-2:] == ["failed:", "  logs/c.log"]


@pytest.mark.parametrize("number", [0, 2], ids=["stale", "failed"])
def test_a_job_that_runs_again_is_neither_stale_nor_failed(workflow: Workflow, number: int) -> None:
    cams = cams_of(workflow, dict.fromkeys((STORES[number], Path("other/file")), UnderWay("now")))
    assert [job.outputs for job in cams.under_way] == [(STORES[number],)]
    assert not cams.under_way & (cams.failed | cams.stale)


def test_all_made_ends_with_status_0(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (*STORES, *MODEL):
        path.touch()
    fresh = Workflow(tuple(Job(job.rule, job.outputs, job.log) for job in workflow.jobs))
    monkeypatch.setattr(status, "ask", lambda configfiles: fresh)
    code, printed = show(capsys)
    assert code == 0
    assert [row[1] for row in printed[:3]] == ["done", "3/3", "1/1"]
