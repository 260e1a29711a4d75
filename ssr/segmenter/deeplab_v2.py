"""The head of DeepLabV2 (Chen et al., 2018), which mmsegmentation lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ssr.segmenter.mmseg_import import MODELS, BaseDecodeHead


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Atrous spatial pyramid pooling: the sum of 3×3 classifiers of different dilations.

    Args:
        dilations: of the classifiers.
        options: of mmsegmentation's decode heads.
    """

    def __init__(self, dilations: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self.conv_seg = nn.ModuleList(
            nn.Conv2d(self.in_channels, self.out_channels, 3, padding=step, dilation=step)
            for step in dilations
        )

    def cls_seg(self, features: Tensor) -> Tensor:
        """Logits (B, C+1, h, w) of features (B, in_channels, h, w)."""
        if self.dropout is not None:
            features = self.dropout(features)
        return torch.stack([classify(features) for classify in self.conv_seg]).sum(0)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, C+1, h, w) of the maps of the backbone."""
        return self.cls_seg(self._transform_inputs(inputs))
