"""Seconds and memory of every rule, from the files that Snakemake's `benchmark:` leaves."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssr.report.dag import rule_names


@dataclass(frozen=True)
class Usage:
    """What the jobs of a rule took: seconds, and the largest memory (MiB).

    Memory and processor seconds are NaN where no job was long enough to be measured.
    """

    rule: str
    jobs: int
    seconds: float
    longest: float
    processor_seconds: float
    memory: float


def read_benchmarks(folder: Path) -> list[Usage]:
    """Usage by rule from {folder}/{rule}/*.tsv, in the order of the data; the last run of each job.

    Rules without a readable file are left out.
    """
    order = rule_names()
    usages = [usage for path in sorted(folder.glob("*/")) for usage in _usage(path)]
    return sorted(usages, key=lambda usage: (*order, usage.rule).index(usage.rule))


def _usage(folder: Path) -> Iterator[Usage]:
    rows = [row for path in sorted(folder.glob("*.tsv")) for row in _rows(path)]
    if rows:
        seconds = [_number(row["s"]) for row in rows]
        processor, memory = (_known(rows, name) for name in ("cpu_time", "max_rss"))
        yield Usage(
            folder.name,
            len(rows),
            sum(seconds),
            max(seconds),
            sum(processor) if processor else math.nan,
            max(memory, default=math.nan),
        )


def _known(rows: Sequence[Mapping[str, str]], name: str) -> list[float]:
    values = (_number(row.get(name)) for row in rows)
    return [value for value in values if not math.isnan(value)]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return [row for row in csv.DictReader(stream, delimiter="\t") if row.get("s")]


def _number(text: str | None) -> float:
    # Jobs that end before Snakemake's first look have "-" or "NA" instead of what it saw.
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
