"""The confusion matrix of a stage as a chart."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ssr.report.evaluations import Figures
from ssr.report.files import PAGE_INCHES

# More classes than these leave no room for figures in the cells.
_WRITTEN = 25
# Below this share of a class, a figure would only be clutter.
_WORTH_WRITING = 0.005
_HEIGHT = 6.0
# About the side of the matrix, in points.
_SIDE = 340
_LARGEST_LETTERS = 8.0


def shares(figures: Figures) -> NDArray[np.float64]:
    """(classes, classes), row: true class, column: answer; rows sum to 1, NaN without pixels."""
    counts = np.array(figures["confusion"], np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)


def draw_confusion(figures: Figures) -> Figure:
    """Which class is answered where which one is true, in per cent of the true class."""
    names, values = figures["classes"], shares(figures)
    written = len(names) <= _WRITTEN
    cell = _SIDE / len(names)
    figure = Figure(figsize=(PAGE_INCHES, _HEIGHT), layout="constrained")
    axes = figure.subplots()
    # A root lets the few per cent stand out that are the mistakes.
    picture = axes.imshow(100 * values, cmap="cividis", norm=PowerNorm(0.5, 0, 100))
    size = min(_LARGEST_LETTERS, 0.8 * cell)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("answered class")
    axes.set_ylabel("true class")
    axes.grid(visible=False)
    bar = figure.colorbar(picture, shrink=0.7, label="% of the pixels of the true class")
    bar.set_ticks([0, 1, 5, 10, 25, 50, 75, 100])
    if written:
        _write(axes, values, min(_LARGEST_LETTERS, cell / 2))
    return figure


def _write(axes: Axes, values: NDArray[np.float64], size: float) -> None:
    for row, column in np.argwhere(values >= _WORTH_WRITING):
        share = values[row, column]
        ink = "black" if share > 0.3 else "white"
        axes.text(column, row, f"{100 * share:.0f}", color=ink, ha="center", va="center", size=size)
