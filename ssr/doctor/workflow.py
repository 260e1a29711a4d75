"""What Snakemake says of a results folder: which files it makes, which of them it would remake."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssr.doctor.changes import explain_change
from ssr.doctor.findings import Finding
from ssr.errors import InputError

_TARGETS = ("all", "cams", "labels", "segmenter", "ablation")
# All reasons but the environment, which only the command line of a run knows (--sdm).
_TRIGGERS = ("--rerun-triggers", "code", "input", "mtime", "params")
_CHANGED = "Params have changed since last execution: "
_NEWER = "Updated input files: "
_FOLLOWS = "Input files updated by another job"


@dataclass(frozen=True)
class Job:
    """A job that Snakemake would run, and its reason in Snakemake's words."""

    rule: str
    outputs: tuple[Path, ...]
    reason: str


@dataclass(frozen=True)
class Origin:
    """What makes a file: a rule, in the job that has this log."""

    rule: str
    log: str


@dataclass(frozen=True)
class Workflow:
    """All files that the configuration asks for, and the jobs that would run for them."""

    outputs: Mapping[Path, Origin]
    jobs: tuple[Job, ...]


def ask(configfiles: Sequence[str]) -> Workflow:
    """Ask Snakemake, in the current folder, without running anything.

    Raises:
        InputError: there is no workflow, or Snakemake refuses it or its configuration.
    """
    if not Path("Snakefile").is_file():
        raise InputError(
            f"no Snakefile in {Path.cwd()}: run it in a clone of the repository, "
            "where snakemake runs"
        )
    configuration = options(configfiles)
    summary, dry_run = _snakemake(
        ["--summary", *configuration], ["-n", "--rerun-incomplete", *_TRIGGERS, *configuration]
    )
    return Workflow(outputs_in(summary), tuple(jobs_in(dry_run)))


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


def outputs_in(summary: str) -> dict[Path, Origin]:
    """The files that a summary lists."""
    rows = [line.split("\t") for line in summary.splitlines()[1:]]
    return {Path(row[0]): Origin(row[2], row[3]) for row in rows if len(row) == 6}


def jobs_in(dry_run: str) -> Iterator[Job]:
    """The jobs that a dry-run lists."""
    for block in re.split(r"^(?=(?:local)?rule \w+:$)", dry_run, flags=re.MULTILINE)[1:]:
        fields = dict(re.findall(r"^    (\w+): (.*)$", block, flags=re.MULTILINE))
        if "output" in fields:
            rule = block.partition(":")[0].rpartition(" ")[2]
            outputs = tuple(map(Path, fields["output"].split(", ")))
            yield Job(rule, outputs, fields.get("reason", "").strip())


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
    return [job for job in workflow.jobs if all(path.exists() for path in job.outputs)]


def unmade(workflow: Workflow) -> int:
    """How many files are still to be made."""
    return sum(not path.exists() for path in workflow.outputs)


def _causes(job: Job) -> Iterator[str]:
    """Why a job would run, but for what follows from other jobs."""
    reason, _, change = job.reason.partition(_CHANGED)
    for part in filter(None, reason.split("; ")):
        if part.startswith(_NEWER):
            folder = Path(part.removeprefix(_NEWER).split(", ")[0]).parent
            yield f"its input from {folder} is newer"
        elif not part.startswith(_FOLLOWS):
            yield part[0].lower() + part[1:]
    if change:
        yield from explain_change(job.rule, change)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _snakemake(*calls: Sequence[str]) -> list[str]:
    """What Snakemake prints on stdout, all calls at once."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "snakemake", *_TARGETS, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in calls
    ]
    printed = [process.communicate() for process in started]
    for process, (_, errors) in zip(started, printed, strict=True):
        if process.returncode:
            raise InputError("snakemake refuses the workflow:\n" + errors.strip()[-2000:])
    return [output for output, _ in printed]
