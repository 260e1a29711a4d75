"""Images and labels in; a checked index of them out."""

from __future__ import annotations

from argparse import Namespace

from ssr.config import Images
from ssr.data.check import check_dataset
from ssr.data.originals import index_files, mask_files
from ssr.data.splits import split_ids
from ssr.running.programs import run
from workflow_scripts.index_flags import index_parser, record, sightings, warn


def main(arguments: Namespace) -> None:
    """Check the data set, masks included; write nothing if it cannot be used."""
    data, splits = arguments.data, split_ids(arguments.data)
    seen = record(arguments, index_files(data, splits))
    settings = (data, arguments.threads, arguments.derived, arguments.images)
    with sightings(arguments, seen, mask_files(data, splits), whole=True) as known:
        checked = check_dataset(*settings, known)
    warn(checked)
    checked.index.write(arguments.output, seen.contents)
    seen.write(arguments.output)


if __name__ == "__main__":
    flags = index_parser(__doc__)
    flags.add_argument(
        "--images", type=Images.model_validate_json, nargs="+", required=True, help="of all methods"
    )
    run(main, flags)
