"""`snakemake --profile slurm` on a real SLURM: the whole DAG in miniature, every job submitted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.slurm import cluster
from tests.workflow.conftest import Run

pytestmark = pytest.mark.slow


def test_all_is_made_by_jobs_that_completed(finished: tuple[Path, Run], slurm: Path) -> None:
    assert json.loads((finished[0] / "results/mini/summary.json").read_text())
    ended = cluster.ended_jobs(slurm)
    assert len(ended) > 10
    assert Counter(state for _, state, _ in ended) == {"COMPLETED": len(ended)}
    assert all(name.startswith("ssr_") for name, _, _ in ended)


def test_some_jobs_have_a_gpu_and_some_have_none(finished: tuple[Path, Run], slurm: Path) -> None:
    with_gpu = {bool("gpu" in gpus) for _, _, gpus in cluster.ended_jobs(slurm)}
    assert with_gpu == {True, False}


def test_the_logs_of_jobs_are_kept_and_no_job_makes_anew_what_it_reads(
    finished: tuple[Path, Run],
) -> None:
    logs = [path.read_text() for path in (finished[0] / "logs/slurm").rglob("*.log")]
    assert sum("\nrule index_dataset:" in log for log in logs) == 1


def test_edits_during_the_run_wait_for_the_next(next_runs: list[str]) -> None:
    refused, outdated, fresh = next_runs
    assert "nonsense: unknown key" in refused
    assert "rule index_dataset:" in outdated
    assert "Nothing to be done" in fresh
