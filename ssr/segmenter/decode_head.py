"""The light decoder on frozen features and its loss (WeCLIP), and what CLIP says by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssr.alignment.heads import AlignmentHeads, HeadOptions
from ssr.backbones.text import TextEmbeddings
from ssr.segmenter.mmseg_import import MODELS, BaseDecodeHead


@MODELS.register_module()
class ForegroundBackgroundLoss(nn.Module):
    """Cross-entropy averaged over the background and over the foreground pixels separately.

    The mean of the two, so that a small object weighs as much as its large background. A part
    without a pixel counts as zero.
    """

    loss_name = "loss_seg"

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
    ) -> Tensor:
        """Scalar loss of logits (B, C+1, H, W) and labels (B, H, W) int64.

        Pixels of `ignore_index` are left out. `weight` is the place of mmsegmentation's pixel
        samplers, which are not used.
        """
        per_pixel = F.cross_entropy(
            logits.float(), labels, ignore_index=ignore_index, reduction="none"
        )
        background = labels == 0
        foreground = ~background & (labels != ignore_index)
        return (_masked_mean(per_pixel, background) + _masked_mean(per_pixel, foreground)) / 2


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)


class PatchText(nn.Module):
    """CLIP's own opinion of each patch: how its texts share the patch among them.

    Args:
        classes: C.
        texts: rows of the embeddings that `fill` takes, classes and backgrounds.
        width: D, of the joint space.
    """

    def __init__(self, classes: int, texts: int, width: int) -> None:
        super().__init__()
        self.classes = classes
        self.texts: Tensor
        self.scale: Tensor
        self.register_buffer("texts", torch.zeros(texts, width))
        self.register_buffer("scale", torch.ones(()))

    def fill(self, texts: TextEmbeddings) -> None:
        """Take the embeddings; weights that are loaded bring them along."""
        self.texts.copy_(torch.from_numpy(np.concatenate([texts.classes, texts.backgrounds])))
        self.scale.fill_(float(texts.logit_scale))

    def forward(self, patches: Tensor) -> Tensor:
        """Log-probabilities (B, C+1, h, w) float32 of patches (B, D, h, w) of any length.

        The first is that of all backgrounds together. In mixed precision, too: a scale of 100 would
        make the rounding of cosines one of whole logits.
        """
        with torch.autocast(patches.device.type, enabled=False):
            logits = self._logits(patches.float())
        background = logits[:, self.classes :].logsumexp(1, keepdim=True)
        return torch.cat([background, logits[:, : self.classes]], 1).log_softmax(1)

    def _logits(self, patches: Tensor) -> Tensor:
        """How well each text fits each patch: (B, T, h, w) of (B, D, h, w)."""
        directions = F.normalize(patches, dim=1)
        return self.scale * torch.einsum("td,bdhw->bthw", self.texts, directions)


class AlignedPatchText(PatchText):
    """The same through heads of CMPA, which learn from the segmenter's loss in joint training.

    Their batch normalisation is in evaluation mode: its statistics are those of CMPA's samples.

    Args:
        classes, texts, width: as for `PatchText`.
        heads: the fields of `HeadOptions`.
    """

    def __init__(self, classes: int, texts: int, width: int, heads: Mapping[str, Any]) -> None:
        super().__init__(classes, texts, width)
        self.heads = AlignmentHeads(HeadOptions(**heads))

    def train(self, mode: bool = True) -> Self:
        """Leave the heads in evaluation mode."""
        super().train(mode)
        self.heads.eval()
        return self

    def _logits(self, patches: Tensor) -> Tensor:
        aligned = self.heads.image(patches.movedim(1, -1)) @ self.heads.text(self.texts).T
        return self.scale * self.heads.sharpening * aligned.movedim(-1, 1)


@MODELS.register_module()
class TransformerFusionHead(BaseDecodeHead):
    """Feature maps of many blocks, fused, then a small transformer, then logits on the patch grid.

    Each patch of each map goes through Linear-ReLU-Linear; all maps are concatenated, fused by a
    linear layer (a 1x1 convolution) and dropped out by channel; pre-norm transformer blocks and a
    1x1 convolution to the classes follow.

    With `texts`, the last map that comes in holds patches in the joint space. What CLIP says of
    them (`PatchText`), with `aligned` through heads of CMPA, takes its place, and the decoder
    learns what to add to it.

    Args:
        in_channels: width of each feature map.
        channels: width of the decoder.
        layers: transformer blocks.
        heads: attention heads of each.
        texts: arguments `texts` and `width` of `PatchText`; None: without.
        aligned: argument `heads` of `AlignedPatchText`; None: CLIP as it is.
        **options: of mmsegmentation's BaseDecodeHead.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int,
        layers: int,
        heads: int,
        texts: tuple[int, int] | None = None,
        aligned: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            list(in_channels),
            channels,
            in_index=list(range(len(in_channels))),
            input_transform="multiple_select",
            **options,
        )
        self.projections = nn.ModuleList(_projection(width, channels) for width in in_channels)
        self.fusion = nn.Linear(channels * len(in_channels), channels)
        self.transformer = nn.Sequential(*(_block(channels, heads) for _ in range(layers)))
        self.patch_text: PatchText | None = None
        if texts and aligned:
            self.patch_text = AlignedPatchText(self.num_classes - 1, *texts, aligned)
        elif texts:
            self.patch_text = PatchText(self.num_classes - 1, *texts)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, C+1, h, w) of feature maps (B, W, h, w)."""
        if self.patch_text is None:
            return self._decode(inputs)
        *maps, joint = inputs
        said = self.patch_text(joint)
        return said + self._decode([*maps, said])

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list[Any]) -> dict[str, Tensor]:
        """The loss of logits (B, C+1, h, w) by its name.

        The library's own method also counts right pixels, 3 % of a step, which nobody reads.
        """
        labels = self._stack_batch_gt(batch_data_samples)  # (B, 1, H, W)
        logits = F.interpolate(
            seg_logits, labels.shape[2:], mode="bilinear", align_corners=self.align_corners
        )
        loss = self.loss_decode(logits, labels[:, 0], ignore_index=self.ignore_index)
        return {self.loss_decode.loss_name: loss}

    def _decode(self, inputs: Sequence[Tensor]) -> Tensor:
        grid = inputs[0].shape[2:]
        pairs = zip(self.projections, self._transform_inputs(inputs), strict=True)
        tokens = [project(features.flatten(2).mT) for project, features in pairs]
        fused = self.fusion(torch.cat(tokens, dim=2)).mT.unflatten(2, grid)  # (B, channels, h, w)
        if self.dropout is not None:
            fused = self.dropout(fused)
        decoded = self.transformer(fused.flatten(2).mT)  # (B, h*w, channels)
        return self.conv_seg(decoded.mT.unflatten(2, grid))


def _projection(width: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, channels), nn.ReLU(), nn.Linear(channels, channels))


def _block(channels: int, heads: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        channels,
        heads,
        dim_feedforward=4 * channels,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
