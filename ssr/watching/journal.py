"""The journal of a run: a JSON line for each job that begins, ends or fails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ssr.running.claims import Run
from ssr.watching.jobs import Job

_FOLDER = Path("logs/runs")


class Journal:
    """Writes results/{dataset}/logs/runs/{time}.jsonl while a run goes on."""

    def __init__(self, results: Path, run: Run, jobs: Collection[Job]) -> None:
        path = results / _FOLDER / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}.jsonl"
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


@dataclass(frozen=True)
class Failed:
    """A job that failed when it ended last."""

    log: str | None

    def __str__(self) -> str:
        return f"failed, log: {self.log}" if self.log else "failed, it has no log"


@dataclass(frozen=True)
class UnderWay:
    """A job that was started, or submitted to a cluster, and has not ended.

    `host`: where its run goes on or was killed, if that can't be told from here.
    """

    since: str
    host: str | None = None

    def __str__(self) -> str:
        doubt = f" on {self.host}, or killed" if self.host else ""
        return f"under way since {self.since}{doubt}"


State = Failed | UnderWay


@dataclass
class History:
    """What the journals of a results folder tell of jobs, each by the places of its files."""

    run: Run | None = None
    """The last run that has kept a journal."""
    states: dict[Path, State] = field(default_factory=dict)
    """Jobs that failed, and those that `run` began and did not end."""


def place(file: Path) -> Path:
    """A file without its suffixes: what a job makes in one place is of one name."""
    return file.with_name(file.name.partition(".")[0])


def history(results: Path) -> History:
    """Read all journals below `results`, in the order of their times."""
    return _history(*((path, path.stat().st_size) for path in _journals(results)))


# Whoever asks for many files of a folder asks as often; a journal only grows.
@lru_cache(maxsize=1)
def _history(*journals: tuple[Path, int]) -> History:
    told = History()
    for path, _ in journals:
        _follow(_events(path), told)
    return told


def unfinished(results: Path) -> set[str]:
    """The missing outputs of jobs that a run below `results` began and none has finished since."""
    begun: set[str] = set()
    for path in _journals(results):
        outputs: dict[int, list[str]] = {}
        for event in _events(path):
            with suppress(LookupError, TypeError):
                if event["event"] == "started":
                    outputs[event["job"]] = event["outputs"]
                    begun.update(event["outputs"])
                elif event["event"] == "finished":
                    begun.difference_update(outputs[event["job"]])
    return {output for output in begun if not Path(output).exists()}


def _follow(events: Iterator[dict[str, Any]], told: History) -> None:
    """Take in a journal; what a newer version says in another way is passed over."""
    told.states = {at: state for at, state in told.states.items() if isinstance(state, Failed)}
    begun: dict[int, dict[str, Any]] = {}
    for event in events:
        with suppress(LookupError, TypeError, ValueError, AttributeError):
            kind = event["event"]
            if kind == "run":
                told.run = Run.of(event["run"])
            elif kind == "started":
                begun[event["job"]] = event
                told.states |= dict.fromkeys(_places(event), UnderWay(_time(event)))
            elif kind == "failed":
                start = begun[event["job"]]
                told.states |= dict.fromkeys(_places(start), Failed(start["log"]))
            elif kind == "finished":
                for at in _places(begun[event["job"]]):
                    told.states.pop(at, None)


def _places(event: dict[str, Any]) -> list[Path]:
    return [place(Path(output)) for output in event["outputs"]]


def _time(event: dict[str, Any]) -> str:
    return datetime.fromisoformat(event["time"]).isoformat(" ", "seconds")


def _journals(results: Path) -> list[Path]:
    """In the order of their names, times in UTC: nodes and users may be in several time zones."""
    return sorted(path for path in (results / _FOLDER).glob("*.jsonl") if path.is_file())


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a journal, but for lines that are damaged, or half written by a killed run."""
    for line in path.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event
