"""What keeps Snakemake from noticing that results are out of date."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from ssr.doctor.findings import Finding
from ssr.doctor.workflow import options

_RECORD = Path(".snakemake/metadata")
# Clocks of nodes and file servers are never quite the same.
_SECONDS = 60


def of_the_future(results: Path, paths: Sequence[Path]) -> list[Finding]:
    """One finding for all artefacts whose date is still to come: an input edited now is older."""
    now = time.time()
    late = [path for path in paths if (results / path).stat().st_mtime > now + _SECONDS]
    if not late:
        return []
    text = f"{len(late)} files, the first is {results / late[0]}; edited inputs are not noticed"
    find = shlex.join(["find", str(results), "-type", "f", "-newermt", "now"])
    return [Finding("dated in the future", text, f"{find} -exec touch -d @$(date +%s) {{}} +")]


def unrecorded(paths: Sequence[Path], configfiles: Sequence[str]) -> list[Finding]:
    """A finding if Snakemake's record of what it made is empty: its folder has been deleted."""
    if not paths or not _RECORD.is_dir() or any(_RECORD.iterdir()):
        return []
    command = shlex.join(["snakemake", "--cores", "all", *options(configfiles), "--forceall"])
    text = f"{_RECORD} is empty; changed settings and code are not noticed"
    return [Finding("no record", text, command)]
