"""Entries as a table: those of the same images together, each marked with its protocol."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from ssr.compare.entries import Difference, Entry
from ssr.compare.protocol import differences, in_words
from ssr.evaluation.bootstrap import CONFIDENCE
from ssr.report.stages import STAGES
from ssr.report.tables import MISSING, Table, per_cent

_HEADER = (
    *("Protocol", "Run", "Method", "Seeds", "mIoU", "SD", "Difference", "Low", "High"),
    *("Precision", "Recall", "FP/TP"),
)
_TEXTS = frozenset({0, 1, 2})
_LATEX = {0: "", 1: "Run", 2: "Method", 4: "mIoU", 5: "SD", 6: "Diff.", 7: "Low", 8: "High"}


def comparison_table(
    grouped: Sequence[Sequence[Entry]], found: Mapping[str, Difference], notes: Sequence[str]
) -> Table:
    """A row for each entry.

    Args:
        grouped: entries of the same images each.
        found: by the name of an entry, its difference to the first of its group.
        notes: what else there is to know.
    """
    marks = letters(grouped)
    rows = tuple(
        _row(marks[in_words(entry.protocol)], entry, found.get(entry.name))
        for entry in chain(*grouped)
    )
    stage = STAGES[grouped[0][0].figures["stage"]]
    explained = (*_explained(bool(found)), *_protocols(grouped), *_true_classes(grouped), *notes)
    caption = f"{stage}, in per cent"
    return Table(caption, _HEADER, rows, explained, text_columns=_TEXTS, latex=_LATEX)


def letters(grouped: Sequence[Sequence[Entry]]) -> dict[str, str]:
    """What each protocol, in words, is called: A to Z, AA to ZZ and so on."""
    words = dict.fromkeys(in_words(entry.protocol) for entry in chain(*grouped))
    alphabet = string.ascii_uppercase
    return {
        each: alphabet[number % len(alphabet)] * (1 + number // len(alphabet))
        for number, each in enumerate(words)
    }


def _row(protocol: str, entry: Entry, difference: Difference | None) -> tuple[str, ...]:
    figures = entry.figures
    spread = figures["spreads"].get("miou")
    ratio = figures["confusion_ratio"]
    return (
        *(protocol, entry.run, entry.method, str(len(entry.evaluations))),
        *(per_cent(figures["miou"]), per_cent(spread)),
        *(_signed(difference, name) for name in ("difference", "low", "high")),
        *(per_cent(figures[name]) for name in ("precision", "recall")),
        MISSING if ratio is None else f"{ratio:.3f}",
    )


def _signed(difference: Difference | None, name: str) -> str:
    return MISSING if difference is None else f"{100 * difference[name]:+.1f}"


def _explained(paired: bool) -> Iterator[str]:
    if paired:
        yield (
            "Difference: in mIoU, to the first row of the same images. Low and high: between these "
            f"lie {100 * CONFIDENCE:.0f} % of the differences when images are drawn anew, the same "
            "for both (paired bootstrap)."
        )


def _protocols(grouped: Sequence[Sequence[Entry]]) -> Iterator[str]:
    """The first protocol, and in what each other one differs from that of its first row, or A."""
    marks, start = letters(grouped), grouped[0][0].protocol
    yield f"A: {in_words(start)}."
    told = {"A"}
    for entry, first in ((entry, group[0]) for group in grouped for entry in group):
        mark = marks[in_words(entry.protocol)]
        if mark in told:
            continue
        told.add(mark)
        other = start if entry is first else first.protocol
        words = "; ".join(differences(entry.protocol, other))
        paired = "can't be compared with" if entry is first else "differs from"
        yield f"{mark} {paired} {marks[in_words(other)]}: {words}."


def _true_classes(grouped: Sequence[Sequence[Entry]]) -> Iterator[str]:
    """The mIoU as CLIP-ES counts it, where it is another one."""
    told = [
        f"{per_cent(entry.figures['miou_true_classes'])} {entry.name}"
        for entry in chain(*grouped)
        if entry.figures["only_predicted_classes"]
    ]
    if told:
        what = "mIoU without classes that are predicted but in no mask, whose IoU is 0 above"
        yield f"{what}: {'; '.join(told)}."
