"""All evaluations of a run as rows of summary.json, and as a table for the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssr.artefacts.seals import verify
from ssr.errors import InputError

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
    "stage",
    "split",
    "images",
    "miou",
    "precision",
    "recall",
    "confusion_ratio",
    "background_taken_for_object",
    "object_taken_for_background",
    "confusion_among_objects",
    "labelled",
    "miou_all_pixels",
    "all_background_miou",
    "absent_classes",
    "never_right_classes",
    "per_class",
    "crf",
    "scales",
    "flip",
    "threshold",
    "threshold_from",
)


def summary_rows(
    evaluations: Sequence[tuple[str, Path]], dataset: str, seed: int, config_hash: str
) -> list[dict[str, Any]]:
    """One row per method and stage; shares are fractions, null where nothing was there to count.

    Args:
        evaluations: (method, evaluation); methods that share a stage name the same file.
        dataset: name of the run.
        seed: of the run.
        config_hash: stands for all settings of the run.

    Returns:
        rows, the methods in the order of their first evaluation, the stages in that of the data.

    Raises:
        InputError: a file is missing or no evaluation.
    """
    methods = list(dict.fromkeys(method for method, _ in evaluations))
    rows = [
        {"dataset": dataset, "method": method}
        | _entries(path)
        | {"seed": seed, "config_hash": config_hash}
        for method, path in evaluations
    ]
    return sorted(rows, key=lambda row: (methods.index(row["method"]), STAGES.index(row["stage"])))


def _entries(path: Path) -> dict[str, Any]:
    verify(path)
    try:
        document = json.loads(path.read_text())
        entries = {key: document[key] for key in _FROM_EVALUATION}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no evaluation ({error!r})") from None
    if entries["stage"] not in STAGES:
        raise InputError(f"{path}: stage is one of {', '.join(STAGES)}; came {entries['stage']}")
    return entries


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as aligned text, a blank line between methods, and what the figures rest on.

    Every figure is printed with its split, number of images, CRF, scales and flip, and where its
    threshold comes from.
    """
    if not rows:
        return "nothing was evaluated: the data set has no masks"
    lines = [_HEADING, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    text = [texts[0], "-" * len(texts[0])]
    for number, row in enumerate(rows):
        if number and row["method"] != rows[number - 1]["method"]:
            text.append("")
        text.append(texts[number + 1])
    first = rows[0]
    run = f"dataset {first['dataset']}, seed {first['seed']}, settings {first['config_hash']}"
    return "\n".join(
        [run, "", *text, "", *_NOTES, *_baselines(rows), *_origins(rows), *_left_out(rows)]
    )


_HEADING = (
    "method",
    "stage",
    "split",
    "images",
    "mIoU",
    "precision",
    "recall",
    "FP/TP",
    "bg→obj",
    "obj↔obj",
    "labelled",
    "CRF",
    "scales",
    "threshold",
)
_LEFT = {"method", "stage", "split", "CRF", "scales"}
_NOTES = (
    "Means over all classes with background, in %; FP/TP is a ratio.",
    "bg→obj: background taken for an object. obj↔obj: objects taken for another class.",
    "labelled: share of the pixels that were not left to the ignore label; the others don't count.",
)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    ratio = row["confusion_ratio"]
    threshold = row["threshold"]
    return (
        row["method"],
        row["stage"],
        row["split"],
        str(row["images"]),
        _percent(row["miou"]),
        _percent(row["precision"]),
        _percent(row["recall"]),
        "-" if ratio is None else f"{ratio:.3f}",
        _percent(row["background_taken_for_object"]),
        _percent(row["confusion_among_objects"]),
        _percent(row["labelled"]),
        "yes" if row["crf"] else "no",
        _scales(row),
        "-" if threshold is None else f"{threshold:.2f}",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _scales(row: Mapping[str, Any]) -> str:
    if row["scales"] is None:
        return "-"
    scales = ", ".join(f"{scale:g}" for scale in row["scales"])
    return scales + (" + flip" if row["flip"] else "")


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if name in _LEFT else cell.rjust(width)
        for cell, width, name in zip(cells, widths, _HEADING, strict=True)
    ]


def _origins(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    texts = [
        f"chosen on {origin['split']} ({origin['images']} images)" if origin else "a setting"
        for origin in (row["threshold_from"] for row in rows if row["threshold"] is not None)
    ]
    return [f"threshold: {text}." for text in dict.fromkeys(texts)]


def _baselines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What calling everything background would score on each split."""
    found = {row["split"]: row["all_background_miou"] for row in rows}
    return [
        f"all background would have mIoU {_percent(m)} on {split}." for split, m in found.items()
    ]


def _left_out(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which classes do not count in the means, and where."""
    reasons = {
        "absent_classes": "left out (neither there nor predicted)",
        "never_right_classes": "left out of FP/TP (not one right pixel)",
    }
    return [
        f"{reason}, {row['method']} {row['stage']}: {', '.join(row[key])}"
        for key, reason in reasons.items()
        for row in rows
        if row[key]
    ]
