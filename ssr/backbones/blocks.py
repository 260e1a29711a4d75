"""What a block of CLIP does to its tokens, by open_clip's weights: B images, L tokens, W width.

open_clip's own forward goes by torch's MultiheadAttention, which takes longer on a processor.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def packed_heads(block: Any, activation: Tensor) -> Tensor:
    """Queries, keys and values (3, B, heads, L, width of a head) of A = ln_1(tokens) (B, L, W)."""
    attention = block.attn
    packed = F.linear(activation, attention.in_proj_weight, attention.in_proj_bias)
    return packed.unflatten(2, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)


def through_block(block: Any, tokens: Tensor) -> Tensor:
    """Tokens (B, L, W) behind a block."""
    heads = packed_heads(block, block.ln_1(tokens))
    mixed = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
    return _add(block, tokens, mixed)


def through_block_with_attention(
    block: Any, tokens: Tensor, kept: int | None = None
) -> tuple[Tensor, Tensor]:
    """The same of the first `kept` tokens, or all, and the attention (B, L, L), mean over heads.

    It is computed once, for both results, and a head at a time: to get and return the memory that
    maps of all heads need takes longer than to fill it.
    """
    heads = packed_heads(block, block.ln_1(tokens))
    mixed, total = [], tokens.new_zeros(1, 1, 1)
    for queries, keys, values in heads.unbind(2):
        weights = (queries * queries.shape[-1] ** -0.5 @ keys.mT).softmax(-1)  # (B, L, L)
        mixed.append(weights[:, :kept] @ values)
        total = total + weights
    return _add(block, tokens[:, :kept], torch.cat(mixed, 2)), total / len(mixed)


def _add(block: Any, tokens: Tensor, mixed: Tensor) -> Tensor:
    tokens = tokens + block.ls_1(block.attn.out_proj(mixed))
    out: Tensor = tokens + block.ls_2(block.mlp(block.ln_2(tokens)))
    return out
