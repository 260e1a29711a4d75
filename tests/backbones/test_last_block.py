"""CLIP's last block: what it gives is what the whole CLIP gives, also when read by itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from safetensors.torch import save_file

from ssr.backbones.features import clip_features
from ssr.backbones.last_block import LastBlock, load_last_block, patches_of_image
from ssr.backbones.networks import described_clip, load_clip
from ssr.config import Backbone
from ssr.errors import InputError
from tests.backbone_models import CLIP_MODEL, thin_clip, tiny_clip

TOLERANCE = {"atol": 1e-4, "rtol": 0.0}


@pytest.fixture
def clip(tmp_path: Path) -> CLIP:
    return load_clip(tiny_clip(tmp_path), "cpu")


def own_grid() -> torch.Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def with_weights(settings: Backbone, folder: Path) -> Backbone:
    """The same model with a file of its weights, none of which is a value that one starts with."""
    generator = torch.Generator().manual_seed(3)
    state = load_clip(settings, "cpu").state_dict()
    path = folder / "weights.safetensors"
    drawn = {
        name: torch.randn(value.shape, generator=generator).half() / 8
        for name, value in state.items()
    }
    save_file(drawn, path)
    return Backbone(model=settings.model, weights=str(path))


def as_configured(folder: Path, **vision: Any) -> Backbone:
    path = folder / "clip.json"
    path.write_text(json.dumps(CLIP_MODEL | {"vision_cfg": CLIP_MODEL["vision_cfg"] | vision}))
    return Backbone(model=str(path), weights="random")


@pytest.mark.parametrize("pool", ["tok", "avg"])
def test_patches_are_those_of_the_whole_clip(tmp_path: Path, pool: str) -> None:
    clip = load_clip(tiny_clip(tmp_path, pool=pool), "cpu")
    pixels = own_grid()
    features = clip_features(clip, pixels, 1)
    patches = torch.stack([patches_of_image(clip, tokens) for tokens in features.tokens])
    assert patches.shape == (2, 16, 24)
    clip.visual.output_tokens = True
    pooled, expected = clip.visual(pixels)
    torch.testing.assert_close(patches, expected @ clip.visual.proj, **TOLERANCE)
    if pool == "avg":
        torch.testing.assert_close(patches.mean(1), pooled, **TOLERANCE)
    else:
        torch.testing.assert_close(features.class_token, F.normalize(pooled), **TOLERANCE)


@pytest.mark.parametrize(
    "vision",
    [
        {"ls_init_value": 0.1},
        {"mlp_ratio": 2.5, "layers": 12},
        {"norm_kwargs": {"eps": 0.1}},
    ],
)
def test_read_by_itself_it_gives_the_bits_of_the_whole_clip(
    tmp_path: Path, vision: dict[str, Any]
) -> None:
    assert_equal_bits(with_weights(as_configured(tmp_path, **vision), tmp_path))


@pytest.mark.parametrize("name", ["ViT-B-16", "ViT-B-16-quickgelu", "ViT-H-14"])
def test_it_knows_the_activations_of_open_clip(tmp_path: Path, name: str) -> None:
    assert_equal_bits(with_weights(thin_clip(tmp_path, name), tmp_path))


def assert_equal_bits(settings: Backbone) -> None:
    whole, alone = load_clip(settings, "cpu"), load_last_block(settings, "cpu")
    assert isinstance(alone, LastBlock)
    assert not any(each.requires_grad for each in alone.parameters())
    width = whole.visual.proj.shape[0]
    residual = torch.randn(7, width, generator=torch.Generator().manual_seed(2))
    for clip in (whole, alone):
        assert clip.visual.proj.dtype == torch.float32
    assert torch.equal(patches_of_image(alone, residual), patches_of_image(whole, residual))


def test_without_a_file_it_is_that_of_the_whole_clip(tmp_path: Path) -> None:
    assert_equal_bits(tiny_clip(tmp_path))


def test_the_activation_is_that_of_the_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's weights need QuickGELU, which the model's own name doesn't say."""
    tiny = tiny_clip(tmp_path)
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(CLIP_MODEL | {"quick_gelu": False}))
    quick = described_clip(tiny)
    monkeypatch.setattr("ssr.backbones.networks.described_clip", lambda _: quick)
    assert_equal_bits(Backbone(model=str(path), weights="random"))


def test_patches_are_differentiable_where_the_block_is_not_frozen(tmp_path: Path) -> None:
    block = load_last_block(tiny_clip(tmp_path), "cpu")
    tokens = own_tokens()
    assert not patches_of_image(block, tokens).requires_grad
    patches_of_image(block.requires_grad_(True), tokens).square().sum().backward()
    assert all(each.grad is not None for each in block.parameters())


def own_tokens() -> torch.Tensor:
    return torch.randn(7, 32, generator=torch.Generator().manual_seed(2))


def test_weights_of_another_clip_are_refused(tmp_path: Path) -> None:
    other = with_weights(tiny_clip(tmp_path), tmp_path).weights
    settings = Backbone(model=as_configured(tmp_path, layers=2, width=64).model, weights=other)
    with pytest.raises(InputError, match=r"don't fit the model: other shape: visual.proj"):
        load_last_block(settings, "cpu")
