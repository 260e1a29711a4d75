"""What people see of a run: a line a rule on a terminal, a line a job in a log."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from threading import Event, RLock, Thread
from typing import TextIO

from ssr.running.progress import duration, rate
from ssr.watching.costs import Costs
from ssr.watching.jobs import Job
from ssr.watching.text import cut, plain

# So much of its log is shown of a job that failed.
_TAIL = 15
_RENEWAL_SECONDS = 1.0
_WARNING = "warning:"


class Terminal:
    """Shows a run on `stream`; on a terminal, the rules under way are renewed every second.

    `log` is named at the end: where Snakemake writes everything.
    """

    def __init__(
        self,
        jobs: Collection[Job],
        costs: Costs,
        log: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._clock, self._costs = stream or sys.stderr, clock, costs
        self._log = log
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._total = Counter(job.rule for job in jobs)
        self._waiting = {job.number for job in jobs}
        self._done: Counter[str] = Counter()
        self._taken: defaultdict[str, float] = defaultdict(float)
        self._running: dict[int, tuple[Job, float]] = {}
        self._tried: set[int] = set()
        self._start = clock()
        self._drawn = 0
        self._lock, self._over = RLock(), Event()
        if self._live:
            Thread(target=self._renew, daemon=True).start()

    def started(self, job: Job) -> None:
        """Show that a job is under way."""
        with self._lock:
            now = self._clock()
            self._waiting.discard(job.number)
            self._running[job.number] = job, now
            self._print([f"{job}: tried again"] if job.number in self._tried else [])

    def finished(self, job: Job) -> None:
        """Count a job, and show what its program warned of."""
        with self._lock:
            now = self._clock()
            seconds = now - self._running.pop(job.number, (job, now))[1]
            self._costs.measured(job, seconds)
            self._done[job.rule] += 1
            self._taken[job.rule] += seconds
            warnings = [plain(line) for line in _lines(job.log) if line.startswith(_WARNING)]
            self._print([*self._finished_lines(job, seconds), *warnings])

    def failed(self, job: Job, reason: str, logs: Collection[str]) -> None:
        """Show which job failed, what Snakemake knows of it, and how its logs end."""
        with self._lock:
            self._running.pop(job.number, None)
            self._waiting.add(job.number)
            self._tried.add(job.number)
            told = [f"  {plain(line)}" for line in reason.splitlines()]
            ends = [line for log in logs for line in _end(log)]
            self._print([f"error: {job} failed", *told, *ends])

    def told(self, text: str) -> None:
        """Pass on what Snakemake itself warns of."""
        with self._lock:
            self._print([*map(plain, text.splitlines())])

    def interrupted(self) -> None:
        """Say once what the user's Ctrl-C did."""
        with self._lock:
            self._over.set()
            self._print(["interrupted; the same command continues"])

    def ended(self) -> None:
        """Show what was done in which time."""
        with self._lock:
            if not self._over.is_set():
                self._over.set()
                done, total = self._done.total(), self._total.total()
                took = duration(self._clock() - self._start)
                self._print([f"{done} of {total} jobs done in {took}; log: {self._log}"])

    def _finished_lines(self, job: Job, seconds: float) -> list[str]:
        done, total = self._done[job.rule], self._total[job.rule]
        if not self._live:
            number = f"[{self._done.total()}/{self._total.total()}]"
            return [f"{number} {job}: {duration(seconds)}"]
        return [self._line(job.rule)] if done == total else []

    def _line(self, rule: str) -> str:
        """A rule's jobs that are done, the seconds that all of them took, and one of them took."""
        now, taken, done = self._clock(), self._taken[rule], self._done[rule]
        seconds = taken + sum(now - at for job, at in self._running.values() if job.rule == rule)
        shown = f"{rule:<{self._width}}  {done:>4}/{self._total[rule]:<4}  {duration(seconds):>7}"
        return f"{shown}  {rate(done, taken)}" if done and self._total[rule] > 1 else shown

    @property
    def _width(self) -> int:
        return max(map(len, self._total), default=0)

    def _print(self, lines: list[str]) -> None:
        """Print lines that stay, above those that are renewed."""
        back = f"\033[{self._drawn}F\033[J" if self._drawn else ""
        below = [] if self._over.is_set() or not self._live else list(self._under_way())
        self._drawn = len(below)
        text = "".join(f"{line}\n" for line in [*lines, *below])
        if back or text:
            print(back + text, end="", file=self._stream, flush=True)

    def _under_way(self) -> Iterator[str]:
        """The rules that have begun and not ended, what a job of each says, and the time left."""
        columns, rows = shutil.get_terminal_size()
        shown = {job.rule: job for job, _ in self._running.values()}
        for rule in list(shown)[-max(1, rows - 2) :]:
            said = f"{self._line(rule)}  {_last(shown[rule].log)}".rstrip()
            yield cut(said, columns - 1)
        yield cut(self._summary(), columns - 1)

    def _summary(self) -> str:
        now = self._clock()
        running = {number: now - begun for number, (_, begun) in self._running.items()}
        left = self._costs.left(self._waiting, running)
        sure = "about" if self._costs.known({*self._waiting, *running}) else "perhaps"
        jobs = f"{self._done.total()}/{self._total.total()} jobs in {duration(now - self._start)}"
        return f"{jobs}, {sure} {duration(left)} left"

    def _renew(self) -> None:
        while not self._over.wait(_RENEWAL_SECONDS):
            with self._lock:
                if not self._over.is_set():
                    self._print([])


def _lines(log: str | None) -> list[str]:
    """What a program has printed so far."""
    try:
        return Path(log).read_text(errors="replace").splitlines() if log else []
    except OSError:
        return []


def _last(log: str | None) -> str:
    """The last line of a log that shows anything."""
    return next(filter(None, map(plain, reversed(_lines(log)))), "")


def _end(log: str) -> Iterator[str]:
    """The end of a log that tells of an error."""
    lines = _lines(log)
    yield f"  {log}:" if lines else f"  {log} is empty"
    yield from (f"    {plain(line)}" for line in lines[-_TAIL:])
