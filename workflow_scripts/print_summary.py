"""Print the summary of a run as a table, and where its report lies."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from ssr.errors import InputError
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Print."""
    from ssr.evaluation.summary import format_table

    path = arguments.results / "summary.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; run snakemake to make it")
    print(format_table(json.loads(path.read_text())))
    report = arguments.results / "report" / "index.html"
    if report.is_file():
        print(f"\nreport: {report}")


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("results", type=Path, help="folder of the run, results/{dataset}")
    run(main, flags)
