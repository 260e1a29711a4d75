"""Evaluations of all methods and stages in; summary.json out."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Collect the rows."""
    from ssr.artefacts.files import replacing
    from ssr.evaluation.summary import summary_rows

    rows = summary_rows(
        arguments.evaluations, arguments.dataset, arguments.seed, arguments.config_hash
    )
    with replacing(arguments.output) as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n")


def evaluation(text: str) -> tuple[str, Path]:
    """An argparse type: METHOD=FILE."""
    method, equals, path = text.partition("=")
    if not (method and equals and path):
        raise ArgumentTypeError(f"wanted METHOD=FILE, came {text}")
    return method, Path(path)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--dataset", required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--config-hash", required=True)
    flags.add_argument(
        "--evaluations", type=evaluation, nargs="*", required=True, metavar="METHOD=FILE"
    )
    flags.add_argument("--output", type=Path, required=True, help="JSON")
    run(main, flags)
