"""Images × stages as one picture on white, for a README or a paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ssr.report.figures import Picture, panels
from ssr.report.shown import ShownImage
from ssr.report.stages import in_order, titled

_GAP = 6
_HEAD_SIZE, _NAME_SIZE = 20, 22

HEAD = 30
"""Height of the titles, in pixels."""

Row = tuple[str, dict[str, Picture]]


def draw_sheet(shown: Sequence[ShownImage], names: Sequence[str]) -> Picture:
    """A column per stage and a row per class present, (H, W, 3) uint8.

    What shows all classes at once stands in the first row of its image.

    Args:
        shown: the images.
        names: of all classes, background first.
    """
    rows = [row for image in shown for row in _rows(image, names)]
    columns = in_order(name for _, pictures in rows for name in pictures)
    width = max(image.pixels.shape[1] for image in shown) + _GAP
    heights = [_height(pictures) + _GAP for _, pictures in rows]
    sheet = Image.new("RGB", (width * len(columns), HEAD + sum(heights)), "white")
    pen = ImageDraw.Draw(sheet)
    for column, name in enumerate(columns):
        centre = (column * width + width // 2, HEAD // 2)
        pen.text(centre, titled(name)[0], "black", _font(_HEAD_SIZE), anchor="mm")
    top = HEAD
    for (title, pictures), height in zip(rows, heights, strict=True):
        for name, picture in pictures.items():
            sheet.paste(Image.fromarray(picture), (columns.index(name) * width, top))
        if title:
            _write(pen, columns.index(_first_of_class(pictures)) * width, top, title)
        top += height
    return np.array(sheet)


def _rows(shown: ShownImage, names: Sequence[str]) -> list[Row]:
    """Name of the class and its pictures; without classes a single row that has no name."""
    drawn = panels(shown)
    rows = []
    for number, index in enumerate(shown.classes or (None,)):
        mine = [p for p in drawn if p.class_index == index is not None]
        whole = [p for p in drawn if p.class_index is None and number == 0]
        title = names[index] if index is not None and mine else ""
        rows.append((title, {panel.name: panel.picture for panel in (*mine, *whole)}))
    return [row for row in rows if row[1]]


def _first_of_class(pictures: dict[str, Picture]) -> str:
    return next(iter(pictures))


def _height(pictures: dict[str, Picture]) -> int:
    return max(picture.shape[0] for picture in pictures.values())


def _write(pen: ImageDraw.ImageDraw, left: int, top: int, text: str) -> None:
    """Text on a white label in the corner of a picture."""
    place, font = (left + 6, top + 4), _font(_NAME_SIZE)
    box = pen.textbbox(place, text, font)
    pen.rectangle((left, top, box[2] + 6, box[3] + 4), "white")
    pen.text(place, text, "black", font)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
