"""Pieces of a self-contained HTML page: pictures as text, tables, sections."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssr.report.tables import Table

STYLE = """
:root { color-scheme: light dark; --page: #fff; --soft: #f2f5f8; --ink: #16202a; --quiet: #4c5a68;
  --line: #d3dae2; --link: #0065a0; --published: #fdf3e3; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --soft: #161d26; --ink: #e8edf2;
  --quiet: #a9b6c3; --line: #333f4c; --link: #6cbcf0; --published: #2b2213; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1500px; padding: 1.5rem clamp(0.8rem, 3vw, 2.5rem) 4rem;
  background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 0.3rem; line-height: 1.2; } h2 { margin: 3rem 0 0.5rem; line-height: 1.25; }
h2 + p, .lead { margin-top: 0; } p, li { max-width: 75ch; } .quiet { color: var(--quiet); }
a { color: var(--link); } nav { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.8rem; margin: 1.2rem 0; padding: 0; }
.facts div { background: var(--soft); border-radius: 8px; padding: 0.6rem 1rem; }
.facts dt { color: var(--quiet); font-size: 0.85rem; } .facts dd { margin: 0; font-size: 1.4rem;
  font-weight: 650; }
.panels { columns: 22rem; column-gap: 2rem; font-size: 0.88rem; margin: 0.8rem 0; }
.panels div { break-inside: avoid; } .panels dt { display: inline; font-weight: 650; }
.panels dd { display: inline; margin: 0 0 0 0.4em; color: var(--quiet); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.86rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 650; padding: 0.4rem 0; }
th, td { padding: 0.3rem 0.5rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; }
thead th { vertical-align: bottom; background: var(--soft); }
.words { text-align: left; } .published { background: var(--published) !important;
  font-style: italic; }
.notes { color: var(--quiet); font-size: 0.88rem; padding-left: 1.2rem; }
.chart img { max-width: 100%; height: auto; border-radius: 8px; }
figure { margin: 1.2rem 0; } figcaption { color: var(--quiet); max-width: 75ch; }
.gallery { min-width: 1080px; width: 100%; table-layout: fixed; }
.gallery th, .gallery td { padding: 2px; border: 0; text-align: left; font-weight: 400; }
.gallery thead th { position: sticky; top: 0; padding: 0.35rem 0.3rem; font-weight: 650;
  font-size: 0.85rem; }
.gallery tbody { border-top: 10px solid transparent; }
.gallery img { display: block; width: 100%; height: auto; border-radius: 4px; }
.gallery td:hover img { transform: scale(2); transform-origin: top center; position: relative;
  z-index: 2; box-shadow: 0 3px 18px #0009; }
.gallery td:first-child:hover img { transform-origin: top left; }
.gallery td:last-child:hover img { transform-origin: top right; }
.of { font-size: 0.78rem; color: var(--quiet); }
.legend { font-size: 0.85rem; padding: 0.5rem 2px 0 !important; }
.chip { display: inline-block; width: 0.9em; height: 0.9em; border-radius: 3px;
  margin: 0 0.3em 0 1em; border: 1px solid var(--line); vertical-align: -0.1em; }
.chip[data-hatched] { background: repeating-linear-gradient(135deg, #fff 0 3px, #888 3px 6px); }
pre { background: var(--soft); padding: 1rem; border-radius: 8px; overflow-x: auto;
  font-size: 0.82rem; line-height: 1.45; }
summary { cursor: pointer; font-weight: 650; }
/* Where all columns fit, nothing scrolls sideways, and the titles can stay on top. */
@media (min-width: 1170px) { .scroll:has(.gallery) { overflow: visible; } }
@media print { .gallery { min-width: 0; } .scroll { overflow: visible; } }
"""


def document(title: str, body: str) -> str:
    """A whole page; nothing in it is fetched from elsewhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def section(name: str, title: str, *blocks: str) -> str:
    """A part of the page that `#name` leads to."""
    return f'<section id="{name}">\n<h2>{escape(title)}</h2>\n' + "\n".join(blocks) + "\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Plain text as a paragraph."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def folded(title: str, content: str) -> str:
    """What is shown when its title is clicked."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def table(content: Table) -> str:
    """A table that scrolls by itself where the window is narrow, with its notes."""

    def kind(column: int) -> str:
        words = "words" if column in content.text_columns else ""
        return f"{words} published" if column in content.published else words

    head = "".join(
        f'<th scope="col" class="{kind(number)}">{escape(cell)}</th>'
        for number, cell in enumerate(content.header)
    )
    rows = "\n".join(
        "<tr>"
        + f'<th scope="row" class="{kind(0)}">{escape(row[0])}</th>'
        + "".join(
            f'<td class="{kind(column)}">'
            f"{content.marked((number, column), escape(cell), ('<b>', '</b>'))}</td>"
            for column, cell in enumerate(row[1:], start=1)
        )
        + "</tr>"
        for number, row in enumerate(content.rows)
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in content.notes)
    return (
        f'<div class="scroll"><table><caption>{escape(content.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
    )


def picture(content: bytes, alt: str) -> str:
    """A PNG inside the page."""
    return f'<img src="{data(content)}" alt="{escape(alt)}">'


def picture_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 as PNG of 256 colours: a third of the bytes, no difference to the eye."""
    return _png(Image.fromarray(pixels).quantize(256))


def sheet_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 as PNG in all its colours."""
    return _png(Image.fromarray(pixels))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data(content: bytes) -> str:
    """A PNG as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(content).decode()
