"""Print the summary of a run as a table, and where its report and its segmenters lie."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from ssr.errors import InputError
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Print."""
    from ssr.evaluation.table import format_table

    path = arguments.results / "summary.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; run snakemake to make it")
    try:
        rows = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: {error}; run snakemake to make it anew") from None
    print(format_table(rows))
    print()
    for label, place in (
        ("report", "report/index.html"),
        ("model", "segmenter/*/model.safetensors"),
    ):
        for found in sorted(arguments.results.glob(place)):
            print(f"{label}:".ljust(8) + str(found))


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("results", type=Path, help="folder of the run, results/{dataset}")
    run(main, flags)
