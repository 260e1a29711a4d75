"""Logits of a shard in; the probabilities of each image's own classes, as raw CAMs, out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np

from ssr.artefacts.store import ShardWriter, open_shards
from ssr.data.index import Index
from ssr.labelling.predictions import given_labels
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress


def main(arguments: Namespace) -> None:
    """Feed back the images that have a label; others have no class and are left out."""
    images = [image for image in Index.read(arguments.index).shard(arguments.shard) if image.labels]
    logits = open_shards([arguments.logits])
    with ShardWriter(arguments.output) as writer:
        for image in progress(images, len(images), f"CAMs of {arguments.shard}"):
            cams = given_labels(logits.read(image.id, "logits"), image.labels)
            writer.add(image.id, {"cams": cams, "classes": np.array(image.labels, np.int64)})


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--logits", type=existing, required=True, help="of the teacher's segmenter")
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
