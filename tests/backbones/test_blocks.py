"""A block of CLIP by its parts, against open_clip's and torch's own forward."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ssr.backbones.blocks import through_block, through_block_with_attention
from ssr.backbones.networks import load_clip
from tests.backbone_models import tiny_clip


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Any:
    clip = load_clip(tiny_clip(tmp_path_factory.mktemp("clip")), "cpu")
    return clip.visual.transformer.resblocks[1]


@pytest.fixture(scope="module")
def tokens() -> Tensor:
    return torch.randn(2, 13, 32, generator=torch.Generator().manual_seed(5))


def test_tokens_are_those_of_open_clip(block: Any, tokens: Tensor) -> None:
    torch.testing.assert_close(through_block(block, tokens), block(tokens))


@pytest.mark.parametrize("kept", [1, 5, None])
def test_attention_is_the_mean_over_heads_of_torch(
    block: Any, tokens: Tensor, kept: int | None
) -> None:
    activation = block.ln_1(tokens)
    _, expected = block.attn(activation, activation, activation, need_weights=True)
    out, attention = through_block_with_attention(block, tokens, kept)
    torch.testing.assert_close(attention, expected)
    torch.testing.assert_close(out, block(tokens)[:, :kept])


def test_in_half_precision_attention_is_summed_in_single(block: Any, tokens: Tensor) -> None:
    _, expected = through_block_with_attention(block, tokens)
    with torch.autocast("cpu", torch.bfloat16):
        _, attention = through_block_with_attention(block, tokens)
    assert attention.dtype == torch.float32
    torch.testing.assert_close(attention, expected, atol=2e-3, rtol=0)


def test_gradients_reach_weights_that_are_trained(tmp_path: Path, tokens: Tensor) -> None:
    clip = load_clip(tiny_clip(tmp_path), "cpu")
    own = clip.visual.transformer.resblocks[0].requires_grad_(True)
    through_block(own, tokens).sum().backward()
    assert all(weight.grad is not None for weight in own.parameters())
