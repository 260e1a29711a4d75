"""CAMs that another system saved in; those of the labelled images of a shard, checked, out."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import numpy as np

from ssr.artefacts.store import ShardWriter
from ssr.config import Foreign
from ssr.data.findings import Findings
from ssr.data.foreign import ForeignCams, list_files
from ssr.data.index import Index
from ssr.running.contents import Record
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress


def main(arguments: Namespace) -> None:
    """Import the maps of each image that has a label; write nothing if one can't be used."""
    source, findings = arguments.foreign, Findings()
    images = Index.read(arguments.index).shard(arguments.shard)
    root, files = list_files(source, arguments.classes, [image.id for image in images])
    # Before they are read: one that changes in between is then taken for changed by the next run.
    seen = Record.of(arguments.state, root, files, arguments.threads)
    cams = ForeignCams(source, arguments.classes)
    labelled = [image for image in images if image.labels]
    with ShardWriter(arguments.output) as writer:
        for image in progress(labelled, len(labelled), f"CAMs of {arguments.shard}"):
            if (maps := cams.read(image, findings)) is not None:
                writer.add(image.id, {"cams": maps, "classes": np.array(image.labels, np.int64)})
        findings.raise_problems(f"in {source.path}", "foreign CAMs")
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
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
