"""What a killed run leaves behind outside of its results: locks, and jobs in SLURM's queue."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence

from ssr.doctor.findings import Finding
from ssr.doctor.workflow import options
from ssr.running.claims import Trace, locked, recovery

_PREFIX = "ssr_"


def locks(trace: Trace | None, configfiles: Sequence[str]) -> list[Finding]:
    """Snakemake's locks, if the run that took them is not known to be under way."""
    if not locked() or (trace and trace.alive):
        return []
    if trace is None:
        unlock = shlex.join(["snakemake", *options(configfiles), "--unlock"])
        return [Finding("locks", "of a run that is not known: look whether it has ended", unlock)]
    place = "" if trace.alive is False else "on another host, look there whether it has ended: "
    return [Finding("locks", f"{place}{trace.run}", "\n      ".join(recovery(trace.run)))]


def orphans(trace: Trace | None) -> list[Finding]:
    """Jobs in SLURM's queue that were submitted from this folder by runs that have ended."""
    under_way = trace.run.jobs if trace and trace.alive is not False else None
    names = Counter(name for name in queued() if name != under_way)
    return [
        Finding("jobs of a dead run", f"{number} in SLURM's queue", f"scancel --me --name={name}")
        for name, number in names.items()
    ]


def queued() -> list[str]:
    """Names of this user's jobs that were submitted from this folder; none without SLURM."""
    if not shutil.which("squeue"):
        return []
    command = ["squeue", "--me", "--noheader", "--format=%j|%Z"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.strip().split("|", 1) for line in asked.stdout.splitlines()]
    here = os.path.realpath(".")
    return [
        row[0]
        for row in rows
        if len(row) == 2 and row[0].startswith(_PREFIX) and os.path.realpath(row[1]) == here
    ]
