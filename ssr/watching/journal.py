"""The journal of a run: a JSON line for each job that begins, ends or fails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ssr.running.claims import Run
from ssr.watching.jobs import Job

_FOLDER = Path("logs/runs")


class Journal:
    """Writes results/{dataset}/logs/runs/{time}.jsonl while a run goes on."""

    def __init__(self, results: Path, run: Run, jobs: Collection[Job]) -> None:
        path = results / _FOLDER / f"{datetime.now():%Y-%m-%dT%H-%M-%S.%f}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w")
        self._write("run", run=asdict(run), jobs=Counter(job.rule for job in jobs))

    def started(self, job: Job) -> None:
        """A job has been started, or submitted to a cluster."""
        self._write("started", job=job.number, rule=job.rule, outputs=job.outputs, log=job.log)

    def finished(self, job: Job) -> None:
        """A job has made its outputs."""
        self._write("finished", job=job.number)

    def failed(self, job: Job, reason: str, logs: Collection[str]) -> None:
        """A job has failed; it may be tried again."""
        self._write("failed", job=job.number, reason=reason, logs=[*logs])

    def told(self, text: str) -> None:
        """Snakemake warns, or gives the reason of an error."""
        self._write("told", text=text)

    def interrupted(self) -> None:
        """The user stops the run: what ends from now on has not failed."""
        self._write("interrupted")

    def ended(self) -> None:
        """The run is over."""
        self._write("ended")
        self._file.close()

    def _write(self, event: str, **values: Any) -> None:
        time = datetime.now().isoformat(timespec="milliseconds")
        self._file.write(json.dumps({"time": time, "event": event, **values}) + "\n")
        self._file.flush()


@dataclass
class History:
    """What the journals of a results folder tell of jobs, each named by its outputs."""

    run: Run | None = None
    """The last run that has kept a journal."""
    failed: dict[tuple[Path, ...], str] = field(default_factory=dict)
    """Jobs that failed when they ended last, and the log of each."""
    under_way: set[tuple[Path, ...]] = field(default_factory=set)
    """Jobs that `run` began and did not end."""


def history(results: Path) -> History:
    """Read all journals below `results`, in the order of their times."""
    told = History()
    for path in sorted((results / _FOLDER).glob("*.jsonl")):
        _follow(_events(path), told)
    return told


def _follow(events: Iterator[dict[str, Any]], told: History) -> None:
    begun: dict[int, dict[str, Any]] = {}
    for event in events:
        kind = event["event"]
        if kind == "run":
            told.run, told.under_way = Run(**event["run"]), set()
        elif kind == "started":
            begun[event["job"]] = event
            told.under_way.add(_outputs(event))
            told.failed.pop(_outputs(event), None)
        elif kind in ("finished", "failed"):
            start = begun[event["job"]]
            told.under_way.discard(_outputs(start))
            if kind == "failed":
                told.failed[_outputs(start)] = start["log"] or "no log"


def _outputs(event: dict[str, Any]) -> tuple[Path, ...]:
    return tuple(map(Path, event["outputs"]))


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a journal; a run that was killed may have left the last line half written."""
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return
