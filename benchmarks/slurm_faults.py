"""Run the workflow on a real SLURM, harm it at random moments, and compare with an undisturbed run.

    python -m benchmarks.slurm_faults FOLDER [--faults 20] [--seed 0]

FOLDER takes two clones of the last commit, in which the miniature of the tests runs: `undisturbed`,
which is used again if it is there, and `disturbed`. Prints a table of the faults, and the results
that differ (see docs/reliability.md). The SLURM is that of the tests, on this machine.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from benchmarks.faults import PAUSE, REPOSITORY, clone, differences, durations, job_name
from ssr.running.digests import digests
from tests.slurm import cluster
from tests.slurm.conftest import arguments

# More than SlurmdTimeout: the controller has given the node up when its daemon is back.
SECONDS_DOWN = 15
SECONDS_RESTART = 2


@dataclass(frozen=True)
class Fault:
    """What was done, and what it met."""

    kind: str
    done: float
    """Share of the work that the undisturbed run did."""
    job: str
    """What ran in the job that was hit."""

    def __str__(self) -> str:
        return f"| {self.done:.0%} | {self.kind} | {self.job} |"


class Run:
    """The workflow in a clone, through SLURM; started again whenever it has ended badly."""

    def __init__(self, folder: Path, slurm: Path) -> None:
        self.folder = folder
        self.slurm = slurm
        self.results = folder / "results/mini"
        self.starts = 0
        self._start()

    def ended(self) -> bool:
        """Whether all is made; a Snakemake that gave up is started again, as a user would."""
        status = self._snakemake.poll()
        if status:
            self._start()
        return status == 0

    def programs(self) -> dict[psutil.Process, str]:
        """The programs of the workflow that run in this clone, with what they make."""
        return {process: name for process, name in _programs() if process_in(process, self.folder)}

    def kill_snakemake(self) -> None:
        """SIGKILL, then what docs/slurm.md says to do after it."""
        self._snakemake.kill()
        self._snakemake.wait()
        queued = cluster.command(self.slurm, "squeue", "--me", "--noheader", "--format=%j")
        for name in set(queued.stdout.split()):
            cluster.command(self.slurm, "scancel", "--me", f"--name={name}")
        while cluster.active_jobs(self.slurm):
            time.sleep(PAUSE)
        subprocess.run(self._command("--unlock"), **self._options(), check=True)
        self._start()

    def _start(self) -> None:
        self.starts += 1
        self._snakemake = subprocess.Popen(self._command(), **self._options())

    def _command(self, *flags: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments(), *flags]

    def _options(self) -> dict[str, object]:
        log = (self.folder / "printed.log").open("a")
        environment = cluster.environment(self.slurm)
        return {"cwd": self.folder, "env": environment, "stdout": log, "stderr": log}


def _programs() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        try:
            if name := job_name(process.cmdline()):
                yield process, name
        except psutil.Error:
            continue


def process_in(process: psutil.Process, folder: Path) -> bool:
    """Whether a process works in `folder`."""
    try:
        return Path(process.cwd()) == folder
    except psutil.Error:
        return False


def kill_program(run: Run, process: psutil.Process) -> None:
    """SIGKILL to the program alone; its shell and SLURM's step find out."""
    process.kill()


def cancel(run: Run, process: psutil.Process, step: bool = False) -> None:
    """`scancel` of the job that a program runs in, or only of its step."""
    variables = process.environ()
    job, number = variables["SLURM_JOB_ID"], variables["SLURM_STEP_ID"]
    cluster.command(run.slurm, "scancel", f"{job}.{number}" if step else job)


def kill_daemon(run: Run, process: psutil.Process, whole_node: bool = False) -> None:
    """SIGKILL to the slurmd of the node that a program runs on, which is started again later.

    With `whole_node`, also to all that runs on it, as when a node loses its power.
    """
    node = process.environ()["SLURMD_NODENAME"]
    lost = [*_daemons(run.slurm, node)]
    if whole_node:
        lost += _jobs_on(run.slurm, node)
    for each in lost:
        each.kill()
    time.sleep(SECONDS_DOWN if whole_node else SECONDS_RESTART)
    cluster.start_node(run.slurm, node)


def _daemons(slurm: Path, node: str) -> Iterator[psutil.Process]:
    recorded = {int(line.split()[0]) for line in (slurm / "pids").read_text().splitlines()}
    for number in recorded:
        if psutil.pid_exists(number):
            process = psutil.Process(number)
            if process.cmdline()[-2:] == ["-N", node]:
                yield process


def _jobs_on(slurm: Path, node: str) -> Iterator[psutil.Process]:
    """All processes of jobs on a node, and the daemons of their steps."""
    listed = cluster.command(slurm, "squeue", "--noheader", f"--nodelist={node}", "--format=%A")
    jobs = listed.stdout.split()
    titles = tuple(f"slurmstepd: [{job}." for job in jobs)
    for process in psutil.process_iter():
        try:
            title = (process.cmdline() or [""])[0]
            if title.startswith(titles) or process.environ().get("SLURM_JOB_ID") in jobs:
                yield process
        except psutil.Error:
            continue


KINDS = {
    "SIGKILL to Snakemake": None,
    "SIGKILL to a program": kill_program,
    "`scancel` of a job": cancel,
    "`scancel` of a job step": partial(cancel, step=True),
    "SIGKILL to slurmd": kill_daemon,
    "SIGKILL to all of a node": partial(kill_daemon, whole_node=True),
}


def disturbed_run(run: Run, undisturbed: Path, faults: int, seed: int) -> Iterator[Fault]:
    """Bring a run to its end, disturbed at moments uniform over its work; the kinds take turns."""
    expected = durations(undisturbed)

    def done() -> float:
        running = (time.time() - process.create_time() for process in run.programs())
        ended = sum(expected.get(path, 0) for path in durations(run.results))
        return (ended + sum(running)) / sum(expected.values())

    chosen = random.Random(seed)
    kinds = [list(KINDS)[number % len(KINDS)] for number in range(faults)]
    chosen.shuffle(kinds)
    for moment, kind in zip(sorted(chosen.random() for _ in kinds), kinds, strict=True):
        while (share := done()) < moment or not (programs := run.programs()):
            if run.ended():
                return
            time.sleep(PAUSE)
        process, name = chosen.choice(list(programs.items()))
        if harm := KINDS[kind]:
            harm(run, process)
        else:
            run.kill_snakemake()
        yield Fault(kind, share, name)
    while not run.ended():
        time.sleep(PAUSE)


def whole_run(folder: Path, slurm: Path) -> float:
    """The minutes that an undisturbed run takes."""
    start = time.monotonic()
    run = Run(folder, slurm)
    while not run.ended():
        time.sleep(PAUSE)
    return (time.monotonic() - start) / 60


def main() -> None:
    """Run, disturb, compare."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("folder", type=Path)
    flags.add_argument("--faults", type=int, default=20)
    flags.add_argument("--seed", type=int, default=0)
    parsed = flags.parse_args()
    first, second = (parsed.folder.absolute() / name for name in ("undisturbed", "disturbed"))
    slurm = Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster.start(slurm)
    try:
        if not first.exists():
            minutes = whole_run(clone(REPOSITORY, first), slurm)
            print(f"undisturbed: {minutes:.1f} min\n", flush=True)
        start = time.monotonic()
        run = Run(clone(REPOSITORY, second), slurm)
        print("| done | what was done | what ran in the job |\n|---|---|---|")
        for fault in disturbed_run(run, first / "results/mini", parsed.faults, parsed.seed):
            print(fault, flush=True)
        minutes = (time.monotonic() - start) / 60
        print(f"\ndisturbed: {minutes:.1f} min, Snakemake was started {run.starts} times")
    finally:
        cluster.stop(slurm)
        for left in psutil.Process().children():  # a Snakemake that would wait for its jobs
            left.kill()
        shutil.rmtree(slurm)
    differing = differences(first / "results/mini", run.results)
    compared = len(digests(first / "results/mini"))
    print(f"{compared} results compared, {len(differing)} differ", *differing, sep="\n")


if __name__ == "__main__":
    main()
