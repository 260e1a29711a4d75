"""The tables of the report: plain text in cells, so that a page or a file can show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ssr.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from ssr.evaluation.pooling import FOREIGN_PREDICTIONS
from ssr.report.benchmarks import Usage
from ssr.report.evaluations import Evaluation, Evaluations
from ssr.report.stages import SHORT, STAGES

Cell = tuple[int, int]

_START = "initial_cam"
# Of the table of stages, what is no figure.
_TEXTS = ("Stage", "Methods", "Split", "Chosen on", "CRF", "Scales", "Flip")
MISSING = "–"
NEAR = "≈"
"""Behind cells that are near the best."""
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
        best: cells, by row and column, that are the best of their kind.
        near: those whose difference to the best may be none.
        latex: the columns that fit one column of a paper, each with a short heading; empty: all.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    published: frozenset[int] = frozenset()
    text_columns: frozenset[int] = frozenset({0})
    best: frozenset[Cell] = frozenset()
    near: frozenset[Cell] = frozenset()
    latex: Mapping[int, str] = field(default_factory=dict)

    @property
    def has_ours(self) -> bool:
        """Whether any figure in it is ours."""
        theirs = self.published | self.text_columns
        return any(
            cell != MISSING for row in self.rows for n, cell in enumerate(row) if n not in theirs
        )

    def marked(self, cell: Cell, text: str, bold: tuple[str, str], near: str = NEAR) -> str:
        """The text of a cell, between `bold` if it is the best, before `near` if it is near it."""
        if cell in self.best:
            return text.join(bold)
        return f"{text} {near}" if cell in self.near else text


def per_cent(share: float | None) -> str:
    """A share in [0, 1] as per cent, or a dash where there is none."""
    return MISSING if share is None or math.isnan(share) else f"{100 * share:.1f}"


def ratio(value: float | None) -> str:
    """A ratio, or a dash where there is none."""
    return MISSING if value is None else f"{value:.3f}"


def with_spread(
    figures: Mapping[str, Any], name: str, text: Callable[[float | None], str] = per_cent
) -> str:
    """A figure as `text`; over seeds their mean, with its standard deviation."""
    spread = figures["spreads"].get(name)
    return text(figures[name]) + ("" if spread is None else f" ± {text(spread)}")


def gain(difference: Mapping[str, Any] | None) -> str:
    """A difference in per cent, with its interval in brackets."""
    if difference is None:
        return MISSING
    ends = (per_cent(difference[name]).replace("-", "−") for name in ("difference", "low", "high"))
    value, low, high = ends
    return f"{'' if value.startswith('−') else '+'}{value} [{low}, {high}]"


def standing_cells(
    evaluations: Evaluations, places: Iterable[tuple[Cell, str, str]]
) -> tuple[frozenset[Cell], frozenset[Cell]]:
    """`best` and `near` of a table with mIoU in these cells, each of a method and a stage."""
    found: dict[bool, set[Cell]] = {True: set(), False: set()}
    for cell, method, stage in places:
        stands = evaluations.standing(stage).get(method)
        if stands is not None:
            found[stands].add(cell)
    return frozenset(found[True]), frozenset(found[False])


def stage_table(evaluations: Evaluations) -> Table:
    """Every stage of every method on the reported split, in the order of the data."""
    first = evaluations.reported[0].methods[0]
    header = (
        "Stage", "Methods", "mIoU", f"mIoU − {STAGES[_START]}", f"mIoU − {first}",
        "mIoU given labels", "FB-IoU", "Precision", "Recall", "Confusion FP/TP",
        "Background → object", "Object → background", "Wrong object", "Labelled",
        "Split", "Images", "Threshold", "Chosen on", "CRF", "Scales", "Flip",
    )  # fmt: skip
    named = {method for item in evaluations.reported for method in item.methods}
    methods = named - evaluations.from_masks - evaluations.foreign
    rows = tuple(_stage_row(item, methods, evaluations, first) for item in evaluations.reported)
    miou = (
        ((number, header.index("mIoU")), item.methods[0], item.stage)
        for number, item in enumerate(evaluations.reported)
    )
    notes = (
        "mIoU, precision and recall in per cent: means over all classes with the background. "
        "Confusion: mean over classes of false over true positives.",
        "mIoU given labels: of a prediction that may choose among the labels of its image and the "
        "background alone, as CAMs and pseudo-labels always do. Not behind the CRF, which would "
        "have to run a second time.",
        "FB-IoU: mean of the IoU of the background and that of all classes as one, object or not.",
        "Background → object: true background answered with an object. Wrong object: object pixels "
        "answered with another class.",
        "Labelled: share of the pixels that were not left to the ignore label; the others do not "
        "count in the other figures.",
        *_held_out(evaluations.reported),
        *notes_of_masks(evaluations),
        *(f"{method}: {FOREIGN_PREDICTIONS}." for method in sorted(evaluations.foreign)),
        *notes_of_certainty(evaluations),
        *_true_classes(evaluations.reported),
        *_left_out(evaluations.reported),
    )
    best, near = standing_cells(evaluations, miou)
    return Table(
        "Quality on the reported split",
        header,
        rows,
        notes,
        text_columns=frozenset(map(header.index, _TEXTS)),
        best=best,
        near=near,
        latex={0: "Stage", 1: "Methods", 2: "mIoU", 3: f"− {STAGES[_START]}"},
    )


def notes_of_certainty(evaluations: Evaluations) -> tuple[str, ...]:
    """What intervals, spreads and marks mean, as far as there are any."""
    over_seeds = any(item.figures["spreads"] for item in evaluations.reported)
    seeds = "±: standard deviation over the seeds, of whose figures the others are means."
    compared = (
        f"In brackets: {100 * CONFIDENCE:.0f} % of a paired bootstrap over the images ({RESAMPLES} "
        "resamples), of the difference of the means over the seeds.",
        f"Bold: the best mIoU of its stage. {NEAR}: its difference to the best may be none, for "
        "the interval holds 0.",
    )
    return (*([seeds] if over_seeds else []), *(compared if evaluations.summary else ()))


def notes_of_masks(evaluations: Evaluations) -> tuple[str, ...]:
    """Which methods are not weakly supervised, if any."""
    return tuple(
        f"{method} learned from the masks of train: it is not weakly supervised, and never among "
        "the best."
        for method in sorted(evaluations.from_masks)
    )


def _stage_row(
    evaluation: Evaluation, methods: set[str], evaluations: Evaluations, first: str
) -> tuple[str, ...]:
    figures = evaluation.figures
    stage, shares = evaluation.stage, ("miou_given_labels", "fb_iou", "precision", "recall")
    method = evaluation.methods[0]
    others = ((method, _START), (first, stage))
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
        with_spread(figures, "miou"),
        *(gain(evaluations.difference(method, stage, other)) for other in others),
        *(with_spread(figures, name) for name in shares),
        with_spread(figures, "confusion_ratio", ratio),
        *(with_spread(figures, name) for name in (*errors, "labelled")),
        *(figures["split"], str(figures["images"])),
        *_threshold(figures),
        *(_yes(figures["crf"]), _scales(figures), _yes(figures["flip"])),
    )


def _threshold(figures: Mapping[str, Any]) -> tuple[str, str]:
    """The threshold, and the images on which it was chosen."""
    if figures["threshold"] is None:
        return MISSING, MISSING
    origin = figures["threshold_from"]
    where = f"{origin['split']} ({origin['images']})" if origin else "a setting"
    return f"{figures['threshold']:.2f}", where


def _yes(flag: bool | None) -> str:
    return MISSING if flag is None else "yes" if flag else "no"


def _scales(figures: Mapping[str, Any]) -> str:
    scales = figures["scales"]
    return MISSING if scales is None else ", ".join(f"{scale:g}" for scale in scales)


def _held_out(evaluations: Sequence[Evaluation]) -> list[str]:
    """Whether thresholds and heads were chosen on other images than the reported ones."""
    seen = [_place(item) for item in evaluations if item.figures["protocol"] == "published"]
    if not seen:
        return ["Thresholds are chosen on the tuning split, never on the reported one."]
    return [
        "Not held out (evaluation.protocol: published), but chosen on the very images that are "
        f"reported: {'; '.join(seen)}."
    ]


def _true_classes(evaluations: Sequence[Evaluation]) -> list[str]:
    """The mIoU as CLIP-ES counts it, where it is another one."""
    return [
        "mIoU without classes that are predicted but in no mask, whose IoU is 0 above: "
        f"{per_cent(item.figures['miou_true_classes'])} ({_place(item)}; {', '.join(classes)})."
        for item in evaluations
        if (classes := item.figures["only_predicted_classes"])
    ]


def _place(evaluation: Evaluation) -> str:
    return f"{STAGES[evaluation.stage]} of {', '.join(evaluation.methods)}"


def _left_out(evaluations: Sequence[Evaluation]) -> list[str]:
    """Which classes are no part of a mean, and where; equal findings share a note."""
    where: dict[str, list[str]] = {}
    for item in evaluations:
        for key, what in _LEFT_OUT.items():
            if classes := ", ".join(item.figures[key]):
                where.setdefault(f"{what}: {classes}", []).append(_place(item))
    return [
        f"{finding} ({'every row' if len(places) == len(evaluations) else '; '.join(places)})."
        for finding, places in where.items()
    ]


def class_table(evaluations: Evaluations, method: str) -> Table:
    """IoU of every class in every stage of a method, in per cent."""
    found = {stage: evaluations.of(method, stage) or {} for stage in evaluations.stages(method)}
    names = next(iter(found.values()))["classes"]
    rows = tuple(
        (name, *(per_cent(figures["per_class"][name]["iou"]) for figures in found.values()))
        for name in names
    )
    header = ("Class", *(f"{STAGES[stage]} ({own['split']})" for stage, own in found.items()))
    short = dict(enumerate(("Class", *(SHORT[stage] for stage in found))))
    caption = f"IoU of every class along the stages of {method}, in per cent"
    return Table(caption, header, rows, latex=short)


def usage_table(usages: Sequence[Usage]) -> Table:
    """Seconds and memory of every rule."""
    rows = tuple(
        (
            usage.rule,
            str(usage.jobs),
            f"{usage.seconds:.1f}",
            f"{usage.longest:.1f}",
            _measured(usage.processor_seconds, 1),
            _measured(usage.memory, 0),
        )
        for usage in usages
    )
    notes = (
        "The last run of every job whose record lies in benchmarks/, start of Python and libraries "
        "included, also of methods that the settings no longer name. Not in it: attempts that "
        "failed or were killed, and what a training took before it was resumed.",
        "Jobs run side by side, so the sum is more than the time one waits.",
        "Processor seconds are sampled by Snakemake: it misses up to 30 s at the end of a job, and "
        "jobs that are over before its first look.",
    )
    header = (
        "Rule", "Jobs", "Seconds, all jobs", "Seconds, longest", "Processor seconds", "Memory, MiB",
    )  # fmt: skip
    return Table("Seconds and largest memory of every rule", header, rows, notes)


def _measured(value: float, digits: int) -> str:
    return MISSING if math.isnan(value) else f"{value:.{digits}f}"
