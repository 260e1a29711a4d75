"""Rows of one method that differ by their seed as one: means, spread, and the best of a stage."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]

MEANS = (
    "miou",
    "miou_true_classes",
    "miou_given_labels",
    "fb_iou",
    "precision",
    "recall",
    "confusion_ratio",
    "background_taken_for_object",
    "object_taken_for_background",
    "confusion_among_objects",
    "labelled",
    "miou_all_pixels",
    "all_background_miou",
    "threshold",
)
"""Figures of an evaluation that are averaged over seeds."""
UNIONS = ("absent_classes", "only_predicted_classes", "never_right_classes")
"""Lists of classes that figures leave out."""

IMAGE_LABELS, MASKS, UNKNOWN = "image_labels", "masks", "unknown"
"""What a method learned from: `supervision` of a row; unknown of predictions of other systems."""
FOREIGN_PREDICTIONS = (
    "predictions of another system as its files have them; what it learned from, and whether a CRF "
    "is in them, is not known here"
)
"""What must be said where figures of such stand."""


def pooled(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows of a summary, or evaluations, that differ by their seed alone, as one.

    Figures become means over the rows that have them, confusions are added up, classes that are
    left out in any are listed. `spreads` holds standard deviations (of a sample, n - 1) by the name
    of the figure; none of a single row. All else is that of the first.
    """
    first = rows[0]
    if len(rows) == 1:
        return {**first, "spreads": {}}
    values = {name: _known(row[name] for row in rows) for name in MEANS if name in first}
    made: dict[str, Any] = {name: _mean(known) for name, known in values.items()}
    made |= {name: [*dict.fromkeys(c for row in rows for c in row[name])] for name in UNIONS}
    made["per_class"] = {
        name: {key: _mean(_known(row["per_class"][name][key] for row in rows)) for key in own}
        for name, own in first["per_class"].items()
    }
    if "confusion" in first:
        made["confusion"] = np.sum([row["confusion"] for row in rows], axis=0).tolist()
    many = {name: known for name, known in values.items() if len(known) > 1}
    return {**first, **made, "spreads": {name: statistics.stdev(many[name]) for name in many}}


def pool(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows of a summary, those of each method and stage as one."""
    named: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        named.setdefault((row["method"], row["stage"]), []).append(row)
    return [pooled(each) for each in named.values()]


def difference_to(row: Row, method: str, stage: str) -> Row | None:
    """That of a row of a summary to a method at a stage; None: they weren't compared."""
    for found in row["differences"]:
        if (found["to_method"], found["to_stage"]) == (method, stage):
            return dict(found)
    return None


def ratios_to_masks(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """By method and stage: its mIoU over that of the method that learned from masks (Table 6).

    Both are means over the seeds. Missing where there is no such method, and for it.
    """
    made = [row for row in pool(rows) if row["miou"]]
    bounds = {row["stage"]: row["miou"] for row in made if row["supervision"] == MASKS}
    return {
        (row["method"], row["stage"]): row["miou"] / bounds[row["stage"]]
        for row in made
        if row["supervision"] != MASKS and row["stage"] in bounds
    }


def standing(rows: Sequence[Row]) -> dict[str, bool]:
    """By method: True for the best of a stage, False for those that may be no worse.

    That is, the interval of their difference to the best holds 0. Others are missing, and all are
    where there is nothing to compare. What learned from masks is a bound, and has no place.

    Args:
        rows: of a summary, of one stage, one for each method.
    """
    weak = [row for row in rows if row["supervision"] != MASKS]
    known = [row for row in weak if row["miou"] is not None]
    if len({row["miou"] for row in known}) < 2:
        return {}
    best = max(known, key=lambda row: row["miou"])
    found = {}
    for row in known:
        compared = difference_to(row, best["method"], best["stage"])
        if row["miou"] == best["miou"]:
            found[row["method"]] = True
        elif compared and compared["low"] <= 0 <= compared["high"]:
            found[row["method"]] = False
    return found


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and not math.isnan(value)]


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
