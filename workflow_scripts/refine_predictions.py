"""Logits and images of a shard in; their labels after the dense CRF as palette PNGs out."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path

from ssr.config import Crf
from ssr.running.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """Refine every image of the shard, one per core at a time."""
    from ssr.artefacts.store import open_shards
    from ssr.data.index import Index
    from ssr.data.label_maps import write_label_maps
    from ssr.labelling.predictions import refine_image

    images = Index.read(arguments.index).shard(arguments.shard)
    refine = partial(refine_image, open_shards([arguments.logits]), arguments.root, arguments.crf)
    write_label_maps(arguments.output, refine, images, arguments.threads, arguments.shard)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True, help="folder of the data set")
    flags.add_argument("--shard", required=True)
    flags.add_argument("--crf", type=Crf.model_validate_json, required=True)
    flags.add_argument("--logits", type=existing, required=True)
    flags.add_argument("--output", type=Path, required=True, help="zip of PNGs")
    run(main, flags)
