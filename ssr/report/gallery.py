"""Images × stages as an HTML table: a body per image, a row per class present."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ssr.labels import BACKGROUND, IGNORE
from ssr.report.figures import Panel, class_colours, panels
from ssr.report.html import picture, picture_png
from ssr.report.shown import ShownImage
from ssr.report.stages import in_order, titled


def gallery(images: Sequence[ShownImage], names: Sequence[str]) -> str:
    """The table; stages that none of the images has are no column.

    Args:
        images: what to show.
        names: of all classes, background first.
    """
    drawn = [panels(image) for image in images]
    columns = in_order(panel.name for row in drawn for panel in row)
    head = "".join(f'<th scope="col">{escape(titled(name)[0])}</th>' for name in columns)
    pairs = zip(images, drawn, strict=True)
    bodies = "\n".join(_body(image, own, columns, names) for image, own in pairs)
    return (
        f'<dl class="panels">{_explanations(columns)}</dl>\n'
        f'<div class="scroll"><table class="gallery"><thead><tr>{head}</tr></thead>\n'
        f"{bodies}</table></div>"
    )


def _explanations(columns: Sequence[str]) -> str:
    return "".join(
        f"<div><dt>{escape(title)}</dt><dd>{escape(what)}</dd></div>"
        for title, what in map(titled, columns)
    )


def _body(
    image: ShownImage, drawn: Sequence[Panel], columns: Sequence[str], names: Sequence[str]
) -> str:
    rows = "\n".join(_rows(image, drawn, columns, names))
    legend = f'<tr><th class="legend" colspan="{len(columns)}">{_legend(image, names)}</th></tr>'
    return f"<tbody>{legend}\n{rows}</tbody>"


def _rows(
    image: ShownImage, drawn: Sequence[Panel], columns: Sequence[str], names: Sequence[str]
) -> Iterator[str]:
    cells = {(panel.name, panel.class_index): panel for panel in drawn}
    per_class = {panel.name for panel in drawn if panel.class_index is not None}
    classes = image.classes or (None,)
    for number, index in enumerate(classes):
        row = []
        for name in columns:
            if name in per_class:
                row.append(_cell(cells.get((name, index)), image, names))
            elif number == 0:
                row.append(_cell(cells.get((name, None)), image, names, span=len(classes)))
        yield f"<tr>{''.join(row)}</tr>"


def _cell(panel: Panel | None, image: ShownImage, names: Sequence[str], span: int = 1) -> str:
    rows = f' rowspan="{span}"' if span > 1 else ""
    if panel is None:
        return f"<td{rows}></td>"
    what, _ = titled(panel.name)
    below = ""
    if panel.class_index is not None:
        name = names[panel.class_index]
        what += f" of {name}"
        below = f'<span class="of">{escape(name)}</span>'
    alt = f"{what}, image {image.image.id}"
    return f"<td{rows}>{picture(picture_png(panel.picture), alt)}{below}</td>"


def _legend(image: ShownImage, names: Sequence[str]) -> str:
    """Id of the image and the colours of its label maps."""
    labels = image.image.labels
    chips = [f"<b>{escape(image.image.id)}</b>"]
    for index, colour in class_colours(image).items():
        wrong = " (not in the image)" if labels and index not in labels else ""
        chips.append(_chip(f'style="background: {colour}"', names[index] + wrong))
    ends = {int(end) for one in image.labels.values() for end in (one.min(), one.max())}
    if BACKGROUND in ends:
        chips.append(_chip('style="background: #666"', names[BACKGROUND]))
    if IGNORE in ends:
        chips.append(_chip('data-hatched=""', "ignored"))
    return "".join(chips)


def _chip(look: str, text: str) -> str:
    return f'<span class="chip" {look}></span>{escape(text)}'
