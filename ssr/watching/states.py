"""What became of jobs whose files are not there: the one answer for whoever shows a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ssr.running.claims import Trace, trace
from ssr.watching.journal import History, State, UnderWay, history, place


@dataclass(frozen=True)
class States:
    """What the journals tell of jobs, and what is known of the run that has not ended."""

    told: History
    run: Trace | None

    def of(self, file: Path) -> State | None:
        """Whether the job that makes a file failed, or is under way; None: neither.

        Args:
            file: its path as Snakemake names it; suffixes don't count.
        """
        state = self.told.states.get(place(file))
        if not isinstance(state, UnderWay):
            return state
        if self.run is None or self.run.alive is False or self.told.run != self.run.run:
            return None
        return state if self.run.alive else replace(state, host=self.run.run.host)

    def unknown(self) -> Iterator[str]:
        """What no journal tells: runs of earlier versions, and with --no-hooks, keep none."""
        if self.told.run is None:
            yield "failed: not known, no run has kept a journal here"
        if self.run and self.run.alive is not False and self.told.run != self.run.run:
            yield "under way: not known, the run keeps no journal"


def states(results: Path) -> States:
    """Those of the jobs that make `results`, results/{dataset}."""
    return States(history(results), trace(results))
