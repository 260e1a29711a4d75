"""The chart of `ssr compare`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ssr.compare.chart import draw_comparison
from ssr.compare.entries import Entry

SAME, OTHER = {"images": "8"}, {"images": "8", "flip": "yes"}


def entry(method: str, miou: float | None, protocol: dict[str, str] = SAME) -> Entry:
    figures = {"miou": miou, "stage": "pseudo_label"}
    return Entry("one", method, [Path(method)], figures, protocol)


def test_dots_stand_at_their_mean_and_intervals_at_the_differences_to_the_first() -> None:
    """An interval need not hold its dot: resamples may lack a class."""
    grouped = [[entry("a", 0.5), entry("b", 0.6, OTHER)], [entry("c", None)]]
    found = {"one b": {"difference": 0.1, "low": 0.12, "high": 0.2}}
    (axes,) = draw_comparison(grouped, found).axes
    dots, interval = [axes.lines[n] for n in (0, 1, 3)], axes.lines[2]
    assert [dot.get_ydata()[0] for dot in dots] == [0, 1, 3], "other images stand apart"
    assert [dot.get_xdata()[0] for dot in dots] == [50, 60, pytest.approx(np.nan, nan_ok=True)]
    assert list(interval.get_xdata()) == pytest.approx([62, 70])
    assert list(interval.get_ydata()) == [1, 1]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["one a (A)", "one b (B)", "", "one c (A)"]
    assert len({dot.get_marker() for dot in dots}) == 2, "one for each protocol"
    assert axes.get_xlabel() == "mIoU of the Pseudo-label, %"
