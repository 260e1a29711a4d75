"""What CMPA trains, whatever it is: the way of patches and texts into the aligned space."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from open_clip.model import CLIP

    from ssr.backbones.last_block import LastBlock


def unit(features: Tensor, constant_length: bool = False) -> Tensor:
    """Unit vectors (..., D) of features (..., D); zeros stay zero.

    `constant_length`: differentiated as if the lengths that they are divided by were constants.
    """
    if constant_length:
        lengths = features.norm(dim=-1, keepdim=True).detach()
        return features / lengths.clamp(min=torch.finfo(lengths.dtype).tiny)
    return F.normalize(features, dim=-1)


class Options(Protocol):
    """What an aligner is made of: a dataclass of JSON-able fields."""

    @property
    def temperature(self) -> float:
        """Tau at the start."""


class Aligner(nn.Module, ABC):
    """Maps patches and texts into the aligned space; holds the learnable temperature tau.

    D is the width of CLIP's joint space, d that of the aligned space. `image`: from patches
    (..., D) that come `through` its block to aligned unit vectors (..., d); with a second argument
    True differentiated with constant lengths, as for `unit`. `text`: from unit texts (T, D) to
    aligned unit vectors (T, d).
    """

    image: Callable[..., Tensor]
    text: Callable[..., Tensor]

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.log_temperature = nn.Parameter(torch.tensor(math.log(options.temperature)))

    @abstractmethod
    def through(self, clip: CLIP | LastBlock) -> CLIP | LastBlock:
        """The last block that patches come from: that of the frozen `clip`, or its own."""

    @abstractmethod
    def patches(self, entering: Sequence[Tensor]) -> list[Tensor]:
        """Aligned unit vectors (N, d) of the patches of each image, on the CPU.

        entering: what the image is in front of all that is trained, float32 on the CPU: heads are
        fed projected patches (N, D), the last block the tokens (N+1, W) that enter it.
        """

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.log_temperature.device

    @property
    def temperature(self) -> Tensor:
        """Tau, a positive scalar; kept above 0.01 as CLIP keeps its own."""
        return _bounded(self.log_temperature)

    @property
    def sharpening(self) -> Tensor:
        """By how much tau has been learned to be smaller: exactly 1 at the start."""
        return _bounded(torch.tensor(math.log(self.options.temperature))) / self.temperature


def _bounded(log_temperature: Tensor) -> Tensor:
    return log_temperature.exp().clamp(min=0.01)
