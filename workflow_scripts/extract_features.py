"""Images of a shard in; their CLIP and DINO features out: one pass per image."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ssr.artefacts.store import ShardWriter
from ssr.config import Backbones, Features, Images
from ssr.data.images import load_on_grid
from ssr.data.index import Image, Index
from ssr.running.ahead import ahead, beside
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress


def main(arguments: Namespace) -> None:
    """Extract the features of every image of the shard."""
    images = Index.read(arguments.index).shard(arguments.shard)
    with ShardWriter(arguments.output) as writer:
        features = _extract(images, arguments)
        for image, arrays in progress(features, len(images), f"features of {arguments.shard}"):
            writer.add(image.id, arrays)


def _extract(
    images: list[Image], arguments: Namespace
) -> Iterator[tuple[Image, dict[str, np.ndarray]]]:
    from ssr.backbones.devices import choose_device
    from ssr.backbones.features import extract, images_at_once, same_grid_batches
    from ssr.backbones.networks import load_pair

    patch, max_side = arguments.images.patch, arguments.images.max_side
    device = choose_device(arguments.device)
    clip, dino = load_pair(arguments.backbones, patch, device)

    def load(batch: list[Image]) -> tuple[list[Image], list[np.ndarray]]:
        paths = (arguments.root / image.image for image in batch)
        return batch, [load_on_grid(path, patch, max_side) for path in paths]

    size = partial(images_at_once, clip, arguments.features)
    batches = same_grid_batches(images, patch, max_side, size)
    # A processor's threads have enough to do with the networks.
    loaded = ahead(load, batches, arguments.threads if device.type == "cuda" else 0)
    pairs = (
        pair
        for batch, pixels in loaded
        for pair in zip(batch, extract(clip, dino, pixels, arguments.features), strict=True)
    )
    return beside(pairs) if device.type == "cuda" else pairs


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--backbones", type=Backbones.model_validate_json, required=True)
    flags.add_argument("--images", type=Images.model_validate_json, required=True)
    flags.add_argument("--features", type=Features.model_validate_json, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
