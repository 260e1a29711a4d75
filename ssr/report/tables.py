"""The tables of the report: plain text in cells, so that a page or a file can show them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ssr.config import Config
from ssr.report.benchmarks import Usage
from ssr.report.evaluations import Evaluation, Evaluations
from ssr.report.published import NOTES, TABLE_3, TABLE_4, TABLE_4_CLIP
from ssr.report.stages import STAGES
from ssr.settings import method_config

MISSING = "–"
_LEFT_OUT = {
    "absent_classes": "In no mask and no answer, so in no mean",
    "never_right_classes": "Without a right pixel, so not in the mean confusion",
}


@dataclass(frozen=True)
class Table:
    """Rows of cells below one header.

    Attributes:
        caption: what the table says.
        header: of every column.
        rows: as many cells as the header each; the first names the row.
        notes: what the reader must know to use the figures.
        published: columns whose figures are not ours.
        text_columns: columns that are no figures.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    published: frozenset[int] = frozenset()
    text_columns: frozenset[int] = frozenset({0})


def per_cent(share: float | None) -> str:
    """A share in [0, 1] as per cent, or a dash where there is none."""
    return MISSING if share is None or math.isnan(share) else f"{100 * share:.1f}"


def stage_table(evaluations: Evaluations) -> Table:
    """Every stage of every method on the reported split, in the order of the data."""
    header = (
        "Stage", "Methods", "mIoU", "Precision", "Recall", "Confusion FP/TP",
        "Background → object", "Object → background", "Wrong object", "Labelled",
        "Split (images)", "Threshold", "CRF", "Scales",
    )  # fmt: skip
    methods = {method for item in evaluations.reported for method in item.methods}
    rows = tuple(_stage_row(item, methods) for item in evaluations.reported)
    notes = (
        "mIoU, precision and recall in per cent: means over all classes with the background. "
        "Confusion: mean over classes of false over true positives.",
        "Background → object: true background answered with an object. Wrong object: object pixels "
        "answered with another class.",
        "Labelled: share of the pixels that were not left to the ignore label; the others do not "
        "count in the other figures.",
        "Thresholds are chosen on the tuning split, never on the reported one.",
        *_left_out(evaluations.reported),
    )
    text = frozenset({0, 1, 10, 11, 12, 13})
    return Table("Quality on the reported split", header, rows, notes, text_columns=text)


def _stage_row(evaluation: Evaluation, methods: set[str]) -> tuple[str, ...]:
    figures = evaluation.figures
    ratio = figures["confusion_ratio"]
    errors = (
        "background_taken_for_object",
        "object_taken_for_background",
        "confusion_among_objects",
    )
    return (
        STAGES[evaluation.stage],
        "all"
        if methods == set(evaluation.methods) and len(methods) > 1
        else ", ".join(evaluation.methods),
        *(per_cent(figures[name]) for name in ("miou", "precision", "recall")),
        MISSING if ratio is None else f"{ratio:.3f}",
        *(per_cent(figures[name]) for name in (*errors, "labelled")),
        f"{figures['split']} ({figures['images']})",
        _threshold(figures),
        "yes" if figures["crf"] else "no",
        _test_time(figures),
    )


def _threshold(figures: Mapping[str, Any]) -> str:
    if figures["threshold"] is None:
        return MISSING
    origin = figures["threshold_from"]
    where = f"{origin['split']} ({origin['images']})" if origin else "a setting"
    return f"{figures['threshold']:.2f}, {where}"


def _test_time(figures: Mapping[str, Any]) -> str:
    if figures["scales"] is None:
        return MISSING
    scales = ", ".join(f"{scale:g}" for scale in figures["scales"])
    return scales + (" + flip" if figures["flip"] else "")


def _left_out(evaluations: Sequence[Evaluation]) -> list[str]:
    """Which classes are no part of a mean, and where; equal findings share a note."""
    where: dict[str, list[str]] = {}
    for item in evaluations:
        for key, what in _LEFT_OUT.items():
            if classes := ", ".join(item.figures[key]):
                place = f"{STAGES[item.stage]} of {', '.join(item.methods)}"
                where.setdefault(f"{what}: {classes}", []).append(place)
    return [
        f"{finding} ({'every row' if len(places) == len(evaluations) else '; '.join(places)})."
        for finding, places in where.items()
    ]


def ablation_table(evaluations: Evaluations, config: Config) -> Table:
    """What each method differs in and reaches, beside the paper's Table 3."""
    header = (
        "Method", "Differs in", *(f"{STAGES[stage]} mIoU" for stage in list(STAGES)[:2]),
        "Refined P", "Refined R", "Refined CAM mIoU", "Pseudo-label mIoU",
        "Paper, Table 3 (VOC train, not comparable)", "P", "R", "mIoU",
    )  # fmt: skip
    rows = tuple(_ablation_row(method, evaluations, config) for method in config.methods)
    return Table(
        "Ablation: what each part contributes",
        header,
        rows,
        NOTES,
        published=frozenset(range(8, 12)),
        text_columns=frozenset({0, 1, 8}),
    )


def _ablation_row(method: str, evaluations: Evaluations, config: Config) -> tuple[str, ...]:
    row = TABLE_3.get(method)
    published = (row.name, *(f"{value:.1f}" for value in row[1:])) if row else (MISSING,) * 4
    return (
        method,
        _overrides(config.methods[method]),
        *(_figure(evaluations, method, stage, "miou") for stage in list(STAGES)[:2]),
        *(_figure(evaluations, method, "refined_cam", n) for n in ("precision", "recall", "miou")),
        _figure(evaluations, method, "pseudo_label", "miou"),
        *published,
    )


def _overrides(settings: Mapping[str, Any]) -> str:
    flat = yaml.safe_dump(dict(settings), default_flow_style=True, width=1000).strip()
    return flat.strip("{}").replace("{", "").replace("}", "") or "nothing: the full method"


def _figure(evaluations: Evaluations, method: str, stage: str, name: str) -> str:
    figures = evaluations.of(method, stage)
    return per_cent(figures[name]) if figures else MISSING


def loss_table(evaluations: Evaluations, config: Config) -> Table:
    """CAMs before and after an alignment with each loss, beside the paper's Table 4."""
    first = next(iter(config.methods))
    before = _figure(evaluations, first, "initial_cam", "miou")
    rows = [("none (CLIP)", before, f"{TABLE_4_CLIP:.1f}")]
    for loss, published in TABLE_4.items():
        aligned = [
            _figure(evaluations, method, "aligned_cam", "miou")
            for method in config.methods
            if method_config(config, method).alignment.loss == loss
        ]
        ours = next((figure for figure in aligned if figure != MISSING), MISSING)
        rows.append((loss, ours, f"{published:.1f}"))
    header = (
        "Loss of the alignment",
        "CAM mIoU",
        "Paper, Table 4: mIoU (VOC train, not comparable)",
    )
    return Table("Losses of the alignment", header, tuple(rows), NOTES[:1], frozenset({2}))


def usage_table(usages: Sequence[Usage]) -> Table:
    """Seconds and memory of every rule."""
    rows = tuple(
        (
            usage.rule,
            str(usage.jobs),
            f"{usage.seconds:.1f}",
            f"{usage.longest:.1f}",
            MISSING if math.isnan(usage.memory) else f"{usage.memory:.0f}",
        )
        for usage in usages
    )
    notes = (
        "The last run of every job, start of Python and libraries included. "
        "Jobs run side by side, so the sum is more than the time one waits.",
    )
    header = ("Rule", "Jobs", "Seconds, all jobs", "Seconds, longest", "Memory, MiB")
    return Table("Seconds and largest memory of every rule", header, rows, notes)
