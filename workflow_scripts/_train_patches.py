"""What the two programs of CMPA share: the patches of train images, and what is trained on them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from ssr.artefacts.store import open_shards
from ssr.config import Alignment, Prototypes
from ssr.data.index import Image, Index

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ssr.alignment.aligner import Aligner
    from ssr.alignment.patches import PatchSamples
    from ssr.alignment.prototypes import Vectors
    from ssr.alignment.samples import Samples


def labelled_images(arguments: Namespace) -> list[Image]:
    """The images of train that have a label."""
    return [image for image in Index.read(arguments.index).split("train") if image.labels]


def first_aligner(arguments: Namespace, samples: Samples, texts: Vectors) -> tuple[Aligner, int]:
    """What a round starts with, and its iterations so far."""
    import torch

    from ssr.alignment.trained import starting_aligner
    from ssr.backbones.last_block import load_last_block

    return starting_aligner(
        arguments.previous,
        arguments.alignment,
        samples,
        torch.from_numpy(texts),
        arguments.seed,
        lambda: load_last_block(arguments.backbone, "cpu"),
    )


def patch_reader(arguments: Namespace, device: torch.device | str) -> Callable[[str], Tensor]:
    """A function from an image's id to its projected patch tokens (N, D), float32 on the CPU."""
    import torch

    from ssr.backbones.last_block import load_last_block, patches_of_image

    clip, features = load_last_block(arguments.backbone, device), open_shards(arguments.features)

    def read(image: str) -> Tensor:
        entering = torch.from_numpy(features.read(image, "tokens")).to(device)
        return patches_of_image(clip, entering).cpu()

    return read


def entering_reader(arguments: Namespace, device: torch.device | str) -> Callable[[str], Tensor]:
    """A function from an image's id to what `Aligner.patches` takes of it."""
    import torch

    settings: Alignment = arguments.alignment
    if settings.trains == "heads":
        return patch_reader(arguments, device)
    features = open_shards(arguments.features)
    return lambda image: torch.from_numpy(features.read(image, "tokens")).float()


def pooled_behind(
    samples: Samples, settings: Prototypes, arguments: Namespace, device: torch.device | str
) -> PatchSamples:
    """The `samples` of a round, but pooled behind what is trained, under the initial CAMs."""
    import torch

    from ssr.alignment.patches import PatchSamples
    from ssr.alignment.samples import pooling_weights

    cams = open_shards(arguments.cams)

    def weights(image: str) -> Tensor:
        maps = pooling_weights(cams.read(image, "cams"), settings)
        return torch.from_numpy(maps).flatten(1)

    classes = {image.id: image.labels for image in labelled_images(arguments)}
    return PatchSamples.of(samples, classes, entering_reader(arguments, device), weights)
