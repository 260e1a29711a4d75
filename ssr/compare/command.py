"""The command `ssr compare`: print the table, and write it and the chart where they are wanted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from ssr.compare.chart import draw_comparison
from ssr.compare.entries import Difference, Entry, entries, groups, shared_stage, to_the_first
from ssr.compare.table import comparison_table
from ssr.config.settings import config_hash
from ssr.report.curves import theme
from ssr.report.files import figure_files, to_text, write_table
from ssr.results import Results, open_results

NAME = "comparison"


def main(arguments: argparse.Namespace) -> int:
    """Compare; 0.

    Raises:
        InputError: a run or an evaluation is missing, or nothing can be compared.
    """
    runs = dict(zip(names(arguments.results), map(open_results, arguments.results), strict=True))
    stage = shared_stage(list(runs.values()), arguments.stage)
    grouped = groups(entries(runs, stage))
    found = {name: each for group in grouped for name, each in to_the_first(group).items()}
    table = comparison_table(grouped, found, _settings(runs))
    print(to_text(table))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_table(table, arguments.out, NAME)
        _write_chart(arguments.out, grouped, found)
        print(f"\nwritten: {arguments.out}/{NAME}.csv, .md, .tex, .pdf, .png, .svg")
    return 0


def names(folders: Sequence[Path]) -> list[str]:
    """What runs are called: by the last part of their path, or all of it where that is not enough.

    A run that is named twice is one.
    """
    last = [folder.name for folder in folders]
    return [
        name if last.count(name) == 1 else str(folder)
        for name, folder in zip(last, folders, strict=True)
    ]


def _settings(runs: Mapping[str, Results]) -> list[str]:
    """What the figures of each run rest on besides their protocol."""
    return [f"{name}: settings {config_hash(run.config)}." for name, run in runs.items()]


def _write_chart(
    folder: Path, grouped: Sequence[Sequence[Entry]], found: Mapping[str, Difference]
) -> None:
    with theme(dark=False):
        files = figure_files(draw_comparison(grouped, found))
    for suffix, content in files.items():
        (folder / f"{NAME}.{suffix}").write_bytes(content)
