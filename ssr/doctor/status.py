"""`ssr status`: how far each stage has come, what is out of date, and what failed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ssr.doctor.findings import lines
from ssr.doctor.workflow import Job, Workflow, ask, check_folder, stale
from ssr.running.claims import Trace, trace
from ssr.watching.journal import History, history

_STATES = {
    True: "a run is under way",
    False: "the last run was killed",
    None: "a run on another host, under way or killed",
}
Outputs = tuple[Path, ...]
"""A job, by the files that it makes."""
_HEADER = ("stage", "done", "stale", "failed", "under way", "newest")


@dataclass(frozen=True)
class Stage:
    """The jobs of a rule, and the time of its newest file."""

    rule: str
    jobs: frozenset[Job]
    done: frozenset[Job]
    stale: frozenset[Job]
    failed: frozenset[Job]
    under_way: frozenset[Job]
    newest: float | None

    def cells(self) -> tuple[str, ...]:
        """What the table shows of it."""
        numbers = [str(len(jobs) or "") for jobs in (self.stale, self.failed, self.under_way)]
        time = datetime.fromtimestamp(self.newest).isoformat(" ", "seconds") if self.newest else ""
        return (self.rule, f"{len(self.done)}/{len(self.jobs)}", *numbers, time)


def main(arguments: argparse.Namespace) -> int:
    """Print the table, the reasons and the logs; 0: all is made and as it should be."""
    workflow = ask(arguments.configfile)
    check_folder(arguments.results, workflow)
    run, told = trace(arguments.results), history(arguments.results)
    under_way = told.under_way if run and run.alive is not False and told.run == run.run else set()
    order = rules_in_order()
    stages = sorted(
        stages_of(workflow, set(told.failed), under_way), key=lambda stage: order.index(stage.rule)
    )
    print("\n".join([*report(stages, workflow), *unknown(run, told)]))
    if run:
        print(f"{_STATES[run.alive]}: {run.run}")
    return int(any(stage.done != stage.jobs or stage.stale for stage in stages))


def stages_of(workflow: Workflow, failures: Set[Outputs], started: Set[Outputs]) -> Iterator[Stage]:
    """The stages of a workflow.

    Args:
        workflow: what Snakemake says of it.
        failures: the jobs that failed when they ran last.
        started: jobs that are running or wait in a queue.
    """
    for rule in dict.fromkeys(job.rule for job in workflow.jobs):
        jobs = frozenset(job for job in workflow.jobs if job.rule == rule)
        under_way = frozenset(job for job in jobs if job.outputs in started)
        done = frozenset(job for job in jobs if job.is_made)
        made = [path.stat().st_mtime for job in jobs for path in job.outputs if path.exists()]
        yield Stage(
            rule,
            jobs=jobs,
            done=done,
            stale=frozenset(job for job in done - under_way if job.reason),
            failed=frozenset(job for job in jobs - done - under_way if job.outputs in failures),
            under_way=under_way,
            newest=max(made, default=None),
        )


def unknown(run: Trace | None, told: History) -> Iterator[str]:
    """What no journal tells: those of runs before this version, and with --no-hooks, have none."""
    if told.run is None:
        yield "failed: not known, no run has kept a journal here"
    if run and run.alive is not False and told.run != run.run:
        yield "under way: not known, the run keeps no journal"


def report(stages: Sequence[Stage], workflow: Workflow) -> Iterator[str]:
    """The table, then why files are stale, and the logs of what failed."""
    rows = [_HEADER, *(stage.cells() for stage in stages)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()
    if found := stale(workflow):
        yield from lines(found)[:-1]
    if logs := sorted(job.log for stage in stages for job in stage.failed):
        yield "failed:"
        yield from (f"  {log}" for log in logs)


def rules_in_order() -> list[str]:
    """All rules, in the order in which the Snakefile of the current folder includes them."""
    files = re.findall(r'^include: "(.+)"$', Path("Snakefile").read_text(), re.MULTILINE)
    return [
        rule
        for file in files
        for rule in re.findall(r"^ *rule (\w+):$", Path(file).read_text(), re.MULTILINE)
    ]
