"""Features: what one pass stores agrees with what the models themselves compute."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from open_clip.model import CLIP
from timm.models.vision_transformer import VisionTransformer

from ssr.backbones.features import (
    MOST_AT_ONCE,
    clip_features,
    clip_positions,
    dino_features,
    extract,
    images_at_once,
    same_grid_batches,
)
from ssr.backbones.grids import mean_over_cells, resample_attention
from ssr.backbones.networks import load_clip, load_dino, normalise_pixels, pixel_statistics
from ssr.config import Backbone, Features
from ssr.data.images import resize
from ssr.data.index import Image
from ssr.errors import InputError
from tests.backbone_models import thin_clip, thin_dino, tiny_clip, tiny_dino

TOLERANCE = {"atol": 1e-4, "rtol": 0.0}
S_14 = "vit_small_patch14_dinov2"


@pytest.fixture
def clip(tmp_path: Path) -> CLIP:
    return load_clip(tiny_clip(tmp_path), "cpu")


@pytest.fixture
def dino(tmp_path: Path) -> VisionTransformer:
    return load_dino(tiny_dino(tmp_path), "cpu")


def own_grid(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def other_grid(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, 24, 48, generator=torch.Generator().manual_seed(1))


def random_images(count: int, height: int, width: int) -> list[np.ndarray]:
    generator = np.random.default_rng(2)
    return [generator.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_clip_agrees_with_its_own_forward(clip: CLIP, blocks: int) -> None:
    pixels = own_grid()
    features = clip_features(clip, pixels, blocks)
    own = clip.visual.forward_intermediates(
        pixels, indices=[1], output_fmt="NLC", output_extra_tokens=True
    )
    entering = torch.cat([*own["image_intermediates_prefix"], *own["image_intermediates"]], 1)
    torch.testing.assert_close(features.tokens, entering, **TOLERANCE)
    expected = clip.encode_image(pixels, normalize=True)
    torch.testing.assert_close(features.class_token, expected, **TOLERANCE)


def test_clip_attention_is_the_mean_of_what_the_blocks_attend_to(clip: CLIP) -> None:
    pixels = own_grid()
    tokens = clip.visual._embeds(pixels)
    maps = []
    for block in clip.visual.transformer.resblocks:
        normed = block.ln_1(tokens)
        maps.append(block.attn(normed, normed, normed, need_weights=True)[1][:, 1:, 1:])
        tokens = block(tokens)
    for blocks in (1, 2, 3):
        expected = torch.stack(maps[-blocks:]).mean(0)
        attention = clip_features(clip, pixels, blocks).attention
        torch.testing.assert_close(attention, expected, **TOLERANCE)
    rows = attention.sum(-1)
    assert rows.max() < 1  # the class token's share is left out, not redistributed
    assert rows.min() > 0.5


@pytest.mark.parametrize("registers", [0, 2])
@pytest.mark.parametrize("pixels", [own_grid(), other_grid()])
def test_dino_agrees_with_its_own_forward(
    tmp_path: Path, pixels: torch.Tensor, registers: int
) -> None:
    dino = load_dino(tiny_dino(tmp_path, reg_tokens=registers), "cpu")
    expected = dino.forward_features(pixels)[:, 1 + registers :]
    for blocks in (1, 3):
        patches = dino_features(dino, pixels, blocks).patches
        torch.testing.assert_close(patches, expected, **TOLERANCE)


def by_hand(block: Any, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A block of timm's written out: its tokens, and the mean attention of its heads."""
    heads, width = block.attn.num_heads, block.attn.head_dim
    packed = block.attn.qkv(block.norm1(tokens)).view(len(tokens), -1, 3, heads, width)
    queries, keys, values = packed.permute(2, 0, 3, 1, 4).unbind(0)
    weights = (queries * width**-0.5 @ keys.mT).softmax(-1)
    mixed = (weights @ values).transpose(1, 2).flatten(2)
    tokens = tokens + block.ls1(block.attn.proj(mixed))
    return tokens + block.ls2(block.mlp(block.norm2(tokens))), weights.mean(1)


@pytest.mark.parametrize("registers", [0, 2])
def test_dino_attention_is_the_mean_of_what_the_blocks_attend_to(
    tmp_path: Path, registers: int
) -> None:
    dino = load_dino(tiny_dino(tmp_path, reg_tokens=registers), "cpu")
    first = 1 + registers
    tokens = dino._pos_embed(dino.patch_embed(own_grid()))
    maps = []
    for block in dino.blocks:
        tokens, weights = by_hand(block, tokens)
        maps.append(weights[:, first:, first:])
    every = dino_features(dino, own_grid(), 3)
    assert torch.equal(every.attention, torch.stack(maps).mean(0))
    assert torch.equal(every.patches, dino.norm(tokens)[:, first:])
    torch.testing.assert_close(dino_features(dino, own_grid(), 1).attention, maps[-1], **TOLERANCE)


@pytest.mark.parametrize("architecture", [S_14, "vit_small_patch16_dinov3"])
def test_younger_dinos_agree_with_their_own_forward(tmp_path: Path, architecture: str) -> None:
    """Their blocks go the long way, in which the attention can be seen, to the same tokens."""
    dino = load_dino(thin_dino(tmp_path, architecture), "cpu")
    pixels = torch.randn(1, 3, 112, 224, generator=torch.Generator().manual_seed(1))
    expected = dino.forward_features(pixels)[:, dino.num_prefix_tokens :]
    torch.testing.assert_close(dino_features(dino, pixels, 2).patches, expected, **TOLERANCE)


def test_looking_at_the_attention_leaves_no_trace(dino: VisionTransformer) -> None:
    before = dino(own_grid())
    dino_features(dino, own_grid(), 2)
    assert all(block.attn.fused_attn for block in dino.blocks)
    assert not any(block.attn.attn_drop._forward_hooks for block in dino.blocks)
    assert torch.equal(dino(own_grid()), before)


def test_a_batch_gives_what_single_images_give(clip: CLIP, dino: VisionTransformer) -> None:
    pixels = other_grid(3)
    together = *clip_features(clip, pixels, 2), *dino_features(dino, pixels, 2)
    for index in range(3):
        single = pixels[index : index + 1]
        alone = *clip_features(clip, single, 2), *dino_features(dino, single, 2)
        for one, many in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], many[index], **TOLERANCE)


def test_positions_keep_their_place_on_another_grid(clip: CLIP) -> None:
    table = torch.zeros_like(clip.visual.positional_embedding)
    table[0] = 7.0
    table[1:, 0] = torch.arange(4.0).repeat_interleave(4)  # grows with the row
    table[1:, 1] = torch.arange(4.0).repeat(4)  # grows with the column
    clip.visual.positional_embedding.copy_(table)
    assert torch.equal(clip_positions(clip.visual, (4, 4)), table)
    wide = clip_positions(clip.visual, (3, 6))
    assert (wide[0] == 7).all()
    rows, columns = wide[1:, 0].view(3, 6), wide[1:, 1].view(3, 6)
    assert (rows.diff(dim=0) > 0).all()
    assert (columns.diff(dim=1) > 0).all()
    torch.testing.assert_close(rows, rows[:, :1].expand(3, 6), **TOLERANCE)
    torch.testing.assert_close(columns, columns[:1].expand(3, 6), **TOLERANCE)


def test_positions_are_computed_once_per_grid_and_follow_the_weights(clip: CLIP) -> None:
    first = clip_positions(clip.visual, (3, 6))
    assert clip_positions(clip.visual, (3, 6)) is first
    assert clip_positions(clip.visual, (6, 3)) is not first
    clip.visual.positional_embedding.add_(1.0)
    torch.testing.assert_close(clip_positions(clip.visual, (3, 6)), first + 1, **TOLERANCE)


def test_bilinear_positions_are_those_of_clip_es(clip: CLIP) -> None:
    """Without antialiasing, and rounded to float16, also on the grid that they were trained on."""
    table = clip.visual.positional_embedding
    image = table[1:].T.reshape(1, -1, 4, 4)
    for grid in ((3, 6), (4, 4), (2, 2)):
        larger = torch.nn.functional.interpolate(image, size=grid, mode="bilinear")
        expected = torch.cat([table[:1], larger.flatten(2)[0].T]).half().float()
        assert torch.equal(clip_positions(clip.visual, grid, "bilinear"), expected)
        assert not torch.equal(clip_positions(clip.visual, grid), expected)


def test_features_take_the_positions_of_their_settings(clip: CLIP, dino: VisionTransformer) -> None:
    images = random_images(1, 24, 48)
    settings = Features(clip_attention_blocks=2, positions="bilinear")
    stored = extract(clip, dino, images, settings)[0]
    other = extract(clip, dino, images, settings.model_copy(update={"positions": "bicubic"}))[0]
    differing = {name for name in stored if not np.array_equal(stored[name], other[name])}
    assert differing == {"tokens", "clip_attention", "class_token"}


def test_trainable_positions_receive_gradients(clip: CLIP) -> None:
    clip.visual.positional_embedding.requires_grad_(True)
    clip_positions(clip.visual, (3, 6)).sum().backward()
    gradient = clip.visual.positional_embedding.grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_stored_arrays(clip: CLIP, dino: VisionTransformer) -> None:
    images = random_images(2, 24, 48)
    first, second = extract(clip, dino, images, Features(clip_attention_blocks=2))
    assert {name: (array.shape, array.dtype.name) for name, array in first.items()} == {
        "tokens": ((19, 32), "float16"),
        "clip_attention": ((18, 18), "float16"),
        "dino_attention": ((18, 18), "float16"),
        "class_token": ((24,), "float16"),
        "dino_patches": ((18, 32), "float16"),
        "grid": ((2,), "int32"),
    }
    assert first["grid"].tolist() == [3, 6]
    np.testing.assert_allclose(np.linalg.norm(first["class_token"].astype(float)), 1, atol=1e-2)
    assert not np.array_equal(first["tokens"], second["tokens"])


def test_pixels_are_normalised_by_each_networks_statistics(
    clip: CLIP, dino: VisionTransformer
) -> None:
    images = random_images(1, 32, 32)
    (stored,) = extract(clip, dino, images, Features(clip_attention_blocks=1))
    planes = torch.from_numpy(images[0]).permute(2, 0, 1)[None] / 255

    def scaled(mean: list[float], deviation: list[float]) -> torch.Tensor:
        values = torch.tensor([mean, deviation]).view(2, 1, 3, 1, 1)
        return (planes - values[0]) / values[1]

    to_clip = scaled([0.4815, 0.4578, 0.4082], [0.2686, 0.2613, 0.2758])
    to_dino = scaled([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    expected = clip_features(clip, to_clip, 1).tokens[0]
    np.testing.assert_allclose(stored["tokens"], expected, atol=5e-3)
    expected = dino_features(dino, to_dino, 1).patches[0]
    np.testing.assert_allclose(stored["dino_patches"], expected, atol=5e-3)


def test_more_attention_blocks_than_the_model_has(clip: CLIP, dino: VisionTransformer) -> None:
    with pytest.raises(InputError, match=r"clip_attention_blocks: allowed 1 to 3 .* came 4"):
        clip_features(clip, own_grid(), 4)
    with pytest.raises(InputError, match=r"dino_attention_blocks: allowed 1 to 3 .* came 4"):
        dino_features(dino, own_grid(), 4)


PAIRS = [
    ("ViT-B-16-quickgelu", "vit_small_patch16_224"),
    ("ViT-B-16", "vit_small_patch8_224"),
    ("ViT-B-32", "vit_small_patch16_224"),
    ("ViT-B-16", "vit_small_patch14_dinov2"),
    ("ViT-B-16", "vit_small_patch14_reg4_dinov2"),
    ("ViT-B-16", "vit_small_patch16_dinov3"),
    ("ViT-L-14", "vit_small_patch16_224"),
    ("ViT-B-16", "eva02_small_patch14_224"),
]


@pytest.mark.parametrize(("clip_name", "dino_name"), PAIRS)
def test_any_pair_of_transformers(tmp_path: Path, clip_name: str, dino_name: str) -> None:
    """The networks as the libraries define them, but for their width and depth."""
    clip = load_clip(thin_clip(tmp_path, clip_name), "cpu")
    dino = load_dino(thin_dino(tmp_path, dino_name), "cpu")
    patch = clip.visual.patch_size[0]
    images = random_images(2, 4 * patch, 6 * patch)
    settings = Features(clip_attention_blocks=2, dino_attention_blocks=2)
    for stored in extract(clip, dino, images, settings):
        assert stored["grid"].tolist() == [4, 6]
        assert stored["tokens"].shape == (25, 64)
        assert stored["dino_patches"].shape == (24, 48)
        assert stored["dino_attention"].shape == (24, 24)
        rows = stored["dino_attention"].astype(float).sum(1)
        assert rows.min() > 0.5  # the share of class and registers is left out
        assert rows.max() < 1.001


def test_dino_on_another_grid_sees_the_image_at_its_size(tmp_path: Path) -> None:
    """Its features, brought to CLIP's grid by area, are those of its own grid."""
    clip, dino = load_clip(tiny_clip(tmp_path), "cpu"), load_dino(thin_dino(tmp_path, S_14), "cpu")
    (image,) = random_images(1, 24, 48)  # 3 x 6 patches of CLIP, 2 x 3 of DINO
    (stored,) = extract(clip, dino, [image], Features(clip_attention_blocks=1))
    channels = torch.from_numpy(resize(image, 28, 42)).permute(2, 0, 1)[None] / 255
    own = dino_features(dino, normalise_pixels(channels, *pixel_statistics(dino)), 1)
    expected = mean_over_cells(own.patches, (2, 3), (3, 6))[0]
    np.testing.assert_allclose(stored["dino_patches"], expected, atol=5e-3)
    expected = resample_attention(own.attention, (2, 3), (3, 6))[0]
    np.testing.assert_allclose(stored["dino_attention"], expected, atol=1e-3)


def test_broken_weights_are_noticed(clip: CLIP, dino: VisionTransformer) -> None:
    clip.visual.proj.fill_(torch.inf)
    images = random_images(1, 32, 32)
    with pytest.raises(InputError, match="class_token is not finite"):
        extract(clip, dino, images, Features(clip_attention_blocks=1))


def test_batches_have_one_grid_and_hold_every_image_once() -> None:
    sizes = [(16, 16), (20, 16), (16, 9), (24, 20), (15, 15), (10, 12)]
    images = [
        Image(str(number), "", width, height, "train", (), "train_0000")
        for number, (width, height) in enumerate(sizes)
    ]
    batches = list(same_grid_batches(images, patch=8, max_side=None, size=lambda _: 2))
    assert [[image.id for image in batch] for batch in batches] == [
        ["0", "2"],
        ["4", "5"],
        ["1"],
        ["3"],
    ]


def test_a_gpu_takes_as_many_images_as_half_its_free_memory_holds(
    monkeypatch: pytest.MonkeyPatch, clip: CLIP
) -> None:
    settings = Features(clip_attention_blocks=1)
    assert images_at_once(clip, settings, (20, 20)) == 1  # a processor is busy with one
    gpu = SimpleNamespace(device=torch.device("cuda"))
    on_gpu: Any = SimpleNamespace(visual=clip.visual, logit_scale=gpu)

    def count(free: float, side: int) -> int:
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (int(free), 0))
        return images_at_once(on_gpu, settings, (side, side))

    assert count(0, 20) == 1  # an image must fit, whatever is free
    assert 1 < count(4e7, 20) < count(8e7, 20) < MOST_AT_ONCE
    assert count(1e11, 20) == MOST_AT_ONCE
    assert count(8e7, 40) == 1  # with 4 times the patches, 16 times the maps


@pytest.mark.parametrize("registers", [0, 2])
def test_float16_gives_the_features_of_float32(tmp_path: Path, registers: int) -> None:
    clip = load_clip(tiny_clip(tmp_path), "cpu")
    dino = load_dino(tiny_dino(tmp_path, reg_tokens=registers), "cpu")
    images = random_images(2, 24, 48)
    settings = Features(clip_attention_blocks=2)
    half = settings.model_copy(update={"precision": "float16"})
    pairs = zip(
        extract(clip, dino, images, settings), extract(clip, dino, images, half), strict=True
    )
    for exact, mixed in pairs:
        assert any((exact[name] != mixed[name]).any() for name in exact)  # it was computed in it
        for name, values in exact.items():
            assert mixed[name].dtype == values.dtype
            apart = np.linalg.norm(mixed[name].astype(float) - values)
            assert apart < 0.005 * np.linalg.norm(values.astype(float)), name


@pytest.mark.slow
def test_vit_b_16_agrees_with_its_own_forward() -> None:
    clip = load_clip(Backbone(model="ViT-B-16-quickgelu", weights="random"), "cpu")
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    features = clip_features(clip, pixels, 8)
    with torch.no_grad():
        expected = clip.encode_image(pixels, normalize=True)
    torch.testing.assert_close(features.class_token, expected, **TOLERANCE)
    assert features.attention.shape == (1, 196, 196)
