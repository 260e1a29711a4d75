"""Predictions of the test split in; one archive of palette PNGs, as a server takes it, out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.running.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """Copy the PNGs of every image of the split."""
    from ssr.data.index import Index
    from ssr.data.pngs import open_pngs
    from ssr.labelling.submission import write_submission

    ids = [image.id for image in Index.read(arguments.index).split("test")]
    predictions = open_pngs(arguments.predictions)
    write_submission(arguments.output, predictions, ids, arguments.folder)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--predictions", type=existing, nargs="+", required=True)
    flags.add_argument("--folder", required=True, help="path of the PNGs in the archive")
    flags.add_argument("--output", type=Path, required=True, help=".tar.gz")
    run(main, flags)
