"""Features, CAMs and texts in; samples, prototypes and pseudo-labels of a round out.

The first round pools the samples; a later one takes them from the prototypes of a round before.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.artefacts.store import open_shards
from ssr.config import Alignment, Backbone, Prototypes
from ssr.data.index import Image, Index
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress

if TYPE_CHECKING:
    from ssr.alignment.samples import Samples
    from ssr.backbones.text import TextEmbeddings


def main(arguments: Namespace) -> None:
    """Cluster the samples as the heads of the round before see them."""
    import numpy as np
    import torch

    from ssr.alignment.heads import starting_heads
    from ssr.alignment.prototypes import make_prototypes
    from ssr.alignment.samples import Samples
    from ssr.artefacts.arrays import load_arrays, save_arrays
    from ssr.backbones.text import TextEmbeddings

    stored = TextEmbeddings.read(arguments.text)
    classes = len(stored.classes)
    if arguments.samples:
        samples = load_arrays(arguments.samples, Samples, "cluster_prototypes")
    else:
        samples = _pool(stored, arguments)
    texts = np.concatenate([stored.classes, stored.backgrounds])
    if not arguments.alignment.backgrounds:
        samples, texts = samples.foreground(classes), stored.classes
    heads, _ = starting_heads(
        arguments.previous,
        arguments.alignment,
        torch.from_numpy(samples.features),
        torch.from_numpy(texts),
        arguments.seed,
    )
    clusters = arguments.prototypes.clusters or classes
    prototypes = make_prototypes(heads, samples, texts, classes, clusters, arguments.seed)
    print(f"{len(samples.labels)} samples, {clusters} clusters of purity {prototypes.purity:.3f}")
    save_arrays(arguments.output, samples, prototypes)


def _pool(texts: TextEmbeddings, arguments: Namespace) -> Samples:
    from ssr.alignment.samples import concatenate

    images = [image for image in Index.read(arguments.index).split("train") if image.labels]
    pooled = progress(_pool_images(images, texts, arguments), len(images), "pooled features")
    return concatenate(list(pooled))


def _pool_images(
    images: list[Image], texts: TextEmbeddings, arguments: Namespace
) -> Iterator[Samples]:
    import torch

    from ssr.alignment.samples import pool_image
    from ssr.backbones.devices import choose_device
    from ssr.backbones.last_block import load_last_block, patches_of_image

    device = choose_device(arguments.device)
    clip = load_last_block(arguments.backbone, device)
    features, cams = open_shards(arguments.features), open_shards(arguments.cams)
    backgrounds = torch.from_numpy(texts.backgrounds)
    for image in images:
        entering = torch.from_numpy(features.read(image.id, "tokens")).to(device)
        yield pool_image(
            image.id,
            patches_of_image(clip, entering).cpu(),
            cams.read(image.id, "cams"),
            image.labels,
            backgrounds,
            len(texts.classes),
            arguments.prototypes,
        )


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--prototypes", type=Prototypes.model_validate_json, required=True)
    flags.add_argument("--alignment", type=Alignment.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--text", type=existing, required=True)
    flags.add_argument("--features", type=existing, nargs="*", help="train; first round")
    flags.add_argument("--cams", type=existing, nargs="*", help="initial, train; first round")
    flags.add_argument(
        "--samples", type=existing, nargs="?", help="prototypes of a round before; later ones"
    )
    flags.add_argument(
        "--previous", type=existing, nargs="?", help="heads of the round before; later ones"
    )
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
