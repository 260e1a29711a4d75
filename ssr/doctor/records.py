"""What Snakemake's own records in the current folder tell: which jobs failed, which have begun."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from pathlib import Path

_LOGS = Path(".snakemake/log")
_INCOMPLETE = Path(".snakemake/incomplete")
_EVENT = re.compile(
    r"^(?:(?P<error>Error in )?(?:local)?rule \w+:\n(?P<fields>(?:    .*\n)+)"
    r"|Finished jobid: (?P<finished>\d+) .*\n)",
    re.MULTILINE,
)
_FIELD = re.compile(r"^    (\w+): (.*?)(?: \(check log file.*)?$", re.MULTILINE)


def failed() -> set[str]:
    """Logs of the jobs of which Snakemake said last that they failed.

    A run that was killed had no time to say so: its jobs are not among them.
    """
    logs: set[str] = set()
    for path in sorted(_LOGS.glob("*.log")):  # the names begin with the time
        _follow(path.read_text(errors="replace"), logs)
    return logs


def _follow(text: str, logs: set[str]) -> None:
    """Add to `logs` what fails in the course of a run, and take out what succeeds."""
    jobs: dict[str, str] = {}
    for event in _EVENT.finditer(text):
        fields = dict(_FIELD.findall(event["fields"] or ""))
        if event["finished"]:
            logs.discard(jobs.get(event["finished"], ""))
        elif "log" in fields:
            jobs[fields.get("jobid", "")] = fields["log"]
            logs.update([fields["log"]] if event["error"] else [])


def begun() -> set[Path]:
    """Outputs of the jobs that a run started or submitted, and that have not ended."""
    markers = [path for path in _INCOMPLETE.rglob("*") if path.is_file()]
    return {Path(_decode(path.relative_to(_INCOMPLETE))) for path in markers}


def _decode(marker: Path) -> str:
    """The name of an output; a long one is cut into folders whose names begin with "@"."""
    parts = (part.removeprefix("@") for part in marker.parts)
    return urlsafe_b64decode("".join(parts)).decode()
