"""Entries as a chart: a dot for each mIoU, with the interval of its difference to the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssr.compare.entries import Difference, Entry
from ssr.compare.protocol import in_words
from ssr.compare.table import letters
from ssr.report.curves import MARKERS
from ssr.report.files import PAGE_INCHES
from ssr.report.stages import STAGES

_ROW = 0.24


def draw_comparison(grouped: Sequence[Sequence[Entry]], found: Mapping[str, Difference]) -> Figure:
    """Entries of other images stand apart, with a line at the first; each protocol has a look.

    Args:
        grouped: as for `ssr.compare.table.comparison_table`, with its `found`.
    """
    rows = sum(map(len, grouped)) + len(grouped)
    figure = Figure(figsize=(PAGE_INCHES, 0.8 + _ROW * rows), layout="constrained")
    axes = figure.subplots()
    marks = letters(grouped)
    names: list[str] = []
    for group in grouped:
        _draw(axes, len(names), group, [*marks], found)
        names += [*(f"{entry.name} ({marks[in_words(entry.protocol)]})" for entry in group), ""]
    axes.set_yticks(range(len(names) - 1), names[:-1])
    axes.invert_yaxis()
    axes.set_xlabel(f"mIoU of the {STAGES[grouped[0][0].figures['stage']]}, %")
    axes.grid(axis="y", visible=False)
    return figure


def _draw(
    axes: Axes,
    start: int,
    group: Sequence[Entry],
    protocols: Sequence[str],
    found: Mapping[str, Difference],
) -> None:
    """Entries of the same images in the rows from `start`, each in the look of its protocol."""
    first = _per_cent(group[0].figures["miou"])
    axes.vlines(first, start - 0.4, start + len(group) - 0.6, color="grey", lw=0.8, ls=":")
    for row, entry in enumerate(group, start):
        look = protocols.index(in_words(entry.protocol)) % len(MARKERS)
        value = _per_cent(entry.figures["miou"])
        axes.plot(value, row, color=f"C{look}", marker=MARKERS[look])
        if difference := found.get(entry.name):
            ends = [first + _per_cent(difference[end]) for end in ("low", "high")]
            axes.plot(ends, [row, row], color=f"C{look}", marker="|")


def _per_cent(share: float | None) -> float:
    return float("nan") if share is None else 100 * share
