"""What runs have evaluated of a stage, and which of it can be paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.compare.protocol import OF_IMAGES, Protocol, differences, protocol_of
from ssr.config.coverage import STAGES, is_evaluated, reported_split, stages_of
from ssr.config.methods import method_config, owner, rows_of_methods
from ssr.errors import InputError
from ssr.evaluation.comparisons import differences as paired_differences
from ssr.evaluation.image_scores import beside, read_areas
from ssr.evaluation.pooling import pooled
from ssr.evaluation.summary import read_evaluation
from ssr.results import Results

Difference = Mapping[str, Any]
"""difference, low and high, as fractions; see `ssr.evaluation.comparisons.differences`."""


@dataclass(frozen=True)
class Entry:
    """A stage of a method of a run.

    Attributes:
        run: what its folder is called.
        method: of the run.
        evaluations: one for each seed that enters the stage.
        figures: of the evaluations; means over the seeds.
        protocol: how it was measured.
    """

    run: str
    method: str
    evaluations: Sequence[Path]
    figures: Mapping[str, Any]
    protocol: Protocol

    @property
    def name(self) -> str:
        """Of run and method."""
        return f"{self.run} {self.method}"


def shared_stage(runs: Sequence[Results], wanted: str | None) -> str:
    """The last stage that every run has of some method, or the one that is wanted.

    Raises:
        InputError: there is none, or not this one.
    """
    every = [{s for m in run.config.methods for s in stages_of(run.config, m)} for run in runs]
    shared = [stage for stage in STAGES if all(stage in own for own in every)]
    if wanted is not None and wanted not in shared:
        raise InputError(f"--stage is one that all runs have, {', '.join(shared)}; came {wanted}")
    return wanted or shared[-1]


def entries(runs: Mapping[str, Results], stage: str) -> list[Entry]:
    """The stage of every method of every run, by what the run's folder is called.

    Raises:
        InputError: a run has no masks, or an evaluation is missing or damaged.
    """
    return [entry for name, run in runs.items() for entry in _of_run(name, run, stage)]


def groups(found: Sequence[Entry]) -> list[list[Entry]]:
    """Entries of the same images each, in the order in which they come.

    Raises:
        InputError: no two are of the same images.
    """
    made: dict[tuple[str, ...], list[Entry]] = {}
    for entry in found:
        made.setdefault(tuple(entry.protocol[name] for name in OF_IMAGES), []).append(entry)
    if max(map(len, made.values())) > 1:
        return list(made.values())
    first = found[0]
    reasons = [
        f"{entry.name} differs from {first.name}: "
        + "; ".join(differences(entry.protocol, first.protocol))
        for entry in found[1:]
    ]
    raise InputError("nothing can be compared: " + (". ".join(reasons) or "there is one method"))


def to_the_first(group: Sequence[Entry]) -> dict[str, Difference]:
    """The difference of each entry of a group to the first one, by their names."""
    stage, first = group[0].figures["stage"], group[0].name
    found = paired_differences(
        {(entry.name, stage): entry.evaluations for entry in group},
        len(group[0].figures["classes"]),
    )
    return {
        name: each
        for (name, _), compared in found.items()
        for each in compared
        if each["to_method"] == first
    }


def _of_run(name: str, run: Results, stage: str) -> Iterator[Entry]:
    config = run.config
    if not is_evaluated(config):
        raise InputError(f"{run.folder}: has no masks, so nothing was evaluated")
    for method, seeds in rows_of_methods(config).items():
        if stage in stages_of(config, method):
            paths = list(dict.fromkeys(_evaluation(run, row, stage) for row in seeds.values()))
            figures = [_read(path) for path in paths]
            ids, _ = read_areas(beside(paths[0]), len(figures[0]["classes"]))
            protocol = protocol_of(figures[0], ids, method_config(config, method))
            yield Entry(name, method, paths, pooled(figures), protocol)


def _evaluation(run: Results, method: str, stage: str) -> Path:
    """That of a stage of a method, or of the row of a seed, on the reported split."""
    split = reported_split(run.config, stage)
    place = f"evaluation/{stage}/{owner(run.config, method, stage)}/{split}"
    path = run.folder / f"{place}.json"
    if not path.exists():
        raise InputError(f"{path}: {run.why_unmade(place)}")
    return path


def _read(path: Path) -> dict[str, Any]:
    figures = read_evaluation(path)
    if "only_predicted_classes" not in figures:
        raise InputError(f"{path}: is of an earlier version; run snakemake to make it anew")
    return figures
