"""Masks and the index in; a checked table of where they lie out, which evaluation alone reads."""

from __future__ import annotations

from argparse import Namespace

from ssr.data.check import check_masks
from ssr.data.index import Index
from ssr.data.originals import mask_files
from ssr.data.splits import split_ids
from ssr.running.programs import existing, run
from workflow_scripts.index_flags import index_parser, record, sightings, warn


def main(arguments: Namespace) -> None:
    """Check the masks; write nothing if they cannot be used."""
    seen = record(arguments, mask_files(arguments.data, split_ids(arguments.data)))
    index = Index.read(arguments.index)
    with sightings(arguments, seen, (), whole=False) as known:
        checked = check_masks(arguments.data, index, arguments.threads, arguments.derived, known)
    warn(checked)
    checked.masks.write(arguments.output, seen.contents)
    seen.write(arguments.output)


if __name__ == "__main__":
    flags = index_parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    run(main, flags)
