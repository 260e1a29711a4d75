"""The rows of summary.json as a table for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ssr.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from ssr.evaluation.pooling import (
    FOREIGN_PREDICTIONS,
    MASKS,
    UNKNOWN,
    Row,
    difference_to,
    pool,
    standing,
)

Group = tuple[str, list[tuple[str, Row]]]
"""A title, and the names and rows below it."""

_COLUMNS = 100
# What other methods than the first are compared by, one row each; of a prediction the last.
_COMPARED = ("pseudo_label", "prediction", "prediction_crf")
_HEADING = (
    "images",
    "mIoU",
    "+labels",
    "FB-IoU",
    "prec.",
    "recall",
    "FP/TP",
    "bg→obj",
    "obj↔obj",
    "thr.",
)
_NOTES = (
    "Means over all classes with background, in %; prec.: precision; FP/TP is a ratio.",
    "+labels: mIoU of a prediction that is told its image's labels, as CAMs and pseudo-labels are.",
    "FB-IoU: mean of the IoU of background and that of all classes as one.",
    "bg→obj: background taken for an object. obj↔obj: objects taken for another class.",
)
_START = "initial_cam"
# By what `standing` says.
_MARKS = {True: "*", False: "~", None: " "}
_NOTES_OF_DIFFERENCES = (
    f"[…]: {100 * CONFIDENCE:.0f} % of a paired bootstrap over the images ({RESAMPLES} resamples).",
    "*: the best of its stage; ~: its difference to the best may be none, for […] holds 0.",
)


def format_table(rows: Sequence[Row]) -> str:
    """The stages of the first method, then a row for each other method, and what they rest on.

    Every figure is printed with its split, number of images, CRF, scales and flip, and where its
    threshold comes from; below, what was gained and how sure that is. Of seeds there are means.
    """
    if not rows:
        return "nothing was evaluated: the data set has no masks"
    first, seeds = rows[0], list(dict.fromkeys(row["seed"] for row in rows))
    groups = list(_groups(pool(rows)))
    shown = [row for _, named in groups for _, row in named]
    run = f"dataset {first['dataset']}, {_seeds(seeds)}, settings {first['config_hash']}"
    notes = [
        *_baselines(shown),
        *_made(shown),
        *_origins(shown),
        *_published(shown),
        *_from_masks(shown),
        *_foreign(shown),
        *_true_classes(shown),
        *_left_out(shown),
    ]
    wrapped = (textwrap.fill(note, _COLUMNS, subsequent_indent="  ") for note in notes)
    figures = _aligned(groups, _HEADING, [_cells(row) for row in shown])
    gains = [*_gains(groups, len(seeds))]
    return "\n".join([run, "", *figures, "", *_NOTES, *wrapped, *gains])


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def _gains(groups: Sequence[Group], seeds: int) -> Iterator[str]:
    """mIoU again, with its spread over the seeds, and what it is compared with."""
    shown = [row for _, named in groups for _, row in named]
    if not any(row["differences"] for row in shown):
        return
    first = shown[0]["method"]
    marks = {
        (method, stage): mark
        for stage in dict.fromkeys(row["stage"] for row in shown)
        for method, mark in standing([row for row in shown if row["stage"] == stage]).items()
    }
    width = max(len(_spread(row)) for row in shown)
    cells = [
        (
            _MARKS[marks.get((row["method"], row["stage"]))] + _spread(row).ljust(width),
            _gain(row, row["method"], _START),
            *([_gain(row, first, row["stage"])] if len(groups) > 1 else []),
        )
        for row in shown
    ]
    heading = (" mIoU".ljust(1 + width), f"to {_START}", f"to {first}")[: len(cells[0])]
    yield from ("", "difference in mIoU", *_aligned(groups, heading, cells), "")
    yield from _NOTES_OF_DIFFERENCES
    if seeds > 1:
        yield "±: standard deviation over the seeds; differences are those of the means over them."


def _spread(row: Row) -> str:
    spread = row["spreads"].get("miou")
    return _percent(row["miou"]) + ("" if spread is None else f" ± {_percent(spread)}")


def _gain(row: Row, method: str, stage: str) -> str:
    found = difference_to(row, method, stage)
    if not found:
        return "-"
    difference, low, high = (f"{100 * found[name]:.1f}" for name in ("difference", "low", "high"))
    sign = "" if found["difference"] < 0 else "+"
    return f"{sign}{difference} [{low}, {high}]"


def _groups(rows: Sequence[Row]) -> Iterator[Group]:
    """Titles, and the names and rows below each."""
    first = rows[0]["method"]
    yield first, [(row["stage"], row) for row in rows if row["method"] == first]
    refined = [("prediction", row["method"]) for row in rows if row["stage"] == "prediction_crf"]
    others = [
        row
        for row in rows
        if row["method"] != first and (row["stage"], row["method"]) not in refined
    ]
    for stage in _COMPARED:
        if found := [(row["method"], row) for row in others if row["stage"] == stage]:
            yield f"{stage} of the other methods", found


def _aligned(
    groups: Sequence[Group], heading: Sequence[str], cells: Sequence[Sequence[str]]
) -> Iterator[str]:
    """A line for each of `cells`, in the order of the rows of `groups`, below their titles."""
    names = [name for _, named in groups for name, _ in named]
    table = [(name, *line) for name, line in zip(names, cells, strict=True)]
    widths = [max(map(len, column)) for column in zip(("", *heading), *table, strict=True)]
    lines = iter(table)
    for number, (title, named) in enumerate(groups):
        yield _line((title, *heading), widths) if not number else f"\n{title}"
        for _ in named:
            yield _line(next(lines), widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = cells
    right = [cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *right])


def _cells(row: Row) -> tuple[str, ...]:
    ratio = row["confusion_ratio"]
    threshold = row["threshold"]
    return (
        f"{row['images']} {row['split']}",
        _percent(row["miou"]),
        _percent(row["miou_given_labels"]),
        _percent(row["fb_iou"]),
        _percent(row["precision"]),
        _percent(row["recall"]),
        "-" if ratio is None else f"{ratio:.3f}",
        _percent(row["background_taken_for_object"]),
        _percent(row["confusion_among_objects"]),
        "-" if threshold is None else f"{threshold:.2f}",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _made(rows: Sequence[Row]) -> list[str]:
    """How predictions were made: scales, flip and CRF."""
    texts = [
        f"{row['stage']}: scales {', '.join(f'{scale:g}' for scale in row['scales'])}"
        f"{' + flip' if row['flip'] else ''}, {'dense' if row['crf'] else 'no'} CRF."
        for row in rows
        if row["scales"] is not None
    ]
    return list(dict.fromkeys(texts))


def _origins(rows: Sequence[Row]) -> list[str]:
    texts = [
        f"chosen on {origin['split']} ({origin['images']} images)" if origin else "a setting"
        for origin in (row["threshold_from"] for row in rows if row["threshold"] is not None)
    ]
    return [f"thr.: the background threshold, {text}." for text in dict.fromkeys(texts)]


def _published(rows: Sequence[Row]) -> list[str]:
    """Which figures are of the very images that chose something."""
    found = [f"{row['method']} {row['stage']}" for row in rows if row["protocol"] == "published"]
    what = "not held out (evaluation.protocol: published), chosen on the very images reported"
    return [f"{what}: {', '.join(found)}."] if found else []


def _from_masks(rows: Sequence[Row]) -> list[str]:
    """Which figures are of full supervision, and how near to them the others came."""
    names = dict.fromkeys(row["method"] for row in rows if row["supervision"] == MASKS)
    ratios = [
        f"{row['method']} {row['stage']} {_percent(row['ratio_to_fully_supervised'])}"
        for row in rows
        if row["ratio_to_fully_supervised"] is not None
    ]
    told = [f"learned from the masks of train, so not weakly supervised: {', '.join(names)}."]
    told += [f"ratio to it, in % of its mIoU (Table 6): {', '.join(ratios)}."] if ratios else []
    return told if names else []


def _foreign(rows: Sequence[Row]) -> list[str]:
    """Which figures are of predictions of other systems."""
    names = dict.fromkeys(row["method"] for row in rows if row["supervision"] == UNKNOWN)
    return [f"{', '.join(names)}: {FOREIGN_PREDICTIONS}."] if names else []


def _baselines(rows: Sequence[Row]) -> list[str]:
    """What calling everything background would score on each split."""
    found = {row["split"]: row["all_background_miou"] for row in rows}
    return [
        f"all background would have mIoU {_percent(m)} on {split}." for split, m in found.items()
    ]


def _true_classes(rows: Sequence[Row]) -> list[str]:
    """The mIoU as CLIP-ES counts it, where it is another one."""
    found = [
        f"{_percent(row['miou_true_classes'])} {row['method']} {row['stage']} "
        f"({', '.join(row['only_predicted_classes'])})"
        for row in rows
        if row["only_predicted_classes"]
    ]
    what = "mIoU without classes that are predicted but in no mask (above, their IoU is 0)"
    return [f"{what}: {'; '.join(found)}."] if found else []


def _left_out(rows: Sequence[Row]) -> list[str]:
    """What does not count in the figures, and where."""
    places: dict[str, list[str]] = {}
    for row in rows:
        for text in _exclusions(row):
            places.setdefault(text, []).append(f"{row['method']} {row['stage']}")
    return [
        text if len(found) == len(rows) else f"{text} ({', '.join(found)})"
        for text, found in places.items()
    ]


def _exclusions(row: Row) -> Iterator[str]:
    if row["absent_classes"]:
        yield f"left out (neither there nor predicted): {', '.join(row['absent_classes'])}"
    if row["never_right_classes"]:
        yield f"left out of FP/TP (not one right pixel): {', '.join(row['never_right_classes'])}"
    if row["labelled"] is not None and row["labelled"] < 1:
        ignored = _percent(1 - row["labelled"])
        yield f"left out (left to the ignore label): {ignored} % of the pixels"
