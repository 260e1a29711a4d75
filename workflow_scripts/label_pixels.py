"""Refined CAMs of a shard and a threshold in; pseudo-labels as palette PNGs out."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path

from ssr.config import Labels
from ssr.running.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """Label the images of the shard that have CAMs, that is, a label."""
    from ssr.artefacts.store import open_shards
    from ssr.data.index import Index
    from ssr.data.label_maps import write_label_maps
    from ssr.evaluation.thresholds import label_threshold
    from ssr.labelling.pseudo_labels import label_image

    shard = Index.read(arguments.index).shard(arguments.shard)
    images = [image for image in shard if image.labels]
    threshold = label_threshold(arguments.labels.threshold, arguments.threshold_from).value
    store = open_shards([arguments.cams])
    label = partial(label_image, store, arguments.root, threshold, arguments.labels)
    write_label_maps(arguments.output, label, images, arguments.threads, arguments.shard)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True, help="folder of the data set")
    flags.add_argument("--shard", required=True)
    flags.add_argument("--labels", type=Labels.model_validate_json, required=True)
    flags.add_argument("--cams", type=existing, required=True)
    flags.add_argument(
        "--threshold-from", type=existing, nargs="?", help="evaluation on tune; else a setting"
    )
    flags.add_argument("--output", type=Path, required=True, help="zip of PNGs")
    run(main, flags)
