"""The jobs of a run, as the journal and the terminal know them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """A job of a run; `after`: the numbers of those that it waits for."""

    number: int
    rule: str
    name: str
    outputs: tuple[str, ...]
    log: str | None
    threads: int
    expected: float
    """Seconds on one core."""
    earlier: float | None
    """Seconds that it took in an earlier run."""
    after: frozenset[int] = field(default_factory=frozenset)

    def __str__(self) -> str:
        return f"{self.rule} {self.name}".rstrip()


def jobs_to_run(dag: Any, expected: Callable[[Any], float]) -> list[Job]:
    """The jobs that a run will run, but for its targets, which run nothing.

    Args:
        dag: Snakemake's, complete.
        expected: the seconds on one core that one of its jobs may take.
    """
    needed = {job for job in dag.needrun_jobs() if not job.is_norun}
    return [_job(dag, job, needed, expected(job)) for job in needed]


def _job(dag: Any, job: Any, needed: Iterable[Any], expected: float) -> Job:
    return Job(
        number=dag.jobid(job),
        rule=job.rule.name,
        name="-".join(job.wildcards_dict.values()),
        outputs=tuple(map(str, job.output)),
        log=str(job.log[0]) if job.log else None,
        threads=job.threads,
        expected=expected,
        earlier=_measured(Path(job.benchmark)) if job.benchmark else None,
        after=frozenset(dag.jobid(other) for other in dag.dependencies[job] if other in needed),
    )


def _measured(benchmark: Path) -> float | None:
    """The seconds in a benchmark file of Snakemake; None: there is none."""
    try:
        with benchmark.open(newline="") as file:
            return float(next(csv.DictReader(file, delimiter="\t"))["s"])
    except (OSError, StopIteration, KeyError, ValueError):
        return None
