"""Seconds and memory of every rule, from the files that Snakemake's `benchmark:` leaves."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ssr.report.dag import rule_names


@dataclass(frozen=True)
class Usage:
    """What the jobs of a rule took: seconds, and the largest memory (MiB; NaN if unknown)."""

    rule: str
    jobs: int
    seconds: float
    longest: float
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
        memory = [value for row in rows if not math.isnan(value := _number(row.get("max_rss")))]
        peak = max(memory, default=math.nan)
        yield Usage(folder.name, len(rows), sum(seconds), max(seconds), peak)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return [row for row in csv.DictReader(stream, delimiter="\t") if row.get("s")]


def _number(text: str | None) -> float:
    # Jobs that end before Snakemake's first look have "-" or "NA" instead of a memory.
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
