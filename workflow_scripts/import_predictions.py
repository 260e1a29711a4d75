"""Predictions that another system saved in; those of the images of a shard, checked, out."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from ssr.config import Foreign
from ssr.data.findings import Findings
from ssr.data.foreign import list_files
from ssr.data.foreign_predictions import read_prediction
from ssr.data.index import Index
from ssr.data.pngs import PngWriter
from ssr.running.contents import Record
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress


def main(arguments: Namespace) -> None:
    """Import the label map of each image; write nothing if one can't be used."""
    source, findings = arguments.foreign, Findings()
    images = Index.read(arguments.index).shard(arguments.shard)
    root, files = list_files(source, arguments.classes, [image.id for image in images])
    # Before they are read: one that changes in between is then taken for changed by the next run.
    seen = Record.of(arguments.state, root, files, arguments.threads)
    with PngWriter(arguments.output) as writer:
        for image in progress(images, len(images), f"predictions of {arguments.shard}"):
            labels = read_prediction(root, image, len(arguments.classes), findings)
            if labels is not None:
                writer.add(image.id, labels)
        findings.raise_problems(f"in {source.path}", "foreign predictions")
    for warning in findings.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    seen.write(arguments.output)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--classes", nargs="+", required=True, help="of the data set, in order")
    flags.add_argument("--foreign", type=Foreign.model_validate_json, required=True)
    flags.add_argument("--state", default="", help="what stands for the files")
    flags.add_argument("--output", type=Path, required=True, help="zip of PNGs")
    run(main, flags)
