"""`ssr doctor`: everything that is wrong with a results folder, and what to do about it."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ssr.doctor.artefacts import damaged
from ssr.doctor.findings import Finding, lines
from ssr.doctor.leftovers import left_over, size, spent_checkpoints, strangers, unfinished
from ssr.doctor.originals import replaced
from ssr.doctor.remains import locks, orphans, queued
from ssr.doctor.unseen import of_the_future, unrecorded
from ssr.doctor.workflow import Workflow, ask, check_folder, options, stale, unmade
from ssr.running.claims import trace
from ssr.running.digests import artefacts


def main(arguments: argparse.Namespace) -> int:
    """Print all findings; 0: there are none."""
    results: Path = arguments.results
    workflow = ask(arguments.configfile)
    check_folder(results, workflow)
    paths = artefacts(results)
    total = size(sum((results / path).stat().st_size for path in paths))
    print(f"{results}: {len(paths)} artefacts, {total}; to be made yet: {unmade(workflow)}")
    found = diagnose(results, paths, workflow, arguments.configfile)
    print("\n".join(lines(found)))
    if any(finding.kind in ("damaged", "changed", "out of date") for finding in found):
        print(
            "then: " + shlex.join(["snakemake", "--cores", "all", *options(arguments.configfile)])
        )
    return int(bool(found))


def diagnose(
    results: Path, paths: Sequence[Path], workflow: Workflow, configfiles: Sequence[str]
) -> list[Finding]:
    """All findings on `results`; `paths` are its artefacts, relative to it."""
    run = trace(results)
    alive = bool(run and run.alive)
    if run and alive:
        print(f"a run is under way, what it is making is not complete: {run.run}", file=sys.stderr)
    foreign = set(strangers(results, paths, workflow.outputs))
    return [
        *orphans(run),
        *locks(run, configfiles),
        *damaged(results, [path for path in paths if path not in foreign], workflow.outputs),
        *replaced(results),
        *stale(workflow),
        *of_the_future(results, paths),
        *unrecorded(paths, configfiles),
        *left_over(results, sorted(foreign), workflow.outputs),
        *spent_checkpoints(results, workflow.outputs),
        *unfinished(results, busy=alive or bool(queued())),
    ]
