"""The gradients of the mean patch against those that torch finds by itself."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ssr.backbones.blocks import through_block
from ssr.backbones.last_block import LastBlock
from ssr.cams.mean_patch import MeanPatch

WIDTH, JOINT, HEADS = 24, 16, 3


def block(quick_gelu: bool = True, **vision: Any) -> LastBlock:
    """In double precision, with weights that differ from one channel to the next."""
    described = {"width": WIDTH, "head_width": WIDTH // HEADS, **vision}
    made = LastBlock({"embed_dim": JOINT, "quick_gelu": quick_gelu, "vision_cfg": described})
    random = torch.Generator().manual_seed(0)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, mean=0.2, std=0.5, generator=random)
    return made.double().requires_grad_(False).eval()


def entering(patches: int) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randn(patches + 1, WIDTH, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("patches", [1, 2, 11])
@pytest.mark.parametrize(
    "clip",
    [
        pytest.param(block(), id="quick_gelu"),
        pytest.param(block(quick_gelu=False), id="gelu"),
        pytest.param(block(ls_init_value=0.1), id="layer_scale"),
        pytest.param(block(norm_kwargs={"eps": 0.01}), id="eps"),
        pytest.param(block(False, act_kwargs={"approximate": "tanh"}, mlp_ratio=2.0), id="tanh"),
    ],
)
def test_value_and_gradients_are_those_of_torch(clip: LastBlock, patches: int) -> None:
    residual, asked = entering(patches), torch.randn(4, WIDTH, dtype=torch.float64)
    own, caught = clip.visual.transformer.resblocks[0], []

    def catch(_: object, __: object, activation: Tensor) -> Tensor:
        caught.append(activation.requires_grad_())
        return activation

    with own.ln_1.register_forward_hook(catch):
        mean = clip.visual.ln_post(through_block(own, residual[None]))[0, 1:].mean(0)
    (activation,) = caught
    expected = [
        torch.autograd.grad(mean, activation, each, retain_graph=True)[0][0, 1:].mean(0)
        for each in asked
    ]

    patch = MeanPatch(clip, residual)
    torch.testing.assert_close(patch.value, mean)
    torch.testing.assert_close(patch.activation, activation[0, 1:])
    torch.testing.assert_close(patch.gradients(asked), torch.stack(expected), rtol=1e-9, atol=1e-12)


def test_classes_asked_together_are_those_asked_one_by_one() -> None:
    patch, asked = MeanPatch(block(), entering(7)), torch.randn(3, WIDTH, dtype=torch.float64)
    singly = torch.cat([patch.gradients(each[None]) for each in asked])
    torch.testing.assert_close(patch.gradients(asked), singly)


def test_what_enters_the_block_is_left_as_it_was() -> None:
    residual = entering(5)
    before = residual.clone()
    MeanPatch(block(), residual).gradients(torch.ones(1, WIDTH, dtype=torch.float64))
    assert not residual.requires_grad
    assert torch.equal(residual, before)
