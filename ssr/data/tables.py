"""Tables of image-level labels, as CSV: `labels.csv` of a folder, and labels files of VOC and COCO.

The header names the columns image, labels (or label) and, if wanted, split, in any order and case;
class names are separated by semicolons. Cells are separated by commas, or else by semicolons or
tabs, as the header has them. Nothing that a table holds is passed over without a word.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ssr.data.findings import Findings
from ssr.data.texts import read_text
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
    lines = _cells(path, read_text(path))
    number, names = next(iter(lines.items()), (1, []))
    rows = [*lines.values()][1:]
    header = _header(f"{path}:{number}", names)
    if header[0] == "" and _are_numbers([row[0] for row in rows]):
        header[0] = _ROW_NUMBER
    others = [name for name in header if name and name not in columns]
    values = {name: _values(rows, header.index(name)) for name in others}
    return Table(
        tuple(_row(header, row) for row in rows),
        {name: found for name, found in values.items() if found},
    )


def refuse_other_splits(path: str | Path, table: Table) -> None:
    """Refuse a table that divides its images by a column of another name than split.

    Raises:
        InputError: names the column.
    """
    for name, values in table.others.items():
        if name in _LIKE_SPLIT or {value.lower() for value in values} <= _PARTS:
            raise InputError(
                f"{path}: the column {name} ({', '.join(values[:3])}) is not read; call it split "
                "if it says who trains, or take it out"
            )


def _cells(path: str | Path, text: str) -> dict[int, list[str]]:
    """Cells of each line that is not empty, by the number of the line, from 1."""
    file, delimiter = io.StringIO(text, newline=""), _delimiter(text)
    # Strict: a quotation mark that nothing closes would swallow all lines behind it.
    reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
    lines, number = {}, 1
    try:
        for row in reader:
            lines[number] = [cell.strip() for cell in row]
            number = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}:{number}: {error}; a quotation mark that opens a cell must also end it"
        ) from error
    return {number: row for number, row in lines.items() if any(row)}


def _delimiter(text: str) -> str:
    """What parts the cells: with it, the header has a column image."""
    blank = " ".join(_DELIMITERS)
    header = next((line for line in text.splitlines() if line.strip(blank)), "")
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


def _values(lines: Iterable[Sequence[str]], column: int) -> tuple[str, ...]:
    """The different values of a column, in the order in which they come."""
    cells = (line[column] for line in lines if column < len(line))
    return tuple(dict.fromkeys(filter(None, cells)))


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
