"""When, by which code and where a report was made, and what the jobs behind it took."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from ssr.report.benchmarks import Usage
from ssr.running.machine import Machine
from ssr.running.provenance import commit
from ssr.version import __version__

# Its last run is no part of what it tells of.
_OWN_RULE = "build_report"


@dataclass(frozen=True)
class Provenance:
    """Where a report comes from.

    Attributes:
        made: when.
        version: of this project.
        commit: of this code, + behind it if files have changed since; None: it is no checkout.
        machine: on which the report was made.
        jobs: how many jobs are behind it.
        seconds: their wall-clock time, added up.
        processor_seconds: their processor time, added up, as far as it was measured.
    """

    made: datetime
    version: str
    commit: str | None
    machine: Machine
    jobs: int
    seconds: float
    processor_seconds: float

    @classmethod
    def here(cls, usages: Iterable[Usage]) -> Self:
        """Of a report made now, by this code, on this machine, of jobs with these `usages`."""
        behind = [usage for usage in usages if usage.rule != _OWN_RULE]
        measured = (usage.processor_seconds for usage in behind)
        return cls(
            datetime.now(UTC),
            __version__,
            commit(),
            Machine.here(),
            sum(usage.jobs for usage in behind),
            sum(usage.seconds for usage in behind),
            sum(seconds for seconds in measured if not math.isnan(seconds)),
        )

    def __str__(self) -> str:
        code = "not a checkout" if self.commit is None else f"commit {self.commit}"
        wall, processor = (
            timedelta(seconds=round(seconds)) for seconds in (self.seconds, self.processor_seconds)
        )
        return (
            f"Made {self.made:%Y-%m-%d %H:%M} UTC by SSR {self.version}, {code}, on this machine: "
            f"{self.machine}; jobs of a cluster may have run on others. The {self.jobs} jobs "
            f"behind it took {wall} of wall-clock time, added up, and {processor} of processor "
            "time (h:mm:ss)."
        )

    def to_json(self) -> str:
        """The same for programs; memory in bytes."""
        return json.dumps(asdict(self) | {"made": self.made.isoformat("T", "seconds")}, indent=1)
