"""CLIP's last block, fine-tuned by CMPA itself (`alignment.trains: last_block`); no heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from ssr.alignment.aligner import Aligner, unit
from ssr.backbones.last_block import LastBlock, patches_of_image

if TYPE_CHECKING:
    from open_clip.model import CLIP


@dataclass(frozen=True)
class BlockOptions:
    """config: open_clip's description of the CLIP whose last block it is."""

    config: Mapping[str, Any]
    temperature: float = 0.05


class TunedBlock(Aligner):
    """The last block with ln_post and projection, and tau.

    The aligned space is CLIP's own, in which texts stay where they are and patches move.
    """

    options: BlockOptions

    def __init__(self, options: BlockOptions) -> None:
        super().__init__(options)
        self.block = LastBlock(options.config)
        self.image, self.text = _Unit(), nn.Identity()

    @classmethod
    def of(cls, block: LastBlock, temperature: float) -> TunedBlock:
        """With the weights of `block`, which is trained in place: it starts exactly at CLIP."""
        tuned = cls(BlockOptions(block.config, temperature))
        tuned.block = block
        return tuned.eval()

    def through(self, clip: CLIP | LastBlock) -> LastBlock:
        """The tuned block."""
        return self.block

    def patches(self, entering: Sequence[Tensor]) -> list[Tensor]:
        """Unit vectors (N, D) of the patches of each image, of the tokens (N+1, W) entering it."""
        entered = (tokens.to(self.device) for tokens in entering)
        return [unit(patches_of_image(self.block, tokens)).cpu() for tokens in entered]


class _Unit(nn.Module):
    def forward(self, features: Tensor, constant_length: bool = False) -> Tensor:
        return unit(features, constant_length)
