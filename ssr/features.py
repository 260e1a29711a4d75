"""Frozen features: one pass per image through CLIP and DINO, and CLIP's last block run again.

Everything behind (any CAM, any affinity, any prototype) is computed from what one pass stores:
the tokens that enter CLIP's last block, averaged attention maps, and DINO's patch features. Shapes:
B images, N = h*w patches in row-major order, W token width, D joint image-text width. Backbones
are open_clip's CLIP and timm's VisionTransformer as loaded by `ssr.backbones`.
"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from open_clip.transformer import ResidualAttentionBlock
from open_clip.transformer import VisionTransformer as ClipVision
from timm.models.vision_transformer import Attention, Block, VisionTransformer
from torch import Tensor, nn

Grid = tuple[int, int]
_position_grids: WeakKeyDictionary[nn.Module, dict[object, Tensor]] = WeakKeyDictionary()


class ClipFeatures(NamedTuple):
    """What one pass through CLIP keeps, float32."""

    tokens: Tensor
    """(B, N+1, W) entering the last block, class token first."""
    attention: Tensor
    """(B, N, N) patch-to-patch attention, mean over heads and blocks; rows sum to less than 1."""
    class_token: Tensor
    """(B, D) projected class token of the last block, L2-normalised."""


class DinoFeatures(NamedTuple):
    """What one pass through DINO keeps, float32."""

    patches: Tensor
    """(B, N, W) normalised patch tokens of the last block."""
    attention: Tensor
    """(B, N, N) patch-to-patch attention, mean over heads and blocks; rows sum to less than 1."""


def clip_positions(visual: ClipVision, grid: Grid) -> Tensor:
    """Position embeddings of a (h, w) patch grid, (N+1, W) float32, class token first.

    Bicubic with antialiasing, as open_clip resizes a checkpoint's. Computed once per grid shape
    while they are frozen.
    """
    table = visual.positional_embedding
    if table.requires_grad:
        return _interpolate_positions(table, visual.grid_size, grid)
    cache = _position_grids.setdefault(visual, {})
    key = (grid, table.device, table._version)  # weights that are loaded later change the version
    if key not in cache:
        cache[key] = _interpolate_positions(table, visual.grid_size, grid)
    return cache[key]


def _interpolate_positions(table: Tensor, own: Grid, grid: Grid) -> Tensor:
    first, patches = table[:1].float(), table[1:].float()
    if own == grid:
        return table.float()
    image = patches.T.reshape(1, -1, *own)  # (1, W, h, w)
    image = F.interpolate(image, size=grid, mode="bicubic", align_corners=False, antialias=True)
    return torch.cat([first, image.flatten(2)[0].T])


def embed_clip(clip: CLIP, pixels: Tensor) -> Tensor:
    """Tokens entering CLIP's first block, (B, N+1, W), of normalised pixels (B, 3, H, W).

    H and W are multiples of the patch size; any patch grid is allowed.
    """
    visual = clip.visual
    patches = visual.conv1(pixels)  # (B, W, h, w)
    first = visual.class_embedding.expand(len(pixels), 1, -1)
    tokens = torch.cat([first, patches.flatten(2).mT], dim=1)
    grid = (patches.shape[2], patches.shape[3])
    return visual.ln_pre(tokens + clip_positions(visual, grid))


def last_block_activation(clip: CLIP, residual: Tensor) -> Tensor:
    """A = ln_1(X), the input of CLIP's last attention and the activation of Grad-CAM.

    `residual` X and the result are (B, N+1, W), class token first.
    """
    return clip.visual.transformer.resblocks[-1].ln_1(residual)


def last_block_patch_tokens(clip: CLIP, residual: Tensor, activation: Tensor) -> Tensor:
    """Projected patch tokens (B, N, D) of CLIP's last block, not L2-normalised.

    `residual` is X, the stored tokens entering the block, `activation` is A = ln_1(X) (from
    `last_block_activation`, or a detached copy that requires gradients); both (B, N+1, W) float32.
    Differentiable with respect to the activation, which feeds queries, keys and values. The
    projection is linear, so the mean over patches may be taken before or after it.
    """
    tokens = _finish_clip_block(clip, residual, activation)
    return tokens[:, 1:] @ clip.visual.proj


def _finish_clip_block(clip: CLIP, residual: Tensor, activation: Tensor) -> Tensor:
    block = clip.visual.transformer.resblocks[-1]
    tokens = residual + block.ls_1(block.attention(activation))
    tokens = tokens + block.ls_2(block.mlp(block.ln_2(tokens)))
    return clip.visual.ln_post(tokens)
