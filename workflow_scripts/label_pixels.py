"""Refined CAMs of a shard and the tuned threshold in; pseudo-labels as palette PNGs out."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path

from ssr.config import Labels
from ssr.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """Label every image of the shard."""
    from ssr.index import Index
    from ssr.label_maps import write_label_maps
    from ssr.pseudo_labels import label_image
    from ssr.store import open_shards
    from ssr.thresholds import read_threshold

    images = Index.read(arguments.index).shard(arguments.shard)
    threshold = read_threshold(arguments.threshold_from, "refined_cam").value
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
    flags.add_argument("--threshold-from", type=existing, required=True, help="evaluation on tune")
    flags.add_argument("--output", type=Path, required=True, help="zip of PNGs")
    run(main, flags)
