"""All evaluations of a run as rows of summary.json."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ssr.artefacts.seals import verify
from ssr.errors import InputError
from ssr.evaluation.comparisons import Key, differences
from ssr.evaluation.pooling import (
    IMAGE_LABELS,
    MASKS,
    MEANS,
    UNIONS,
    UNKNOWN,
    ratios_to_masks,
)

STAGES = (
    "initial_cam",
    "aligned_cam",
    "refined_cam",
    "pseudo_label",
    "prediction",
    "prediction_crf",
)
"""What is evaluated, in the order of the data."""

_FROM_EVALUATION = (
    *("stage", "split", "images"),
    *MEANS,
    *UNIONS,
    *("per_class", "crf", "scales", "flip", "threshold_from", "protocol"),
)
_ADDED = ("supervision", "differences", "ratio_to_fully_supervised")


class Evaluated(NamedTuple):
    """An evaluation of a method, run with a seed."""

    method: str
    seed: int
    path: Path


def summary_rows(
    evaluations: Sequence[Evaluated],
    dataset: str,
    config_hash: str,
    from_masks: Collection[str] = (),
    foreign: Collection[str] = (),
) -> list[dict[str, Any]]:
    """One row per method, stage and seed; shares are fractions, null where nothing was counted.

    Args:
        evaluations: methods that share a stage name the same file; what no seed enters is named
            once. Beside each lie the counts of its images.
        dataset: name of the run.
        config_hash: stands for all settings of the run.
        from_masks: methods that learned from masks, not from image-level labels.
        foreign: those that are the predictions of another system.

    Returns:
        rows, the methods in the order of their first evaluation, the stages in that of the data.
        `differences` and `ratio_to_fully_supervised`, of the mean over the seeds, are equal in all
        rows of a method and stage.

    Raises:
        InputError: a file is missing or no evaluation.
    """
    methods = list(dict.fromkeys(one.method for one in evaluations))
    entries = {one.path: _entries(one.path) for one in evaluations}
    files: dict[Key, list[Path]] = {}
    for one in evaluations:
        files.setdefault((one.method, entries[one.path]["stage"]), []).append(one.path)
    classes = max((len(each["per_class"]) for each in entries.values()), default=0)
    supervision = dict.fromkeys(foreign, UNKNOWN) | dict.fromkeys(from_masks, MASKS)
    gained = differences(files, classes, from_masks)
    rows = [
        {"dataset": dataset, "method": one.method}
        | {"supervision": supervision.get(one.method, IMAGE_LABELS)}
        | entries[one.path]
        | {"differences": gained[one.method, entries[one.path]["stage"]]}
        | {"seed": one.seed, "config_hash": config_hash}
        for one in evaluations
    ]
    ratios = ratios_to_masks(rows)
    for row in rows:
        row["ratio_to_fully_supervised"] = ratios.get((row["method"], row["stage"]))
    return sorted(rows, key=lambda row: (methods.index(row["method"]), STAGES.index(row["stage"])))


def read_summary(path: Path) -> list[dict[str, Any]]:
    """The rows of a summary.json.

    Raises:
        InputError: the file is missing, damaged or of another version.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run snakemake to make it")
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text())
        needed = (*_FROM_EVALUATION, *_ADDED)
        missing = [key for row in rows for key in needed if key not in row]
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: {error}; run snakemake to make it anew") from None
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; run snakemake to make it anew")
    return rows


def read_evaluation(path: Path, needed: Sequence[str] = ()) -> dict[str, Any]:
    """The document that `ssr.evaluation.evaluation.write_evaluation` wrote.

    Raises:
        InputError: the file is missing or damaged, has no entry of a `needed` name, or is of no
            stage.
    """
    verify(path)
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        stage, *_ = [document[key] for key in ("stage", *needed)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no evaluation ({error!r})") from None
    if stage not in STAGES:
        raise InputError(f"{path}: stage is one of {', '.join(STAGES)}; came {stage}")
    return document


def _entries(path: Path) -> dict[str, Any]:
    document = read_evaluation(path, _FROM_EVALUATION)
    return {key: document[key] for key in _FROM_EVALUATION}
