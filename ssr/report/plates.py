"""The paper's figures of images for this data set: a row per image, a column per stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ssr.report.curves import theme
from ssr.report.figures import Panel, class_colours, panels
from ssr.report.files import COLUMN_INCHES, PAGE_INCHES, figure_files
from ssr.report.shown import ShownImage
from ssr.report.stages import foreign_panel, in_order, titled

PLATES = {
    "segmentations": ("image", "pseudo_label", "prediction", "prediction_crf", "truth"),
    "cams": ("image", "initial_cam", "aligned_cam", "refined_cam", "truth"),
    "refinement": ("image", "aligned_cam", "regions", "target", "refined_cam", "truth"),
}
"""Figures 3, 4 and 5 of the paper, by their columns (names of `PANELS`)."""

# What other systems made, that stands beside them, by the stage that it stands in for.
_COMPETITORS = {"segmentations": ("prediction",), "cams": ("initial_cam",)}

# More columns than these would be too small in one column of a paper; for more than those of our
# own, titles become smaller.
_IN_A_COLUMN, _OWN = 3, 6
_TITLE_POINTS = 8.5


def plate_files(
    shown: Sequence[ShownImage], names: Sequence[str]
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Name of each plate and its files by format, for a light page.

    Args:
        shown: the images; of one with several classes, the CAMs of the first are shown. The
            colours of its classes are named on the first picture.
        names: of all classes, background first.
    """
    drawn = [(image, panels(image)) for image in shown]
    for name in PLATES:
        columns = columns_of(name, [panel for _, own in drawn for panel in own])
        if not {"image", "truth"}.issuperset(columns):
            with theme(dark=False):
                yield name, figure_files(_draw(drawn, columns, names), dpi=170)


def columns_of(plate: str, drawn: Iterable[Panel]) -> list[str]:
    """The pictures of a plate by their names, as far as they are `drawn`, in their order."""
    theirs = tuple(foreign_panel(stage, "") for stage in _COMPETITORS.get(plate, ()))
    names = in_order(panel.name for panel in drawn)
    return [name for name in names if name in PLATES[plate] or name.startswith(theirs)]


def _draw(
    drawn: Sequence[tuple[ShownImage, Sequence[Panel]]],
    columns: Sequence[str],
    names: Sequence[str],
) -> Figure:
    ratios = [image.pixels.shape[0] / image.pixels.shape[1] for image, _ in drawn]
    width = COLUMN_INCHES if len(columns) <= _IN_A_COLUMN else PAGE_INCHES
    size = (width, width / len(columns) * sum(ratios) + 0.3)
    layout = ConstrainedLayoutEngine(w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)
    figure = Figure(figsize=size, layout=layout)
    grid = figure.subplots(len(drawn), len(columns), squeeze=False, height_ratios=ratios)
    for row, (image, own) in zip(grid, drawn, strict=True):
        for axes, column in zip(row, columns, strict=True):
            axes.set_axis_off()
            panel = next((panel for panel in own if panel.name == column), None)
            pixels = np.full_like(image.pixels, 255) if panel is None else panel.picture
            axes.imshow(pixels, interpolation="none")
            if panel is not None and panel.class_index is not None:
                _label(axes, names[panel.class_index], "white", 0.97, "top")
        for number, (index, colour) in enumerate(class_colours(image).items()):
            _label(row[0], names[index], colour, 0.03 + 0.13 * number, "bottom")
    for axes, column in zip(grid[0], columns, strict=True):
        points = _TITLE_POINTS * min(1, _OWN / len(columns))
        axes.set_title(titled(column)[0], fontsize=points, pad=3)
    return figure


def _label(axes: Axes, text: str, colour: str, height: float, side: str) -> None:
    """Text on a ground of its own at the left edge of a picture, at a height from 0 to 1."""
    ground = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
    place = {"va": side, "transform": axes.transAxes}
    axes.text(0.02, height, text, place, size=6.5, color="black", bbox=ground)
