"""`ssr status`: how far each stage has come, what is out of date, and what failed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ssr.doctor.findings import lines
from ssr.doctor.workflow import Job, Workflow, ask, check_folder, stale
from ssr.watching.journal import Failed, UnderWay
from ssr.watching.states import States, states

_RUNS = {
    True: "a run is under way",
    False: "the last run was killed",
    None: "a run on another host, under way or killed",
}
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
    told = states(arguments.results)
    order = rules_in_order()
    stages = sorted(stages_of(workflow, told), key=lambda stage: order.index(stage.rule))
    print("\n".join([*report(stages, workflow), *told.unknown()]))
    if told.run:
        print(f"{_RUNS[told.run.alive]}: {told.run.run}")
    return int(any(stage.done != stage.jobs or stage.stale for stage in stages))


def stages_of(workflow: Workflow, told: States) -> Iterator[Stage]:
    """The stages of a workflow; `told`: what became of jobs that have not made their files."""
    for rule in dict.fromkeys(job.rule for job in workflow.jobs):
        jobs = frozenset(job for job in workflow.jobs if job.rule == rule)
        known = {job: told.of(job.outputs[0]) for job in jobs}
        under_way = frozenset(job for job in jobs if isinstance(known[job], UnderWay))
        done = frozenset(job for job in jobs if job.is_made)
        made = [path.stat().st_mtime for job in jobs for path in job.outputs if path.exists()]
        yield Stage(
            rule,
            jobs=jobs,
            done=done,
            stale=frozenset(job for job in done - under_way if job.reason),
            failed=frozenset(job for job in jobs - done if isinstance(known[job], Failed)),
            under_way=under_way,
            newest=max(made, default=None),
        )


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
