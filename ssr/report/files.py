"""Figures and tables as files for a paper; equal content gives equal bytes."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from ssr.report.tables import MISSING, Table

COLUMNS = 100
COLUMN_INCHES, PAGE_INCHES = 3.25, 6.9
"""How wide a figure is: one column of a paper, or both."""
FORMATS = ("png", "pdf", "svg")
# Neither dates nor versions.
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}
_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_\allowbreak{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "→": r"$\rightarrow$",
    "±": r"$\pm$", "≈": r"$\approx$", "−": "$-$",
    "–": "--", "…": r"\dots{}", "“": "``", "”": "''", "’": "'", "[": "{[}", "]": "{]}",
    "\n": " ",
})  # fmt: skip
_HEADER = -1  # the number of a row without marks
# Of several values in a cell: how they are written, and what is added to the heading of each.
_COMPOSED = {
    r"(\S+) ± (\S+)": ("", ", sd"),
    r"(\S+) \[(\S+), (\S+)\]": ("", ", low", ", high"),
}
# The same in LaTeX, narrower.
_SUBSCRIPTS = dict(zip(_COMPOSED, (r"{}$_{{\pm{}}}$", r"{}$_{{[{},{}]}}$"), strict=True))
# A text column whose cells are longer shares the width that the others leave, in lines.
_NARROW = 3
_MARKDOWN = str.maketrans({
    character: f"\\{character}" for character in r"\`*_[]<>|&#~$"
} | {"\n": " "})  # fmt: skip


def figure_files(
    figure: Figure, formats: Sequence[str] = FORMATS, dpi: int = 110
) -> dict[str, bytes]:
    """A drawn figure by format: `png` of `dpi` dots per inch, `pdf` and `svg` of curves."""
    # Once for all formats: each would compute the layout anew, and draw once more for it.
    figure.set_dpi(dpi)
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    files = {}
    for name in formats:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=name, dpi=dpi, metadata=_METADATA[name])
        files[name] = buffer.getvalue()
    return files


def write_table(table: Table, folder: Path, name: str) -> None:
    """Write {name}.csv, {name}.md and {name}.tex (booktabs) into `folder`."""
    for suffix, text in (("csv", to_csv), ("md", to_markdown), ("tex", to_latex)):
        (folder / f"{name}.{suffix}").write_text(text(table), encoding="utf-8")


def to_text(table: Table) -> str:
    """For a terminal: caption, aligned columns, and the notes in lines of `COLUMNS`."""
    lines = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = (
        "  ".join(
            cell.ljust(width) if place in table.text_columns else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
    notes = (textwrap.fill(note, COLUMNS, subsequent_indent="  ") for note in table.notes)
    return "\n".join([table.caption, "", *aligned, "", *notes])


def to_csv(table: Table) -> str:
    """Header and rows, a value in each cell; caption, notes and what marks a cell are left out.

    A cell without a value is empty.
    """
    rows = [["" if cell == MISSING else cell for cell in row] for row in table.rows]
    columns = zip(table.header, *rows, strict=True)
    split = [column for heading, *cells in columns for column in _values(heading, cells)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*split, strict=True))
    return text.getvalue()


def _values(heading: str, cells: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Columns of single values: a spread and an interval stand in columns of their own."""
    for pattern, names in _COMPOSED.items():
        found = [re.fullmatch(pattern, cell) for cell in cells]
        if any(found):
            parts = [
                one.groups() if one else (cell,) for one, cell in zip(found, cells, strict=True)
            ]
            filled = ((*part, *[""] * (len(names) - len(part))) for part in parts)
            for name, column in zip(names, zip(*filled, strict=True), strict=True):
                yield f"{heading}{name}", *(value.replace("−", "-") for value in column)
            return
    yield heading, *cells


def to_markdown(table: Table) -> str:
    """A table of GitHub's Markdown under its caption, the notes as a list below it."""
    ends = ("---" if n in table.text_columns else "---:" for n in range(len(table.header)))
    lines = [_markdown_row(table.header, table), f"| {' | '.join(ends)} |"]
    lines += (_markdown_row(row, table, number) for number, row in enumerate(table.rows))
    notes = [f"- {note.translate(_MARKDOWN)}" for note in table.notes]
    parts = [f"**{table.caption.translate(_MARKDOWN)}**", "\n".join(lines), "\n".join(notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_latex(table: Table) -> str:
    """A tabularx as wide as a column, with the rules of booktabs; published figures in italics.

    Caption and notes are comments. Only the columns of `table.latex` fit; the CSV has all.
    """
    heads = table.latex or dict(enumerate(table.header))
    kinds = "".join(_latex_kind(table, column) for column in heads)
    comments = [f"% {' '.join(line.split())}" for line in (table.caption, *table.notes)]
    header = [heads.get(column, "") for column in range(len(table.header))]
    lines = [
        *comments,
        r"{\footnotesize\setlength{\tabcolsep}{2pt}%",
        rf"\begin{{tabularx}}{{\columnwidth}}{{@{{}}{kinds}@{{}}}}",
        r"\toprule",
        _latex_row(table, header, heads),
        r"\midrule",
        *(_latex_row(table, row, heads, number) for number, row in enumerate(table.rows)),
        r"\bottomrule",
        r"\end{tabularx}}",
    ]
    return "\n".join(lines) + "\n"


def _latex_kind(table: Table, column: int) -> str:
    if column not in table.text_columns:
        return "r"
    longest = max((len(row[column]) for row in table.rows), default=0)
    return r">{\raggedright\arraybackslash}X" if longest > _NARROW else "l"


def _markdown_row(cells: Sequence[str], table: Table, number: int = _HEADER) -> str:
    marked = (
        table.marked((number, column), cell.translate(_MARKDOWN), ("**", "**"))
        for column, cell in enumerate(cells)
    )
    return f"| {' | '.join(marked)} |"


def _latex_row(
    table: Table, cells: Sequence[str], columns: Iterable[int], number: int = _HEADER
) -> str:
    bold, near = (r"\textbf{", "}"), r"$\approx$"
    marked = {
        column: table.marked((number, column), _latex_cell(cells[column]), bold, near)
        for column in columns
    }
    slanted = (
        rf"\textit{{{cell}}}" if column in table.published else cell
        for column, cell in marked.items()
    )
    return " & ".join(slanted) + r" \\"


def _latex_cell(cell: str) -> str:
    """A spread and an interval stand below their figure."""
    for pattern, form in _SUBSCRIPTS.items():
        if found := re.fullmatch(pattern, cell):
            value, *others = found.groups()
            return form.format(value.translate(_LATEX), *(o.replace("−", "-") for o in others))
    return cell.translate(_LATEX)
