"""Predictions that another system saved in; those of the images of a shard, checked, out."""

from __future__ import annotations

from argparse import Namespace

from ssr.data.findings import Findings
from ssr.data.foreign_predictions import read_prediction
from ssr.data.pngs import PngWriter
from ssr.running.programs import run
from ssr.running.progress import progress
from workflow_scripts._import_foreign import foreign_parser, imported


def main(arguments: Namespace) -> None:
    """Import the label map of each image; write nothing if one can't be used."""
    findings = Findings()
    with (
        imported(arguments, findings) as (root, images),
        PngWriter(arguments.output) as writer,
    ):
        for image in progress(images, len(images), f"predictions of {arguments.shard}"):
            labels = read_prediction(root, image, len(arguments.classes), findings)
            if labels is not None:
                writer.add(image.id, labels)
        findings.raise_problems(f"in {arguments.foreign.path}", "foreign predictions")


if __name__ == "__main__":
    run(main, foreign_parser(__doc__))
