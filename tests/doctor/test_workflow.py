"""What Snakemake prints, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.doctor.workflow import Job, Origin, Workflow, jobs_in, outputs_in, stale, unmade

DRY_RUN = """\
Building DAG of jobs...
[Sun Nov 22 22:21:02 2026]
rule refine_cams:
    input: features/a.zip
    output: refined/a.zip, refined/b.zip
    jobid: 9
    reason: Params have changed since last execution: Union of exclusive params before and now \
across all output: before: '{"power": 1}' now: '{"power": 2}'\u0020
    wildcards: method=ssr
[Sun Nov 22 22:21:02 2026]
localrule fetch_weights:
    output: weights.json
    reason: Missing output files: weights.json
    resources: tmpdir=/tmp
[Sun Nov 22 22:21:02 2026]
rule label_pixels:
    output: labels/a.zip
    reason: Input files updated by another job: refined/a.zip
rule all:
    input: labels/a.zip
"""


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    monkeypatch.chdir(tmp_path)
    for name in ("refined/a.zip", "refined/b.zip", "labels/a.zip"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    jobs = tuple(jobs_in(DRY_RUN))
    return Workflow({path: Origin(job.rule, "") for job in jobs for path in job.outputs}, jobs)


def test_a_dry_run_is_read_into_jobs(workflow: Workflow) -> None:
    assert [job.rule for job in workflow.jobs] == ["refine_cams", "fetch_weights", "label_pixels"]
    assert workflow.jobs[0].outputs == (Path("refined/a.zip"), Path("refined/b.zip"))
    assert workflow.jobs[1].reason == "Missing output files: weights.json"


def test_a_summary_is_read_into_files_and_what_makes_them() -> None:
    summary = (
        "output_file\tdate\trule\tlog-file(s)\tstatus\tplan\n"
        "a.txt\t-\tbad\tlogs/bad.log\tmissing\tupdate pending\n"
    )
    assert outputs_in(summary) == {Path("a.txt"): Origin("bad", "logs/bad.log")}


def test_a_changed_setting_is_named_once_and_what_follows_is_counted(workflow: Workflow) -> None:
    assert [finding.text for finding in stale(workflow)] == [
        "refine_cams (2 files): power 1 → 2",
        "what rests on such files: 1 file",
    ]


def test_a_newer_input_is_named_by_its_folder(workflow: Workflow) -> None:
    job = Job("label_pixels", (Path("labels/a.zip"),), "Updated input files: refined/a.zip, x/b")
    (finding,) = stale(Workflow(workflow.outputs, (job,)))
    assert finding.text == "label_pixels (1 file): its input from refined is newer"


def test_what_is_not_made_yet_is_not_out_of_date(workflow: Workflow) -> None:
    assert unmade(workflow) == 1
