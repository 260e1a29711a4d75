"""CLIP's last block, all that stages behind the stored tokens need of CLIP.

Read from a local file of weights in torch alone: importing open_clip and timm takes longer than
the CAMs of a shard of small images. Shapes: B images, N patches, W token width, D joint width.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ssr.backbones.blocks import through_block
from ssr.backbones.weights import fit, read_weights
from ssr.config.architectures import clip_architecture, clip_config, names_file

if TYPE_CHECKING:
    from open_clip.model import CLIP

    from ssr.backbones.networks import BackboneSettings


# All that a last block is made from, of open_clip's description of a CLIP.
_DESCRIBED = ("embed_dim", "quick_gelu", "vision_cfg")


class LastBlock(nn.Module):
    """A CLIP of which the last block, and what follows it, is there; with open_clip's names."""

    visual: Any

    def __init__(self, config: Mapping[str, Any]) -> None:
        """From open_clip's description of the CLIP, with weights that mean nothing yet."""
        super().__init__()
        self.config = {name: config[name] for name in _DESCRIBED if name in config}
        vision, width = config["vision_cfg"], config["vision_cfg"].get("width", 768)
        self.visual = nn.Module()
        self.visual.transformer = nn.Module()
        block = _Block(vision, width, bool(config.get("quick_gelu")))
        self.visual.transformer.resblocks = nn.ModuleList([block])
        self.visual.ln_post = _norm(vision, width)
        self.visual.proj = nn.Parameter(torch.empty(width, config["embed_dim"]))


class _Block(nn.Module):
    """open_clip's ResidualAttentionBlock."""

    def __init__(self, vision: Mapping[str, Any], width: int, quick_gelu: bool) -> None:
        super().__init__()
        hidden, scale = int(width * vision.get("mlp_ratio", 4.0)), vision.get("ls_init_value")
        heads = width // vision.get("head_width", 64)
        activation = _QuickGELU if quick_gelu else nn.GELU
        self.ln_1, self.ln_2 = _norm(vision, width), _norm(vision, width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ls_1, self.ls_2 = (
            nn.Identity() if scale is None else _LayerScale(width) for _ in range(2)
        )
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, hidden))
        self.mlp.add_module("gelu", activation(**(vision.get("act_kwargs") or {})))
        self.mlp.add_module("c_proj", nn.Linear(hidden, width))


class _QuickGELU(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values * torch.sigmoid(1.702 * values)


class _LayerScale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.gamma


def _norm(vision: Mapping[str, Any], width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, **(vision.get("norm_kwargs") or {}))


def load_last_block(settings: BackboneSettings, device: torch.device | str) -> LastBlock:
    """CLIP's last block, frozen; the whole CLIP is read where its weights are no local file.

    Raises:
        InputError: as for `ssr.backbones.networks.load_clip`.
    """
    last = f"visual.transformer.resblocks.{clip_architecture(settings.model).depth - 1}."
    config, weights = _read(settings)
    block = LastBlock(config).requires_grad_(False).eval()
    renamed = {
        name.replace(last, "visual.transformer.resblocks.0."): value
        for name, value in weights.items()
        if name.startswith((last, "visual.ln_post.")) or name == "visual.proj"
    }
    fit(block, renamed, Path(settings.weights))
    return block.to(device)


def _read(settings: BackboneSettings) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
    """open_clip's description of the CLIP, and its weights."""
    if names_file(settings.weights):
        return clip_config(settings.model), read_weights(settings.weights, settings.sha256)
    from ssr.backbones.networks import described_clip, load_clip

    return described_clip(settings), load_clip(settings, "cpu").state_dict()


def patches_of_image(clip: CLIP | LastBlock, residual: Tensor) -> Tensor:
    """Projected patch tokens (N, D) float32 of one image, not L2-normalised.

    `residual`: X, its tokens (N+1, W) entering the block, class token first, of any dtype.
    Differentiable with respect to the weights of a block that is not frozen.
    """
    with torch.autocast(residual.device.type, enabled=False):
        tokens = through_block(clip.visual.transformer.resblocks[-1], residual.float()[None])
        patches: Tensor = clip.visual.ln_post(tokens[0, 1:]) @ clip.visual.proj
        return patches
