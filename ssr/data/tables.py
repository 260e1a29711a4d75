"""Tables of image-level labels, as CSV: `labels.csv` of a folder, and labels files of VOC and COCO.

The header names the columns image, labels (or label) and, if wanted, split, in any order and case;
class names are separated by semicolons. Cells are separated by commas, or else by semicolons or
tabs, as the header has them. Nothing that a table holds is passed over without a word.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path

from ssr.data.findings import Findings
from ssr.data.texts import stream_lines
from ssr.errors import InputError

COLUMNS = ("image", "split", "labels")
_DELIMITERS = (",", ";", "\t")
# A first column without a name that numbers the rows, as data frames are saved.
_ROW_NUMBER = "row number"
# What others call a column that says which part of a data set an image belongs to, and its values.
_LIKE_SPLIT = {"subset", "set", "partition", "fold", "splits"}
_PARTS = {"train", "training", "tune", "val", "valid", "validation", "dev", "test", "testing"}


@dataclass(frozen=True)
class Row:
    """A line: `split` is None where there is no such column, `surplus` what no column names."""

    image: str
    split: str | None
    labels: tuple[str, ...]
    surplus: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The lines; and the columns that mean nothing here, with the values that each has."""

    rows: tuple[Row, ...]
    others: dict[str, tuple[str, ...]]

    @property
    def divided(self) -> bool:
        """Whether it has a column split."""
        return any(row.split is not None for row in self.rows)

    def report(self, name: str, findings: Findings) -> None:
        """Tell `findings` what of it is not used; `name` is that of the file."""
        for column, values in self.others.items():
            findings.warning(f"column of {name} that is not used", f"{column} ({values[0]!r}, …)")
        for row in self.rows:
            if row.surplus:
                findings.problem(
                    'cell in a column without a name; labels share one cell, as "cat;dog"',
                    f"{row.image} ({', '.join(row.surplus)})",
                )


def read_table(path: str | Path, columns: Sequence[str] = COLUMNS) -> Table:
    """Read a table; empty lines, and columns that have neither a name nor a value, are left out.

    Args:
        path: of the file.
        columns: those that mean something.

    Raises:
        InputError: it is no text in UTF-8, a quotation mark is left open, or it lacks a column or
            has one twice.
        FileNotFoundError: there is no such file.
    """
    header, lines = _open(path)
    rows = [*lines]
    if header[0] == "" and _are_numbers([row[0] for row in rows]):
        header[0] = _ROW_NUMBER
    others = [name for name in header if name and name not in columns]
    values = {name: tuple(dict.fromkeys(_filled(rows, header.index(name)))) for name in others}
    return Table(
        tuple(_row(header, row) for row in rows),
        {name: found for name, found in values.items() if found},
    )


def read_images(path: str | Path) -> Iterator[tuple[str, str | None]]:
    """Image and split of each row, as `read_table` has them, with one row in memory at a time.

    Raises:
        InputError, FileNotFoundError: as `read_table`.
    """
    header, rows = _open(path)
    image, split = header.index("image"), header.index("split") if "split" in header else None
    for row in rows:
        part = None if split is None else _cell(row, split)
        yield _cell(row, image), part


def refuse_other_splits(path: str | Path) -> None:
    """Refuse a table that divides its images by a column of another name than split.

    Raises:
        InputError: names the column.
    """
    header, _ = _open(path)
    for name in (name for name in header if name and name not in COLUMNS):

        def values(column: int = header.index(name)) -> Iterator[str]:
            return _filled(_open(path)[1], column)

        divides = name in _LIKE_SPLIT or all(value.lower() in _PARTS for value in values())
        if divides and (shown := [*islice(dict.fromkeys(values()), 3)]):
            raise InputError(
                f"{path}: the column {name} ({', '.join(shown)}) is not read; call it split "
                "if it says who trains, or take it out"
            )


def _open(path: str | Path) -> tuple[list[str], Iterator[list[str]]]:
    """The header of a table, and the cells of each row that is not empty."""
    lines = stream_lines(path)
    begin = _begin(lines)
    rows = _rows(path, chain(begin, lines), _delimiter(begin[-1] if begin else ""))
    return _header(f"{path}:{len(begin) or 1}", next(rows, [])), rows


def _rows(path: str | Path, lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The cells of each line that is not empty."""
    # Strict: a quotation mark that nothing closes would swallow all lines behind it.
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    number = 1
    try:
        for row in reader:
            number = reader.line_num + 1
            cells = list(map(str.strip, row))
            if any(cells):
                yield cells
    except csv.Error as error:
        raise InputError(
            f"{path}:{number}: {error}; a quotation mark that opens a cell must also end it"
        ) from error


def _begin(lines: Iterator[str]) -> list[str]:
    """The lines up to the first one with anything in it, which is the header."""
    blank = "".join(_DELIMITERS) + " \r\n"
    begin = []
    for line in lines:
        begin.append(line)
        if line.strip(blank):
            break
    return begin


def _delimiter(header: str) -> str:
    """What parts the cells: with it, the header has a column image."""
    for delimiter in _DELIMITERS:
        if "image" in (_name(cell.strip(' "')) for cell in header.split(delimiter)):
            return delimiter
    return _DELIMITERS[0]


def _name(cell: str) -> str:
    """The name of a column, as it is called here."""
    name = cell.strip().lower()
    return "labels" if name == "label" else name


def _header(place: str, cells: Sequence[str]) -> list[str]:
    """Names of the columns in lower case; `place` is where they stand."""
    names = [*map(_name, cells)]
    if missing := [name for name in ("image", "labels") if name not in names]:
        raise InputError(
            f"{place}: the header must name image and labels, and may name split, parted by "
            f"commas, semicolons or tabs; missing: {', '.join(missing)}; "
            f"came {','.join(cells) or 'nothing'}"
        )
    if twice := [name for name, count in Counter(filter(None, names)).items() if count > 1]:
        raise InputError(
            f"{place}: the header names {twice[0]} twice ({','.join(cells)}); a semicolon parts "
            "labels in one cell"
        )
    return names


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether these are whole numbers, and each comes once."""
    return all(map(str.isdecimal, cells)) and len(set(cells)) == len(cells)


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _filled(rows: Iterable[Sequence[str]], column: int) -> Iterator[str]:
    """The cells of a column that are not empty."""
    return filter(None, (_cell(row, column) for row in rows))


def _row(header: Sequence[str], line: Sequence[str]) -> Row:
    cells = [*zip_longest(header, line, fillvalue="")]
    named = dict(cells)
    labels = (label.strip() for label in named["labels"].split(";"))
    return Row(
        image=named["image"],
        split=named.get("split"),
        labels=tuple(filter(None, labels)),
        surplus=tuple(cell for name, cell in cells if cell and not name),
    )
