"""Features and texts of a shard in; the raw CAMs of its labelled images out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ssr.artefacts.store import ShardWriter, open_shards
from ssr.config import AlignedCams, Backbone, Cams
from ssr.data.index import Image, Index
from ssr.running.ahead import ahead
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress

if TYPE_CHECKING:
    import torch

    from ssr.cams.activation import ImageScores


def main(arguments: Namespace) -> None:
    """Activate the classes of each image; images without a label have no class and are left out."""
    images = [image for image in Index.read(arguments.index).shard(arguments.shard) if image.labels]
    with ShardWriter(arguments.output) as writer:
        cams = _activate(images, arguments)
        for image, arrays in progress(cams, len(images), f"CAMs of {arguments.shard}"):
            writer.add(image.id, arrays)


def _activate(
    images: list[Image], arguments: Namespace
) -> Iterator[tuple[Image, dict[str, np.ndarray]]]:
    import torch

    from ssr.backbones.devices import choose_device
    from ssr.backbones.last_block import load_last_block

    device = choose_device(arguments.device)
    clip = load_last_block(arguments.backbone, device)
    features = open_shards([arguments.features])
    settings, scores = _settings_and_scores(arguments, device)

    def load(image: Image) -> tuple[Image, np.ndarray, np.ndarray]:
        return image, features.read(image.id, "tokens"), features.read(image.id, "grid")

    # One thread: that is as fast as a GPU needs them, and a processor is busy enough.
    for image, tokens, grid in ahead(load, images, threads=int(device.type == "cuda")):
        residual = torch.from_numpy(tokens).to(device)
        maps = scores.activate(settings.score, clip, residual, image.labels)
        cams = maps.cpu().numpy().reshape(-1, *grid)
        yield image, {"cams": cams, "classes": np.array(image.labels, np.int64)}


def _settings_and_scores(
    arguments: Namespace, device: torch.device
) -> tuple[Cams | AlignedCams, ImageScores]:
    from ssr.alignment.trained import load_aligner
    from ssr.backbones.text import TextEmbeddings
    from ssr.cams.activation import ImageScores

    texts = TextEmbeddings.read(arguments.text)
    if not arguments.alignment:
        initial = Cams.model_validate_json(arguments.cams)
        return initial, ImageScores(texts, device, gradient=initial.gradient)
    settings = AlignedCams.model_validate_json(arguments.cams)
    aligner, _ = load_aligner(arguments.alignment)
    return settings, ImageScores(texts, device, aligner, settings.background, settings.gradient)


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--cams", required=True, help="JSON of cams, or aligned_cams if --alignment")
    flags.add_argument("--features", type=existing, required=True)
    flags.add_argument("--text", type=existing, required=True)
    flags.add_argument("--alignment", type=existing, help="what CMPA trained; CLIP itself without")
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
