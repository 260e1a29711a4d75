"""Image and text heads (ISA, TSA) that map CLIP's joint space into the aligned space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from ssr.alignment.aligner import Aligner, unit
from ssr.alignment.samples import Samples
from ssr.config import Alignment

Clip = TypeVar("Clip")


@dataclass(frozen=True)
class HeadOptions:
    """Shape of both heads.

    dimension: width D of CLIP's joint space; layers: Linear + BatchNorm + ReLU blocks; width: their
    output width, and d of the aligned space; residual: the head adds to its input and starts at
    zero, so that training begins exactly at CLIP (d is then D).
    """

    dimension: int
    layers: int = 2
    width: int = 512
    residual: bool = True
    temperature: float = 0.05


class AlignmentHead(nn.Module):
    """Linear + BatchNorm + ReLU blocks and a Linear, from (..., D) to unit vectors (..., d)."""

    def __init__(self, options: HeadOptions) -> None:
        super().__init__()
        widths = [options.dimension] + [options.width] * options.layers
        blocks: list[nn.Module] = []
        for before, after in pairwise(widths):
            blocks += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
        self.residual = options.residual
        last = nn.Linear(widths[-1], options.dimension if options.residual else options.width)
        if options.residual:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*blocks, last)

    def forward(self, features: Tensor, constant_length: bool = False) -> Tensor:
        """Aligned unit vectors (..., d) of joint-space features (..., D) of any length.

        `constant_length`: as for `unit`, before the layers and behind them.
        """
        entering = unit(features, constant_length)
        moved = self.layers(entering.flatten(0, -2)).unflatten(0, entering.shape[:-1])
        return unit(entering + moved if self.residual else moved, constant_length)


class AlignmentHeads(Aligner):
    """ISA (`image`), TSA (`text`) and tau; CLIP's last block stays as it is."""

    options: HeadOptions

    def __init__(self, options: HeadOptions) -> None:
        super().__init__(options)
        self.image = AlignmentHead(options)
        self.text = AlignmentHead(options)

    def through(self, clip: Clip) -> Clip:
        """The block of `clip`."""
        return clip

    def patches(self, entering: Sequence[Tensor]) -> list[Tensor]:
        """Unit vectors (N, d) of the projected patches (N, D) of each image.

        All at once: BatchNorm learns from a whole batch.
        """
        aligned: Tensor = self.image(torch.cat([*entering]))
        return [*aligned.split([len(each) for each in entering])]


def new_heads(options: HeadOptions, images: Tensor, texts: Tensor, seed: int) -> AlignmentHeads:
    """Seeded heads in evaluation mode, whose BatchNorm statistics are those of the data.

    Without the statistics, prototypes taken before the first round would lie in another space
    than the features that are trained towards them. images (S, D), texts (T, D).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = AlignmentHeads(options)
    norms = [m for m in heads.modules() if isinstance(m, nn.BatchNorm1d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        heads.image(images)
        heads.text(texts)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return heads.eval()


def starting_heads(
    settings: Alignment, samples: Samples, texts: Tensor, seed: int
) -> AlignmentHeads:
    """New heads as the `settings` have them, for these samples and texts (T, D)."""
    options = HeadOptions(
        dimension=texts.shape[1],
        layers=settings.layers,
        width=settings.width,
        residual=settings.residual,
        temperature=settings.temperature,
    )
    return new_heads(options, samples.entering(seed), texts, seed)
