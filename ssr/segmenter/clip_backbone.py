"""CLIP as an mmsegmentation backbone that nothing can change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ssr.backbones.blocks import through_block
from ssr.backbones.features import embed_clip
from ssr.backbones.networks import load_clip, pixel_statistics
from ssr.config import Backbone
from ssr.errors import InputError
from ssr.segmenter.mmseg_import import MODELS


@MODELS.register_module()
class FrozenCLIP(BaseModule):
    """Patch tokens of CLIP's blocks as feature maps, without gradients.

    CLIP lies outside the module tree: neither an optimiser, a state dict nor `train()` reaches it.

    Args:
        clip: the fields of `ssr.config.Backbone`.
        blocks: indices of the blocks from 0. WeCLIP leaves out the last one, whose patch tokens
            CLIP's training never looked at.
        joint_space: whether the patches that CLIP compares with texts are one more, last map.
    """

    def __init__(
        self,
        clip: dict[str, Any],
        blocks: Literal["all", "all_but_last"] | Sequence[int] = "all",
        joint_space: bool = False,
    ) -> None:
        super().__init__()
        network = load_clip(Backbone(**clip), "cpu")
        self._outside = (network,)
        depth = len(network.visual.transformer.resblocks)
        named = {"all": range(depth), "all_but_last": range(depth - 1)}
        self.blocks = tuple(named[blocks] if isinstance(blocks, str) else blocks)
        if not self.blocks or not set(self.blocks) <= set(range(depth)):
            raise InputError(
                f"segmenter.blocks: allowed are 0 to {depth - 1} for {clip['model']}; "
                f"came {list(self.blocks)}"
            )
        self.joint_space = joint_space
        self.width: int
        self.joint_width: int
        self.width, self.joint_width = network.visual.proj.shape
        self.patch: int = network.visual.patch_size[0]
        self.mean, self.deviation = pixel_statistics(network)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Let CLIP follow `.to(device)`."""
        self._outside[0]._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def init_weights(self) -> None:
        """Nothing to initialise: the weights are loaded."""

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """One (B, width, h, w) map per block, of normalised pixels (B, 3, h * patch, w * patch).

        The map in the joint space, if it is asked for, comes last and is (B, joint_width, h, w).
        """
        visual = self._outside[0].visual
        grid = tuple(side // self.patch for side in pixels.shape[2:])
        tokens = [embed_clip(self._outside[0], pixels)]
        blocks = visual.transformer.resblocks
        last = len(blocks) if self.joint_space else max(self.blocks) + 1
        for block in blocks[:last]:
            tokens.append(through_block(block, tokens[-1]))
        maps = [tokens[index + 1][:, 1:] for index in self.blocks]
        if self.joint_space:
            maps.append(visual.ln_post(tokens[-1][:, 1:]) @ visual.proj)
        return tuple(each.mT.unflatten(2, grid) for each in maps)
