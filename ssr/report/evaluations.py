"""The evaluations of a run, found by method and stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.evaluation.pooling import MASKS, UNKNOWN, difference_to, pool, pooled, standing
from ssr.evaluation.summary import read_evaluation
from ssr.report.stages import STAGES

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """A document that `write_evaluation` wrote, and the methods it holds for.

    Over several seeds, those documents as one (`ssr.evaluation.pooling.pooled`).
    """

    methods: tuple[str, ...]
    stage: str
    figures: Figures


@dataclass(frozen=True)
class Evaluations:
    """All evaluations of a run: on the reported split, and the sweeps on the tuning split.

    `summary` has the rows of summary.json, for the differences in them.
    """

    reported: tuple[Evaluation, ...]
    tuning: tuple[Evaluation, ...]
    summary: Sequence[Figures] = ()

    def of(self, method: str, stage: str) -> Figures | None:
        """Figures of a method's stage on the reported split; None if it has no such stage."""
        return _find(self.reported, method, stage)

    def tuned(self, method: str, stage: str) -> Figures | None:
        """Figures on the tuning split, with the sweep over all thresholds; None likewise."""
        return _find(self.tuning, method, stage)

    def difference(self, method: str, stage: str, to: tuple[str, str]) -> Figures | None:
        """That in mIoU to another method and stage; None: they weren't compared."""
        row = next(
            (row for row in self.summary if row["method"] == method and row["stage"] == stage), None
        )
        return difference_to(row, *to) if row else None

    def standing(self, stage: str) -> dict[str, bool]:
        """By method: True for the best of a stage, False for those that may be no worse."""
        return standing(pool(row for row in self.summary if row["stage"] == stage))

    @property
    def from_masks(self) -> set[str]:
        """The methods that learned from masks."""
        return self._of_supervision(MASKS)

    @property
    def foreign(self) -> set[str]:
        """The methods that are the predictions of another system."""
        return self._of_supervision(UNKNOWN)

    def _of_supervision(self, kind: str) -> set[str]:
        return {row["method"] for row in self.summary if row["supervision"] == kind}

    def ratio(self, method: str, stage: str) -> float | None:
        """Of its mIoU to that of the method that learned from masks; None: there is none."""
        ratios = (
            row["ratio_to_fully_supervised"]
            for row in self.summary
            if (row["method"], row["stage"]) == (method, stage)
        )
        return next(ratios, None)

    def stages(self, method: str) -> list[str]:
        """The stages of a method that were evaluated, in the order of the data."""
        return [stage for stage in STAGES if self.of(method, stage)]


def read_evaluations(pairs: Iterable[tuple[str, Path]]) -> tuple[Evaluation, ...]:
    """Read evaluations, each once, in the order of the stages.

    Args:
        pairs: (method, file); methods that share a stage name the same file, and a method has one
            for each seed.

    Raises:
        InputError: a file is missing or no evaluation.
    """
    given = list(pairs)
    read = {path: read_evaluation(path) for _, path in given}
    files: dict[tuple[str, str], tuple[Path, ...]] = {}
    for method, path in given:
        key = method, read[path]["stage"]
        files[key] = (*files.get(key, ()), path)
    methods: dict[tuple[Path, ...], list[str]] = {}
    for (method, _), paths in files.items():
        methods.setdefault(paths, []).append(method)
    found = [
        Evaluation(tuple(names), read[paths[0]]["stage"], pooled([read[path] for path in paths]))
        for paths, names in methods.items()
    ]
    return tuple(sorted(found, key=lambda evaluation: list(STAGES).index(evaluation.stage)))


def _find(evaluations: Iterable[Evaluation], method: str, stage: str) -> Figures | None:
    matching = (e.figures for e in evaluations if method in e.methods and e.stage == stage)
    return next(matching, None)
