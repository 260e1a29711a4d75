"""Images of a shard in; their superpixels, mean colours and colour regions out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.artefacts.store import ShardWriter
from ssr.config import Images, Superpixels
from ssr.data.images import load_on_grid
from ssr.data.index import Index
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress

NAMES = ("labels", "colours", "regions")


def main(arguments: Namespace) -> None:
    """Segment every image of the shard on its patch grid."""
    from ssr.cams.superpixels import segment

    images = Index.read(arguments.index).shard(arguments.shard)
    patch, max_side = arguments.images.patch, arguments.images.max_side
    with ShardWriter(arguments.output, compress=NAMES) as writer:
        for image in progress(images, len(images), f"superpixels of {arguments.shard}"):
            pixels = load_on_grid(arguments.root / image.image, patch, max_side)
            writer.add(image.id, segment(pixels, arguments.superpixels, arguments.seed))


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--images", type=Images.model_validate_json, required=True)
    flags.add_argument("--superpixels", type=Superpixels.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
