"""Files from outside that are not what results were made of, told by their content."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from ssr.doctor.findings import Finding
from ssr.running.contents import records

_NAMED = 20


def replaced(results: Path) -> Iterator[Finding]:
    """What changed since an index, COCO's labels or imported CAMs were made of it, by file.

    A run of Snakemake notices those of another size or date; for the others there is a command.
    """
    for made, record in records(results):
        changed = [*record.changed()]
        for path, unnoticed in changed[:_NAMED]:
            command = shlex.join(["touch", path]) if unnoticed else ""
            yield Finding("changed", f"{path}: is not what {made} was made of", command)
        if len(changed) > _NAMED:
            yield Finding("changed", f"{len(changed) - _NAMED} more files of {made}")
