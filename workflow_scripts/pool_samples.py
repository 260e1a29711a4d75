"""Features and initial CAMs of a shard of train in; the samples that CMPA learns from out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.artefacts.store import open_shards
from ssr.config import Backbone, Prototypes
from ssr.data.index import Image, Index
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress
from workflow_scripts._train_patches import patch_reader

if TYPE_CHECKING:
    from ssr.alignment.samples import Samples
    from ssr.backbones.text import TextEmbeddings


def main(arguments: Namespace) -> None:
    """Pool the images that have a label."""
    from ssr.alignment.samples import Samples, concatenate
    from ssr.artefacts.arrays import save_arrays
    from ssr.backbones.text import TextEmbeddings

    texts = TextEmbeddings.read(arguments.text)
    images = [own for own in Index.read(arguments.index).shard(arguments.shard) if own.labels]
    pooled = progress(_pool(images, texts, arguments), len(images), "pooled features")
    none = Samples.none(texts.classes.shape[1])
    save_arrays(arguments.output, concatenate([none, *pooled]))


def _pool(
    images: Sequence[Image], texts: TextEmbeddings, arguments: Namespace
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
    flags.add_argument("--shard", required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--prototypes", type=Prototypes.model_validate_json, required=True)
    flags.add_argument("--features", type=existing, nargs="+", required=True)
    flags.add_argument("--cams", type=existing, nargs="+", required=True, help="initial")
    flags.add_argument("--text", type=existing, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
