"""The rows of summary.json as a table for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_COLUMNS = 100
# What other methods than the first are compared by: one row each.
_COMPARED = ("pseudo_label", "prediction_crf")
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


def format_table(rows: Sequence[Row]) -> str:
    """The stages of the first method, then a row for each other method, and what they rest on.

    Every figure is printed with its split, number of images, CRF, scales and flip, and where its
    threshold comes from.
    """
    if not rows:
        return "nothing was evaluated: the data set has no masks"
    groups = list(_groups(rows))
    shown = [row for _, named in groups for _, row in named]
    first = rows[0]
    run = f"dataset {first['dataset']}, seed {first['seed']}, settings {first['config_hash']}"
    notes = [*_baselines(shown), *_made(shown), *_origins(shown), *_left_out(shown)]
    wrapped = (textwrap.fill(note, _COLUMNS, subsequent_indent="  ") for note in notes)
    return "\n".join([run, "", *_aligned(groups), "", *_NOTES, *wrapped])


def _groups(rows: Sequence[Row]) -> Iterator[tuple[str, list[tuple[str, Row]]]]:
    """Titles, and the names and rows below each."""
    first = rows[0]["method"]
    yield first, [(row["stage"], row) for row in rows if row["method"] == first]
    others = [row for row in rows if row["method"] != first]
    for stage in _COMPARED:
        if found := [(row["method"], row) for row in others if row["stage"] == stage]:
            yield f"{stage} of the other methods", found


def _aligned(groups: Sequence[tuple[str, list[tuple[str, Row]]]]) -> Iterator[str]:
    cells = [(name, *_cells(row)) for _, named in groups for name, row in named]
    lines = iter(cells)
    widths = [max(map(len, column)) for column in zip(("", *_HEADING), *cells, strict=True)]
    for number, (title, named) in enumerate(groups):
        yield _line((title, *_HEADING), widths) if not number else f"\n{title}"
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


def _baselines(rows: Sequence[Row]) -> list[str]:
    """What calling everything background would score on each split."""
    found = {row["split"]: row["all_background_miou"] for row in rows}
    return [
        f"all background would have mIoU {_percent(m)} on {split}." for split, m in found.items()
    ]


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
