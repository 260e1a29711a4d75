"""Images and labels in; a checked index of them and a table of the masks out."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from ssr.config import Data, Images
from ssr.data.check import check_dataset
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Check the data set; write nothing if it cannot be used."""
    checked = check_dataset(arguments.data, arguments.threads, arguments.derived, arguments.images)
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    checked.masks.write(arguments.masks)
    checked.index.write(arguments.index)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--data", type=Data.model_validate_json, required=True)
    flags.add_argument("--images", type=Images.model_validate_json, required=True)
    flags.add_argument(
        "--derived", type=Path, default=Path(), help="coco: folder, see ssr.data.coco"
    )
    flags.add_argument("--index", required=True)
    flags.add_argument("--masks", required=True)
    run(main, flags)
