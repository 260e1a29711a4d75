"""Features, CAMs and texts in; samples, prototypes and pseudo-labels of a round out.

The first round pools the samples; a later one takes them from the prototypes of a round before.
With `prototypes.pooling: after`, what is clustered are aligned patches, pooled; they are always
where CLIP's last block is trained.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.artefacts.store import open_shards
from ssr.config import Alignment, Backbone, Prototypes
from ssr.data.index import Image
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress
from workflow_scripts._train_patches import (
    first_aligner,
    labelled_images,
    patch_reader,
    pooled_behind,
)

if TYPE_CHECKING:
    from ssr.alignment.samples import Samples
    from ssr.backbones.text import TextEmbeddings


def main(arguments: Namespace) -> None:
    """Cluster the samples as the round before has aligned them."""
    import numpy as np

    from ssr.alignment.prototypes import make_prototypes
    from ssr.alignment.samples import Samples
    from ssr.artefacts.arrays import load_arrays, save_arrays
    from ssr.backbones.devices import choose_device
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
    seen, device = samples, choose_device(arguments.device)
    if arguments.prototypes.pooling == "after":
        seen = pooled_behind(samples, arguments.prototypes, arguments, device)
    aligner, _ = first_aligner(arguments, seen, texts)
    if arguments.alignment.trains == "last_block":
        aligner.to(device)
    clusters = arguments.prototypes.clusters or classes
    prototypes = make_prototypes(aligner, seen, texts, classes, clusters, arguments.seed)
    print(f"{len(samples.labels)} samples, {clusters} clusters of purity {prototypes.purity:.3f}")
    save_arrays(arguments.output, samples, prototypes)


def _pool(texts: TextEmbeddings, arguments: Namespace) -> Samples:
    from ssr.alignment.samples import concatenate

    images = labelled_images(arguments)
    pooled = progress(_pool_images(images, texts, arguments), len(images), "pooled features")
    return concatenate(list(pooled))


def _pool_images(
    images: list[Image], texts: TextEmbeddings, arguments: Namespace
) -> Iterator[Samples]:
    import torch

    from ssr.alignment.samples import pool_image
    from ssr.backbones.devices import choose_device

    patches = patch_reader(arguments, choose_device(arguments.device))
    cams = open_shards(arguments.cams)
    backgrounds = torch.from_numpy(texts.backgrounds)
    for image in images:
        yield pool_image(
            image.id,
            patches(image.id),
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
    flags.add_argument(
        "--features", type=existing, nargs="*", help="train; first round, or pooling after"
    )
    flags.add_argument("--cams", type=existing, nargs="*", help="initial, train; as features")
    flags.add_argument(
        "--samples", type=existing, nargs="?", help="prototypes of a round before; later ones"
    )
    flags.add_argument(
        "--previous", type=existing, nargs="?", help="heads of the round before; later ones"
    )
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
