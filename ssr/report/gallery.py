"""Images × stages as a table: a body per image, a row per class present."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ssr.labels import BACKGROUND, IGNORE
from ssr.report.figures import Panel, class_colours, panels
from ssr.report.shown import ShownImage
from ssr.report.stages import in_order, titled

_BACKGROUND_COLOUR = "#666"


@dataclass(frozen=True)
class Body:
    """What the table shows of an image.

    Attributes:
        id: of the image.
        legend: colours of its label maps and what they stand for; None: hatched.
        rows: pictures and over how many rows they stretch; None: the image has no such picture.
    """

    id: str
    legend: Sequence[tuple[str | None, str]]
    rows: Sequence[Sequence[tuple[Panel | None, int]]]


@dataclass(frozen=True)
class Gallery:
    """The table.

    Attributes:
        columns: title and explanation of every column, by the name of its pictures.
        images: a body each.
        class_names: of all classes, background first.
    """

    columns: Mapping[str, tuple[str, str]]
    images: Sequence[Body]
    class_names: Sequence[str]


def gallery(images: Sequence[ShownImage], names: Sequence[str]) -> Gallery:
    """The table of these images; stages that none of them has are no column.

    names: of all classes, background first.
    """
    drawn = [panels(image) for image in images]
    columns = in_order(panel.name for row in drawn for panel in row)
    bodies = [
        Body(image.image.id, [*_legend(image, names)], [*_rows(image, own, columns)])
        for image, own in zip(images, drawn, strict=True)
    ]
    return Gallery({name: titled(name) for name in columns}, bodies, names)


def _rows(
    image: ShownImage, drawn: Sequence[Panel], columns: Sequence[str]
) -> Iterator[list[tuple[Panel | None, int]]]:
    """A row per class; what shows all classes at once stretches over them all."""
    cells = {(panel.name, panel.class_index): panel for panel in drawn}
    per_class = {panel.name for panel in drawn if panel.class_index is not None}
    classes = image.classes or (None,)
    for number, index in enumerate(classes):
        row: list[tuple[Panel | None, int]] = []
        for name in columns:
            if name in per_class:
                row.append((cells.get((name, index)), 1))
            elif number == 0:
                row.append((cells.get((name, None)), len(classes)))
        yield row


def _legend(image: ShownImage, names: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    labels = image.image.labels
    for index, colour in class_colours(image).items():
        wrong = " (not in the image)" if labels and index not in labels else ""
        yield colour, names[index] + wrong
    ends = {int(end) for one in image.labels.values() for end in (one.min(), one.max())}
    if BACKGROUND in ends:
        yield _BACKGROUND_COLOUR, names[BACKGROUND]
    if IGNORE in ends:
        yield None, "ignored"
