"""`ssr status`: how far each stage has come, what is out of date, and what failed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ssr.doctor.findings import lines
from ssr.doctor.records import begun, failed
from ssr.doctor.workflow import Workflow, ask, check_folder, remade, stale
from ssr.running.claims import trace

_STATES = {
    True: "a run is under way",
    False: "the last run was killed",
    None: "a run on another host, under way or killed",
}
_HEADER = ("stage", "done", "stale", "failed", "under way", "newest")


@dataclass(frozen=True)
class Stage:
    """The jobs of a rule, by the log that each writes, and the time of its newest file."""

    rule: str
    jobs: frozenset[str]
    done: frozenset[str]
    stale: frozenset[str]
    failed: frozenset[str]
    under_way: frozenset[str]
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
    run = trace(arguments.results)
    started = begun() if run and run.alive is not False else set()
    order = rules_in_order()
    stages = sorted(
        stages_of(workflow, failed(), started), key=lambda stage: order.index(stage.rule)
    )
    print("\n".join(report(stages, workflow)))
    if run:
        print(f"{_STATES[run.alive]}: {run.run}")
    return int(any(stage.done != stage.jobs or stage.stale for stage in stages))


def stages_of(workflow: Workflow, failures: Set[str], started: Set[Path]) -> Iterator[Stage]:
    """The stages of a workflow.

    Args:
        workflow: what Snakemake says of it.
        failures: logs of the jobs that failed when they ran last.
        started: outputs of jobs that are running or wait in a queue.
    """
    outputs = workflow.outputs
    again = {outputs[path].log for job in remade(workflow) for path in job.outputs}
    running = {outputs[path].log for path in started if path in outputs}
    for rule in {origin.rule for origin in outputs.values()}:
        files = {path: origin.log for path, origin in outputs.items() if origin.rule == rule}
        jobs = frozenset(files.values())
        made = [path.stat().st_mtime for path in files if path.exists()]
        missing = {log for path, log in files.items() if not path.exists()}
        yield Stage(
            rule,
            jobs=jobs,
            done=jobs - missing,
            stale=jobs & again,
            failed=frozenset(missing & failures - running),
            under_way=jobs & running,
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
    if logs := sorted(log for stage in stages for log in stage.failed):
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
