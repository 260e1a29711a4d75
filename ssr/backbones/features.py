"""Frozen features: one pass per image through CLIP and DINO.

Everything behind (any CAM, any affinity, any prototype) is computed from what one pass stores:
the tokens that enter CLIP's last block, averaged attention maps, and DINO's patch features. Shapes:
B images, N = h*w patches in row-major order, W token width, D joint image-text width. Backbones
are as loaded by `ssr.backbones.networks`; where DINO has another patch than CLIP, what it gives is
brought to CLIP's grid by area.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ssr.backbones.blocks import through_block, through_block_with_attention
from ssr.backbones.grids import (
    Grid,
    interpolate_smoothly,
    mean_over_cells,
    resample_attention,
)
from ssr.backbones.libraries import CLIP, ClipVision
from ssr.backbones.networks import Dino, normalise_pixels, pixel_statistics
from ssr.data.images import patch_grid, resize
from ssr.data.index import Image
from ssr.errors import InputError

# More images at once make no GPU faster, but pin more of the processor's memory.
MOST_AT_ONCE = 16
# Share of the free memory that a batch may fill.
USED_MEMORY = 0.5
# Of the tokens: as many floats as a block holds for each at a time, in widths.
WIDTHS = 10
Positions = Literal["bicubic", "bilinear"]
_position_grids: WeakKeyDictionary[nn.Module, dict[object, Tensor]] = WeakKeyDictionary()


class FeatureSettings(Protocol):
    """How many last blocks each mean attention takes, and in which precision networks compute."""

    @property
    def clip_attention_blocks(self) -> int:
        """Of CLIP."""

    @property
    def dino_attention_blocks(self) -> int:
        """Of DINO."""

    @property
    def precision(self) -> str:
        """float32, or float16 where torch's autocast allows it."""

    @property
    def positions(self) -> Positions:
        """How CLIP's positions come to another grid."""


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
    """(B, N, W) normalised patch tokens of the last block, on DINO's own grid."""
    attention: Tensor
    """(B, N, N) patch-to-patch attention, mean over heads and blocks; rows sum to less than 1."""


def clip_positions(visual: ClipVision, grid: Grid, mode: Positions = "bicubic") -> Tensor:
    """Position embeddings of a (h, w) patch grid, (N+1, W) float32, class token first.

    Bicubic with antialiasing, as open_clip resizes a checkpoint's; or bilinear without, and rounded
    to float16 on any grid, as CLIP-ES has them. Computed once per grid shape while they are frozen.
    """
    table = visual.positional_embedding
    if table.requires_grad:
        return _interpolate_positions(table, visual.grid_size, grid, mode)
    cache = _position_grids.setdefault(visual, {})
    # Weights that are loaded later change the version.
    key = (grid, mode, table.device, table._version)
    if key not in cache:
        cache[key] = _interpolate_positions(table, visual.grid_size, grid, mode)
    return cache[key]


def _interpolate_positions(table: Tensor, own: Grid, grid: Grid, mode: Positions) -> Tensor:
    first, patches = table[:1].float(), table[1:].float()
    image = patches.T.reshape(1, -1, *own)  # (1, W, h, w)
    if own != grid:
        image = (
            interpolate_smoothly(image, grid, mode)
            if mode == "bicubic"
            else F.interpolate(image, size=grid, mode=mode, align_corners=False)
        )
    positions = torch.cat([first, image.flatten(2)[0].T])
    return positions if mode == "bicubic" else positions.half().float()


def embed_clip(clip: CLIP, pixels: Tensor, positions: Positions = "bicubic") -> Tensor:
    """Tokens entering CLIP's first block, (B, N+1, W), of normalised pixels (B, 3, H, W).

    H and W are multiples of the patch size; any patch grid is allowed.
    """
    visual = clip.visual
    patches = visual.conv1(pixels)  # (B, W, h, w)
    first = visual.class_embedding.expand(len(pixels), 1, -1)
    tokens = torch.cat([first, patches.flatten(2).mT], dim=1)
    grid = (patches.shape[2], patches.shape[3])
    return visual.ln_pre(tokens + clip_positions(visual, grid, positions))


@torch.no_grad()
def clip_features(
    clip: CLIP, pixels: Tensor, attention_blocks: int, positions: Positions = "bicubic"
) -> ClipFeatures:
    """One pass through CLIP for normalised pixels (B, 3, H, W), H and W multiples of the patch.

    `attention_blocks` counts from the last block, whose own attention is part of the mean, as in
    CLIP-ES; `positions` is that of `clip_positions`.
    """
    blocks = clip.visual.transformer.resblocks
    early = _blocks_before(attention_blocks, len(blocks), "clip_attention_blocks")
    tokens = embed_clip(clip, pixels, positions)
    for block in blocks[:early]:
        tokens = through_block(block, tokens)
    maps = []
    for block in blocks[early:-1]:
        tokens, weights = through_block_with_attention(block, tokens)
        maps.append(weights)
    first, weights = through_block_with_attention(blocks[-1], tokens, kept=1)
    class_token = clip.visual.ln_post(first[:, 0]) @ clip.visual.proj
    attention = torch.stack([*maps, weights]).mean(0)[:, 1:, 1:]
    return ClipFeatures(tokens, attention, F.normalize(class_token, dim=-1))


@torch.no_grad()
def dino_features(dino: Dino, pixels: Tensor, attention_blocks: int) -> DinoFeatures:
    """One pass through DINO for normalised pixels (B, 3, H, W), H and W multiples of the patch.

    timm interpolates the position embeddings itself, bicubic in float32. Class and register tokens
    take part in the attention and are left out of the results.
    """
    early = _blocks_before(attention_blocks, len(dino.blocks), "dino_attention_blocks")
    with _recorded([block.attn for block in dino.blocks[early:]]) as maps:
        tokens = dino.forward_features(pixels)
    first = dino.num_prefix_tokens
    attention = torch.stack(maps).mean(0)[:, first:, first:]
    return DinoFeatures(tokens[:, first:], attention)


@contextmanager
def _recorded(attentions: Sequence[Any]) -> Iterator[list[Tensor]]:
    """Collect the head means (B, L, L) of timm's attentions while they run.

    The fused kernel keeps no weights, so it is set aside; the dropout behind the softmax, which
    does nothing here, is where timm lets one see them.
    """
    maps: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Tensor], weights: Tensor) -> None:
        maps.append(weights.mean(1))

    fused = [attention.fused_attn for attention in attentions]
    hooks = [attention.attn_drop.register_forward_hook(keep) for attention in attentions]
    try:
        for attention in attentions:
            attention.fused_attn = False
        yield maps
    finally:
        for attention, setting, hook in zip(attentions, fused, hooks, strict=True):
            attention.fused_attn = setting
            hook.remove()


def _blocks_before(attention_blocks: int, depth: int, name: str) -> int:
    if not 1 <= attention_blocks <= depth:
        raise InputError(f"features.{name}: allowed 1 to {depth} (blocks); came {attention_blocks}")
    return depth - attention_blocks


def extract(
    clip: CLIP,
    dino: Dino,
    images: Sequence[NDArray[np.uint8]],
    settings: FeatureSettings,
) -> list[dict[str, NDArray[Any]]]:
    """The stored arrays of images of one size, one dictionary per image.

    `images` are RGB (H, W, 3), sides multiples of CLIP's patch. In float16, on CLIP's grid: tokens
    (N+1, W), clip_attention (N, N), dino_attention (N, N), class_token (D,), dino_patches (N, Wd);
    and grid, (h, w) int32.

    Raises:
        InputError: a feature is not finite in float16 (broken weights).
    """
    patch = clip.visual.patch_size[0]
    height, width = images[0].shape[:2]
    grid = (height // patch, width // patch)
    device = clip.logit_scale.device
    with torch.autocast(device.type, torch.float16, enabled=settings.precision == "float16"):
        to_clip = _batch(images, clip, device)
        of_clip = clip_features(clip, to_clip, settings.clip_attention_blocks, settings.positions)
        of_dino = _dino_on_grid(dino, images, grid, settings.dino_attention_blocks)
    stored = {
        "tokens": of_clip.tokens,
        "clip_attention": of_clip.attention,
        "dino_attention": of_dino.attention,
        "class_token": of_clip.class_token,
        "dino_patches": of_dino.patches,
    }
    halves = {name: _half(name, values) for name, values in stored.items()}
    return [
        {name: values[index] for name, values in halves.items()}
        | {"grid": np.array(grid, np.int32)}
        for index in range(len(images))
    ]


def _dino_on_grid(
    dino: Dino, images: Sequence[NDArray[np.uint8]], grid: Grid, attention_blocks: int
) -> DinoFeatures:
    """DINO's features on CLIP's grid.

    DINO sees the images at about their size: with sides rounded to whole patches of its own.
    """
    patch = dino.patch_embed.patch_size[0]
    rows, columns = (max(1, round(side / patch)) for side in images[0].shape[:2])
    resized = [resize(image, rows * patch, columns * patch) for image in images]
    pixels = _batch(resized, dino, next(dino.parameters()).device)
    patches, attention = dino_features(dino, pixels, attention_blocks)
    own = (rows, columns)
    return DinoFeatures(
        mean_over_cells(patches, own, grid), resample_attention(attention, own, grid)
    )


def same_grid_batches(
    images: Sequence[Image], patch: int, max_side: int | None, size: Callable[[Grid], int]
) -> Iterator[list[Image]]:
    """Batches of images that have the same patch grid, of at most `size` of it."""
    groups: dict[Grid, list[Image]] = {}
    for image in images:
        grid = patch_grid(image.height, image.width, patch, max_side)
        groups.setdefault(grid, []).append(image)
    for grid, group in groups.items():
        most = size(grid)
        for start in range(0, len(group), most):
            yield group[start : start + most]


def images_at_once(clip: CLIP, settings: FeatureSettings, grid: Grid) -> int:
    """How many images of a grid a GPU takes at once, by its free memory; on a processor one.

    What bounds them are the attention maps in float32 of all heads, before and after the softmax,
    and the means that are kept.
    """
    device = clip.logit_scale.device
    if device.type == "cpu":
        return 1
    tokens, visual = grid[0] * grid[1] + 1, clip.visual
    maps = 2 * visual.transformer.resblocks[0].attn.num_heads + settings.clip_attention_blocks
    floats = maps * tokens**2 + WIDTHS * visual.proj.shape[0] * tokens
    fitting = USED_MEMORY * torch.cuda.mem_get_info(device)[0] / (floats * 4)
    return int(min(max(fitting, 1), MOST_AT_ONCE))


def _batch(
    images: Sequence[NDArray[np.uint8]], network: CLIP | Dino, device: torch.device
) -> Tensor:
    """Input of a network: bytes go to its device, and become numbers there."""
    pixels = torch.from_numpy(np.stack(images)).to(device).permute(0, 3, 1, 2).contiguous()
    return normalise_pixels(pixels.float() / 255, *pixel_statistics(network))


def _half(name: str, values: Tensor) -> NDArray[np.float16]:
    halves = values.half()
    if not halves.isfinite().all():
        raise InputError(f"features: {name} is not finite in float16; the weights may be broken")
    # A GPU writes to pinned memory at its full speed, and torch uses it again for the next batch.
    stored = torch.empty(halves.shape, dtype=halves.dtype, pin_memory=halves.is_cuda)
    array: NDArray[np.float16] = stored.copy_(halves).numpy()
    return array
