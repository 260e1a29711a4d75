"""What SLURM and its users do to a job: the run ends with the files of an undisturbed one."""

from __future__ import annotations

import csv
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ssr.running.digests import digests
from tests.slurm import cluster
from tests.slurm.conftest import arguments
from tests.workflow.conftest import Run, in_folder

pytestmark = pytest.mark.slow

TRAINED = "results/mini/segmenter/ssr/model.safetensors"
CHECKED = "results/mini/index/backbones/ssr.json"


def wait_for(what: str, reached: Callable[[], object], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)


def iterations(folder: Path) -> int:
    """So many iterations the history of the training under way tells of."""
    files = (folder / "results/mini/segmenter/ssr/work").glob("*/history.csv")
    return max(
        (int(row[0]) for file in files for row in list(csv.reader(file.open()))[1:]), default=0
    )


def continued(folder: Path) -> list[int]:
    """Behind which iterations the trainings went on of which SLURM has logs."""
    logs = "".join(path.read_text() for path in (folder / "logs/slurm").rglob("*.log"))
    return [int(number) for number in re.findall(r"continues behind iteration (\d+)", logs)]


@contextmanager
def started(
    folder: Path, slurm: Path, target: str, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A run of Snakemake; outside the block it has ended well, unless the block killed it."""
    command = [sys.executable, "-m", "snakemake", target, *arguments(), *options]
    with (folder / "run.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=cluster.environment(slurm), stdout=log, stderr=log
        )
    try:
        yield process
        assert process.wait() in (0, -signal.SIGKILL), (folder / "run.log").read_text()
    finally:
        process.kill()


@pytest.fixture
def untrained(finished: tuple[Path, Run]) -> Iterator[Path]:
    """The clone without its segmenter; once the test is over, it must be what it was."""
    folder = finished[0]
    before = digests(folder / "results/mini")
    shutil.rmtree(folder / "results/mini/segmenter")
    yield folder
    assert digests(folder / "results/mini") == before


def test_a_training_continues_after_a_warning_a_preemption_and_a_cancellation(
    untrained: Path, slurm: Path
) -> None:
    folder = untrained
    with started(folder, slurm, TRAINED):
        wait_for("the training", lambda: iterations(folder) >= 5)
        cluster.command(slurm, "scancel", "--signal=USR1", *cluster.active_jobs(slurm))
        wait_for("the second attempt", lambda: iterations(folder) >= 20)
        urgent = ("sbatch", "--partition=urgent", f"--gpus={len(cluster.DEVICES)}", "--mem=100")
        cluster.command(slurm, *urgent, "--output=/dev/null", "--wrap=true")
        # Not for an iteration: a training may be done with more before SLURM preempts it.
        wait_for("the requeued job", lambda: max(continued(folder), default=0) >= 20)
        cluster.command(slurm, "scancel", *cluster.active_jobs(slurm))
    # The log of the requeued job has been begun anew.
    assert len(continued(folder)) == 2
    assert min(continued(folder)) >= 20
    assert "tried again" in (folder / "run.log").read_text()


def test_a_job_that_runs_out_of_memory_is_retried_with_more(
    finished: tuple[Path, Run], slurm: Path
) -> None:
    checked = finished[0] / CHECKED
    before = checked.read_bytes()
    checked.unlink()
    memory = ("--set-resources", "check_backbones:mem_mb=attempt*600")
    with started(finished[0], slurm, CHECKED, *memory):
        pass
    assert checked.read_bytes() == before
    assert "tried again" in (finished[0] / "run.log").read_text()
    logs = [path.read_text() for path in (finished[0] / "logs/slurm").rglob("*.log")]
    assert any("exceeded memory limit" in log for log in logs)


def test_the_documented_commands_recover_from_a_killed_snakemake(
    untrained: Path, slurm: Path
) -> None:
    with started(untrained, slurm, TRAINED) as snakemake:
        wait_for("the training", lambda: iterations(untrained) >= 5)
        snakemake.kill()
    name = cluster.command(slurm, "squeue", "--me", "--noheader", "--format=%j").stdout.strip()
    assert name.startswith("ssr_")
    cluster.command(slurm, "scancel", "--me", f"--name={name}")
    wait_for("the end of the jobs", lambda: not cluster.active_jobs(slurm))
    run = in_folder(untrained, cluster.environment(slurm))
    run(*arguments(), "--unlock")
    run(TRAINED, *arguments())
    log = (untrained / "results/mini/logs/train_segmenter/ssr.log").read_text()
    assert "continues behind iteration" in log


def test_a_gpu_that_no_node_has_is_told_of_in_one_line(finished: tuple[Path, Run]) -> None:
    folder, run = finished
    text = folder / "results/mini/text/ssr/embeddings.npz"
    kept = text.rename(text.with_suffix(".kept"))
    asked = ("--set-resources", "encode_text:gpu_model=dreamt", "encode_text:gpu=1")
    refused = run(str(text.relative_to(folder)), *arguments(), *asked, "--retries=0", check=False)
    kept.rename(text)
    assert refused.returncode
    assert "error: sbatch refused a job, for the reason above" in refused.stderr
