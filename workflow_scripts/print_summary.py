"""Print the summary of a run as a table, and where its report and its segmenters lie."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Print."""
    from ssr.evaluation.summary import read_summary
    from ssr.evaluation.table import format_table

    print(format_table(read_summary(arguments.results / "summary.json")))
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
