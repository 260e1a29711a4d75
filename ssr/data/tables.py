"""Tables of image-level labels, as CSV: `labels.csv` of a folder, and labels files of VOC and COCO.

The header names the columns image, labels (or label) and, if wanted, split, in any order and case;
class names are separated by semicolons. Nothing that a table holds is passed over without a word.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ssr.data.findings import Findings
from ssr.errors import InputError

COLUMNS = ("image", "split", "labels")
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
                    "row with more cells than the header; a semicolon parts labels",
                    f"{row.image} ({', '.join(row.surplus)})",
                )


def read_table(path: str | Path, columns: Sequence[str] = COLUMNS) -> Table:
    """Read a table; empty lines, and columns that have neither a name nor a value, are left out.

    Args:
        path: of the file.
        columns: those that mean something.

    Raises:
        InputError: it is no CSV in UTF-8, lacks a column, or has one twice.
        FileNotFoundError: there is no such file.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            # Strict: a quotation mark that nothing closes would swallow all lines behind it.
            rows = csv.reader(file, strict=True, skipinitialspace=True)
            lines = [[cell.strip() for cell in line] for line in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from error
    header = _header(path, lines[0] if lines else [])
    lines = [line for line in lines[1:] if any(line)]
    others = [name for name in header if name and name not in columns]
    values = {name: _values(lines, header.index(name)) for name in others}
    return Table(
        tuple(_row(header, line) for line in lines),
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


def _header(path: str | Path, cells: Sequence[str]) -> list[str]:
    """Names of the columns in lower case."""
    names = ["labels" if cell.lower() == "label" else cell.lower() for cell in cells]
    if missing := [name for name in ("image", "labels") if name not in names]:
        raise InputError(
            f"{path}: the header must name image and labels, and may name split; "
            f"missing: {', '.join(missing)}; came {','.join(cells) or 'nothing'}"
        )
    if twice := [name for name, count in Counter(filter(None, names)).items() if count > 1]:
        raise InputError(
            f"{path}: the header names {twice[0]} twice ({','.join(cells)}); a semicolon parts "
            "labels in one cell"
        )
    return names


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
