"""What Snakemake says of a results folder: which files it makes, which of them it would remake."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ssr.doctor.changes import explain_change
from ssr.doctor.findings import Finding
from ssr.errors import InputError
from ssr.running.places import require_workflow


@dataclass(frozen=True)
class Reason:
    """Why a job would run; all empty: only because another job runs, or nothing is made yet."""

    newer: tuple[str, ...] = ()
    """Inputs younger than its outputs."""
    before: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    """Values of params, as `repr` writes them, that only the last run or the next one has."""
    others: tuple[str, ...] = ()
    """In Snakemake's words."""


@dataclass(frozen=True)
class Job:
    """A job of the configuration; without a `reason`, it would not run."""

    rule: str
    outputs: tuple[Path, ...]
    log: str = ""
    reason: Reason | None = None

    @property
    def is_made(self) -> bool:
        """Whether all its files are there."""
        return all(path.exists() for path in self.outputs)


@dataclass(frozen=True)
class Workflow:
    """All jobs that make what the configuration asks for."""

    jobs: tuple[Job, ...]

    @cached_property
    def outputs(self) -> frozenset[Path]:
        """The files that they make."""
        return frozenset(path for job in self.jobs for path in job.outputs)


def ask(configfiles: Sequence[str]) -> Workflow:
    """Ask Snakemake, in the current folder, without running anything.

    Raises:
        InputError: there is no workflow, or Snakemake refuses it or its configuration.
    """
    require_workflow()
    # Snakemake leaves its marks on a process: environment, handlers, exits.
    command = [sys.executable, "-m", "ssr.doctor.plan", *configfiles]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise InputError("snakemake refuses the workflow:\n" + asked.stderr.strip()[-2000:])
    return Workflow(tuple(map(_job, json.loads(asked.stdout))))


def _job(values: dict[str, Any]) -> Job:
    reason = values["reason"]
    return Job(
        values["rule"],
        tuple(map(Path, values["outputs"])),
        values["log"],
        reason and Reason(**{name: tuple(given) for name, given in reason.items()}),
    )


def check_folder(results: Path, workflow: Workflow) -> None:
    """Refuse a folder of results that is not there, or that another configuration makes.

    Raises:
        InputError: names the folder.
    """
    if not results.is_dir():
        raise InputError(f"{results}: no such folder; run it where snakemake runs")
    if not any(results in path.parents for path in workflow.outputs):
        raise InputError(
            f"{results} is not made by this configuration; name its files with --configfile"
        )


def options(configfiles: Sequence[str]) -> list[str]:
    """The flags with which Snakemake reads the user's files of settings."""
    return ["--configfile", *configfiles] if configfiles else []


def stale(workflow: Workflow) -> list[Finding]:
    """Files that are not what the configuration, the code or their inputs would make today.

    One finding for each rule and cause; what only follows from another is counted in one more.
    """
    made = remade(workflow)
    direct = Counter(
        (job.rule, cause) for job in made for cause in _causes(job) for _ in job.outputs
    )
    findings = [
        Finding("out of date", f"{rule} ({_files(number)}): {cause}")
        for (rule, cause), number in direct.items()
    ]
    if follows := sum(len(job.outputs) for job in made if not list(_causes(job))):
        findings.append(Finding("out of date", f"what rests on such files: {_files(follows)}"))
    return findings


def remade(workflow: Workflow) -> list[Job]:
    """The jobs that would run though all their files are there."""
    return [job for job in workflow.jobs if job.reason and job.is_made]


def unmade(workflow: Workflow) -> int:
    """How many files are still to be made."""
    return sum(not path.exists() for path in workflow.outputs)


def _causes(job: Job) -> Iterator[str]:
    """Why a job would run, but for what follows from other jobs."""
    reason = job.reason or Reason()
    if reason.newer:
        yield f"its input from {Path(reason.newer[0]).parent} is newer"
    yield from reason.others
    if reason.before or reason.now:
        yield from explain_change(job.rule, reason.before, reason.now)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"
