"""`ssr status` on what Snakemake says of a small workflow."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path

import pytest

from ssr.doctor import status
from ssr.doctor.workflow import Job, Origin, Workflow

RESULTS = Path("results/x")
CHANGE = "Params have changed since last execution: before: '{\"power\": 1}' now: '{\"power\": 2}' "
STORES = [RESULTS / f"cams/{shard}.zip" for shard in ("a", "b", "c")]
MODEL = [RESULTS / "model.json", RESULTS / "model.safetensors"]


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
    origins = {path: Origin("refine_cams", f"logs/{path.stem}.log") for path in STORES}
    origins |= dict.fromkeys(MODEL, Origin("train_segmenter", "logs/model.log"))
    job = Job("refine_cams", (STORES[0],), CHANGE)
    made = Workflow(origins, (job, Job("train_segmenter", tuple(MODEL), "Missing output files")))
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


def test_a_failed_job_is_counted_and_its_log_named(workflow: Workflow) -> None:
    stages = list(status.stages_of(workflow, {"logs/c.log", "logs/a.log"}, set()))
    (cams,) = (stage for stage in stages if stage.rule == "refine_cams")
    assert cams.failed == {"logs/c.log"}, "the outputs of a are there"
    assert list(status.report(stages, workflow))[-2:] == ["failed:", "  logs/c.log"]


def test_a_job_that_runs_again_has_not_failed(workflow: Workflow) -> None:
    stages = status.stages_of(workflow, {"logs/c.log"}, {STORES[2], Path("other/file")})
    (cams,) = (stage for stage in stages if stage.rule == "refine_cams")
    assert (cams.under_way, cams.failed) == ({"logs/c.log"}, set())


def test_all_made_ends_with_status_0(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (*STORES, *MODEL):
        path.touch()
    monkeypatch.setattr(status, "ask", lambda configfiles: Workflow(workflow.outputs, ()))
    code, printed = show(capsys)
    assert code == 0
    assert [row[1] for row in printed] == ["done", "3/3", "1/1"]
