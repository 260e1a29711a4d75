"""Images and labels in; a checked index of them out."""

from __future__ import annotations

from argparse import Namespace

from ssr.data.originals import index_files
from ssr.running.programs import run
from workflow_scripts.index_flags import check, index_parser, record


def main(arguments: Namespace) -> None:
    """Check the data set, masks included; write nothing if it cannot be used."""
    seen = record(arguments, index_files)
    check(arguments).index.write(arguments.output, seen.contents)
    seen.write(arguments.output)


if __name__ == "__main__":
    run(main, index_parser(__doc__))
