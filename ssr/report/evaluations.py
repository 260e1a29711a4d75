"""The evaluations of a run, found by method and stage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.artefacts.seals import verify
from ssr.errors import InputError
from ssr.report.stages import STAGES

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """A document that `write_evaluation` wrote, and the methods it holds for."""

    methods: tuple[str, ...]
    stage: str
    figures: Figures


@dataclass(frozen=True)
class Evaluations:
    """All evaluations of a run: on the reported split, and the sweeps on the tuning split."""

    reported: tuple[Evaluation, ...]
    tuning: tuple[Evaluation, ...]

    def of(self, method: str, stage: str) -> Figures | None:
        """Figures of a method's stage on the reported split; None if it has no such stage."""
        return _find(self.reported, method, stage)

    def tuned(self, method: str, stage: str) -> Figures | None:
        """Figures on the tuning split, with the sweep over all thresholds; None likewise."""
        return _find(self.tuning, method, stage)

    def stages(self, method: str) -> list[str]:
        """The stages of a method that were evaluated, in the order of the data."""
        return [stage for stage in STAGES if self.of(method, stage)]


def read_evaluations(pairs: Iterable[tuple[str, Path]]) -> tuple[Evaluation, ...]:
    """Read evaluations, each once, in the order of the stages.

    Args:
        pairs: (method, file); methods that share a stage name the same file.

    Raises:
        InputError: a file is missing or no evaluation.
    """
    methods: dict[Path, list[str]] = {}
    for method, path in pairs:
        methods.setdefault(path, []).append(method)
    order = list(STAGES)
    found = [_read(path, tuple(names)) for path, names in methods.items()]
    return tuple(sorted(found, key=lambda evaluation: order.index(evaluation.stage)))


def _find(evaluations: Iterable[Evaluation], method: str, stage: str) -> Figures | None:
    matching = (e.figures for e in evaluations if method in e.methods and e.stage == stage)
    return next(matching, None)


def _read(path: Path, methods: tuple[str, ...]) -> Evaluation:
    verify(path)
    try:
        figures = json.loads(path.read_text())
        stage = figures["stage"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no evaluation ({error!r})") from None
    if stage not in STAGES:
        raise InputError(f"{path}: stage is one of {', '.join(STAGES)}; came {stage}")
    return Evaluation(methods, stage, figures)
