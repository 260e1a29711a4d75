"""CAMs that another system saved in; those of the labelled images of a shard, checked, out."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from ssr.artefacts.store import ShardWriter
from ssr.data.findings import Findings
from ssr.data.foreign import ForeignCams
from ssr.running.programs import run
from ssr.running.progress import progress
from workflow_scripts._import_foreign import foreign_parser, imported


def main(arguments: Namespace) -> None:
    """Import the maps of each image that has a label; write nothing if one can't be used."""
    source, findings = arguments.foreign, Findings()
    with imported(arguments, findings) as (_, images):
        cams = ForeignCams(source, arguments.classes)
        labelled = [image for image in images if image.labels]
        with ShardWriter(arguments.output) as writer:
            for image in progress(labelled, len(labelled), f"CAMs of {arguments.shard}"):
                if (maps := cams.read(image, findings)) is not None:
                    classes = np.array(image.labels, np.int64)
                    writer.add(image.id, {"cams": maps, "classes": classes})
            findings.raise_problems(f"in {source.path}", "foreign CAMs")


if __name__ == "__main__":
    run(main, foreign_parser(__doc__))
