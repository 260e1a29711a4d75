"""Masks in; a checked table of where they lie out, which evaluation alone reads."""

from __future__ import annotations

from argparse import Namespace

from ssr.data.originals import mask_files
from ssr.running.programs import run
from workflow_scripts.index_flags import check, index_parser, record


def main(arguments: Namespace) -> None:
    """Check the masks beside their images; write nothing if they cannot be used."""
    seen = record(arguments, mask_files)
    check(arguments).masks.write(arguments.output, seen.contents)
    seen.write(arguments.output)


if __name__ == "__main__":
    run(main, index_parser(__doc__))
