"""CLIP as an mmsegmentation backbone that nothing can change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from mmengine.model import BaseModule
from torch import Tensor

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
        blocks: indices of the blocks from 0; None means all but the last one, whose patch tokens
            CLIP's training never looked at (WeCLIP).
    """

    def __init__(self, clip: dict[str, Any], blocks: Sequence[int] | None = None) -> None:
        super().__init__()
        network = load_clip(Backbone(**clip), "cpu")
        self._outside = (network,)
        depth = len(network.visual.transformer.resblocks)
        self.blocks = tuple(range(depth - 1) if blocks is None else blocks)
        if not self.blocks or not set(self.blocks) <= set(range(depth)):
            raise InputError(
                f"segmenter.blocks: allowed are 0 to {depth - 1} for {clip['model']}; "
                f"came {list(self.blocks)}"
            )
        self.width: int = network.visual.conv1.out_channels
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
        """One (B, width, h, w) map per block, of normalised pixels (B, 3, h * patch, w * patch)."""
        network = self._outside[0]
        height, width = (side // self.patch for side in pixels.shape[2:])
        tokens = embed_clip(network, pixels)
        maps: dict[int, Tensor] = {}
        for index, block in enumerate(network.visual.transformer.resblocks[: max(self.blocks) + 1]):
            tokens = block(tokens)
            if index in self.blocks:
                maps[index] = tokens[:, 1:].mT.unflatten(2, (height, width))
        return tuple(maps[index] for index in self.blocks)
