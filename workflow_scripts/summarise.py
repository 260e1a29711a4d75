"""Evaluations of all methods and stages in; summary.json out."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.running.programs import parser, run
from ssr.running.provenance import commit
from ssr.version import __version__

if TYPE_CHECKING:
    from ssr.evaluation.summary import Evaluated


def main(arguments: Namespace) -> None:
    """Collect the rows."""
    from ssr.artefacts.files import replacing
    from ssr.evaluation.summary import summary_rows

    rows = summary_rows(
        arguments.evaluations,
        arguments.dataset,
        arguments.config_hash,
        arguments.from_masks,
        arguments.foreign,
    )
    made_by = {"version": __version__, "commit": commit()}
    with replacing(arguments.output) as temporary:
        temporary.write_text(json.dumps([row | made_by for row in rows], indent=1) + "\n")


def evaluation(text: str) -> Evaluated:
    """An argparse type: METHOD/SEED=FILE."""
    from ssr.evaluation.summary import Evaluated

    name, _, path = text.partition("=")
    method, _, seed = name.partition("/")
    if not (method and seed.isdecimal() and path):
        raise ArgumentTypeError(f"wanted METHOD/SEED=FILE, came {text}")
    return Evaluated(method, int(seed), Path(path))


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--dataset", required=True)
    flags.add_argument("--config-hash", required=True)
    flags.add_argument(
        "--evaluations", type=evaluation, nargs="*", required=True, metavar="METHOD/SEED=FILE"
    )
    flags.add_argument(
        "--from-masks", nargs="*", default=[], metavar="METHOD", help="learned from masks"
    )
    flags.add_argument(
        "--foreign", nargs="*", default=[], metavar="METHOD", help="predicted by another system"
    )
    flags.add_argument("--output", type=Path, required=True, help="JSON")
    run(main, flags)
