"""Which run works on a results folder: one at a time, and the next one learns whose it is."""

from __future__ import annotations

import atexit
import fcntl
import getpass
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any, Self, TextIO

from ssr.errors import InputError

# The system lets go of the file's lock when the process ends, however it ends.
_FILE = Path("logs/run.json")
_LOCKS = Path(".snakemake/locks")
# `trace` holds the lock for a moment, too.
_TRIES = 10
_GLANCE = 0.05


@dataclass(frozen=True)
class Run:
    """A run of Snakemake; `jobs` is the name of its jobs in SLURM's queue, if it submits any."""

    user: str
    host: str
    process: int
    since: str
    command: str
    jobs: str | None = None

    @classmethod
    def of(cls, values: Any) -> Self:
        """The run that a file tells of; what a newer version says beyond that is passed over.

        Raises:
            TypeError, AttributeError: it tells of none.
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def __str__(self) -> str:
        return (
            f"{self.user}@{self.host}, process {self.process}, since {self.since}: {self.command}"
        )


@dataclass(frozen=True)
class Trace:
    """What is known of the last run on a folder that has not ended in an orderly way."""

    run: Run
    alive: bool | None
    """None: it ran on another host, from which nothing can be told here."""


def this_run(jobs: str | None = None) -> Run:
    """The run of this process."""
    return Run(
        user=getpass.getuser(),
        host=socket.gethostname(),
        process=os.getpid(),
        since=datetime.now().isoformat(" ", "seconds"),
        command=shlex.join(["snakemake", *sys.argv[1:]]),
        jobs=jobs,
    )


def check_folder(results: Path) -> None:
    """Refuse a path of results on which a file lies.

    Raises:
        InputError: names the file.
    """
    for path in (results, *results.parents):
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: results need a folder, came a file")


def claim(results: Path, run: Run) -> None:
    """Hold `results` for `run` until this process ends.

    Raises:
        InputError: another run holds it, or nothing can be written there.
    """
    try:
        (results / _FILE).parent.mkdir(parents=True, exist_ok=True)
        file = (results / _FILE).open("a+")
    except OSError as error:
        raise InputError(f"{results}: nothing can be written there ({error.strerror})") from error
    if not _lock_soon(file):
        raise InputError(f"another run is under way on {results}: {_read(file) or 'of no name'}")
    file.truncate(0)
    json.dump(asdict(run), file)
    file.flush()
    atexit.register(_release, file, os.getpid())


def trace(results: Path) -> Trace | None:
    """The run that is under way on `results`, or that was killed; None: neither."""
    try:
        with (results / _FILE).open() as file:
            free, run = _lock(file, fcntl.LOCK_SH), _read(file)
    except OSError:
        return None
    if run is None:
        return None
    return Trace(run, alive=True if not free else False if run.host == this_run().host else None)


def explain(results: Path) -> Iterator[str]:
    """Lines for the user who starts a run on `results` while another holds it, or died there."""
    found = trace(results)
    if found and found.alive:
        yield f"another run is under way on {results}: {found.run}"
        yield f"wait for it, or stop it: kill -INT {found.run.process} on {found.run.host}"
    elif found and locked():
        ended = "was killed" if found.alive is False else "cannot be seen from this host"
        yield f"the last run on {results} {ended}: {found.run}"
        yield from (f"  {command}" for command in recovery(found.run))


def recovery(run: Run) -> list[str]:
    """Commands that make room after `run` was killed, in their order; the last one continues it."""
    cancel = [f"scancel --me --name={run.jobs}"] if run.jobs else []
    return [*cancel, f"{run.command} --unlock", f"{run.command} --rerun-incomplete"]


def locked() -> bool:
    """Whether Snakemake holds locks in this folder."""
    return any(_LOCKS.glob("*.lock"))


def _lock_soon(file: TextIO) -> bool:
    """Lock a file for this process alone, past the moments for which `trace` locks it."""
    for _ in range(_TRIES):
        if _lock(file, fcntl.LOCK_EX):
            return True
        sleep(_GLANCE)
    return False


def _lock(file: TextIO, kind: int) -> bool:
    """Lock an open file until it is closed; False: another process has it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: Snakemake's own remain
    return True


def _read(file: TextIO) -> Run | None:
    file.seek(0)
    try:
        return Run.of(json.load(file))
    except (ValueError, TypeError, AttributeError):
        return None


def _release(file: TextIO, process: int) -> None:
    if os.getpid() == process:
        file.truncate(0)
        file.close()
