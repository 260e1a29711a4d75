"""The command `ssr compare`: print the table, and write it and the chart where they are wanted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ssr.compare.chart import draw_comparison
from ssr.compare.entries import Difference, Entry, entries, groups, shared_stage, to_the_first
from ssr.compare.table import comparison_table
from ssr.report.curves import theme
from ssr.report.files import figure_files, to_text, write_table
from ssr.results import MissingError, Results, open_results

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
    table = comparison_table(grouped, found, _rest(runs))
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


def _rest(runs: Mapping[str, Results]) -> list[str]:
    """What the figures of each run rest on besides their protocol, as far as it is recorded."""
    found = []
    for name, run in runs.items():
        with suppress(MissingError):  # the figures are there before the summary is
            row = run.summary[0]
            code = f"version {row['version']}, commit {row['commit'] or 'unknown'}"
            found.append(f"{name}: settings {row['config_hash']}, {code}.")
    return found


def _write_chart(
    folder: Path, grouped: Sequence[Sequence[Entry]], found: Mapping[str, Difference]
) -> None:
    with theme(dark=False):
        files = figure_files(draw_comparison(grouped, found))
    for suffix, content in files.items():
        (folder / f"{NAME}.{suffix}").write_bytes(content)
