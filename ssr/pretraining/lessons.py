"""What a step of pretraining is shown, whatever its source: procedural scenes or photographs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Sight:
    """Views with what is known of their n patches.

    pixels (B, 3, s, s) float in 0..1; places (B or 1, n, 2) as shares of the image; names (B, n)
    int64, the segment that each patch shows, -1 where it shows none: the same number in two images
    need not mean the same.
    """

    pixels: Tensor
    places: Tensor
    names: Tensor


@dataclass(frozen=True)
class ClipLesson:
    """Views with their captions.

    pixels and places as in `Sight`; captions, one a view; matches (B, B), 1 where the caption of
    the column is true of the row's view; prompts, one for each of P names; kept (B, k), the patches
    that attention sees; name_patches, from logits (B, k, P) of those against the prompts to the
    name that each shows, (B, k) int64, -1 where that isn't known.
    """

    pixels: Tensor
    places: Tensor
    captions: Sequence[str]
    matches: Tensor
    prompts: Sequence[str]
    kept: Tensor
    name_patches: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Chance:
    """The randomness of one step, a function of (seed, purpose, step) alone."""

    numpy: np.random.Generator
    torch: torch.Generator

    @classmethod
    def of(cls, *key: int) -> "Chance":
        """Fresh generators for a key."""
        drawn = np.random.default_rng(key)
        return cls(drawn, torch.Generator().manual_seed(int(drawn.integers(1 << 62))))


class ClipLessons(Protocol):
    """A source of lessons for CLIP."""

    @property
    def sentences(self) -> Sequence[str]:
        """Texts that together hold every token of a caption or prompt."""

    def draw(self, step: int, chance: Chance) -> ClipLesson:
        """The lesson of a step."""


class DinoLessons(Protocol):
    """A source of lessons for DINO."""

    def draw(self, step: int, chance: Chance) -> tuple[Sight, Sight]:
        """Two sights of the same images with the same segments: the student's, the teacher's."""
