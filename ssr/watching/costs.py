"""How long a run will still take: its jobs weighed by what they cost, not by their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from statistics import fmean

from ssr.watching.jobs import Job

# Until a program has imported what it needs, and the least that any job takes.
START_SECONDS = 4.0


class Costs:
    """What jobs take: measured in an earlier run, or of their rule in this one; else expected.

    What is expected is scaled by what this run has taken so far, against what was expected of it.
    """

    def __init__(self, jobs: Collection[Job], slots: int, threaded: bool) -> None:
        """`slots`: cores, if jobs are `threaded` here; else jobs that a cluster runs at once."""
        self._jobs = {job.number: job for job in jobs}
        self._slots, self._threaded = slots, threaded
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._taken = self._foreseen = 0.0

    def measured(self, job: Job, seconds: float) -> None:
        """Learn what a job took."""
        self._seconds[job.rule].append(seconds)
        self._taken += seconds
        self._foreseen += self._expected(job)

    def known(self, numbers: Collection[int]) -> bool:
        """Whether the costs of all these jobs were measured, not only expected."""
        jobs = [self._jobs[number] for number in numbers]
        return all(job.earlier is not None or job.rule in self._seconds for job in jobs)

    def left(self, waiting: Collection[int], running: Mapping[int, float]) -> float:
        """Seconds until all jobs have ended.

        The slots are shared by all that is left, but no job starts before those that it waits for.

        Args:
            waiting: numbers of the jobs that have not begun.
            running: seconds that the jobs under way have taken, by their number.
        """
        ahead = {number: self._cost(self._jobs[number]) for number in waiting}
        for number, seconds in running.items():
            ahead[number] = max(0.0, self._cost(self._jobs[number]) - seconds)
        shared = sum(cost * self._width(self._jobs[number]) for number, cost in ahead.items())
        return max(shared / self._slots, self._longest_chain(ahead))

    def _width(self, job: Job) -> int:
        return min(job.threads, self._slots) if self._threaded else 1

    def _cost(self, job: Job) -> float:
        if job.earlier is not None:
            return job.earlier
        if job.rule in self._seconds:
            return fmean(self._seconds[job.rule])
        return self._expected(job) * (self._taken / self._foreseen if self._foreseen else 1)

    def _expected(self, job: Job) -> float:
        return max(START_SECONDS, job.expected / self._width(job))

    def _longest_chain(self, ahead: Mapping[int, float]) -> float:
        ends: dict[int, float] = {}

        def end(number: int) -> float:
            if number not in ends:
                before = (end(other) for other in self._jobs[number].after if other in ahead)
                ends[number] = max(before, default=0.0) + ahead[number]
            return ends[number]

        return max(map(end, ahead), default=0.0)
